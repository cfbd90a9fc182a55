/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How soon is a new network namespace served? Makes namespaces as ip-netns(8) does, brings their
 * loopback up, and asks 127.0.0.1:111 there until the first GETPORT over UDP is answered.
 *
 * The process moves from one new namespace to the next; a socket made in each stays behind and
 * asks. To be run in namespaces of its own (tests/nsrun).
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define MS 1000000.0
#define GIVE_UP_NS UINT64_C(30000000000)
#define GETPORT_SIZE (PEER_CALL_SIZE + 16)

struct options {
	const char *dir;
	uint64_t existing, adds, burst;
	uint64_t max_single_ms, max_burst_ms; /* 0: only report */
};

struct space {
	char path[128];
	int fd;         /* UDP, made inside, connected to 127.0.0.1:111 */
	uint64_t begun; /* before it was made */
	uint64_t made;  /* when its mount was there, as at the end of "ip netns add" */
};

static void space_delete(struct space *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	umount2(s->path, MNT_DETACH);
	unlink(s->path);
}

static int ask_socket(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(111) };
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && (ioctl(fd, SIOCSIFFLAGS, &ifr) || connect(fd, (struct sockaddr *)&sin, sizeof(sin)))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* An empty file first and the mount after it, as ip-netns(8) does. */
static int space_make(struct space *s, const char *dir, const char *kind, uint64_t i)
{
	int fd;

	snprintf(s->path, sizeof(s->path), "%s/%s%llu", dir, kind, (unsigned long long)i);
	s->fd = -1;
	s->begun = peer_now();
	fd = open(s->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close(fd);
	if (unshare(CLONE_NEWNET) || mount("/proc/thread-self/ns/net", s->path, "none", MS_BIND, NULL))
		return -errno;
	s->made = peer_now();
	s->fd = ask_socket();
	return s->fd < 0 ? -errno : 0;
}

/* One question, and at most 100 us for its answer. */
static bool answered(const struct space *s)
{
	const struct timespec patience = { .tv_nsec = 100000 };
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	uint8_t msg[GETPORT_SIZE], reply[64];

	peer_call(msg, 1, 100000, 2, 3);
	put_u32(msg + PEER_CALL_SIZE, 100000);
	put_u32(msg + PEER_CALL_SIZE + 4, 2);
	put_u32(msg + PEER_CALL_SIZE + 8, IPPROTO_UDP);
	put_u32(msg + PEER_CALL_SIZE + 12, 0);
	if (send(s->fd, msg, sizeof(msg), 0) < 0)
		return false;
	if (ppoll(&p, 1, &patience, NULL) != 1)
		return false;
	return recv(s->fd, reply, sizeof(reply), 0) == 28 && get_u32(reply + 24) == 111;
}

static int wait_answer(const struct space *s, uint64_t *when)
{
	uint64_t now;

	while (!answered(s)) {
		now = peer_now();
		if (now > s->made + GIVE_UP_NS)
			return -ETIMEDOUT;
		/* The server shares the processors with this loop. */
		sched_yield();
	}
	*when = peer_now();
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Makes n namespaces at once; *last: when all of them had answered. */
static int make_many(const struct options *o, const char *kind, struct space *spaces, uint64_t n, uint64_t *last)
{
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < n; i++)
		rc = space_make(&spaces[i], o->dir, kind, i);
	for (uint64_t i = 0; rc == 0 && i < n; i++)
		rc = wait_answer(&spaces[i], last);
	return rc;
}

static int measure_single(const struct options *o)
{
	uint64_t *took = calloc(o->adds, sizeof(*took));
	struct space s;
	uint64_t when = 0;
	int rc = took ? 0 : -ENOMEM;

	for (uint64_t i = 0; rc == 0 && i < o->adds; i++) {
		rc = space_make(&s, o->dir, "one", i);
		if (rc == 0)
			rc = wait_answer(&s, &when);
		took[i] = when - s.made;
		space_delete(&s);
	}
	if (rc == 0) {
		qsort(took, o->adds, sizeof(*took), compare);
		printf("single: %llu adds beside %llu: p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
		       (unsigned long long)o->adds, (unsigned long long)o->existing,
		       (double)took[o->adds / 2] / MS, (double)took[(o->adds * 99 - 1) / 100] / MS,
		       (double)took[o->adds - 1] / MS);
		if (o->max_single_ms && took[(o->adds * 99 - 1) / 100] > o->max_single_ms * 1000000)
			rc = -ERANGE;
	}
	free(took);
	return rc;
}

static int measure_burst(const struct options *o)
{
	struct space *spaces = calloc(o->burst, sizeof(*spaces));
	uint64_t last = 0;
	int rc = spaces ? make_many(o, "burst", spaces, o->burst, &last) : -ENOMEM;

	if (rc == 0) {
		uint64_t made = spaces[o->burst - 1].made;

		printf("burst: %llu adds: made in %.0f ms, all served %.0f ms after the last\n",
		       (unsigned long long)o->burst, (double)(made - spaces[0].begun) / MS,
		       (double)(last - made) / MS);
		if (o->max_burst_ms && last - made > o->max_burst_ms * 1000000)
			rc = -ERANGE;
	}
	for (uint64_t i = 0; spaces && i < o->burst; i++)
		space_delete(&spaces[i]);
	free(spaces);
	return rc;
}

static int run(const struct options *o)
{
	struct space *existing = calloc(o->existing + 1, sizeof(*existing));
	uint64_t last;
	int rc = existing ? make_many(o, "old", existing, o->existing, &last) : -ENOMEM;

	if (rc == 0 && o->adds)
		rc = measure_single(o);
	if (rc == 0 && o->burst)
		rc = measure_burst(o);
	for (uint64_t i = 0; existing && i < o->existing; i++)
		space_delete(&existing[i]);
	free(existing);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .dir = "/run/netns", .adds = 20 };
	int c, rc = 0;

	while (rc == 0 && (c = getopt(argc, argv, "d:e:n:b:s:B:")) != -1) {
		switch (c) {
		case 'd': o.dir = optarg; break;
		case 'e': rc = parse_u64(optarg, 0, 10000, &o.existing); break;
		case 'n': rc = parse_u64(optarg, 0, 10000, &o.adds); break;
		case 'b': rc = parse_u64(optarg, 0, 10000, &o.burst); break;
		case 's': rc = parse_u64(optarg, 0, 100000, &o.max_single_ms); break;
		case 'B': rc = parse_u64(optarg, 0, 100000, &o.max_burst_ms); break;
		default: rc = -EINVAL;
		}
	}
	if (rc || optind != argc) {
		fputs("usage: nswatch [-d DIR] [-e EXISTING] [-n ADDS] [-b BURST] [-s MAX-P99-MS] [-B MAX-BURST-MS]\n",
		      stderr);
		return 2;
	}
	peer_all_files();
	rc = run(&o);
	if (rc == -ERANGE)
		fputs("nswatch: too slow\n", stderr);
	else if (rc)
		fprintf(stderr, "nswatch: %s\n", strerror(-rc));
	return rc ? 1 : 0;
}
