/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "nstest.h"

static void test_open_refuses_what_is_no_network_namespace(void **state)
{
	(void)state;
	nst_touch(NST_NETNS "/plain");
	assert_int_equal(mkfifo(NST_NETNS "/fifo", 0600), 0);
	assert_int_equal(netns_open(NST_NETNS "/plain"), -EINVAL);
	assert_int_equal(netns_open(NST_NETNS "/fifo"), -EINVAL);
	assert_int_equal(netns_open(NST_NETNS), -EINVAL);
	assert_int_equal(netns_open("/proc/self/ns/mnt"), -EINVAL);
	assert_int_equal(netns_open(NST_NETNS "/none"), -ENOENT);
}

static void test_cookie_both_ways(void **state)
{
	unsigned without = 0;
	uint64_t own, cookie, entered, made;
	int home = netns_open_home(), ns = nst_new_ns(&made);

	(void)state;
	assert_true(home >= 0);
	assert_int_equal(netns_probe(home, &without, &own), 0);
	assert_int_equal(own, nst_own_cookie());
	assert_int_equal(netns_cookie(ns, without, &cookie), 0);
	assert_int_equal(netns_cookie(ns, NETNS_NO_GET_ID, &entered), 0);
	assert_int_equal(cookie, made);
	assert_int_equal(entered, made);
	assert_int_not_equal(made, own);
	assert_int_equal(nst_own_cookie(), own);
	close(ns);
	close(home);
}

static void test_probe_keeps_what_is_forced_off(void **state)
{
	unsigned without = NETNS_NO_GET_ID | NETNS_NO_HANDLE;
	int home = netns_open_home();
	uint64_t own;

	(void)state;
	assert_int_equal(netns_probe(home, &without, &own), 0);
	assert_int_equal(without, NETNS_NO_GET_ID | NETNS_NO_HANDLE);
	close(home);
}

static void test_handle(void **state)
{
	struct netns_handle handle = {.size = 0};
	unsigned without = 0;
	int home = netns_open_home(), ns = nst_new_ns(NULL), again;
	uint64_t own, first, second, end = nst_now() + UINT64_C(5000000000);

	(void)state;
	assert_int_equal(netns_probe(home, &without, &own), 0);
	close(home);
	assert_int_equal(netns_handle_open(&handle), -EOPNOTSUPP);
	if (without & NETNS_NO_HANDLE) {
		print_message("# this kernel has no file handles of namespaces\n");
		close(ns);
		return;
	}
	assert_int_equal(netns_handle_get(ns, &handle), 0);
	assert_in_range(handle.size, 1, NETNS_HANDLE_MAX);
	again = netns_handle_open(&handle);
	assert_true(again >= 0);
	assert_int_equal(netns_cookie(ns, without, &first), 0);
	assert_int_equal(netns_cookie(again, without, &second), 0);
	assert_int_equal(first, second);
	close(again);
	close(ns);
	/* The bytes alone keep nothing alive. */
	while ((again = netns_handle_open(&handle)) >= 0 && nst_now() < end)
		close(again);
	assert_int_equal(again, -ESTALE);
}

static void test_socket_is_checked(void **state)
{
	uint64_t cookie;
	int ns = nst_new_ns(&cookie), sock;

	(void)state;
	sock = netns_socket(ns, cookie, AF_INET, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(nst_cookie_of(sock), cookie);
	assert_int_equal(fcntl(sock, F_GETFD), FD_CLOEXEC);
	close(sock);
	assert_int_equal(netns_socket(ns, cookie + 1, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_int_equal(netns_socket(ns, cookie, AF_INET, SOCK_RAW, -1), -EINVAL);
	assert_int_equal(netns_socket_here(cookie, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	close(ns);
}

static void test_window(void **state)
{
	uint64_t cookie, own = nst_own_cookie();
	struct netns_window window;
	int ns = nst_new_ns(&cookie);
	sigset_t mask;
	int cancel;

	(void)state;
	assert_int_equal(netns_enter(ns, cookie + 1, &window), -ESTALE);
	assert_int_equal(nst_own_cookie(), own);
	assert_int_equal(netns_enter(ns, cookie, &window), 0);
	assert_int_equal(nst_own_cookie(), cookie);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 1);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	assert_int_equal(cancel, PTHREAD_CANCEL_DISABLE);
	netns_leave(&window);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel);
	assert_int_equal(cancel, PTHREAD_CANCEL_ENABLE);
	assert_int_equal(nst_own_cookie(), own);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 0);
	close(ns);
}

static void test_no_way_home_no_way_in(void **state)
{
	uint64_t cookie, own = nst_own_cookie();
	struct netns_window window;
	struct rlimit old, none;
	int ns = nst_new_ns(&cookie), rc;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = netns_enter(ns, cookie, &window);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(nst_own_cookie(), own);
	close(ns);
}

/* The way back fails: the process must not live on in the wrong namespace. */
static void test_no_way_back_is_the_end(void **state)
{
	int status = 0, ns = nst_new_ns(NULL);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};
		struct netns_window window = {.home = -1};

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		netns_leave(&window);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	close(ns);
}

static void *leave_own(void *arg)
{
	uint64_t *seen = arg, cookie;
	struct netns_window window;
	int ns = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return NULL;
	seen[0] = nst_own_cookie();
	ns = nst_new_ns(&cookie);
	if (netns_enter(ns, cookie, &window) == 0) {
		seen[1] = nst_own_cookie();
		netns_leave(&window);
		seen[2] = nst_own_cookie();
	}
	close(ns);
	return NULL;
}

/* Home is where the thread was, not where the process began. */
static void test_home_is_the_threads(void **state)
{
	uint64_t own = nst_own_cookie(), seen[3] = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, leave_own, seen), 0);
	pthread_join(thread, NULL);
	assert_int_not_equal(seen[0], 0);
	assert_int_not_equal(seen[0], own);
	assert_int_not_equal(seen[1], seen[0]);
	assert_int_equal(seen[2], seen[0]);
	assert_int_equal(nst_own_cookie(), own);
}

/* A child in a user namespace of its own; writes one byte when it is there, leaves at EOF. */
static pid_t start_foreign(int pipes[2])
{
	int up[2], down[2];
	pid_t pid;
	char byte = 0;

	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	/* Not fork(): the thread sanitizer would start a thread, and then there is no unshare(). */
	pid = (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, 0UL);
	if (pid == 0) {
		close(up[0]);
		close(down[1]);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write(up[1], &byte, 1) == 1 &&
			read(down[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	assert_true(pid > 0);
	pipes[0] = up[0];
	pipes[1] = down[1];
	return pid;
}

static void test_root_uids(void **state)
{
	char path[64], map[32];
	uid_t owner = 7, root = 7;
	int pipes[2], ns, status;
	char byte;
	pid_t pid;

	(void)state;
	ns = nst_new_ns(NULL);
	assert_int_equal(netns_root_uids(ns, &owner, &root), 0);
	assert_int_equal(owner, 0);
	assert_int_equal(root, 0);
	close(ns);

	pid = start_foreign(pipes);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	ns = netns_open(path);
	assert_true(ns >= 0);
	owner = root = 7;
	assert_int_equal(netns_root_uids(ns, &owner, &root), 0);
	assert_int_equal(owner, geteuid());
	assert_int_equal(root, (uid_t)-1); /* no map yet */

	/* Without root there is only one uid that can be given away. */
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	snprintf(map, sizeof(map), "0 %u 1", 4242u);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	if (fputs(map, f) >= 0 && fclose(f) == 0) {
		assert_int_equal(netns_root_uids(ns, &owner, &root), 0);
		assert_int_equal(root, 4242);
	} else {
		f = fopen(path, "we");
		assert_non_null(f);
		assert_true(fputs("0 0 1", f) >= 0);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(netns_root_uids(ns, &owner, &root), 0);
		assert_int_equal(root, 0);
	}
	close(ns);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Nothing of the short-lived children is left. */
	assert_int_equal(waitpid(-1, &status, __WALL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(test_open_refuses_what_is_no_network_namespace),
		NST_ONCE(test_cookie_both_ways),
		NST_ONCE(test_probe_keeps_what_is_forced_off),
		NST_ONCE(test_handle),
		NST_ONCE(test_socket_is_checked),
		NST_ONCE(test_window),
		NST_ONCE(test_no_way_home_no_way_in),
		NST_ONCE(test_no_way_back_is_the_end),
		NST_ONCE(test_home_is_the_threads),
		NST_ONCE(test_root_uids),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
