/* SPDX-License-Identifier: BSD-3-Clause */
/* c-ares as one has to use it for this: one channel, whose socket functions make sockets in the
 * namespace. */
#include "config.h"

#include <ares.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "netns.h"
#include "peer.h"
#include "resolvpeers.h"

#define EVENTS 64

struct place {
	int ns;
	uint64_t cookie;
};

struct job;
struct slot {
	struct job *job;
	uint64_t since, hash;
};

struct job {
	const struct rl_options *o;
	struct rl_run run;
	struct place place;
	ares_channel channel;
	int epoll;
	struct slot *slots;
	unsigned started, under_way;
	bool is_raw;
};

/* ---- sockets */

static ares_socket_t make_socket(int domain, int type, int protocol, void *arg)
{
	const struct place *place = arg;
	int fd = netns_socket(place->ns, place->cookie, domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		protocol);

	if (fd < 0)
		errno = -fd;
	return fd < 0 ? -1 : fd;
}

static int close_socket(ares_socket_t fd, void *arg)
{
	(void)arg;
	return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *addr, ares_socklen_t len,
	void *arg)
{
	(void)arg;
	return connect(fd, addr, len);
}

static ares_ssize_t receive(ares_socket_t fd, void *data, size_t len, int flags,
	struct sockaddr *addr, ares_socklen_t *addr_len, void *arg)
{
	(void)arg;
	return recvfrom(fd, data, len, flags, addr, addr_len);
}

static ares_ssize_t send_all(ares_socket_t fd, const struct iovec *iov, int count, void *arg)
{
	(void)arg;
	return writev(fd, iov, count);
}

static const struct ares_socket_functions functions = { make_socket, close_socket, connect_socket,
							receive, send_all };

static void watch(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct job *job = arg;
	uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (!event.events)
		epoll_ctl(job->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(job->epoll, EPOLL_CTL_MOD, fd, &event))
		epoll_ctl(job->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* With everything set, so that nothing of the host is read. */
static ares_channel open_channel(struct job *job)
{
	static char domain[] = "test", *domains[] = { domain }, lookups[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOALIASES | ARES_FLAG_NOSEARCH |
			ARES_FLAG_EDNS,
		.timeout = 5000, .tries = 2, .ndots = 1, .ednspsz = 1232,
		.domains = domains, .ndomains = 1, .lookups = lookups,
		.sock_state_cb = watch, .sock_state_cb_data = job,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		ARES_OPT_EDNSPSZ | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
		ARES_OPT_NOROTATE;
	ares_channel channel;
	int rc = ares_init_options(&channel, &options, mask);

	if (rc == ARES_SUCCESS)
		rc = ares_set_servers_ports_csv(channel, job->o->server);
	if (rc != ARES_SUCCESS) {
		fprintf(stderr, "c-ares: %s\n", ares_strerror(rc));
		exit(1);
	}
	ares_set_socket_functions(channel, &functions, &job->place);
	return channel;
}

static void open_job(struct job *job, const struct rl_options *o)
{
	char path[4096];
	int rc;

	*job = (struct job){ .o = o };
	rl_namespace(o, 0, path, sizeof(path));
	job->place.ns = netns_open(path);
	rc = job->place.ns < 0 ? job->place.ns : netns_cookie(job->place.ns, 0, &job->place.cookie);
	if (rc)
		bench_die(path, rc);
	job->epoll = epoll_create1(EPOLL_CLOEXEC);
	job->slots = calloc(o->window, sizeof(*job->slots));
	if (job->epoll < 0 || !job->slots || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		bench_die("c-ares", ENOMEM);
}

/* ---- misses */

static void start(struct slot *slot);

static void finish(struct slot *slot, int status, bool is_right)
{
	slot->job->under_way--;
	rl_done(&slot->job->run, slot->since, status, is_right);
	if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED)
		start(slot);
}

static void done(void *arg, int status, int timeouts, struct ares_addrinfo *res)
{
	struct slot *slot = arg;
	const struct rl_options *o = slot->job->o;
	bool is_right = true;
	unsigned n = 0;

	(void)timeouts;
	for (struct ares_addrinfo_node *a = res ? res->nodes : NULL; a; a = a->ai_next, n++)
		is_right = is_right && rl_is_right(o, a->ai_addr, 0, slot->hash);
	if (res)
		ares_freeaddrinfo(res);
	finish(slot, status, is_right && (o->is_unchecked ? n > 0 : n == rl_addresses(o)));
}

static void done_raw(void *arg, int status, int timeouts, unsigned char *message, int len)
{
	(void)timeouts;
	(void)message;
	finish(arg, status, len > 12);
}

static void start(struct slot *slot)
{
	struct job *job = slot->job;
	const struct ares_addrinfo_hints hints = { .ai_family = rl_family(job->o),
						   .ai_socktype = SOCK_STREAM,
						   .ai_flags = ARES_AI_NUMERICSERV };
	char name[RL_NAME];

	if (job->o->count ? job->started >= job->o->count : peer_now() >= job->run.until)
		return;
	slot->hash = rl_new_name(job->o, job->started++, name);
	slot->since = peer_now();
	job->under_way++;
	if (job->is_raw)
		ares_query(job->channel, name, 1, 1, done_raw, slot);
	else
		ares_getaddrinfo(job->channel, name, NULL, &hints, done, slot);
}

static void turn(struct job *job)
{
	struct epoll_event events[EVENTS];
	struct timeval most = { 1, 0 }, tv, *next = ares_timeout(job->channel, &most, &tv);
	int ms = (int)(next->tv_sec * 1000 + next->tv_usec / 1000);
	int n = epoll_wait(job->epoll, events, EVENTS, ms);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		ares_process_fd(job->channel,
			events[i].events & ~(uint32_t)EPOLLOUT ? fd : ARES_SOCKET_BAD,
			events[i].events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
	}
	if (n == 0)
		ares_process_fd(job->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static int run(const struct rl_options *o, bool is_raw)
{
	struct job job;
	int status;

	open_job(&job, o);
	job.is_raw = is_raw;
	job.channel = open_channel(&job);
	rl_begin(&job.run, o, RUSAGE_THREAD);
	for (unsigned i = 0; i < o->window; i++) {
		job.slots[i].job = &job;
		start(&job.slots[i]);
	}
	while (job.under_way)
		turn(&job);
	status = rl_end(&job.run);
	ares_destroy(job.channel);
	ares_library_cleanup();
	close(job.epoll);
	close(job.place.ns);
	free(job.slots);
	return status;
}

int cares_miss(const struct rl_options *o)
{
	return run(o, false);
}

int cares_raw_miss(const struct rl_options *o)
{
	return run(o, true);
}

int cares_idle(const struct rl_options *o)
{
	ares_channel *channels = calloc(o->count ? o->count : 1, sizeof(*channels));
	uint64_t heap, private, begin, ns, n = o->count;
	unsigned descriptors;
	struct job job;

	if (!channels || !n)
		bench_die("how many (-N)?", EINVAL);
	open_job(&job, o);
	ares_destroy(open_channel(&job));
	malloc_trim(0);
	descriptors = rl_descriptors();
	private = rl_private();
	heap = rl_heap();
	begin = peer_now();
	for (unsigned i = 0; i < n; i++)
		channels[i] = open_channel(&job);
	ns = peer_now() - begin;
	printf("us=%.3f heap=%llu private=%llu fds=%u\n", (double)ns / (double)n / 1e3,
		(unsigned long long)((rl_heap() - heap) / n),
		(unsigned long long)((rl_private() - private) / n), rl_descriptors() - descriptors);
	for (unsigned i = 0; i < n; i++)
		ares_destroy(channels[i]);
	free(channels);
	free(job.slots);
	close(job.epoll);
	close(job.place.ns);
	return 0;
}
