/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t.h"
#include "conf.h"

struct settings {
	bool debug;
	unsigned port;
	char *name;
	char *dir;
	char *maybe;
	char **address;
	char **pattern;
	int level;
};

static const char *const level_words[] = {"error", "info", "debug", NULL};

static bool no_wildcard(const char *value, char *reason, size_t size)
{
	if (!strchr(value, '*'))
		return true;
	snprintf(reason, size, "has a wildcard");
	return false;
}

static const struct conf_item items[] = {
	{"Daemon", "Debug", CONF_BOOL, offsetof(struct settings, debug), "no", .help = "Say more."},
	{"Daemon", "Level", CONF_ENUM, offsetof(struct settings, level), "info",
		.words = level_words},
	{"Daemon", "Name", CONF_STR, offsetof(struct settings, name), "host", .min = 1, .max = 5},
	{"Rpcbind", "Port", CONF_UINT, offsetof(struct settings, port), "111", .min = 1,
		.max = 65535, .help = "Where to listen."},
	{"Rpcbind", "Dir", CONF_PATH, offsetof(struct settings, dir), "/run/x", .min = 1},
	{"Rpcbind", "Maybe", CONF_PATH, offsetof(struct settings, maybe), .min = 0},
	{"Rpcbind", "Address", CONF_LIST, offsetof(struct settings, address), " 127.0.0.1  ::1 ",
		.max = 3, .check = no_wildcard},
	{"Rpcbind", "Pattern", CONF_LIST, offsetof(struct settings, pattern), NULL, .max = 2},
	{.section = NULL},
};

static const char *const foreign[] = {"Time", "Resolver", NULL};

static const struct conf_schema schema = {.items = items, .foreign = foreign};

struct fixture {
	struct settings conf;
	struct ini_doc *doc;
	char told[1024];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->doc = ini_doc_new();
	assert_non_null(f->doc);
	assert_int_equal(conf_defaults(&schema, &f->conf), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	conf_clear(&schema, &f->conf);
	ini_doc_free(f->doc);
	free(f);
	return 0;
}

static void tell(void *arg, const char *file, unsigned line, const char *text)
{
	struct fixture *f = arg;
	size_t len = strlen(f->told);

	snprintf(f->told + len, sizeof(f->told) - len, "%s:%u: %s\n", file, line, text);
}

static void add(struct fixture *f, const char *section, const char *key, const char *value,
	const char *file, unsigned line)
{
	const struct ini_setting s = {section, key, value, file, line};

	assert_int_equal(ini_doc_add(f->doc, &s), 0);
}

static int apply(struct fixture *f)
{
	return conf_apply(&schema, &f->conf, f->doc, tell, f);
}

/* One setting on top of the defaults; the error, if any, without its place. */
static const char *error_of(const char *section, const char *key, const char *value)
{
	static char text[1024];
	struct fixture f = {.doc = ini_doc_new()};
	int rc;

	assert_non_null(f.doc);
	assert_int_equal(conf_defaults(&schema, &f.conf), 0);
	add(&f, section, key, value, "f", 1);
	rc = apply(&f);
	snprintf(text, sizeof(text), "%s", f.told);
	conf_clear(&schema, &f.conf);
	ini_doc_free(f.doc);
	assert_int_equal(rc, *text ? -EINVAL : 0);
	if (!*text)
		return NULL;
	assert_int_equal(strncmp(text, "f:1: ", 5), 0);
	text[strcspn(text, "\n")] = '\0';
	return text + 5;
}

static void assert_list(char *const *list, const char *joined)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; list && list[i]; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s|", list[i]);
	assert_string_equal(text, joined);
}

static void defaults(void **state)
{
	struct fixture *f = *state;

	assert_false(f->conf.debug);
	assert_int_equal(f->conf.port, 111);
	assert_int_equal(f->conf.level, 1);
	assert_string_equal(f->conf.name, "host");
	assert_string_equal(f->conf.dir, "/run/x");
	assert_string_equal(f->conf.maybe, "");
	assert_list(f->conf.address, "127.0.0.1|::1|");
	assert_list(f->conf.pattern, "");
}

static void applies(void **state)
{
	struct fixture *f = *state;

	add(f, "Rpcbind", "Port", "65535", "a", 1);
	add(f, "Rpcbind", "Dir", "/", "a", 2);
	add(f, "Rpcbind", "Maybe", "/m", "a", 3);
	add(f, "Daemon", "Debug", "on", "a", 4);
	add(f, "Daemon", "Level", "debug", "a", 5);
	add(f, "Daemon", "Name", "a", "a", 6);
	add(f, "Time", "Whatever", "x", "a", 7);
	assert_int_equal(apply(f), 0);
	assert_string_equal(f->told, "");
	assert_true(f->conf.debug);
	assert_int_equal(f->conf.port, 65535);
	assert_int_equal(f->conf.level, 2);
	assert_string_equal(f->conf.name, "a");
	assert_string_equal(f->conf.dir, "/");
	assert_string_equal(f->conf.maybe, "/m");
}

static void lists(void **state)
{
	struct fixture *f = *state;

	/* Set at all: without its default. Later files add. */
	add(f, "Rpcbind", "Address", "192.0.2.1", "a", 1);
	add(f, "Rpcbind", "Pattern", "*", "a", 2);
	add(f, "Rpcbind", "Address", "a b", "a", 3);
	add(f, "Rpcbind", "Address", "192.0.2.1", "b", 1);
	assert_int_equal(apply(f), 0);
	assert_list(f->conf.address, "192.0.2.1|a b|192.0.2.1|");
	assert_list(f->conf.pattern, "*|");
}

static void emptied_lists(void **state)
{
	struct fixture *f = *state;

	add(f, "Rpcbind", "Address", "192.0.2.1", "a", 1);
	add(f, "Rpcbind", "Pattern", "x", "a", 2);
	add(f, "Rpcbind", "Pattern", "", "b", 1);
	add(f, "Rpcbind", "Address", "", "b", 2);
	add(f, "Rpcbind", "Address", "192.0.2.2", "b", 3);
	assert_int_equal(apply(f), 0);
	assert_list(f->conf.address, "192.0.2.2|");
	assert_list(f->conf.pattern, "");
}

static void error_texts(void **state)
{
	(void)state;
	assert_string_equal(error_of("Rpcbind", "Foo", "1"), "unknown key 'Foo' in [Rpcbind]");
	assert_string_equal(error_of("Rpcbind", "port", "1"), "unknown key 'port' in [Rpcbind]");
	assert_string_equal(error_of("Rpcbnid", "Port", "1"), "unknown section [Rpcbnid]");
	assert_string_equal(error_of("time", "Foo", "1"), "unknown section [time]");
	assert_string_equal(
		error_of("", "Port", "1"), "key 'Port' stands before the first section");
	assert_string_equal(error_of("Rpcbind", "Port", "x"),
		"value 'x' of Port is not a number from 1 to 65535");
	assert_string_equal(error_of("Rpcbind", "Port", "0"),
		"value '0' of Port is not a number from 1 to 65535");
	assert_string_equal(error_of("Rpcbind", "Port", "65536"),
		"value '65536' of Port is not a number from 1 to 65535");
	assert_string_equal(error_of("Rpcbind", "Port", ""),
		"value '' of Port is not a number from 1 to 65535");
	assert_string_equal(error_of("Daemon", "Debug", "maybe"),
		"value 'maybe' of Debug is neither yes nor no");
	assert_string_equal(error_of("Daemon", "Level", "Info"),
		"value 'Info' of Level is none of error, info, debug");
	assert_string_equal(error_of("Daemon", "Name", ""), "value '' of Name is empty");
	assert_string_equal(error_of("Daemon", "Name", "sixsix"),
		"value 'sixsix' of Name is longer than 5 bytes");
	assert_string_equal(
		error_of("Rpcbind", "Dir", "run"), "value 'run' of Dir is not an absolute path");
	assert_string_equal(error_of("Rpcbind", "Dir", ""), "value '' of Dir is empty");
	assert_null(error_of("Rpcbind", "Maybe", ""));
	assert_string_equal(error_of("Rpcbind", "Maybe", "./x"),
		"value './x' of Maybe is not an absolute path");
	assert_string_equal(
		error_of("Rpcbind", "Address", "10.*"), "value '10.*' of Address has a wildcard");
	assert_null(error_of("Rpcbind", "Address", ""));
}

static void all_errors_told(void **state)
{
	struct fixture *f = *state;

	add(f, "Rpcbind", "Port", "x", "a", 1);
	add(f, "Rpcbind", "Port", "1", "a", 2);
	add(f, "Nope", "One", "1", "a", 3);
	add(f, "Nope", "Two", "1", "a", 4); /* the same section: told once */
	add(f, "Nope", "Two", "1", "b", 1);
	add(f, "Rpcbind", "Pattern", "1", "b", 2);
	add(f, "Rpcbind", "Pattern", "2", "b", 3);
	add(f, "Rpcbind", "Pattern", "3", "b", 4);
	assert_int_equal(apply(f), -EINVAL);
	assert_string_equal(f->told, "a:1: value 'x' of Port is not a number from 1 to 65535\n"
				     "a:2: Port is set twice, first in line 1\n"
				     "a:3: unknown section [Nope]\n"
				     "b:1: unknown section [Nope]\n"
				     "b:4: value '3' of Pattern is one more than the 2 allowed\n");
}

static void later_file_wins(void **state)
{
	struct fixture *f = *state;

	add(f, "Rpcbind", "Port", "1", "a", 1);
	add(f, "Daemon", "Name", "one", "a", 2);
	add(f, "Rpcbind", "Port", "2", "b", 1);
	add(f, "Daemon", "Name", "two", "b", 2);
	assert_int_equal(apply(f), 0);
	assert_int_equal(f->conf.port, 2);
	assert_string_equal(f->conf.name, "two");
}

static void print(const struct settings *conf, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	assert_non_null(out);
	assert_int_equal(conf_print(&schema, conf, out), 0);
	assert_int_equal(fclose(out), 0);
}

static void printed(void **state)
{
	struct fixture *f = *state;
	char text[1024];

	print(&f->conf, text, sizeof(text));
	assert_string_equal(text, "[Daemon]\n"
				  "# Say more.\n"
				  "Debug=no\n"
				  "Level=info\n"
				  "Name=host\n"
				  "\n"
				  "[Rpcbind]\n"
				  "# Where to listen.\n"
				  "Port=111\n"
				  "Dir=/run/x\n"
				  "Maybe=\n"
				  "Address=127.0.0.1\n"
				  "Address=::1\n"
				  "Pattern=\n");
}

/* Printed, read and printed again: the same, lists without their default included. */
static void reads_back(void **state)
{
	struct fixture *f = *state;
	char first[1024], second[1024], path[] = "/tmp/nsaux-conf-XXXXXX";
	struct settings again = {.port = 0};
	struct ini_doc *doc = ini_doc_new();
	int fd = mkstemp(path);

	add(f, "Rpcbind", "Address", "", "a", 1);
	add(f, "Rpcbind", "Pattern", ";x;y", "a", 2);
	add(f, "Rpcbind", "Pattern", "#a=[b] c", "a", 3);
	add(f, "Rpcbind", "Maybe", "/m/\xc3\xa9", "a", 4);
	add(f, "Daemon", "Level", "debug", "a", 5);
	add(f, "Daemon", "Name", "=;", "a", 6);
	assert_int_equal(apply(f), 0);
	print(&f->conf, first, sizeof(first));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, first, strlen(first)), strlen(first));
	close(fd);
	assert_int_equal(ini_doc_read(doc, path, tell, f), 0);
	unlink(path);
	assert_int_equal(conf_defaults(&schema, &again), 0);
	assert_int_equal(conf_apply(&schema, &again, doc, tell, f), 0);
	print(&again, second, sizeof(second));
	assert_string_equal(first, second);
	assert_list(again.address, "");
	assert_list(again.pattern, ";x;y|#a=[b] c|");
	assert_string_equal(again.name, "=;");
	conf_clear(&schema, &again);
	ini_doc_free(doc);
}

static void bad_table(void **state)
{
	static const struct conf_item bad[] = {
		{"A", "Name", CONF_STR, offsetof(struct settings, name), "x", .max = 5},
		{"A", "Port", CONF_UINT, offsetof(struct settings, port), "0", .min = 1, .max = 2},
		{.section = NULL},
	};
	const struct conf_schema table = {.items = bad};
	struct settings conf = {.port = 0};

	(void)state;
	assert_int_equal(conf_defaults(&table, &conf), -EINVAL);
	assert_null(conf.name);
}

static void large_numbers(void **state)
{
	static const struct conf_item wide[] = {
		{"A", "Port", CONF_UINT, offsetof(struct settings, port), "0", .max = UINT64_MAX},
		{.section = NULL},
	};
	const struct conf_schema table = {.items = wide};
	struct fixture *f = *state;
	struct settings conf = {.port = 0};

	assert_int_equal(conf_defaults(&table, &conf), 0);
	add(f, "A", "Port", "4294967295", "a", 1);
	assert_int_equal(conf_apply(&table, &conf, f->doc, tell, f), 0);
	assert_true(conf.port == UINT_MAX);
	add(f, "A", "Port", "4294967296", "b", 1);
	assert_int_equal(conf_apply(&table, &conf, f->doc, NULL, NULL), -EINVAL);
}

static void print_fails(void **state)
{
	struct fixture *f = *state;
	FILE *out = fopen("/dev/full", "we");

	assert_non_null(out);
	assert_int_equal(conf_print(&schema, &f->conf, out), -EIO);
	fclose(out);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(defaults),
		test(applies),
		test(lists),
		test(emptied_lists),
		test(error_texts),
		test(all_errors_told),
		test(later_file_wins),
		test(printed),
		test(reads_back),
		test(bad_table),
		test(large_numbers),
		test(print_fails),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
