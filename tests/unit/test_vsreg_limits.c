/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry without descriptors, and without privilege. */
#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nstest.h"

static rlim_t limit_fds(rlim_t limit)
{
	struct rlimit r;
	rlim_t old;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	old = r.rlim_cur;
	r.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	return old;
}

static void test_open_needs_descriptors(void **state)
{
	struct nst *t = *state;
	rlim_t old, limit;
	int rc = -1, before = dup(0);

	close(before);
	nst_add(NST_NETNS "/a");
	/* At each step on the way: an error, and nothing is left open. */
	for (limit = 0; limit < (rlim_t)before + 16 && rc < 0; limit++) {
		old = limit_fds(limit);
		rc = vs_reg_open(&t->reg, &t->config);
		limit_fds(old);
		assert_true(rc == 0 || rc == -EMFILE);
		if (rc < 0) {
			int after = dup(0);
			close(after);
			assert_int_equal(after, before);
		}
	}
	assert_int_equal(rc, 0);
	assert_true(limit > (rlim_t)before + 6);
	nst_expect_list(t, "a host");
}

/* What cannot be looked at stays as it was, and is looked at again when that is possible. */
static void test_nothing_is_lost_without_descriptors(void **state)
{
	struct nst *t = *state;
	uint64_t end = nst_now() + UINT64_C(1000000000);
	struct vs_saved saved;
	struct vs *a;
	rlim_t old;
	int pending;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	a = vs_by_name(t->reg, "a");
	nst_add(NST_NETNS "/c");
	pending = nst_new_ns(NULL);
	nst_touch(NST_NETNS "/d");
	old = limit_fds(3);
	assert_int_equal(vs_reg_rescan(t->reg), 0);
	nst_turn(t, NST_PATIENCE);
	assert_int_equal(vs_socket(a, AF_INET, SOCK_DGRAM, 0), -EMFILE);
	assert_int_equal(vs_enter(a, &saved), -EMFILE);
	/* More tries by the timer; and it is a timer, not a busy loop. */
	unsigned turns = 0;
	for (; nst_now() < end; turns++)
		nst_turn(t, 100);
	assert_in_range(turns, 5, 50);
	assert_string_equal(t->events, "");
	assert_int_equal(nst_count_log(t, "cannot look for namespaces now, trying again: "), 1);
	limit_fds(old);
	nst_expect(t, "+c ");
	nst_expect_list(t, "a b c host");
	nst_bind(pending, NST_NETNS "/d");
	nst_expect(t, "+d ");
	assert_int_equal(vs_enter(a, &saved), 0);
	vs_leave(&saved);
	assert_false(vs_is_gone(a));
	vs_unref(a);
	close(pending);
}

/* A deletion is seen even then: it takes no descriptor to see that nothing is there. */
static void test_deletion_without_descriptors(void **state)
{
	struct nst *t = *state;
	rlim_t old;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	old = limit_fds(3);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	limit_fds(old);
	nst_expect_list(t, "b host");
}

/* Capabilities of the thread, by system call because libcap is not needed otherwise. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	return syscall(SYS_capset, &head, none) == 0;
}

/* Without NS_GET_ID a cookie is had by entering, and that is not allowed. */
static int without_privilege_old_kernel(struct nst *t)
{
	struct vs_reg *reg = NULL;
	struct vs *a;
	int rc;

	t->config.flags = NST_OLD_KERNEL;
	if (vs_reg_open(&reg, &t->config) != -EPERM || reg)
		return 1;
	/* The one opened before keeps what it knows, even when told to trust nothing. */
	if (vs_reg_rescan(t->reg) < 0 || vs_reg_dispatch(t->reg, NULL, NULL) < 0)
		return 2;
	a = vs_by_name(t->reg, "a");
	if (!a)
		return 3;
	rc = vs_socket(a, AF_INET, SOCK_DGRAM, 0);
	vs_unref(a);
	return rc == -EPERM ? 0 : 4;
}

/* With it names and cookies are had by anybody; sockets are not, but for the host's. */
static int without_privilege(struct nst *t)
{
	struct vs_reg *reg = NULL;
	struct vs *a, *host;
	struct vs_saved saved;
	int sock, rc = vs_reg_open(&reg, &t->config);

	if (rc == -EPERM)
		return 77; /* the kernel has no NS_GET_ID */
	a = rc < 0 ? NULL : vs_by_name(reg, "a");
	host = rc < 0 ? NULL : vs_by_name(reg, "host");
	if (!a || !host)
		return 11;
	if (vs_socket(a, AF_INET, SOCK_DGRAM, 0) != -EPERM || vs_enter(a, &saved) != -EPERM)
		return 12;
	sock = vs_socket(host, AF_INET, SOCK_DGRAM, 0);
	if (sock < 0)
		return 13;
	vs_unref(a);
	a = vs_of_socket(reg, sock);
	if (a != host)
		return 14;
	vs_unref(a);
	vs_unref(host);
	close(sock);
	vs_reg_close(reg);
	return 0;
}

static int run_unprivileged(struct nst *t, int (*fn)(struct nst *t))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(drop_capabilities() ? fn(t) : 99);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_without_privilege(void **state)
{
	struct nst *t = *state;
	int status;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	status = run_unprivileged(t, without_privilege);
	if (status == 77)
		print_message("# this kernel has no NS_GET_ID\n");
	else
		assert_int_equal(status, 0);
}

static void test_without_privilege_without_ids(void **state)
{
	struct nst *t = *state;

	nst_add(NST_NETNS "/a");
	t->config.flags = NST_OLD_KERNEL;
	nst_open(t);
	assert_int_equal(run_unprivileged(t, without_privilege_old_kernel), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_open_needs_descriptors),
		NST_BOTH(test_nothing_is_lost_without_descriptors),
		NST_BOTH(test_deletion_without_descriptors),
		NST_ONCE(test_without_privilege),
		NST_ONCE(test_without_privilege_without_ids),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
