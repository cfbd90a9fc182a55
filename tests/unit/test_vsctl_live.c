/* SPDX-License-Identifier: BSD-3-Clause */
/* DUMP over a local socket, from servers of all manners: a child that answers as it is told. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "common/vsctl_live.h"

#define LAST 0x80000000u
#define CALL_SIZE 44 /* with its record mark */

/* The answer to a call of one version: words, each fragment of them headed as it is sent. */
struct answer {
	uint32_t words[16];
	unsigned count;
};

struct server {
	struct answer v4, v2;
	pid_t pid;
	char dir[64], path[80];
};

static void answer_calls(const struct server *s, int fd)
{
	uint32_t call[CALL_SIZE / 4], out[16];

	while (recv(fd, call, sizeof(call), MSG_WAITALL) == (ssize_t)sizeof(call)) {
		const struct answer *a = ntohl(call[5]) == 4 ? &s->v4 : &s->v2;

		for (unsigned i = 0; i < a->count; i++)
			out[i] = htonl(a->words[i]);
		/* Nothing to say is to hang up. */
		if (!a->count || send(fd, out, a->count * 4, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void start(struct server *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(s->dir, sizeof(s->dir), "/tmp/test-live-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	memcpy(un.sun_path, s->path, sizeof(s->path));
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 5), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		alarm(30);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			answer_calls(s, peer);
			close(peer);
		}
	}
	close(fd);
}

static void stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
	rmdir(s->dir);
}

static int dump(struct server *s, int timeout_ms, struct vsctl_dump *d)
{
	int rc;

	start(s);
	rc = vsctl_dump(s->path, timeout_ms, d);
	stop(s);
	return rc;
}

/* xid 4, reply, accepted, no verifier, SUCCESS, and an empty list. */
static void version_4(void **state)
{
	struct server s = {.v4 = {{LAST | 28, 4, 1, 0, 0, 0, 0, 0}, 8}};
	struct vsctl_dump d;

	(void)state;
	assert_int_equal(dump(&s, 5000, &d), 0);
	assert_int_equal(d.kind, WARMSTART_RPCB);
	assert_int_equal(d.len, 4);
	assert_memory_equal(d.data, "\0\0\0\0", 4);
	free(d.data);
}

static void fragments(void **state)
{
	struct server s = {.v4 = {{8, 4, 1, 0, 16, 0, 0, 0, 0, LAST | 4, 0}, 11}};
	struct vsctl_dump d;

	(void)state;
	assert_int_equal(dump(&s, 5000, &d), 0);
	assert_int_equal(d.len, 4);
	free(d.data);
}

static void falls_back(void **state)
{
	struct server s = {.v4 = {{LAST | 32, 4, 1, 0, 0, 0, 2, 2, 2}, 9},
		.v2 = {{LAST | 28, 2, 1, 0, 0, 0, 0, 0}, 8}};
	struct vsctl_dump d;

	(void)state;
	assert_int_equal(dump(&s, 5000, &d), 0);
	assert_int_equal(d.kind, WARMSTART_PMAP);
	assert_int_equal(d.len, 4);
	free(d.data);
}

static void refusals(void **state)
{
	/* PROG_UNAVAIL, and denied. */
	struct server neither = {.v4 = {{LAST | 24, 4, 1, 0, 0, 0, 1}, 7},
		.v2 = {{LAST | 20, 2, 1, 1, 1, 5}, 6}};
	struct server other_xid = {.v4 = {{LAST | 28, 5, 1, 0, 0, 0, 0, 0}, 8}};
	struct server a_call = {.v4 = {{LAST | 28, 4, 0, 0, 0, 0, 0, 0}, 8}};
	struct server too_long = {.v4 = {{LAST | 0x7fffffff, 4, 1}, 3}};
	struct server too_long_in_all = {.v4 = {{4, 4, 64u << 20, 1}, 4}};
	struct server hangs_up = {0};
	struct vsctl_dump d;

	(void)state;
	assert_int_equal(dump(&neither, 5000, &d), -EOPNOTSUPP);
	assert_int_equal(dump(&other_xid, 5000, &d), -EPROTO);
	assert_int_equal(dump(&a_call, 5000, &d), -EPROTO);
	assert_int_equal(dump(&too_long, 5000, &d), -EMSGSIZE);
	assert_int_equal(dump(&too_long_in_all, 5000, &d), -EMSGSIZE);
	assert_int_equal(dump(&hangs_up, 5000, &d), -ECONNRESET);
}

static void waits_no_longer(void **state)
{
	struct server half = {.v4 = {{LAST | 28, 4, 1}, 3}};
	struct vsctl_dump d;

	(void)state;
	assert_int_equal(dump(&half, 50, &d), -ETIMEDOUT);
}

static void who_listens(void **state)
{
	struct server s = {0};
	struct vsctl_dump d;
	pid_t pid = 0;

	(void)state;
	start(&s);
	assert_int_equal(vsctl_listener(s.path, &pid), 0);
	stop(&s);
	/* It was this process that called listen(2). */
	assert_int_equal(pid, getpid());
	assert_int_equal(vsctl_listener(s.path, &pid), -ENOENT);
	assert_int_equal(vsctl_dump(s.path, 50, &d), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_4),
		cmocka_unit_test(fragments),
		cmocka_unit_test(falls_back),
		cmocka_unit_test(refusals),
		cmocka_unit_test(waits_no_longer),
		cmocka_unit_test(who_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
