/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit that the daemon is measured against: what receives a request, looks at nothing but its
 * length, and sends a reply of the size of the daemon's.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "echo.h"
#include "peer.h"

#define EVENTS 64 /* as the daemon's loop */

static void usage(void)
{
	fputs("usage: rpcecho [-c CPU] [-r BYTES-OF-A-REPLY] [-b DATAGRAMS-IN-A-BATCH] TARGET\n"
	      "  TARGET  udp ADDRESS PORT | tcp ADDRESS PORT | unix PATH |\n"
	      "          netns DIRECTORY PORT (a socket in each namespace)\n",
	      stderr);
	exit(2);
}

static void watch(struct echo *echo, enum echo_kind kind, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct echo_socket *s = malloc(sizeof(*s));

	if (!s)
		bench_die("memory", ENOMEM);
	*s = (struct echo_socket){ .kind = kind, .fd = fd };
	event.data.ptr = s;
	if (epoll_ctl(echo->epoll, EPOLL_CTL_ADD, fd, &event))
		bench_die("epoll_ctl", errno);
}

static void open_inet(struct echo *echo, const char *const *target)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)bench_number(target[2], 1, 65535)) };
	bool udp = strcmp(target[0], "udp") == 0;
	int one = 1;
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, target[1], &sin.sin_addr) != 1)
		usage();
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (udp && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one))) ||
	    (!udp && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || (!udp && listen(fd, 128)))
		bench_die(target[1], errno);
	watch(echo, udp ? ECHO_UDP : ECHO_LISTENER, fd);
}

static void open_unix(struct echo *echo, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sun.sun_path))
		usage();
	memcpy(sun.sun_path, path, strlen(path));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 128))
		bench_die(path, errno);
	watch(echo, ECHO_LISTENER, fd);
}

static void open_everywhere(struct echo *echo, const char *const *target)
{
	uint16_t port = (uint16_t)bench_number(target[2], 1, 65535);
	int *fds;
	size_t count = bench_udp_everywhere(target[1], port, 1, &fds);

	for (size_t i = 0; i < count; i++)
		watch(echo, ECHO_UDP, fds[i]);
	free(fds);
}

static void take_connection(struct echo *echo, struct echo_socket *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		watch(echo, ECHO_STREAM, fd);
}

static void serve(struct echo *echo, struct echo_socket *s)
{
	bool alive = true;

	if (s->kind == ECHO_LISTENER)
		take_connection(echo, s);
	else if (s->kind == ECHO_UDP)
		echo_datagrams(echo, s);
	else
		alive = echo_records(echo, s);
	if (alive)
		return;
	close(s->fd);
	free(s);
}

static void open_target(struct echo *echo, const char *const *target)
{
	if (strcmp(target[0], "netns") == 0 && target[1] && target[2])
		open_everywhere(echo, target);
	else if (peer_target_words(target) == 3)
		open_inet(echo, target);
	else if (strcmp(target[0], "unix") == 0 && target[1])
		open_unix(echo, target[1]);
	else
		usage();
}

int main(int argc, char **argv)
{
	static struct echo echo = { .reply = 40, .batch = 32 };
	struct epoll_event events[EVENTS];
	int c, cpu = -1;

	while ((c = getopt(argc, argv, "c:r:b:")) != -1) {
		if (c == 'c')
			cpu = (int)bench_number(optarg, 0, 1023);
		else if (c == 'r')
			echo.reply = bench_number(optarg, 4, ECHO_MAX);
		else if (c == 'b')
			echo.batch = (unsigned)bench_number(optarg, 1, ECHO_BATCH_MAX);
		else
			usage();
	}
	if (optind == argc)
		usage();
	bench_set_up(cpu);
	echo.epoll = epoll_create1(EPOLL_CLOEXEC);
	open_target(&echo, (const char *const *)(argv + optind));
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(echo.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			serve(&echo, events[i].data.ptr);
	}
}
