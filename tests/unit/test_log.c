/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "log.h"

/* Standard error is a pipe in packet mode meanwhile: one read(2) is one write(2). */
struct fixture {
	int saved, pipe[2];
	char text[4096]; /* what get() got */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
	f->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(f->saved >= 0);
	assert_int_equal(dup2(f->pipe[1], STDERR_FILENO), STDERR_FILENO);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dup2(f->saved, STDERR_FILENO), STDERR_FILENO);
	close(f->saved);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	unsetenv("JOURNAL_STREAM");
	return 0;
}

/* One line, or "" when there is none. */
static const char *get(struct fixture *f)
{
	ssize_t len = read(f->pipe[0], f->text, sizeof(f->text) - 1);

	f->text[len > 0 ? len : 0] = '\0';
	return f->text;
}

static void set_journal(const char *format)
{
	struct stat st;
	char text[128];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju%s", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
		format);
	setenv("JOURNAL_STREAM", text, 1);
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" does not match %s", text, pattern);
	regfree(&re);
}

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

static void plain(void **state)
{
	struct fixture *f = *state;

	log_open("rpcbind-ns", LOG_DEBUG);
	log_notice("blue", "bound %d sockets", 3);
	assert_matches(get(f), STAMP "rpcbind-ns: notice: VS blue: bound 3 sockets\n$");
	log_err(NULL, "no");
	assert_matches(get(f), STAMP "rpcbind-ns: error: no\n$");
	log_warn(NULL, "no");
	assert_matches(get(f), STAMP "rpcbind-ns: warning: no\n$");
	log_info(NULL, "no");
	assert_matches(get(f), STAMP "rpcbind-ns: info: no\n$");
	log_debug(NULL, "no");
	assert_matches(get(f), STAMP "rpcbind-ns: debug: no\n$");
	log_msg(LOG_CRIT, NULL, "no");
	assert_matches(get(f), STAMP "rpcbind-ns: critical: no\n$");
}

static void journal(void **state)
{
	struct fixture *f = *state;

	set_journal("");
	log_open("rpcbind-ns", LOG_INFO);
	log_notice("blue", "bound");
	assert_string_equal(get(f), "<5>VS blue: bound\n");
	log_info(NULL, "bound");
	assert_string_equal(get(f), "<6>bound\n");
}

static void not_the_journal(void **state)
{
	static const char *const bad[] = {"", ":", "8:", ":8", "1:2", "1:2:3", "a:b",
		"99999999999999999999999999999999999999:1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("JOURNAL_STREAM", bad[i], 1);
		log_open("x", LOG_INFO);
		log_info(NULL, "a");
		assert_matches(get(f), STAMP "x: info: a\n$");
	}
	set_journal("0"); /* another inode */
	log_open("x", LOG_INFO);
	log_info(NULL, "a");
	assert_matches(get(f), STAMP "x: info: a\n$");
}

static void levels(void **state)
{
	struct fixture *f = *state;

	log_open("x", LOG_WARNING);
	assert_true(log_wants(LOG_ERR));
	assert_true(log_wants(LOG_WARNING));
	assert_false(log_wants(LOG_NOTICE));
	log_notice(NULL, "a");
	assert_string_equal(get(f), "");
	log_set_level(LOG_DEBUG);
	assert_true(log_wants(LOG_DEBUG));
	log_debug(NULL, "a");
	assert_matches(get(f), "debug: a\n$");
}

/* A peer writes neither lines of its own nor to the terminal. */
static void replaced(void **state)
{
	struct fixture *f = *state;

	set_journal("");
	log_open("x", LOG_INFO);
	log_info("a\nb", "%s", "x\n<0>panic\r\t\033[2J\177\x9b\xc3\xa9.");
	assert_string_equal(get(f), "<6>VS a?b: x?<0>panic???[2J????.\n");
}

static void long_lines(void **state)
{
	struct fixture *f = *state;
	char name[400], text[3000];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_open(name, LOG_INFO);
	log_info(name, "%s", text);
	assert_int_equal(strlen(get(f)), 1024);
	assert_matches(f->text, STAMP "n{64}: info: VS n{128}: t+\n$");
	assert_string_equal(get(f), ""); /* nothing over */
}

static void errno_kept(void **state)
{
	struct fixture *f = *state;

	log_open("x", LOG_INFO);
	errno = ENOENT;
	log_info(NULL, "%m");
	assert_int_equal(errno, ENOENT);
	assert_matches(get(f), "info: No such file or directory\n$");
	/* Standard error is closed: nothing happens. */
	close(STDERR_FILENO);
	log_info(NULL, "%m");
	assert_int_equal(errno, ENOENT);
	assert_int_equal(dup2(f->pipe[1], STDERR_FILENO), STDERR_FILENO);
	assert_string_equal(get(f), "");
}

static void limit(void **state)
{
	struct log_limit l = {.burst = 3, .interval = 100};
	uint64_t dropped = 77;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(log_limit_ok(&l, 1000, &dropped));
		assert_true(dropped == 0);
	}
	dropped = 77;
	assert_false(log_limit_ok(&l, 1000, &dropped));
	assert_false(log_limit_ok(&l, 1099, &dropped));
	assert_true(dropped == 77);
	assert_true(log_limit_ok(&l, 1100, &dropped));
	assert_true(dropped == 2);
	assert_false(log_limit_ok(&l, 1199, &dropped));
	assert_true(log_limit_ok(&l, 1200, &dropped));
	assert_true(dropped == 1);
	/* Long quiet: the whole burst, and no more. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(log_limit_ok(&l, 100000, &dropped));
	assert_false(log_limit_ok(&l, 100000, &dropped));
}

static void odd_limits(void **state)
{
	struct log_limit none = {.burst = 0, .interval = 100};
	struct log_limit all = {.burst = 1, .interval = 0};
	struct log_limit huge = {.burst = 1000, .interval = UINT64_MAX / 2};
	uint64_t dropped;

	(void)state;
	assert_false(log_limit_ok(&none, 1000000, &dropped));
	for (unsigned i = 0; i < 5; i++)
		assert_true(log_limit_ok(&all, 5, &dropped));
	assert_true(log_limit_ok(&huge, UINT64_MAX - 10, &dropped));
	assert_true(log_limit_ok(&huge, UINT64_MAX, &dropped));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(plain),
		test(journal),
		test(not_the_journal),
		test(levels),
		test(replaced),
		test(long_lines),
		test(errno_kept),
		cmocka_unit_test(limit),
		cmocka_unit_test(odd_limits),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
