/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts a daemon, and tells when it said READY=1 and when each of many namespaces answered a NULL
 * call. It stays until SIGTERM, which it gives to the daemon.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

#define PATIENCE UINT64_C(60000000000)
#define BEAT 1 /* ms between two rounds of questions */

struct start {
	pid_t child;
	int notify;
	int *fds;
	bool *answered;
	size_t count, left;
	uint64_t begin, ready, first, last;
};

static void usage(void)
{
	fputs("usage: nsstart [-n] DIRECTORY PORT COMMAND [ARG...]\n"
	      "  DIRECTORY  of namespaces, each of which is asked on that UDP port of 127.0.0.1\n"
	      "  -n         the command does not say READY=1\n",
	      stderr);
	exit(2);
}

static void open_notify(struct start *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char name[sizeof(sun.sun_path)];
	int len = snprintf(name, sizeof(name), "@nsstart-%d", (int)getpid());

	memcpy(sun.sun_path + 1, name + 1, (size_t)len - 1);
	s->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->notify < 0 || bind(s->notify, (struct sockaddr *)&sun,
				  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) ||
	    setenv("NOTIFY_SOCKET", name, 1))
		bench_die("NOTIFY_SOCKET", errno);
}

static void begin(struct start *s, char **command)
{
	s->begin = peer_now();
	s->child = fork();
	if (s->child < 0)
		bench_die("fork", errno);
	if (s->child == 0) {
		execvp(command[0], command);
		bench_die(command[0], errno);
	}
}

/* Asks those from i on that have not answered, at most so many; a server that is not there yet
 * refuses at once, which is no answer. */
static void ask(struct start *s, size_t i, size_t many)
{
	uint8_t msg[PEER_CALL_SIZE];

	for (size_t asked = 0; i < s->count && asked < many; i++) {
		if (s->answered[i])
			continue;
		peer_call(msg, (uint32_t)i, 100000, 2, 0);
		send(s->fds[i], msg, sizeof(msg), MSG_NOSIGNAL | MSG_DONTWAIT);
		asked++;
	}
}

static void take_answers(struct start *s)
{
	uint8_t reply[256];

	for (size_t i = 0; i < s->count; i++) {
		if (s->answered[i] || recv(s->fds[i], reply, sizeof(reply), MSG_DONTWAIT) < 24)
			continue;
		s->answered[i] = true;
		s->left--;
		s->last = peer_now();
		if (!s->first)
			s->first = s->last;
	}
}

static void take_notice(struct start *s)
{
	char text[512];
	ssize_t n = recv(s->notify, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return;
	text[n] = '\0';
	if (strstr(text, "READY=1"))
		s->ready = peer_now();
}

static void beat(struct start *s)
{
	struct pollfd fd = { .fd = s->notify, .events = POLLIN };

	if (poll(&fd, 1, BEAT) > 0)
		take_notice(s);
	if (waitpid(s->child, NULL, WNOHANG) == s->child)
		bench_die("the daemon has ended", ECHILD);
	if (peer_now() - s->begin > PATIENCE)
		bench_die("the daemon is not ready", ETIMEDOUT);
}

/* Before it is ready one namespace is asked, so as not to slow the start down; then all. */
static void watch(struct start *s)
{
	while (!s->ready) {
		if (!s->first)
			ask(s, 0, 1);
		beat(s);
		take_answers(s);
	}
	while (s->left) {
		ask(s, 0, s->count);
		beat(s);
		take_answers(s);
	}
}

static double milliseconds(const struct start *s, uint64_t when)
{
	return when ? (double)(when - s->begin) / 1e6 : 0.0;
}

static void stay(const struct start *s)
{
	sigset_t mask;
	int signal;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigwait(&mask, &signal);
	kill(s->child, SIGTERM);
	waitpid(s->child, NULL, 0);
}

int main(int argc, char **argv)
{
	struct start s = { .notify = -1 };
	bool silent = argc > 1 && strcmp(argv[1], "-n") == 0;
	sigset_t mask;

	argv += silent;
	if (argc - silent < 4)
		usage();
	bench_set_up(-1);
	s.count = s.left = bench_udp_everywhere(argv[1], (uint16_t)bench_number(argv[2], 1, 65535), 0,
						&s.fds);
	s.answered = calloc(s.count + 1, sizeof(*s.answered));
	if (!s.answered)
		bench_die("memory", ENOMEM);
	open_notify(&s);
	begin(&s, argv + 3);
	s.ready = silent ? s.begin : 0;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	watch(&s);
	printf("pid=%d ready=%.1f first=%.1f last=%.1f\n", (int)s.child, milliseconds(&s, s.ready),
	       milliseconds(&s, s.first), milliseconds(&s, s.last));
	fflush(stdout);
	stay(&s);
	free(s.fds);
	free(s.answered);
	return 0;
}
