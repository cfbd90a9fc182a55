/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long does a NULL call take? One is sent each millisecond, whether or not those before it were
 * answered: a server that stands still for a while is asked all the while, and each of these calls counts.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define MSEC UINT64_C(1000000)
#define PERIOD MSEC
#define SECOND UINT64_C(1000000000)
#define LAST_WAIT (2 * SECOND) /* for answers, after the last call */
#define UNANSWERED UINT64_MAX
#define PRIORITY 50

struct prober {
	struct peer peer;
	uint64_t *sent;  /* when each call was sent; 0: it could not be */
	uint64_t *took;  /* nanoseconds, or UNANSWERED */
	size_t count, size, answered;
	uint8_t in[4096]; /* of a stream: what has come of a record */
	size_t in_len;
};

static int usage(void)
{
	fputs("usage: rpcping [-f] [-c CPU] MILLISECONDS TARGET\n"
	      "       NULL calls, one each millisecond, and how long their answers took\n"
	      "       -f: under SCHED_FIFO, where that is permitted; -c: on that CPU\n", stderr);
	return 2;
}

static void send_call(struct prober *p)
{
	uint8_t record[4 + PEER_CALL_SIZE];
	size_t skip = p->peer.stream ? 0 : 4;
	uint64_t now = peer_now();

	put_u32(record, 0x80000000U | PEER_CALL_SIZE);
	peer_call(record + 4, (uint32_t)p->count, 100000, 2, 0);
	if (send(p->peer.fd, record + skip, sizeof(record) - skip, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		p->sent[p->count] = now;
	p->took[p->count++] = UNANSWERED;
}

static void take_answer(struct prober *p, const uint8_t *msg, size_t len, uint64_t now)
{
	uint32_t xid = len >= 4 ? get_u32(msg) : UINT32_MAX;

	if (xid >= p->count || !p->sent[xid] || p->took[xid] != UNANSWERED)
		return;
	p->took[xid] = now - p->sent[xid];
	p->answered++;
}

/* Takes the records that are complete off the front of what has come. */
static void take_records(struct prober *p, uint64_t now)
{
	size_t at = 0;

	while (p->in_len - at >= 4) {
		size_t len = get_u32(p->in + at) & 0x7fffffff;

		if (len > p->in_len - at - 4)
			break;
		take_answer(p, p->in + at + 4, len, now);
		at += 4 + len;
	}
	p->in_len -= at;
	memmove(p->in, p->in + at, p->in_len);
}

/* False: the other side has closed the connection. */
static bool read_answers(struct prober *p)
{
	ssize_t n;

	while ((n = recv(p->peer.fd, p->in + p->in_len, sizeof(p->in) - p->in_len, MSG_DONTWAIT)) > 0) {
		if (!p->peer.stream) {
			take_answer(p, p->in, (size_t)n, peer_now());
			continue;
		}
		p->in_len += (size_t)n;
		take_records(p, peer_now());
	}
	return n < 0 && (errno == EAGAIN || !p->peer.stream);
}

/* Reads until then, or until all has been answered and the last call was sent. */
static bool read_until(struct prober *p, uint64_t until)
{
	struct pollfd pfd = { .fd = p->peer.fd, .events = POLLIN };
	uint64_t now;

	while ((now = peer_now()) < until && (p->count < p->size || p->answered < p->count)) {
		struct timespec left = { .tv_sec = (time_t)((until - now) / SECOND),
					 .tv_nsec = (long)((until - now) % SECOND) };

		if (ppoll(&pfd, 1, &left, NULL) > 0 && !read_answers(p))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The calls without an answer are the slowest. */
static void report(const struct prober *p)
{
	const uint64_t *t = p->took;
	const size_t at[] = { p->count / 2, p->count * 99 / 100, p->count - 1 };
	uint64_t us[3];

	for (size_t i = 0; i < 3; i++)
		us[i] = t[at[i]] == UNANSWERED ? 999999999 : t[at[i]] / 1000;
	printf("pings=%zu lost=%zu p50=%llu p99=%llu max=%llu\n", p->count,
	       p->count - p->answered, (unsigned long long)us[0], (unsigned long long)us[1],
	       (unsigned long long)us[2]);
}

static int probe(struct prober *p)
{
	uint64_t next = peer_now();
	bool open = true;

	while (open && p->count < p->size) {
		send_call(p);
		next += PERIOD;
		open = read_until(p, next);
	}
	while (p->count < p->size)
		p->took[p->count++] = UNANSWERED;
	if (open)
		read_until(p, peer_now() + LAST_WAIT);
	qsort(p->took, p->count, sizeof(*p->took), compare);
	report(p);
	return p->answered == p->count ? 0 : 1;
}

/* What is measured is the server, not this program's wait for a CPU. */
static void be_prompt(bool fifo)
{
	const struct sched_param param = { .sched_priority = PRIORITY };

	mlockall(MCL_CURRENT);
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (fifo && sched_setscheduler(0, SCHED_FIFO, &param))
		fprintf(stderr, "rpcping: not under SCHED_FIFO: %s\n", strerror(errno));
}

static int run_on(uint64_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static int ping(struct prober *p, const char *const *target, bool fifo)
{
	int on = 1, rc;

	p->sent = calloc(p->size, sizeof(*p->sent));
	p->took = calloc(p->size, sizeof(*p->took));
	rc = p->sent && p->took ? peer_open(&p->peer, target, NULL) : -ENOMEM;
	if (!rc) {
		/* Or a call would wait for the answer to the one before. Other sockets do not know it. */
		setsockopt(p->peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		be_prompt(fifo);
		rc = probe(p);
		peer_close(&p->peer);
	}
	free(p->sent);
	free(p->took);
	return rc;
}

int main(int argc, char **argv)
{
	struct prober p = { .peer = { .fd = -1 } };
	const char *const *words;
	uint64_t cpu, time;
	bool fifo = false;
	int c, rc = 0;

	while (!rc && (c = getopt(argc, argv, "+fc:")) != -1) {
		if (c == 'f')
			fifo = true;
		else if (c != 'c' || parse_u64(optarg, 0, CPU_SETSIZE - 1, &cpu))
			return usage();
		else
			rc = run_on(cpu);
	}
	words = (const char *const *)(argv + optind);
	if (argc - optind < 2 || parse_u64(words[0], 1, 3600000, &time) || !peer_target_words(words + 1))
		return usage();
	p.size = time * MSEC / PERIOD;
	if (!rc)
		rc = ping(&p, words + 1, fifo);
	if (rc < 0)
		fprintf(stderr, "rpcping: %s\n", peer_error(rc));
	return rc ? 1 : 0;
}
