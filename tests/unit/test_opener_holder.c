/* SPDX-License-Identifier: BSD-3-Clause */
/* Who holds a socket in a VS, when that is a process of the tenant's that nobody can trust. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nstest.h"
#include "opener_holder.h"

#define PORT 111
#define NAME "/run/rpcbind.sock"

static const struct opener_policy policy = {.port = PORT, .abstract = NAME};

/* A process with this name that holds fd until it is killed; the caller's copy is closed. */
static pid_t hold(int fd, const char *comm)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(fd);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int bound(struct vs *vs, int family, int type, const void *name, size_t len)
{
	int fd = vs_socket(vs, family, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, name, (socklen_t)len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void expect(struct vs *vs, enum opener_kind kind, const char *comm, pid_t pid)
{
	char text[128], want[128];

	snprintf(want, sizeof(want), "%s[%d]", comm, (int)pid);
	opener_find_holder(vs, &policy, kind, text, sizeof(text));
	assert_string_equal(text, want);
}

static struct vs *open_vs(struct nst *t)
{
	nst_add(NST_NETNS "/a");
	nst_open(t);
	return nst_get(t, "a");
}

static void holders_are_named(void **state)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct vs *vs = open_vs(*state);
	char text[128];
	pid_t pid;

	opener_find_holder(vs, &policy, OPENER_UDP4, text, sizeof(text));
	assert_string_equal(text, "another process");
	pid = hold(bound(vs, AF_INET, SOCK_DGRAM, &any, sizeof(any)), "portmap");
	expect(vs, OPENER_UDP4, "portmap", pid);
	end(pid);
	pid = hold(bound(vs, AF_INET, SOCK_STREAM, &any, sizeof(any)), "portmap");
	expect(vs, OPENER_TCP4, "portmap", pid);
	end(pid);
	/* Dual-stack: it has both. */
	pid = hold(bound(vs, AF_INET6, SOCK_STREAM, &any6, sizeof(any6)), "portmap6");
	expect(vs, OPENER_TCP6, "portmap6", pid);
	expect(vs, OPENER_TCP4, "portmap6", pid);
	end(pid);
	vs_unref(vs);
}

static void names_are_printable(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(NAME);
	struct vs *vs = open_vs(*state);
	pid_t pid;

	memcpy(un.sun_path + 1, NAME, strlen(NAME));
	pid = hold(bound(vs, AF_UNIX, SOCK_STREAM, &un, len), "\033[31m\xc3\xa4\n\x7fx y\t");
	expect(vs, OPENER_ABSTRACT, "?[31m????x y?", pid);
	end(pid);
	vs_unref(vs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(holders_are_named),
		NST_ONCE(names_are_printable),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("opener_holder", tests, NULL, NULL);
}
