/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "t.h"
#include "notify.h"

struct fixture {
	char name[64]; /* as in $NOTIFY_SOCKET */
	char dir[32];
	int manager;
};

/* The manager's socket; name[0] '@' stands for the NUL. */
static int manager_open(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(a.sun_path, name, len);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/nsaux-notify-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->manager = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->manager >= 0)
		close(f->manager);
	if (f->name[0] == '/')
		unlink(f->name);
	rmdir(f->dir);
	unsetenv("NOTIFY_SOCKET");
	free(f);
	return 0;
}

static void talk(struct fixture *f)
{
	char text[2048];
	ssize_t len;
	int fd = -1;

	f->manager = manager_open(f->name);
	setenv("NOTIFY_SOCKET", f->name, 1);
	assert_int_equal(notify_open(&fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send(fd, "READY=1\nSTATUS=%u served", 5u), 0);
	len = read(f->manager, text, sizeof(text));
	assert_int_equal(len, strlen("READY=1\nSTATUS=5 served"));
	assert_memory_equal(text, "READY=1\nSTATUS=5 served", (size_t)len);

	memset(text, 'x', sizeof(text));
	text[1023] = '\0';
	assert_int_equal(notify_send(fd, "%s", text), 0);
	text[1023] = 'x';
	text[1024] = '\0';
	assert_int_equal(notify_send(fd, "%s", text), -EMSGSIZE);
	assert_int_equal(read(f->manager, text, sizeof(text)), 1023);
	close(fd);
}

static void path(void **state)
{
	struct fixture *f = *state;

	snprintf(f->name, sizeof(f->name), "%s/notify", f->dir);
	talk(f);
}

static void abstract(void **state)
{
	struct fixture *f = *state;

	snprintf(f->name, sizeof(f->name), "@%s/notify", f->dir);
	talk(f);
}

static void no_manager(void **state)
{
	int fd = 7;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(notify_send(fd, "READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_open(&fd), 0);
	assert_int_equal(fd, -1);
}

static void bad_names(void **state)
{
	struct fixture *f = *state;
	char name[200];
	int fd = 7;

	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_open(&fd), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_open(&fd), -EINVAL);
	setenv("NOTIFY_SOCKET", "@", 1);
	assert_int_equal(notify_open(&fd), -EINVAL);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&fd), -ENAMETOOLONG);
	snprintf(name, sizeof(name), "%s/nobody", f->dir);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&fd), -ENOENT);
	assert_int_equal(fd, 7);
}

static void manager_is_slow_or_gone(void **state)
{
	struct fixture *f = *state;
	int fd = -1, rc = 0;

	snprintf(f->name, sizeof(f->name), "@%s/notify", f->dir);
	f->manager = manager_open(f->name);
	setenv("NOTIFY_SOCKET", f->name, 1);
	assert_int_equal(notify_open(&fd), 0);
	for (unsigned i = 0; i < 100000 && rc == 0; i++)
		rc = notify_send(fd, "WATCHDOG=1");
	assert_int_equal(rc, -EAGAIN);
	close(f->manager);
	f->manager = -1;
	assert_true(notify_send(fd, "WATCHDOG=1") < 0);
	close(fd);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(path),
		test(abstract),
		test(no_manager),
		test(bad_names),
		test(manager_is_slow_or_gone),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
