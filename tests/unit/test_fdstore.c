/* SPDX-License-Identifier: BSD-3-Clause */
/* What the service manager is told of the sockets that it is to keep. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"
#include "fdstore.h"

struct fixture {
	struct loop *loop;
	struct fdstore *store;
	int ours, manager;
	char text[512]; /* of the last message, lines apart by spaces */
	int fds;        /* that came with it */
};

static void begin(struct fixture *f, size_t limit)
{
	int pair[2], small = 1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	/* A few messages fill it, whatever the machine's limits are. */
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	f->ours = pair[0];
	f->manager = pair[1];
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(fdstore_new(&f->store, f->loop, f->ours, limit), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	begin(f, 100);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fdstore_free(f->store);
	loop_free(f->loop);
	close(f->ours);
	close(f->manager);
	free(f);
	return 0;
}

/* The next message; "" when there is none. */
static const char *next(struct fixture *f)
{
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	struct iovec iov = {f->text, sizeof(f->text) - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(f->manager, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	int fd;

	f->text[n < 0 ? 0 : n] = '\0';
	f->fds = c ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
	for (int i = 0; i < f->fds; i++) {
		memcpy(&fd, CMSG_DATA(c) + (size_t)i * sizeof(fd), sizeof(fd));
		close(fd);
	}
	for (char *p = f->text; *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	return f->text;
}

static void turn(struct fixture *f)
{
	assert_true(loop_turn(f->loop, 0) >= 0);
	assert_true(loop_turn(f->loop, 0) >= 0);
}

static void names(void **state)
{
	static const struct {
		uint64_t key;
		const char *name;
	} cases[] = {{0, "n0"}, {35, "nz"}, {36, "n10"}, {478024, "na8ug"}, {UINT64_MAX, "n3w5e11264sgsf"}};
	static const char *const foreign[] = {"", "n", "0", "n00", "n01", "N0", "nA", "n-1", "stored",
		"rpcbind-ns.socket", "n3w5e11264sgsg", "nzzzzzzzzzzzzz", "n3w5e11264sgsf0", "n1.2"};
	char name[FDSTORE_NAME_SIZE];
	uint64_t key;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fdstore_name(cases[i].key, name);
		assert_string_equal(name, cases[i].name);
		key = 77;
		assert_int_equal(fdstore_key(name, &key), 0);
		assert_true(key == cases[i].key);
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		key = 77;
		assert_int_equal(fdstore_key(foreign[i], &key), -EINVAL);
		assert_true(key == 77);
	}
}

static void limit(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	setenv("FDSTORE", "10", 1);
	assert_int_equal(fdstore_limit(), 0);
	setenv("NOTIFY_SOCKET", "/run/n", 1);
	assert_int_equal(fdstore_limit(), 10);
	setenv("FDSTORE", "0", 1);
	assert_int_equal(fdstore_limit(), 0);
	setenv("FDSTORE", "many", 1);
	assert_int_equal(fdstore_limit(), 0);
	unsetenv("FDSTORE");
	assert_int_equal(fdstore_limit(), 0);
	unsetenv("NOTIFY_SOCKET");
}

static void one_message_for_a_vs(void **state)
{
	struct fixture *f = *state;

	fdstore_put(f->store, 36, OPENER_UDP4, f->ours);
	turn(f);
	assert_string_equal(next(f), "");
	fdstore_start(f->store);
	fdstore_put(f->store, 36, OPENER_TCP4, f->ours);
	fdstore_put(f->store, 36, OPENER_DIAG, f->ours);
	fdstore_put(f->store, 36, OPENER_CALL4, f->ours);
	fdstore_put(f->store, 0, OPENER_PATH, f->ours);
	turn(f);
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n10 FDPOLL=0");
	assert_int_equal(f->fds, 2);
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n0 FDPOLL=0");
	assert_int_equal(f->fds, 1);
	assert_string_equal(next(f), "");
	assert_true(fdstore_has(f->store, 36, OPENER_UDP4));
	assert_false(fdstore_has(f->store, 36, OPENER_DIAG));
	assert_false(fdstore_has(f->store, 0, OPENER_CONTROL));
}

static void taken_back(void **state)
{
	struct fixture *f = *state;

	fdstore_start(f->store);
	fdstore_put(f->store, 5, OPENER_UDP4, f->ours);
	fdstore_put(f->store, 5, OPENER_TCP4, f->ours);
	turn(f);
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n5 FDPOLL=0");
	/* One of two: both go, and the other is stored again. */
	fdstore_drop(f->store, 5, OPENER_UDP4);
	assert_false(fdstore_has(f->store, 5, OPENER_TCP4));
	turn(f);
	assert_string_equal(next(f), "FDSTOREREMOVE=1 FDNAME=n5");
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n5 FDPOLL=0");
	assert_int_equal(f->fds, 1);
	fdstore_drop_all(f->store, 5);
	turn(f);
	assert_string_equal(next(f), "FDSTOREREMOVE=1 FDNAME=n5");
	assert_string_equal(next(f), "");
	/* What never was stored is not removed. */
	fdstore_put(f->store, 6, OPENER_UDP4, f->ours);
	fdstore_drop_all(f->store, 6);
	fdstore_drop_all(f->store, 7);
	turn(f);
	assert_string_equal(next(f), "");
}

/* Dropped and made again before anybody was told: the manager's is the old one. */
static void replaced(void **state)
{
	struct fixture *f = *state;

	fdstore_start(f->store);
	fdstore_put(f->store, 5, OPENER_UDP4, f->ours);
	turn(f);
	next(f);
	fdstore_drop(f->store, 5, OPENER_UDP4);
	fdstore_put(f->store, 5, OPENER_UDP4, f->ours);
	turn(f);
	assert_string_equal(next(f), "FDSTOREREMOVE=1 FDNAME=n5");
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n5 FDPOLL=0");
	assert_string_equal(next(f), "");
}

static void found(void **state)
{
	struct fixture *f = *state;

	fdstore_found(f->store, 5, OPENER_UDP4, f->ours);
	fdstore_found(f->store, 5, OPENER_TCP4, f->ours);
	fdstore_found(f->store, 6, OPENER_UDP4, f->ours);
	fdstore_stale(f->store, 6); /* something else was under that name */
	fdstore_stale(f->store, 7); /* nobody's */
	fdstore_start(f->store);
	assert_true(fdstore_has(f->store, 5, OPENER_TCP4));
	turn(f);
	assert_string_equal(next(f), "FDSTOREREMOVE=1 FDNAME=n6");
	assert_string_equal(next(f), "FDSTORE=1 FDNAME=n6 FDPOLL=0");
	assert_string_equal(next(f), "FDSTOREREMOVE=1 FDNAME=n7");
	assert_string_equal(next(f), "");
}

static void no_more_than_the_limit(void **state)
{
	struct fixture *f = *state;

	fdstore_start(f->store);
	for (uint64_t key = 1; key <= 60; key++) {
		fdstore_put(f->store, key, OPENER_UDP4, f->ours);
		fdstore_put(f->store, key, OPENER_TCP4, f->ours);
	}
	assert_int_equal(fdstore_flush(f->store, 0), -ETIMEDOUT);
	for (unsigned i = 0; i < 50; i++) {
		assert_memory_equal(next(f), "FDSTORE=1 ", 10);
		assert_int_equal(f->fds, 2);
		turn(f);
	}
	assert_string_equal(next(f), "");
	assert_int_equal(fdstore_flush(f->store, 0), 0);
	assert_false(fdstore_has(f->store, 60, OPENER_UDP4));
}

/* One name with its colon for each descriptor: exec(2) takes 128 KiB of them. */
static void no_more_names_than_exec_takes(void **state)
{
	struct fixture *f = *state;
	size_t bytes = 0;

	teardown(state);
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	begin(f, 1000000);
	fdstore_start(f->store);
	for (uint64_t i = 0; i < 3000; i++) {
		for (unsigned k = OPENER_UDP4; k <= OPENER_ABSTRACT; k++)
			fdstore_put(f->store, UINT64_MAX - i, (enum opener_kind)k, f->ours);
		turn(f);
		if (*next(f))
			bytes += (size_t)f->fds * (strlen("n3w5e11264sgsf") + 1);
	}
	assert_true(bytes <= FDSTORE_NAMES_MAX);
	assert_true(bytes > FDSTORE_NAMES_MAX - 100);
}

static void manager_is_slow(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	fdstore_start(f->store);
	for (uint64_t key = 1; key <= 90; key++)
		fdstore_put(f->store, key, OPENER_UDP4, f->ours);
	turn(f);
	/* Gone before the manager was told that it was there. */
	fdstore_drop_all(f->store, 90);
	while (*next(f)) {
		assert_string_not_equal(f->text, "FDSTOREREMOVE=1 FDNAME=n2i");
		n++;
		turn(f);
	}
	assert_int_equal(n, 89);
	assert_true(fdstore_has(f->store, 89, OPENER_UDP4));
}

static void manager_is_gone(void **state)
{
	struct fixture *f = *state;

	fdstore_start(f->store);
	close(f->manager);
	f->manager = -1;
	fdstore_put(f->store, 1, OPENER_UDP4, f->ours);
	turn(f);
	assert_false(fdstore_has(f->store, 1, OPENER_UDP4));
	fdstore_drop_all(f->store, 1);
	turn(f);
	assert_int_equal(fdstore_flush(f->store, 1000), 0);
}

static void no_store(void **state)
{
	(void)state;
	fdstore_put(NULL, 1, OPENER_UDP4, 0);
	fdstore_found(NULL, 1, OPENER_UDP4, 0);
	fdstore_drop(NULL, 1, OPENER_UDP4);
	fdstore_drop_all(NULL, 1);
	fdstore_stale(NULL, 1);
	fdstore_start(NULL);
	assert_false(fdstore_has(NULL, 1, OPENER_UDP4));
	assert_int_equal(fdstore_flush(NULL, 1000), 0);
	fdstore_free(NULL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(limit),
		test(one_message_for_a_vs),
		test(taken_back),
		test(replaced),
		test(found),
		test(no_more_than_the_limit),
		test(no_more_names_than_exec_takes),
		test(manager_is_slow),
		test(manager_is_gone),
		cmocka_unit_test(no_store),
	};

	return cmocka_run_group_tests_name("fdstore", tests, NULL, NULL);
}
