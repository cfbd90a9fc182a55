/* SPDX-License-Identifier: BSD-3-Clause */
/* Ill-behaved clients, many at once, and a client that measures how others fare meanwhile. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define CONNS_MAX 16384
#define TRICKLE_WAVE 64 /* connections that "trickle" opens in a second */
#define BATCH_SIZE (256 << 10)
#define SECOND UINT64_C(1000000000)

static int usage(void)
{
	fputs("usage: rpcflood noread N TARGET       N connections ask for DUMPs and read nothing\n"
	      "       rpcflood half N TARGET         N connections send half a record\n"
	      "       rpcflood idle N TARGET         N connections send nothing\n"
	      "       rpcflood trickle N TARGET      N connections, 64 a second, that send a byte a second\n"
	      "                                      (these four: until SIGTERM)\n"
	      "       rpcflood pipeline N SECONDS TARGET HEX  N connections send a call without a pause\n"
	      "                                      and read the replies\n"
	      "       rpcflood distinct N TARGET     GETPORT of N programs\n"
	      "       rpcflood random N SEED TARGET HEX...  N calls made from those given by mutation\n"
	      "       rpcflood ping SECONDS TARGET   NULL calls, and how long they took\n", stderr);
	return 2;
}

static const char *const *target_of(int argc, char **argv)
{
	const char *const *target = (const char *const *)argv;

	return argc > 0 && peer_target_words(target) ? target : NULL;
}

/* Opens connections until one fails; how many. */
static size_t open_many(struct peer *peers, size_t n, const char *const *target)
{
	size_t i = 0;

	while (i < n && peer_open(&peers[i], target, NULL) == 0)
		i++;
	return i;
}

/* Fills the connection with calls of DUMP until it takes no more. */
static void ask_until_full(struct peer *peer)
{
	uint8_t record[4 + PEER_CALL_SIZE];

	put_u32(record, 0x80000000U | PEER_CALL_SIZE);
	peer_call(record + 4, 1, 100000, 4, 4);
	while (send(peer->fd, record, sizeof(record), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(record))
		;
}

/* Waits that long. Has SIGTERM come? */
static bool is_over(long nanoseconds)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return sigtimedwait(&mask, NULL, &(struct timespec){ .tv_nsec = nanoseconds }) > 0;
}

static int hold(const char *kind, size_t n, const char *const *target)
{
	static const uint8_t half[] = { 0x80, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 };
	static struct peer peers[CONNS_MAX];
	bool noread = strcmp(kind, "noread") == 0;

	n = open_many(peers, n, target);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(kind, "half") == 0)
			peer_write(&peers[i], half, sizeof(half), 0);
		if (noread)
			ask_until_full(&peers[i]);
	}
	printf("ready: %zu connections\n", n);
	fflush(stdout);
	/* Those that do not read keep asking as far as there is room. */
	while (!is_over(1000000)) {
		for (size_t i = 0; noread && i < n; i++)
			ask_until_full(&peers[i]);
	}
	return 0;
}

/* Each byte is progress, though the record is not to end in this life. */
static int trickle(size_t n, const char *const *target)
{
	static const uint8_t mark[] = { 0x80, 0, 0x3e, 0x80 };
	static struct peer peers[CONNS_MAX];
	size_t opened = 0;

	do {
		for (size_t i = 0; i < opened; i++)
			send(peers[i].fd, mark, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		for (size_t i = 0; i < TRICKLE_WAVE && opened < n; i++) {
			if (peer_open(&peers[opened], target, NULL))
				return 1;
			peer_write(&peers[opened++], mark, sizeof(mark), 0);
			if (opened < n)
				continue;
			printf("ready: %zu connections\n", n);
			fflush(stdout);
		}
	} while (!is_over(999999999));
	return 0;
}

/* Connections that have the same records to send, over and over. */
struct pipeline {
	const char *const *target;
	struct peer peers[CONNS_MAX];
	size_t sent[CONNS_MAX]; /* of the batch, which is then begun again */
	uint8_t batch[BATCH_SIZE];
	size_t batch_len;
	int epoll;
	uint64_t received, reopened;
};

static int fill_batch(struct pipeline *p, const char *hex)
{
	ssize_t len = peer_unhex(hex, p->batch + 4, PEER_MAX);

	if (len <= 0)
		return -EINVAL;
	put_u32(p->batch, 0x80000000U | (uint32_t)len);
	len += 4;
	for (p->batch_len = (size_t)len; p->batch_len + (size_t)len <= BATCH_SIZE;
	     p->batch_len += (size_t)len)
		memcpy(p->batch + p->batch_len, p->batch, (size_t)len);
	return 0;
}

static int pipeline_open(struct pipeline *p, size_t i)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u64 = i };
	int rc = peer_open(&p->peers[i], p->target, NULL);

	p->sent[i] = 0;
	if (rc == 0 && epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->peers[i].fd, &event))
		rc = -errno;
	return rc;
}

/* False: the other side has closed it. */
static bool pipeline_go_on(struct pipeline *p, size_t i, uint32_t events)
{
	static uint8_t reply[65536];
	int fd = p->peers[i].fd;
	ssize_t n;

	if (events & ~(uint32_t)EPOLLOUT) {
		n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		p->received += n > 0 ? (uint64_t)n : 0;
	}
	if (events & EPOLLOUT) {
		n = send(fd, p->batch + p->sent[i], p->batch_len - p->sent[i],
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		p->sent[i] = (p->sent[i] + (size_t)n) % p->batch_len;
	}
	return true;
}

static void pipeline_turn(struct pipeline *p)
{
	struct epoll_event events[256];
	int n = epoll_wait(p->epoll, events, 256, 100);

	for (int k = 0; k < n; k++) {
		size_t i = (size_t)events[k].data.u64;

		if (pipeline_go_on(p, i, events[k].events))
			continue;
		peer_close(&p->peers[i]);
		p->reopened += pipeline_open(p, i) == 0;
	}
}

static int pipeline(size_t n, uint64_t seconds, const char *const *target, const char *hex)
{
	static struct pipeline p;
	uint64_t end = peer_now() + seconds * SECOND;

	p.target = target;
	p.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p.epoll < 0 || fill_batch(&p, hex))
		return usage();
	for (size_t i = 0; i < n; i++) {
		if (pipeline_open(&p, i))
			return 1;
	}
	printf("ready: %zu connections\n", n);
	fflush(stdout);
	while (peer_now() < end)
		pipeline_turn(&p);
	printf("%llu bytes of replies, %llu connections opened again\n",
	       (unsigned long long)p.received, (unsigned long long)p.reopened);
	return p.received ? 0 : 1;
}

static int distinct(uint64_t n, const char *const *target)
{
	uint8_t msg[PEER_CALL_SIZE + 16], reply[256];
	struct peer peer;
	uint64_t answers = 0;
	int rc = peer_open(&peer, target, NULL);

	for (uint64_t i = 0; rc == 0 && i < n; i++) {
		peer_call(msg, (uint32_t)i, 100000, 2, 3);
		put_u32(msg + PEER_CALL_SIZE, 0x30000000 + (uint32_t)i);
		put_u32(msg + PEER_CALL_SIZE + 4, 1);
		put_u32(msg + PEER_CALL_SIZE + 8, 6);
		put_u32(msg + PEER_CALL_SIZE + 12, 0);
		rc = peer_write(&peer, msg, sizeof(msg), 0);
		if (rc == 0 && peer_read(&peer, reply, sizeof(reply), 1000) > 0)
			answers++;
	}
	printf("%llu answers\n", (unsigned long long)answers);
	peer_close(&peer);
	return rc ? 1 : 0;
}

/* xorshift64*: the same sequence for the same seed everywhere. */
static uint32_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

static size_t mutate(uint8_t *msg, size_t len, uint64_t *state)
{
	static const uint32_t nasty[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 9000, 65536 };
	uint32_t changes = 1 + random_next(state) % 4;

	while (changes-- > 0 && len >= 8) {
		size_t word = random_next(state) % (len / 4) * 4;

		switch (random_next(state) % 4) {
		case 0:
			msg[random_next(state) % len] ^= (uint8_t)(1U << random_next(state) % 8);
			break;
		case 1:
			put_u32(msg + word, nasty[random_next(state) % 8]);
			break;
		case 2:
			put_u32(msg + word, random_next(state));
			break;
		default:
			len -= random_next(state) % len / 4;
		}
	}
	return len;
}

/* Sends one mutant. A stream that the other side closed is opened again next time. */
static void send_mutant(struct peer *peer, uint8_t *record, size_t len, uint64_t *state)
{
	static uint8_t reply[65536];

	len = mutate(record + 4, len, state);
	put_u32(record, 0x80000000U | (uint32_t)len);
	if (peer->stream && random_next(state) % 16 == 0)
		put_u32(record, random_next(state));
	if (send(peer->fd, peer->stream ? record : record + 4, len + (peer->stream ? 4 : 0),
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && peer->stream) {
		peer_close(peer);
		return;
	}
	while (recv(peer->fd, reply, sizeof(reply), MSG_DONTWAIT) > 0)
		;
	if (peer->stream && random_next(state) % 8 == 0)
		peer_close(peer);
}

static int random_calls(uint64_t n, uint64_t seed, const char *const *target, int calls, char **hex)
{
	struct peer peer = { .fd = -1 };
	uint8_t record[4 + PEER_MAX];
	uint64_t state = seed + 1;

	for (uint64_t i = 0; i < n; i++) {
		ssize_t len = peer_unhex(hex[random_next(&state) % (uint32_t)calls], record + 4, PEER_MAX);
		int rc = peer.fd < 0 ? peer_open(&peer, target, NULL) : 0;

		if (len < 0)
			return usage();
		if (rc) {
			printf("call %llu: %s\n", (unsigned long long)i, peer_error(rc));
			return 1;
		}
		send_mutant(&peer, record, (size_t)len, &state);
	}
	peer_close(&peer);
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* One call; microseconds until its answer, or UINT32_MAX. */
static uint32_t ping_once(struct peer *peer, uint32_t xid)
{
	uint8_t record[4 + PEER_CALL_SIZE], reply[256];
	uint64_t begin = peer_now();
	ssize_t n;

	put_u32(record, 0x80000000U | PEER_CALL_SIZE);
	peer_call(record + 4, xid, 100000, 2, 0);
	if (peer_write(peer, peer->stream ? record : record + 4, PEER_CALL_SIZE + (peer->stream ? 4 : 0), 0))
		return UINT32_MAX;
	do {
		n = peer_read(peer, reply, sizeof(reply), 10000);
	} while (n >= 4 && get_u32(reply) != xid);
	return n < 4 ? UINT32_MAX : (uint32_t)((peer_now() - begin) / 1000);
}

static int ping(uint64_t seconds, const char *const *target)
{
	uint64_t end = peer_now() + seconds * SECOND;
	size_t n = 0, size = seconds * 1000 + 1, lost = 0;
	uint32_t *took = calloc(size, sizeof(*took));
	struct peer peer;
	int rc = took ? peer_open(&peer, target, NULL) : -ENOMEM;

	while (rc == 0 && peer_now() < end && n < size) {
		took[n] = ping_once(&peer, (uint32_t)n);
		if (took[n] == UINT32_MAX)
			lost++;
		n++;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (rc == 0 && n) {
		qsort(took, n, sizeof(*took), compare);
		printf("%zu pings, %zu lost, p50 %u us, p99 %u us, max %u us\n", n, lost, took[n / 2],
		       took[n * 99 / 100], took[n - 1]);
		peer_close(&peer);
	}
	free(took);
	return rc == 0 && n && lost == 0 ? 0 : 1;
}

/* random and pipeline: a second number, and calls behind the target. */
static int with_calls(uint64_t n, int argc, char **argv)
{
	const char *const *target = target_of(argc - 4, argv + 4);
	int words = target ? peer_target_words(target) : 0;
	uint64_t second;

	if (!target || parse_u64(argv[3], 0, UINT32_MAX, &second) || argc - 4 <= words)
		return usage();
	if (strcmp(argv[1], "random") == 0)
		return random_calls(n, second, target, argc - 4 - words, argv + 4 + words);
	return n > CONNS_MAX ? usage() : pipeline(n, second, target, argv[4 + words]);
}

int main(int argc, char **argv)
{
	const char *const *target;
	uint64_t n;

	if (argc < 4 || parse_u64(argv[2], 1, 10000000, &n))
		return usage();
	peer_all_files();
	if (strcmp(argv[1], "random") == 0 || strcmp(argv[1], "pipeline") == 0)
		return with_calls(n, argc, argv);
	target = target_of(argc - 3, argv + 3);
	if (!target)
		return usage();
	if (strcmp(argv[1], "distinct") == 0)
		return distinct(n, target);
	if (strcmp(argv[1], "ping") == 0)
		return ping(n, target);
	if (n > CONNS_MAX)
		return usage();
	if (strcmp(argv[1], "trickle") == 0)
		return trickle(n, target);
	return hold(argv[1], n, target);
}
