/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "ini.h"

/* A directory of the test's own, a document, and all errors as text. */
struct fixture {
	char dir[64];
	char path[128];
	struct ini_doc *doc;
	char told[4096];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/nsaux-ini-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/a.conf", f->dir);
	f->doc = ini_doc_new();
	assert_non_null(f->doc);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"a.conf", "b.conf", "10-z.conf", ".hidden.conf", "conf", ".conf", "c.conf~"};
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		remove(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	ini_doc_free(f->doc);
	free(f);
	return 0;
}

static void tell(void *arg, const char *file, unsigned line, const char *text)
{
	struct fixture *f = arg;
	size_t len = strlen(f->told);
	const char *slash = strrchr(file, '/');

	snprintf(f->told + len, sizeof(f->told) - len, "%s:%u: %s\n", slash + 1, line, text);
}

static void write_file(const struct fixture *f, const char *name, const char *data, size_t len)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, len, stream), len);
	assert_int_equal(fclose(stream), 0);
}

static int read_bytes(struct fixture *f, const char *data, size_t len)
{
	write_file(f, "a.conf", data, len);
	return ini_doc_read(f->doc, f->path, tell, f);
}

static int read_text(struct fixture *f, const char *text)
{
	return read_bytes(f, text, strlen(text));
}

static void assert_setting(const struct fixture *f, size_t i, const char *section, const char *key,
	const char *value, unsigned line)
{
	const struct ini_setting *s;

	assert_true(i < ini_doc_count(f->doc));
	s = ini_doc_get(f->doc, i);
	assert_string_equal(s->section, section);
	assert_string_equal(s->key, key);
	assert_string_equal(s->value, value);
	assert_int_equal(s->line, line);
}

static void settings_and_places(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, "early=1\n"
				      "# a comment\n"
				      "\n"
				      "[Net.work]\n"
				      "Address = 192.0.2.1/24 \t\n"
				      "Address=2001:db8::1/64\r\n"
				      "Empty=\n"
				      "equals==a=b\n"
				      "[Other]; no comment without a blank, see below\n"
				      ""),
		-EINVAL);
	assert_string_equal(f->told, "a.conf:9: bad section header\n");
	assert_int_equal(ini_doc_count(f->doc), 5);
	assert_setting(f, 0, "", "early", "1", 1);
	assert_setting(f, 1, "Net.work", "Address", "192.0.2.1/24", 5);
	assert_setting(f, 2, "Net.work", "Address", "2001:db8::1/64", 6);
	assert_setting(f, 3, "Net.work", "Empty", "", 7);
	assert_setting(f, 4, "Net.work", "equals", "=a=b", 8);
	assert_string_equal(ini_doc_get(f->doc, 1)->file, f->path);
}

static void sections_go_on(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, "[A]\nk=1\n[B] ; why\nk=2\n[A]\t\nK=3"), 0);
	assert_string_equal(f->told, "");
	assert_int_equal(ini_doc_count(f->doc), 3);
	assert_setting(f, 1, "B", "k", "2", 4);
	assert_setting(f, 2, "A", "K", "3", 6); /* no line end */
}

static void comments(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, "[A]\n"
				      "  ; indented = comment\n"
				      "\t# and = this\n"
				      "a=x;y\n"
				      "b=x ;y\n"
				      "c=x\t; y ; z\n"
				      "d=;x\n"
				      "e= ;x\n"
				      "f=x #y\n"),
		0);
	assert_int_equal(ini_doc_count(f->doc), 6);
	assert_setting(f, 0, "A", "a", "x;y", 4);
	assert_setting(f, 1, "A", "b", "x", 5);
	assert_setting(f, 2, "A", "c", "x", 6);
	assert_setting(f, 3, "A", "d", ";x", 7);
	assert_setting(f, 4, "A", "e", "", 8);
	assert_setting(f, 5, "A", "f", "x #y", 9);
}

/* libinih by itself takes the second line for more of a's value. */
static void no_continuation(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, "[A]\n a=1\n  b=2\n\tc=3\n   continued\n"), -EINVAL);
	assert_string_equal(f->told, "a.conf:5: missing '='\n");
	assert_int_equal(ini_doc_count(f->doc), 3);
	assert_setting(f, 1, "A", "b", "2", 3);
	assert_setting(f, 2, "A", "c", "3", 4);
}

static void all_errors_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, "word\n"
				      "[open\n"
				      "lost=1\n"
				      "[]\n"
				      "[a b]\n"
				      "[x] y\n"
				      "[A]\n"
				      "Host: name\n"
				      "fe80::1=2\n"
				      "=2\n"
				      "two words=2\n"
				      "a;b=2\n"
				      "good=1\n"
				      "k ;=1\n"
				      "bell=\a\n"
				      "# bell \a\n"),
		-EINVAL);
	assert_string_equal(f->told, "a.conf:1: missing '='\n"
				     "a.conf:2: bad section header\n"
				     "a.conf:4: bad section header\n"
				     "a.conf:5: bad section header\n"
				     "a.conf:6: bad section header\n"
				     "a.conf:8: missing '='\n"
				     "a.conf:9: bad key\n"
				     "a.conf:10: bad key\n"
				     "a.conf:11: bad key\n"
				     "a.conf:12: bad key\n"
				     "a.conf:14: bad key\n"
				     "a.conf:15: control character\n"
				     "a.conf:16: control character\n");
	assert_int_equal(ini_doc_count(f->doc), 1);
	assert_setting(f, 0, "A", "good", "1", 13);
}

static void nul_bytes(void **state)
{
	static const char text[] = "[A]\na=1\0=2\nb=2\n# \0\nc=\0";
	struct fixture *f = *state;

	assert_int_equal(read_bytes(f, text, sizeof(text) - 1), -EINVAL);
	assert_string_equal(f->told, "a.conf:2: NUL byte\n"
				     "a.conf:4: NUL byte\n"
				     "a.conf:5: NUL byte\n");
	assert_int_equal(ini_doc_count(f->doc), 1);
	assert_setting(f, 0, "A", "b", "2", 3);
}

/* libinih by itself cuts these. */
static void long_lines(void **state)
{
	struct fixture *f = *state;
	char text[1024], x[256];

	memset(x, 'x', sizeof(x));
	snprintf(text, sizeof(text), "k=%.*s\r\nk=%.*s\nk=%.*s\n[%.*s]\nk=1\n[%.*s]\nk=1\n",
		INI_LINE_MAX - 2, x, INI_LINE_MAX - 1, x, INI_LINE_MAX + 20, x, INI_SECTION_MAX, x,
		INI_SECTION_MAX + 1, x);
	assert_int_equal(read_text(f, text), -EINVAL);
	assert_string_equal(f->told, "a.conf:2: line too long\n"
				     "a.conf:3: line too long\n"
				     "a.conf:6: bad section header\n");
	assert_int_equal(ini_doc_count(f->doc), 2);
	assert_int_equal(strlen(ini_doc_get(f->doc, 0)->value), INI_LINE_MAX - 2);
	assert_int_equal(strlen(ini_doc_get(f->doc, 1)->section), INI_SECTION_MAX);
}

static void many_lines(void **state)
{
	struct fixture *f = *state;
	size_t len = INI_LINES_MAX * 4;
	char *text = malloc(len + 8);

	assert_non_null(text);
	for (size_t i = 0; i < INI_LINES_MAX; i++)
		memcpy(text + i * 4, "k=1\n", 4);
	assert_int_equal(read_bytes(f, text, len), 0);
	assert_int_equal(ini_doc_count(f->doc), INI_LINES_MAX);
	assert_setting(f, INI_LINES_MAX - 1, "", "k", "1", INI_LINES_MAX);

	memcpy(text + len, "\n\n\n", 3);
	assert_int_equal(read_bytes(f, text, len + 3), -EINVAL);
	assert_string_equal(f->told, "a.conf:10001: more than 10000 lines\n");
	free(text);
}

static void empty_and_marked(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_text(f, ""), 0);
	assert_int_equal(ini_doc_count(f->doc), 0);
	assert_int_equal(read_text(f, "\xef\xbb\xbf[A]\nname=\xc3\xa9\n"), 0);
	assert_setting(f, 0, "A", "name", "\xc3\xa9", 2);
	assert_int_equal(read_text(f, "\n\xef\xbb\xbfk=1\n"), -EINVAL);
	assert_string_equal(f->told, "a.conf:2: bad key\n");
}

static void not_a_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ini_doc_read(f->doc, f->path, tell, f), -ENOENT);
	assert_string_equal(f->told, "");
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(ini_doc_read(f->doc, f->path, tell, f), -EINVAL);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(ini_doc_read(f->doc, f->path, tell, f), -EINVAL);
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(symlink("a.conf", f->path), 0);
	assert_int_equal(ini_doc_read(f->doc, f->path, tell, f), -ELOOP);
	assert_string_equal(f->told, "a.conf:0: not a regular file\n"
				     "a.conf:0: not a regular file\n"
				     "a.conf:0: Too many levels of symbolic links\n");
	assert_int_equal(ini_doc_read(f->doc, f->path, NULL, NULL), -ELOOP);
}

static void dropins(void **state)
{
	static const char *const others[] = {".hidden.conf", "conf", ".conf", "c.conf~"};
	struct fixture *f = *state;
	char missing[128];

	snprintf(missing, sizeof(missing), "%s/missing", f->dir);
	assert_int_equal(ini_doc_read_dropins(f->doc, missing, tell, f), 0);
	assert_int_equal(ini_doc_read_dropins(f->doc, f->dir, tell, f), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		write_file(f, others[i], "bad", 3);
	write_file(f, "b.conf", "k=b\n", 4);
	write_file(f, "a.conf", "k=a\n", 4);
	write_file(f, "10-z.conf", "k=z\n", 4);
	assert_int_equal(ini_doc_read_dropins(f->doc, f->dir, tell, f), 0);
	assert_string_equal(f->told, "");
	assert_int_equal(ini_doc_count(f->doc), 3);
	assert_setting(f, 0, "", "k", "z", 1);
	assert_setting(f, 1, "", "k", "a", 1);
	assert_setting(f, 2, "", "k", "b", 1);
	assert_string_equal(ini_doc_get(f->doc, 1)->file, f->path);
}

static void bad_dropins(void **state)
{
	struct fixture *f = *state;

	write_file(f, "10-z.conf", "bad\n", 4);
	assert_int_equal(symlink("nowhere", f->path), 0);
	write_file(f, "b.conf", "k=b\n", 4);
	assert_int_equal(ini_doc_read_dropins(f->doc, f->dir, tell, f), -EINVAL);
	assert_string_equal(f->told, "10-z.conf:1: missing '='\n"
				     "a.conf:0: does not exist\n");
	assert_int_equal(ini_doc_count(f->doc), 1);
	f->told[0] = '\0';
	write_file(f, "10-z.conf", "", 0);
	assert_int_equal(ini_doc_read_dropins(f->doc, f->dir, tell, f), -ENOENT);
	snprintf(f->path, sizeof(f->path), "%s/b.conf", f->dir);
	f->told[0] = '\0';
	assert_int_equal(ini_doc_read_dropins(f->doc, f->path, tell, f), -ENOTDIR);
	assert_string_equal(f->told, "b.conf:0: Not a directory\n");
	snprintf(f->path, sizeof(f->path), "%s/a.conf", f->dir);
}

/* The strings are the document's; what no file could hold is refused. */
static void added(void **state)
{
	struct fixture *f = *state;
	char section[] = "A", key[] = "k", value[] = "v", file[] = "command line", longest[256];
	struct ini_setting s = {section, key, value, file, 0};
	static const char *const bad[] = {" v", "v ", "\tv", "v ;w", "v\t;", "v\nw", "\x7f"};

	assert_int_equal(ini_doc_add(f->doc, &s), 0);
	section[0] = key[0] = value[0] = file[0] = 'X';
	assert_setting(f, 0, "A", "k", "v", 0);
	assert_string_equal(ini_doc_get(f->doc, 0)->file, "command line");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s.value = bad[i];
		assert_int_equal(ini_doc_add(f->doc, &s), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest));
	longest[INI_LINE_MAX - 1] = '\0';
	s.value = longest;
	assert_int_equal(ini_doc_add(f->doc, &s), -EINVAL);
	longest[INI_LINE_MAX - 2] = '\0';
	assert_int_equal(ini_doc_add(f->doc, &s), 0);
	s.value = "a;b;c d";
	assert_int_equal(ini_doc_add(f->doc, &s), 0);
	s.key = "";
	assert_int_equal(ini_doc_add(f->doc, &s), -EINVAL);
	s.key = "a b";
	assert_int_equal(ini_doc_add(f->doc, &s), -EINVAL);
	s.key = "k";
	s.section = "a]b";
	assert_int_equal(ini_doc_add(f->doc, &s), -EINVAL);
	assert_int_equal(ini_doc_count(f->doc), 3);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(settings_and_places),
		test(sections_go_on),
		test(comments),
		test(no_continuation),
		test(all_errors_told),
		test(nul_bytes),
		test(long_lines),
		test(many_lines),
		test(empty_and_marked),
		test(not_a_file),
		test(dropins),
		test(bad_dropins),
		test(added),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
