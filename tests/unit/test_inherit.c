/* SPDX-License-Identifier: BSD-3-Clause */
/* LISTEN_FDS. Each case runs in a process of its own, where descriptor 3 and on are what it says. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "inherit.h"

#define OPEN 5 /* descriptors 3 to 7 */

struct outcome {
	int rc;
	size_t count;
	struct inherited list[OPEN];
	int flags[OPEN + 1], status[OPEN + 1]; /* of the descriptors afterwards */
	bool clean;                            /* of the variables */
};

static void open_fds(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	dup2(fd, 100);
	for (int i = 0; i < OPEN; i++)
		dup2(100, 3 + i);
	close(100);
	/* Descriptions of their own, that flags are not shared. */
	for (int i = 0; i < OPEN; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		dup2(fd, 3 + i);
		close(fd);
	}
}

static void run_child(const char *fds, const char *names, const char *pid, int out)
{
	struct outcome o = {.count = 77};
	struct inherited *list = NULL;
	char own[16];

	dup2(out, 200);
	open_fds();
	snprintf(own, sizeof(own), "%d", (int)getpid());
	setenv("LISTEN_PID", pid ? pid : own, 1);
	setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	o.rc = inherit_take(&list, &o.count);
	for (size_t i = 0; !o.rc && i < o.count && i < OPEN; i++)
		o.list[i] = list[i];
	for (int i = 0; i <= OPEN; i++) {
		o.flags[i] = fcntl(3 + i, F_GETFD);
		o.status[i] = fcntl(3 + i, F_GETFL);
	}
	o.clean = !getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES");
	free(o.rc ? NULL : list);
	_exit(write(200, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

static struct outcome take(const char *fds, const char *names, const char *pid)
{
	struct outcome o;
	int pipe_fds[2], status;
	pid_t child;

	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_child(fds, names, pid, pipe_fds[1]);
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &o, sizeof(o)), sizeof(o));
	close(pipe_fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(o.clean);
	return o;
}

static void taken(void **state)
{
	struct outcome o = take("3", "n10:rpcbind-ns.socket:n0", NULL);

	(void)state;
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o.list[i].fd, 3 + i);
		assert_int_equal(o.flags[i], FD_CLOEXEC);
		assert_int_equal(o.status[i] & O_NONBLOCK, O_NONBLOCK);
	}
	assert_true(o.list[0].stored);
	assert_true(o.list[0].key == 36);
	assert_false(o.list[1].stored);
	assert_true(o.list[2].stored);
	assert_true(o.list[2].key == 0);
	/* What is above is somebody else's. */
	assert_int_equal(o.flags[3], 0);
	assert_int_equal(o.status[3] & O_NONBLOCK, 0);
}

static void names_do_not_match(void **state)
{
	struct outcome o = take("3", "n10", NULL);

	(void)state;
	assert_int_equal(o.count, 3);
	assert_true(o.list[0].stored);
	assert_false(o.list[1].stored);
	o = take("1", "n10:n11:n12", NULL);
	assert_int_equal(o.count, 1);
	assert_true(o.list[0].stored);
	o = take("2", NULL, NULL);
	assert_int_equal(o.count, 2);
	assert_false(o.list[0].stored);
	o = take("2", "", NULL);
	assert_int_equal(o.count, 2);
	assert_false(o.list[0].stored);
}

static void not_for_us(void **state)
{
	struct outcome o = take("3", NULL, "1");

	(void)state;
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.flags[0], 0);
	o = take("0", NULL, NULL);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.count, 0);
}

static void nonsense(void **state)
{
	static const char *const fds[] = {"", "-1", "3x", "99999999999999999999", "2147483647", "500"};

	(void)state;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		struct outcome o = take(fds[i], NULL, NULL);
		assert_int_equal(o.rc, -EINVAL);
		assert_int_equal(o.count, 77);
		assert_int_equal(o.flags[0], 0);
	}
	assert_int_equal(take("1", NULL, "").rc, -EINVAL);
	assert_int_equal(take("1", NULL, "0").rc, -EINVAL);
}

static void nothing_there(void **state)
{
	struct inherited *list = (void *)&list;
	size_t count = 77;

	(void)state;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	assert_int_equal(inherit_take(&list, &count), 0);
	assert_int_equal(count, 0);
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(names_do_not_match),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(nothing_there),
	};

	return cmocka_run_group_tests_name("inherit", tests, NULL, NULL);
}
