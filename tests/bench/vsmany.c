/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One TCP server for all virtual servers of a directory: a listening socket for each of their
 * addresses, made by libvsreg, and one epoll loop. It answers requests of a fixed size.
 *
 * It takes the time of its own part of the work. The kernel's division between user and system time
 * is made by 250 ticks a second and much too coarse for that, so it looks at the clock before and
 * after each system call. (To sample with perf_event_open(2) more often is no better: its timer begins
 * anew whenever the process is scheduled, and so keeps step with the requests.)
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"
#include "vsmany.h"
#include "vsreg.h"

#define EVENTS 64
#define BACKLOG 128
#define INTERRUPTED_NS 10000 /* a piece of our own work is never that long */

struct server {
	int epoll;
	uint16_t port;
	unsigned listeners;
	struct vsmany_counts *counts;
	uint64_t since; /* when the kernel gave the CPU back */
};

/* All that is known of a socket is in the word that epoll keeps for it, so that there is no memory of
 * ours to be fetched for each request. */
struct end {
	int fd;
	bool is_listener;
	uint8_t address[4]; /* of the virtual server */
};

#define LISTENER (UINT64_C(1) << 31)
#define REGISTRY UINT64_MAX

static uint64_t end_pack(const struct end *e)
{
	uint32_t address;

	memcpy(&address, e->address, sizeof(address));
	return (uint64_t)address << 32 | (e->is_listener ? LISTENER : 0) | (uint64_t)e->fd;
}

static struct end end_unpack(uint64_t word)
{
	struct end e = {.fd = (int)(word & (LISTENER - 1)), .is_listener = word & LISTENER};
	uint32_t address = (uint32_t)(word >> 32);

	memcpy(e.address, &address, sizeof(address));
	return e;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	/* Only this thread writes. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* Around each system call of the loop. */
static void to_kernel(struct server *s)
{
	uint64_t took = peer_now() - s->since;

	if (took > INTERRUPTED_NS)
		return;
	add(&s->counts->user, took);
	add(&s->counts->pieces, 1);
}

static void from_kernel(struct server *s)
{
	s->since = peer_now();
}

static uint64_t price_of_clock(void)
{
	uint64_t best = UINT64_MAX, begin;

	for (int i = 0; i < 100; i++) {
		begin = peer_now();
		for (int j = 0; j < 99; j++)
			peer_now();
		begin = (peer_now() - begin) / 100;
		best = begin < best ? begin : best;
	}
	return best;
}

static void watch(struct server *s, const struct end *e)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = end_pack(e)}};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, e->fd, &event))
		bench_die("epoll", errno);
}

struct listening {
	struct server *server;
	struct vs *vs;
};

static int listen_on(const struct vs_address *address, void *arg)
{
	const struct listening *l = arg;
	struct end e = {.is_listener = true};
	struct sockaddr_in sin;
	int fd, one = 1;

	if (address->addr.ss_family != AF_INET)
		return 0;
	memcpy(&sin, &address->addr, sizeof(sin));
	if (sin.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		return 0;
	sin.sin_port = htons(l->server->port);
	fd = vs_socket(l->vs, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		bench_die(vs_name(l->vs), fd);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, BACKLOG))
		bench_die(vs_name(l->vs), errno);
	e.fd = fd;
	memcpy(e.address, &sin.sin_addr, sizeof(e.address));
	watch(l->server, &e);
	l->server->listeners++;
	return 0;
}

static struct vs_reg *listen_everywhere(struct server *s, const char *directory)
{
	const char *dirs[] = {directory, NULL};
	struct vs_reg_config config = {.size = sizeof(config), .netns_dirs = dirs};
	struct vs_reg *reg;
	struct vs *vs;
	int rc = vs_reg_open(&reg, &config);

	if (rc)
		bench_die(directory, rc);
	for (vs = NULL; (vs = vs_reg_next(reg, vs));) {
		if (vs_is_host(vs))
			continue;
		rc = vs_addresses(vs, listen_on, &(struct listening){s, vs});
		if (rc)
			bench_die(vs_name(vs), rc);
	}
	return reg;
}

static void accept_all(struct server *s, const struct end *listener)
{
	struct end e = *listener;
	int one = 1;

	e.is_listener = false;
	for (;;) {
		e.fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (e.fd < 0 && errno == EAGAIN)
			return;
		if (e.fd < 0)
			bench_die("accept", errno);
		setsockopt(e.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		watch(s, &e);
	}
}

/* A request is small and on its way alone: it comes whole, and its answer fits. */
static void answer(struct server *s, const struct end *e)
{
	struct vsmany_message m;
	ssize_t n;

	to_kernel(s);
	n = recv(e->fd, &m, sizeof(m), 0);
	from_kernel(s);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n == (ssize_t)sizeof(m)) {
		memcpy(m.address, e->address, sizeof(m.address));
		add(&s->counts->requests, 1);
		to_kernel(s);
		n = send(e->fd, &m, sizeof(m), MSG_NOSIGNAL);
		from_kernel(s);
	}
	if (n != (ssize_t)sizeof(m))
		close(e->fd);
}

static void serve(struct server *s, struct vs_reg *reg)
{
	struct epoll_event events[EVENTS];
	int n;

	from_kernel(s);
	for (;;) {
		to_kernel(s);
		n = epoll_wait(s->epoll, events, EVENTS, -1);
		from_kernel(s);
		if (n < 0 && errno != EINTR)
			bench_die("epoll", errno);
		for (int i = 0; i < n; i++) {
			struct end e = end_unpack(events[i].data.u64);

			if (events[i].data.u64 == REGISTRY)
				vs_reg_dispatch(reg, NULL, NULL);
			else if (e.is_listener)
				accept_all(s, &e);
			else
				answer(s, &e);
		}
	}
}

static struct vsmany_counts *map_counts(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map;

	if (fd < 0 || ftruncate(fd, sizeof(struct vsmany_counts)))
		bench_die(path, errno);
	map = mmap(NULL, sizeof(struct vsmany_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		bench_die(path, errno);
	close(fd);
	return map;
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = REGISTRY}};
	struct server s = {0};
	struct vs_reg *reg;

	if (argc != 5) {
		fputs("usage: vsmany CPU COUNTS-FILE PORT NETNS-DIRECTORY\n", stderr);
		return 2;
	}
	bench_set_up((int)bench_number(argv[1], 0, 1023));
	s.counts = map_counts(argv[2]);
	s.port = (uint16_t)bench_number(argv[3], 1, 65535);
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s.epoll < 0)
		bench_die("epoll", errno);
	s.counts->clock_price = price_of_clock();
	reg = listen_everywhere(&s, argv[4]);
	if (epoll_ctl(s.epoll, EPOLL_CTL_ADD, vs_reg_fd(reg), &event))
		bench_die("epoll", errno);
	printf("ready listeners=%u clock=%u\n", s.listeners, (unsigned)s.counts->clock_price);
	fflush(stdout);
	serve(&s, reg);
	return 0;
}
