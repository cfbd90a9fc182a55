/* SPDX-License-Identifier: BSD-3-Clause */
/* The directory of NAME.conf files. What a file may say is tested in test_network.c and
 * test_vsreg_conf.c. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "vsdir.h"

struct fixture {
	char dir[64];
	char log[4096];
	struct vs_conf *table;
};

static void note(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text)
{
	struct fixture *f = arg;
	size_t len = strlen(f->log);
	const char *base = file ? strrchr(file, '/') : NULL;

	snprintf(f->log + len, sizeof(f->log) - len, "<%d> %s %s:%u: %s\n", priority,
		vs ? vs : "-", base ? base + 1 : "-", line, text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/test_vsdir.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.conf", "b.conf", "host.conf", "a.conf.d/x.conf"};
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/a.conf.d", f->dir);
	rmdir(path);
	rmdir(f->dir);
	vsdir_free(f->table);
	free(f);
	return 0;
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct vs_conf *get(struct fixture *f, const char *name)
{
	struct vs_conf *conf;

	HASH_FIND(hh, f->table, name, strlen(name), conf);
	if (!conf)
		abort(); /* cmocka's own way out is none to the compiler */
	return conf;
}

static void expect_errors(struct fixture *f, const char *log)
{
	assert_int_equal(vsdir_read(&f->table, f->dir, note, f), -EINVAL);
	assert_null(f->table);
	assert_string_equal(f->log, log);
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	struct vs_conf *kept;
	char path[128];

	write_file(f, "a.conf", "[VirtualServer]\nFlavour=mark\nMark=1\nNamespace=red\n"
				"[Network]\nAddress=10.0.0.5/24 dev x\n");
	snprintf(path, sizeof(path), "%s/a.conf.d", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(f, "a.conf.d/x.conf", "[VirtualServer]\nMark=2\n[Network]\nPool=10.1.0.0/16\n");
	write_file(f, "b.conf", "[VirtualServer]\nEnabled=no\n");
	write_file(f, "host.conf", "[VirtualServer]\nDefault=yes\n[Rpcbind]\nServe=yes\n");
	assert_int_equal(vsdir_read(&f->table, f->dir, note, f), 0);
	assert_string_equal(f->log, "");
	assert_int_equal(HASH_COUNT(f->table), 3);
	assert_string_equal(get(f, "a")->values.ns, "red");
	assert_int_equal(get(f, "a")->values.flavour, 1);
	assert_int_equal(get(f, "a")->network->mark, 2);
	assert_int_equal(get(f, "a")->network->address_count, 1);
	assert_string_equal(strrchr(get(f, "a")->network->pools[0].place.file, '/'), "/x.conf");
	assert_false(get(f, "b")->values.enabled);
	assert_false(get(f, "b")->network->is_wanted);
	assert_true(get(f, "host")->network->is_default);
	/* A reference outlives the table. */
	kept = vs_conf_ref(get(f, "a"));
	vsdir_free(f->table);
	f->table = NULL;
	assert_int_equal(kept->network->mark, 2);
	vs_conf_unref(kept);
	vs_conf_unref(NULL);
}

static void test_no_directory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vsdir_read(&f->table, "/nonexistent", note, f), 0);
	assert_null(f->table);
	assert_string_equal(f->log, "");
}

static void test_two_files_meet(void **state)
{
	struct fixture *f = *state;
	char log[512];

	write_file(f, "a.conf", "[VirtualServer]\nFlavour=mark\nMark=1\n");
	write_file(f, "b.conf", "[VirtualServer]\nFlavour=mark\nMark=1\nTable=7\n");
	snprintf(log, sizeof(log),
		"<3> - b.conf:3: the mark of 'b' is taken by 'a' in %s/a.conf:3\n", f->dir);
	expect_errors(f, log);
	/* What is not enabled meets nobody. */
	write_file(f, "a.conf", "[VirtualServer]\nFlavour=mark\nMark=1\nEnabled=no\n");
	assert_int_equal(vsdir_read(&f->table, f->dir, note, f), 0);
}

/* All errors of all files, and nothing but errors. */
static void test_errors(void **state)
{
	struct fixture *f = *state;

	write_file(f, "a.conf", "[Network]\nDevice=x y\n");
	write_file(f, "b.conf", "[VirtualServer]\nFlavour=mark\n");
	write_file(f, "host.conf", "[VirtualServer]\nNamespace=a\nFlavour=mark\nMark=7\nTable=8\n"
				   "[Network]\nAddress=10.0.0.1/8 dev eth0\n");
	expect_errors(f,
		"<3> a a.conf:2: value 'x y' of Device has 'y', which is not understood there\n"
		"<3> b b.conf:2: Flavour=mark wants a Mark\n"
		"<3> host host.conf:2: Namespace cannot be set for 'host'\n"
		"<3> host host.conf:3: Flavour cannot be set for 'host'\n"
		"<3> host host.conf:4: Mark cannot be set for 'host'\n"
		"<3> host host.conf:5: Table cannot be set for 'host'\n"
		"<3> host host.conf:7: Address cannot be set for 'host'\n");
}

static void test_names(void **state)
{
	char name[200];

	(void)state;
	assert_true(vs_name_is_good("a.b_c:d@e+f-9"));
	assert_false(vs_name_is_good(""));
	assert_false(vs_name_is_good(".a"));
	assert_false(vs_name_is_good("-a"));
	assert_false(vs_name_is_good("a/b"));
	memset(name, 'a', sizeof(name));
	name[VSDIR_NAME_MAX] = '\0';
	assert_true(vs_name_is_good(name));
	name[VSDIR_NAME_MAX] = 'a';
	name[VSDIR_NAME_MAX + 1] = '\0';
	assert_false(vs_name_is_good(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_files_meet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
