/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One NULL call at a steady beat, whether or not the last is answered, and how long each answer took.
 * Under SCHED_FIFO where that is allowed: what is measured is the server, not this program's wait
 * for a CPU that a load generator has.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

#define PATIENCE UINT64_C(2000000000) /* for the last answers */
#define NEVER UINT32_C(9999999)

struct pinger {
	struct peer peer;
	uint64_t *sent;
	uint32_t *took; /* microseconds */
	uint32_t count, answered;
};

static void usage(void)
{
	fputs("usage: rpcping [-c CPU] [-i MICROSECONDS] [-t MILLISECONDS] udp ADDRESS PORT\n", stderr);
	exit(2);
}

static void take_replies(struct pinger *p)
{
	uint8_t reply[1024];
	ssize_t n;

	while ((n = recv(p->peer.fd, reply, sizeof(reply), MSG_DONTWAIT)) >= 4) {
		uint32_t xid = get_u32(reply);

		if (xid >= p->count || p->took[xid] != NEVER || !p->sent[xid])
			continue;
		p->took[xid] = (uint32_t)((peer_now() - p->sent[xid]) / 1000);
		p->answered++;
	}
}

/* Takes what comes until that time. */
static void wait_until(struct pinger *p, uint64_t when)
{
	uint64_t now;

	while ((now = peer_now()) < when) {
		struct timespec left = { (time_t)((when - now) / 1000000000),
			(long)((when - now) % 1000000000) };
		struct pollfd fd = { .fd = p->peer.fd, .events = POLLIN };

		if (ppoll(&fd, 1, &left, NULL) > 0)
			take_replies(p);
	}
}

static void ping(struct pinger *p, uint64_t interval)
{
	uint64_t next = peer_now();
	uint8_t msg[PEER_CALL_SIZE];

	for (uint32_t xid = 0; xid < p->count; xid++) {
		peer_call(msg, xid, 100000, 2, 0);
		p->sent[xid] = peer_now();
		send(p->peer.fd, msg, sizeof(msg), MSG_NOSIGNAL);
		next += interval;
		wait_until(p, next);
	}
	for (next += PATIENCE; p->answered < p->count && peer_now() < next;)
		wait_until(p, peer_now() + 10000000);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	uint64_t interval = 1000, time = 1000;
	struct pinger p = { .count = 0 };
	int c, cpu = -1, rc;

	while ((c = getopt(argc, argv, "c:i:t:")) != -1) {
		switch (c) {
		case 'c': cpu = (int)bench_number(optarg, 0, 1023); break;
		case 'i': interval = bench_number(optarg, 10, 1000000); break;
		case 't': time = bench_number(optarg, 1, 3600000); break;
		default: usage();
		}
	}
	if (!peer_target_words((const char *const *)(argv + optind)))
		usage();
	bench_set_up(cpu);
	bench_be_prompt(50);
	p.count = (uint32_t)(time * 1000 / interval + 1);
	p.sent = calloc(p.count, sizeof(*p.sent));
	p.took = malloc(p.count * sizeof(*p.took));
	if (!p.sent || !p.took)
		bench_die("memory", ENOMEM);
	for (uint32_t i = 0; i < p.count; i++)
		p.took[i] = NEVER;
	rc = peer_open(&p.peer, (const char *const *)(argv + optind), NULL);
	if (rc)
		bench_die(argv[optind], rc);
	ping(&p, interval * 1000);
	qsort(p.took, p.count, sizeof(*p.took), compare);
	printf("pings=%u lost=%u p50=%u p99=%u max=%u\n", p.count, p.count - p.answered,
	       p.took[p.count / 2], p.took[(uint64_t)p.count * 99 / 100], p.took[p.count - 1]);
	free(p.sent);
	free(p.took);
	return p.answered * 100 < p.count * UINT64_C(99);
}
