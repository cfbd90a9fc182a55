/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"
#include "vrf.h"

#define REQUESTS 256
#define REPEAT 8
#define SIZE 64
#define BUFFER (4 << 20)

/* A way to serve two virtual servers. What is NULL or 0 is not used. */
struct way {
	const char *name;
	const char *server[VRFS]; /* namespaces; the second NULL: one socket for both */
	const char *device[VRFS]; /* that the sockets are bound to */
	const char *client[VRFS];
	const char *ip[VRFS];
	uint32_t mark[VRFS];
	bool by_source; /* the way back is the source alone, not the device */
};

static const struct way ways[] = {
	{"mark", {"m-srv"}, {0}, {"m-c0", "m-c1"}, {"10.9.1.5", "10.9.2.5"}, {0x8601, 0x8602}, true},
	{"from", {"m-srv"}, {0}, {"m-c0", "m-c1"}, {"10.9.1.5", "10.9.2.5"}, {0}, true},
	{"vrf", {"srv"}, {0}, {"c0", "c1"}, {"10.9.9.5", "10.9.9.5"}, {0}, false},
	{"vrf-each", {"srv", "srv"}, {"vrf0", "vrf1"}, {"c0", "c1"}, {"10.9.9.5", "10.9.9.5"}, {0}, true},
	{"netns-each", {"n-srv0", "n-srv1"}, {0}, {"n-c0", "n-c1"}, {"10.9.9.5", "10.9.9.5"}, {0}, true},
};

#define WAYS (sizeof(ways) / sizeof(*ways))

struct trial {
	const struct way *way;
	int server[VRFS], client[VRFS];
	unsigned servers;
	int epoll;
	uint64_t best, lost;
};

/* Each has a port of its own. */
static uint16_t port_of(const struct way *w)
{
	return (uint16_t)(VRF_PORT + (w - ways));
}

static int server_socket(const struct way *w, int i)
{
	struct sockaddr_in any = vrf_address("0.0.0.0", port_of(w));
	int one = 1, room = BUFFER, fd = vrf_socket(w->server[i], SOCK_DGRAM | SOCK_NONBLOCK);

	if (w->device[i])
		vrf_bind_to(fd, w->device[i]);
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		bench_die(w->name, errno);
	return fd;
}

static void trial_open(struct trial *t, const struct way *w)
{
	*t = (struct trial){.way = w, .best = UINT64_MAX, .epoll = epoll_create1(EPOLL_CLOEXEC)};
	for (int i = 0; i < VRFS && w->server[i]; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data = {.fd = server_socket(w, i)}};

		t->server[t->servers++] = e.data.fd;
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, e.data.fd, &e))
			bench_die("epoll", errno);
	}
	for (int i = 0; i < VRFS; i++) {
		struct sockaddr_in to = vrf_address(w->ip[i], port_of(w));
		int room = BUFFER;

		t->client[i] = vrf_socket(w->client[i], SOCK_DGRAM | SOCK_NONBLOCK);
		if (setsockopt(t->client[i], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		    connect(t->client[i], (struct sockaddr *)&to, sizeof(to)))
			bench_die(w->client[i], errno);
	}
}

static uint32_t mark_of(const struct way *w, struct in_addr ip)
{
	return w->mark[0] ? w->mark[ip.s_addr == vrf_address(w->ip[1], 0).sin_addr.s_addr] : 0;
}

/* All that there is on one socket, at most so many. */
static unsigned serve(const struct trial *t, int fd, unsigned most)
{
	const struct way *w = t->way;
	char data[SIZE];
	struct vrf_way back;
	unsigned n = 0;
	ssize_t len;

	while (n < most && (len = vrf_receive(fd, data, sizeof(data), &back)) >= 0) {
		if (w->by_source)
			back.info.ipi_ifindex = 0;
		vrf_answer(fd, data, (size_t)len, &back, mark_of(w, back.info.ipi_spec_dst));
		n++;
	}
	return n;
}

static void serve_all(const struct trial *t)
{
	struct epoll_event events[VRFS];
	int n;

	if (t->servers == 1) {
		serve(t, t->server[0], REQUESTS);
		return;
	}
	/* As one that has an eye on all its tenants: a few of each. */
	while ((n = epoll_wait(t->epoll, events, VRFS, 0)) > 0)
		for (int i = 0; i < n; i++)
			serve(t, events[i].data.fd, 16);
}

static void run(struct trial *t)
{
	char data[SIZE] = {0};
	uint64_t begin, took;
	unsigned heard = 0;

	for (unsigned i = 0; i < REQUESTS; i++)
		if (send(t->client[i % VRFS], data, sizeof(data), 0) != SIZE)
			bench_die(t->way->client[i % VRFS], errno);
	begin = peer_now();
	serve_all(t);
	took = peer_now() - begin;
	for (int i = 0; i < VRFS; i++)
		while (recv(t->client[i], data, sizeof(data), 0) == SIZE)
			heard++;
	t->lost += REQUESTS - heard;
	t->best = took < t->best ? took : t->best;
}

/* Of each round the fastest of some repetitions: the machine is emulated, and shared. */
int vrf_measure(unsigned rounds)
{
	static struct trial trials[WAYS];

	for (size_t i = 0; i < WAYS; i++)
		trial_open(&trials[i], &ways[i]);
	for (unsigned r = 0; r < rounds; r++) {
		for (size_t i = 0; i < WAYS * REPEAT; i++)
			run(&trials[(i + r) % WAYS]);
		for (size_t i = 0; i < WAYS; i++) {
			printf("%s %llu\n", trials[i].way->name,
			       (unsigned long long)(trials[i].best / REQUESTS));
			trials[i].best = UINT64_MAX;
		}
	}
	for (size_t i = 0; i < WAYS; i++)
		printf("%s.lost %llu\n", trials[i].way->name, (unsigned long long)trials[i].lost);
	return 0;
}
