/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Client processes for one or more places where vsmany serves. In each place so many connections are
 * divided among them, with one request on its way on each. The places take turns, many times and for
 * a short time each, so that all of them have the same of the machine's moods; those whose turn it is
 * not are stopped. Every answer is checked: one of another virtual server, or to another request, ends
 * the program with status 1.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "netns.h"
#include "peer.h"
#include "vsmany.h"

#define PLACES_MAX 8
#define SETTLE_NS UINT64_C(20000000) /* at the begin of a turn, before it counts */
#define PATIENCE_NS UINT64_C(60000000000)

struct options {
	unsigned processes, connections, rounds, turns;
	uint16_t port;
	uint64_t milliseconds;
	int cpu;
	pid_t server;
	const struct vsmany_counts *counts;
};

struct place {
	const char *name;
	int ns; /* where the clients are */
	uint64_t cookie;
	pid_t clients; /* a process group */
};

struct connection {
	int fd;
	uint8_t address[4];
	uint32_t number;
	size_t have;
	struct vsmany_message answer;
};

/* What is read before and after a turn, and the differences of a round's turns. */
struct reading {
	uint64_t when, cpu, requests, user, pieces;
};

/* ---- a client */

static void ask(struct connection *c)
{
	struct vsmany_message m = {.number = ++c->number};

	if (send(c->fd, &m, sizeof(m), MSG_NOSIGNAL) != (ssize_t)sizeof(m))
		bench_die("a request", errno);
}

static void hear(struct connection *c)
{
	ssize_t n = recv(c->fd, (uint8_t *)&c->answer + c->have, sizeof(c->answer) - c->have, 0);

	if (n <= 0)
		bench_die("an answer", n ? errno : EPIPE);
	c->have += (size_t)n;
	if (c->have < sizeof(c->answer))
		return;
	if (c->answer.number != c->number ||
	    memcmp(c->answer.address, c->address, sizeof(c->address)) != 0)
		bench_die("an answer that is another virtual server's", EPROTO);
	c->have = 0;
	ask(c);
}

static void connect_to(struct connection *c, const struct place *p, unsigned network, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	uint8_t ip[4] = {10, (uint8_t)(network >> 8), (uint8_t)network, 1};
	int one = 1;

	memcpy(c->address, ip, sizeof(ip));
	memcpy(&sin.sin_addr, ip, sizeof(ip));
	c->fd = netns_socket(p->ns, p->cookie, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		bench_die(p->name, c->fd);
	if (connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		bench_die("connect", errno);
}

/* Has every processes-th connection. Ended by a signal. */
static void client(const struct options *o, const struct place *p, unsigned first)
{
	unsigned count = (o->connections - first + o->processes - 1) / o->processes;
	struct connection *all = calloc(count, sizeof(*all));
	struct epoll_event events[16];
	int n, epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!all || epoll < 0)
		bench_die("a client", ENOMEM);
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &all[i]}};

		connect_to(&all[i], p, first + i * o->processes, o->port);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event))
			bench_die("epoll", errno);
	}
	/* So it tells that it is ready, and waits for its place's first turn. */
	raise(SIGSTOP);
	for (unsigned i = 0; i < count; i++)
		ask(&all[i]);
	while ((n = epoll_wait(epoll, events, 16, -1)) >= 0 || errno == EINTR)
		for (int i = 0; i < n; i++)
			hear(events[i].data.ptr);
	bench_die("epoll", errno);
}

/* ---- the program that has them do it */

/* A client ends only when something is wrong. */
static void sleep_until(uint64_t until)
{
	do {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			bench_die("a client has failed", ECHILD);
		bench_sleep_until(until - peer_now() > 100000000 ? peer_now() + 100000000 : until);
	} while (peer_now() < until);
}

static void start_client(const struct options *o, struct place *p, unsigned i)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork", errno);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, p->clients);
		client(o, p, i);
	}
	if (!p->clients)
		p->clients = pid;
	setpgid(pid, p->clients);
}

/* One place after the other, since all at once would be many more than a listener's queue takes. */
static void start_clients(const struct options *o, struct place *p)
{
	uint64_t until = peer_now() + PATIENCE_NS;
	unsigned ready = 0;
	int status;

	for (unsigned i = 0; i < o->processes; i++)
		start_client(o, p, i);
	while (ready < o->processes) {
		if (waitpid(-1, &status, WNOHANG | WUNTRACED) <= 0)
			bench_sleep_until(peer_now() + 1000000);
		else if (WIFSTOPPED(status))
			ready++;
		else
			bench_die("a client has failed", ECHILD);
		if (peer_now() > until)
			bench_die("connections", ETIMEDOUT);
	}
}

static void take(const struct options *o, struct reading *r)
{
	r->when = peer_now();
	r->cpu = bench_cpu_time(o->server);
	r->requests = atomic_load(&o->counts->requests);
	r->user = atomic_load(&o->counts->user);
	r->pieces = atomic_load(&o->counts->pieces);
}

static void turn(const struct options *o, const struct place *p, struct reading *sum)
{
	struct reading a, b;

	if (kill(-p->clients, SIGCONT))
		bench_die(p->name, errno);
	sleep_until(peer_now() + SETTLE_NS);
	take(o, &a);
	/* On a busy machine it may take longer until anything happens at all. */
	do {
		sleep_until(peer_now() + o->milliseconds * 1000000);
		take(o, &b);
	} while (b.requests == a.requests && b.when - a.when < PATIENCE_NS);
	if (kill(-p->clients, SIGSTOP))
		bench_die(p->name, errno);
	sum->when += b.when - a.when;
	sum->cpu += b.cpu - a.cpu;
	sum->requests += b.requests - a.requests;
	sum->user += b.user - a.user;
	sum->pieces += b.pieces - a.pieces;
}

static void report(const struct options *o, const struct place *p, const struct reading *sum)
{
	double n = (double)sum->requests;

	if (n <= 0)
		bench_die("no request was answered", ETIMEDOUT);
	printf("%s rate=%.0f cpu=%.3f user=%.2f bare=%.2f\n", p->name, n * 1e9 / (double)sum->when,
	       (double)sum->cpu / 1000 / n, (double)sum->user / n,
	       ((double)sum->user - (double)(sum->pieces * o->counts->clock_price)) / n);
}

static uint64_t slab_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		const char *digits = line + strcspn(line, "0123456789");

		if (strncmp(line, "Slab:", 5) != 0)
			continue;
		line[(size_t)(digits - line) + strspn(digits, "0123456789")] = '\0';
		n = bench_number(digits, 0, UINT64_MAX);
	}
	if (f)
		fclose(f);
	return n;
}

static void run_round(const struct options *o, const struct place *places, unsigned count)
{
	struct reading sums[PLACES_MAX] = {0};

	for (unsigned t = 0; t < o->turns; t++)
		for (unsigned i = 0; i < count; i++) {
			/* Each is the first, and comes after each other, as often. */
			unsigned who = (t / 2 + (t % 2 ? count - i : i)) % count;

			turn(o, &places[who], &sums[who]);
		}
	for (unsigned i = 0; i < count; i++)
		report(o, &places[i], &sums[i]);
}

static void measure(const struct options *o, struct place *places, unsigned count)
{
	struct reading warm_up = {0};

	for (unsigned i = 0; i < count; i++) {
		uint64_t before = slab_kib();

		start_clients(o, &places[i]);
		turn(o, &places[i], &warm_up);
		printf("%s slab=%.2f\n", places[i].name,
		       ((double)slab_kib() - (double)before) / o->connections);
	}
	for (unsigned i = 0; i < o->rounds; i++)
		run_round(o, places, count);
}

/* ---- the command line */

static void usage(void)
{
	fputs("usage: vsmanyload [OPTION...] CONNECTIONS PORT PLACE...\n"
	      "  PLACE   NAME NETNS, which is where the clients are\n"
	      "  -n N    client processes [100]     -t MS  how long a turn is [100]\n"
	      "  -c CPU  where to run               -T N   turns of a round [10]\n"
	      "  -P PID  the server                 -S FILE its counts\n"
	      "  -r N    rounds [1]\n",
	      stderr);
	exit(2);
}

static const struct vsmany_counts *map_counts(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED :
		mmap(NULL, sizeof(struct vsmany_counts), PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		bench_die(path, errno);
	close(fd);
	return map;
}

static void read_place(struct place *p, char *const *words)
{
	int rc;

	p->name = words[0];
	p->ns = netns_open(words[1]);
	rc = p->ns < 0 ? p->ns : netns_cookie(p->ns, 0, &p->cookie);
	if (rc)
		bench_die(words[1], rc);
}

int main(int argc, char **argv)
{
	struct options o = {.processes = 100, .turns = 10, .rounds = 1, .milliseconds = 100, .cpu = -1};
	struct place places[PLACES_MAX] = {0};
	unsigned count = 0;
	int c;

	while ((c = getopt(argc, argv, "n:t:c:T:P:S:r:")) != -1) {
		switch (c) {
		case 'n': o.processes = (unsigned)bench_number(optarg, 1, 1000); break;
		case 't': o.milliseconds = bench_number(optarg, 1, 3600000); break;
		case 'c': o.cpu = (int)bench_number(optarg, 0, 1023); break;
		case 'T': o.turns = (unsigned)bench_number(optarg, 1, 100000); break;
		case 'r': o.rounds = (unsigned)bench_number(optarg, 1, 100000); break;
		case 'P': o.server = (pid_t)bench_number(optarg, 1, INT32_MAX); break;
		case 'S': o.counts = map_counts(optarg); break;
		default: usage();
		}
	}
	argv += optind;
	argc -= optind;
	if (argc < 4 || argc % 2 || argc > 2 + 2 * PLACES_MAX || !o.server || !o.counts)
		usage();
	o.connections = (unsigned)bench_number(argv[0], 1, 65535);
	o.port = (uint16_t)bench_number(argv[1], 1, 65535);
	if (o.processes > o.connections)
		o.processes = o.connections;
	bench_set_up(o.cpu);
	for (argv += 2; *argv; argv += 2)
		read_place(&places[count++], argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	measure(&o, places, count);
	/* The clients end with this process. */
	return 0;
}
