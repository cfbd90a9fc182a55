/* SPDX-License-Identifier: BSD-3-Clause */
/* Names: which are taken, and what happens when one namespace has several. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nstest.h"

static void add_alias(int ns, const char *path)
{
	nst_touch(path);
	nst_bind(ns, path);
}

/* In order of name at first; afterwards the first stays the first. */
static void test_aliases(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL);
	struct vs *b, *c;

	add_alias(ns, NST_NETNS "/c");
	add_alias(ns, NST_NETNS "/b");
	nst_open(t);
	nst_expect_list(t, "b(c) host");
	add_alias(ns, NST_NETNS "/a");
	nst_expect(t, "~b ");
	nst_expect_list(t, "b(a,c) host");
	b = vs_by_name(t->reg, "b");
	c = vs_by_name(t->reg, "c");
	assert_ptr_equal(b, c);
	nst_del(NST_NETNS "/c");
	nst_expect(t, "~b ");
	nst_expect_list(t, "b(a) host");
	assert_null(vs_by_name(t->reg, "c"));
	/* The same name again is the same string. */
	add_alias(ns, NST_NETNS "/c");
	nst_expect(t, "~b ");
	nst_expect_list(t, "b(a,c) host");
	vs_unref(b);
	vs_unref(c);
	close(ns);
}

static void test_promotion(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL);
	const char *old;
	struct vs *vs;
	int sock;

	add_alias(ns, NST_NETNS "/a");
	add_alias(ns, NST_NETNS "/m");
	add_alias(ns, NST_NETNS "/z");
	nst_write(NST_CONF "/z.conf", "[Time]\nX=1\n");
	nst_open(t);
	nst_expect_list(t, "host z(a,m)"); /* a file makes a name the first */
	vs = vs_by_name(t->reg, "a");
	old = vs_name(vs);
	nst_del(NST_NETNS "/z");
	nst_expect(t, "~a ");
	nst_expect_list(t, "a(m) host");
	assert_false(vs_is_gone(vs));
	assert_string_equal(old, "z");
	assert_string_equal(vs_name(vs), "a");
	sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nst_cookie_of(sock), vs_cookie(vs));
	close(sock);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "~m ");
	nst_del(NST_NETNS "/m");
	nst_expect(t, "-m ");
	nst_expect_list(t, "host");
	vs_unref(vs);
	close(ns);
}

static void test_alias_becomes_another(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL);

	add_alias(ns, NST_NETNS "/a");
	add_alias(ns, NST_NETNS "/b");
	nst_open(t);
	nst_del(NST_NETNS "/a");
	nst_add(NST_NETNS "/a");
	nst_expect(t, "~b +a ");
	nst_expect_list(t, "a b host");
	close(ns);
}

static void test_alias_of_the_host(void **state)
{
	struct nst *t = *state;
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	uint64_t cookie = nst_own_cookie();
	struct vs *vs;

	add_alias(own, NST_NETNS "/a");
	nst_open(t);
	nst_expect_list(t, "host(a)");
	vs = vs_by_name(t->reg, "a");
	assert_true(vs_is_host(vs));
	assert_int_equal(vs_cookie(vs), cookie);
	vs_unref(vs);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "~host ");
	nst_expect_list(t, "host");
	close(own);
}

/* A link into /proc, as people make it for containers; its end is announced by nothing. */
static void test_link_into_proc(void **state)
{
	struct nst *t = *state;
	int pipes[2], status;
	char target[64], byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		uint64_t end = nst_now() + UINT64_C(60000000000);
		if (unshare(CLONE_NEWNET) == 0 && write(pipes[1], &byte, 1) == 1)
			while (nst_now() < end)
				pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	snprintf(target, sizeof(target), "/proc/%d/ns/net", (int)pid);
	assert_int_equal(symlink(target, NST_NETNS "/a"), 0);
	assert_int_equal(symlink("/proc/1/ns", NST_NETNS "/dir"), 0);
	assert_int_equal(symlink("nowhere", NST_NETNS "/none"), 0);
	nst_open(t);
	nst_expect_list(t, "a host");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	nst_expect(t, "-a ");
	close(pipes[0]);
	close(pipes[1]);
}

static void test_two_directories(void **state)
{
	static const char *const dirs[] = {NST_NETNS, "/run/t/two", NULL};
	struct nst *t = *state;
	uint64_t first, second;
	struct vs *vs;
	int ns = nst_new_ns(NULL);

	assert_int_equal(mkdir("/run/t/two", 0755), 0);
	t->config.netns_dirs = dirs;
	second = nst_add("/run/t/two/same");
	first = nst_add(NST_NETNS "/same");
	add_alias(ns, NST_NETNS "/one");
	add_alias(ns, "/run/t/two/one");
	add_alias(ns, "/run/t/two/other");
	nst_open(t);
	nst_expect_list(t, "host one(other) same");
	vs = vs_by_cookie(t->reg, first);
	assert_non_null(vs);
	assert_null(vs_by_cookie(t->reg, second));
	assert_int_equal(
		nst_count_log(t, "<4> same: /run/t/two/same is another namespace of the same "
				 "name and is not used\n"),
		1);
	/* The same name at the other place. */
	nst_del(NST_NETNS "/same");
	nst_expect(t, "-same +same ");
	assert_true(vs_is_gone(vs));
	vs_unref(vs);
	vs = vs_by_cookie(t->reg, second);
	assert_non_null(vs);
	vs_unref(vs);
	/* The same namespace at the other place: nobody needs to know. */
	nst_del(NST_NETNS "/one");
	nst_rescan(t);
	nst_expect(t, "");
	vs = vs_by_name(t->reg, "one");
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	close(sock);
	vs_unref(vs);
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "another namespace"), 1);
	close(ns);
}

static void test_include_and_exclude(void **state)
{
	static const char *const include[] = {"web-*", "db?", NULL};
	static const char *const exclude[] = {"*-test", NULL};
	struct nst *t = *state;

	t->config.include = include;
	t->config.exclude = exclude;
	nst_write(NST_CONF "/wanted-test.conf", "");
	nst_add(NST_NETNS "/web-1");
	nst_add(NST_NETNS "/web-test");
	nst_add(NST_NETNS "/db1");
	nst_add(NST_NETNS "/db10");
	nst_add(NST_NETNS "/wanted-test");
	nst_open(t);
	nst_expect_list(t, "db1 host wanted-test web-1");
	assert_int_equal(
		nst_count_log(t, "<6> web-test: passed over: not included, or excluded\n"), 1);
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "passed over"), 2);

	t->config.include = t->config.exclude = NULL;
	assert_int_equal(vs_reg_reload(t->reg, &t->config, NULL, NULL), 0);
	nst_expect_list(t, "db1 db10 host wanted-test web-1 web-test");
}

static void test_cni_is_left_alone(void **state)
{
	struct nst *t = *state;

	nst_add(NST_NETNS "/cni-1234");
	nst_open(t);
	nst_expect_list(t, "host");
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
		".hidden", "-option", "a b", "caf\xc3\xa9", "new\nline", "per%cent", "host"};
	struct nst *t = *state;
	char path[512] = NST_NETNS "/", *name = path + strlen(path);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(path, sizeof(path), NST_NETNS "/%s", bad[i]);
		nst_add(path);
	}
	memset(name, 'x', VS_NAME_MAX + 1);
	name[VS_NAME_MAX + 1] = '\0';
	nst_add(path);
	name[VS_NAME_MAX] = '\0';
	nst_add(path);
	nst_add(NST_NETNS "/A9._:@+-");
	nst_open(t);
	char list[512];
	snprintf(list, sizeof(list), "A9._:@+- host %s", name);
	nst_expect_list(t, list);
	assert_int_equal(
		nst_count_log(t, "<4> -: '.hidden' is not a name for a virtual server"), 1);
	assert_int_equal(nst_count_log(t, "'new?line' is not a name"), 1);
	assert_int_equal(nst_count_log(t, "cannot be named 'host'"), 1);
	assert_int_equal(nst_count_log(t, "is not a name for a virtual server"), 7);
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "is not a name for a virtual server"), 7);
	assert_int_equal(nst_count_log(t, "cannot be named 'host'"), 1);
	/* The host is still the host. */
	struct vs *host = vs_by_name(t->reg, "host");
	assert_int_equal(vs_cookie(host), nst_own_cookie());
	vs_unref(host);
}

static void test_what_is_no_file(void **state)
{
	struct nst *t = *state;

	assert_int_equal(mkdir(NST_NETNS "/dir", 0755), 0);
	assert_int_equal(mkfifo(NST_NETNS "/fifo", 0600), 0);
	nst_touch(NST_NETNS "/mnt");
	assert_int_equal(mount("/proc/self/ns/mnt", NST_NETNS "/mnt", "none", MS_BIND, NULL) < 0 &&
				 errno != EINVAL,
		0);
	nst_open(t);
	nst_expect_list(t, "host");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_aliases),
		NST_BOTH(test_promotion),
		NST_BOTH(test_alias_becomes_another),
		NST_BOTH(test_alias_of_the_host),
		NST_BOTH(test_link_into_proc),
		NST_BOTH(test_two_directories),
		NST_BOTH(test_include_and_exclude),
		NST_BOTH(test_cni_is_left_alone),
		NST_BOTH(test_bad_names),
		NST_BOTH(test_what_is_no_file),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
