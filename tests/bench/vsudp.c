/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The price of each way to answer UDP for several virtual servers, in one program and one run.
 *
 * Before each measurement two clients, one of each VS, put REQUESTS requests into the sockets of a
 * server, the VS changing with every packet; then the time is taken in which one thread
 * receives and answers all of them. Every answer is looked at: it must be there, and come from the
 * address that was asked. The methods take turns, and begin with another one in each round.
 *
 * Standard output has a line for each value of each round, KEY and value with a tab between them, as
 * report.awk takes them:
 *
 *     udp.NAME        nanoseconds for a request: the median of the measurements of the round
 *     udp.NAME.rate   requests a second, from that
 *     udp.NAME.wrong  answers of the round that were lost, or from another address
 *
 * -f: under SCHED_FIFO, so that nobody comes in between. vsudp.sh makes the namespaces, and has the
 * picture of them. The exit status is 1 when answers were wrong that should not be.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"
#include "vsudp.h"

#define METHODS_MAX 32
#define REPEAT_MAX 1000
#define PORT 7000
#define BUFFER (4 * 1024 * 1024)

const uint32_t vsudp_marks[VS_COUNT] = { 0x8601, 0x8602 };
const struct vsudp_place vsudp_marked = { "srv", false };
const struct vsudp_place vsudp_ingress = { "srvin", false };
const struct vsudp_place vsudp_output = { "srvout", false };
const struct vsudp_place vsudp_spaces = { "ns", true };

/* A method under measurement: its server, and the clients that ask it. */
struct trial {
	const struct method *method;
	struct server server;
	int client[VS_COUNT];
	uint64_t took[REPEAT_MAX];
	unsigned wrong, wrong_total;
};

struct options {
	unsigned rounds, repeat, batch;
	int cpu;
	bool is_prompt;
	const char *vs_dir, *only;
};

struct request {
	uint32_t number;
	struct in_addr to;
	unsigned char rest[REQUEST_SIZE - 8];
};

void vsudp_set(int fd, int level, int name, uint32_t value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		bench_die("setsockopt", errno);
}

int vsudp_socket(struct vs *vs)
{
	int fd = vs_socket(vs, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		bench_die(vs_name(vs), fd);
	vsudp_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
	return fd;
}

void vsudp_bind(int fd, struct in_addr ip, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr = ip, .sin_port = htons(port) };

	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		bench_die("bind", errno);
}

uint32_t vsudp_mark_of(const struct server *s, struct in_addr ip)
{
	for (unsigned i = 0; i < IPS; i++) {
		if (s->ip[i].s_addr == ip.s_addr)
			return vsudp_marks[i % VS_COUNT];
	}
	bench_die("a request to an unknown address", EADDRNOTAVAIL);
}

void vsudp_poll_all(struct server *s)
{
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < s->fd_count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = s->fd[i] };

		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->fd[i], &event))
			bench_die("epoll", errno);
	}
}

int vsudp_ready(struct server *s, int ready[SOCKETS_MAX])
{
	struct epoll_event events[SOCKETS_MAX];
	int n;

	if (s->fd_count == 1) {
		ready[0] = s->fd[0];
		return 1;
	}
	n = epoll_wait(s->epoll, events, SOCKETS_MAX, 0);
	for (int i = 0; i < n; i++)
		ready[i] = events[i].data.fd;
	return n;
}

static struct vs *get_vs(struct vs_reg *reg, const char *name)
{
	struct vs *vs = vs_by_name(reg, name);

	if (!vs)
		bench_die(name, ENOENT);
	return vs;
}

static void server_name(char name[32], const struct vsudp_place *place, unsigned i)
{
	if (place->is_each)
		snprintf(name, 32, "%s%u", place->server, i);
	else
		snprintf(name, 32, "%s", place->server);
}

static void open_server(struct server *s, const struct method *m)
{
	static const char *const addresses[IPS] = { "10.0.1.5", "10.0.3.5", "10.0.2.5", "10.0.4.5" };
	char name[32];

	s->place = m->place;
	for (unsigned i = 0; i < IPS; i++)
		inet_pton(AF_INET, addresses[i], &s->ip[i]);
	for (unsigned i = 0; i < VS_COUNT; i++) {
		server_name(name, s->place, i);
		s->vs[i] = get_vs(s->reg, name);
	}
	m->open(s);
}

static void open_trial(struct trial *t, const struct method *m, struct vs_reg *reg,
	const struct options *o, unsigned index)
{
	char name[32];

	t->method = m;
	t->server = (struct server){ .reg = reg, .epoll = -1, .batch = o->batch };
	t->server.port = (uint16_t)(PORT + index);
	open_server(&t->server, m);
	for (unsigned i = 0; i < VS_COUNT; i++) {
		struct vs *vs;

		snprintf(name, sizeof(name), "%s-c%u", m->place->server, i);
		vs = get_vs(reg, name);
		t->client[i] = vsudp_socket(vs);
		vs_unref(vs);
	}
}

static void ask(struct trial *t)
{
	unsigned run = t->method->run ? t->method->run : 1;
	const struct server *s = &t->server;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	struct request request = { .number = 0 };

	for (uint32_t i = 0; i < REQUESTS; i++) {
		unsigned which = i / run % IPS;

		to.sin_addr = s->ip[which];
		request.number = i;
		request.to = to.sin_addr;
		if (sendto(t->client[which % VS_COUNT], &request, sizeof(request), 0,
			    (struct sockaddr *)&to, sizeof(to)) != sizeof(request))
			bench_die("a request", errno);
	}
}

/* How many answers are right. */
static unsigned take_answers(struct trial *t)
{
	bool seen[REQUESTS] = { false };
	unsigned right = 0;

	for (unsigned i = 0; i < VS_COUNT; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		struct request r;

		while (recvfrom(t->client[i], &r, sizeof(r), 0, (struct sockaddr *)&from, &len) ==
			sizeof(r)) {
			if (r.number >= REQUESTS || seen[r.number] ||
				from.sin_addr.s_addr != r.to.s_addr ||
				from.sin_port != htons(t->server.port))
				continue;
			seen[r.number] = true;
			right++;
		}
	}
	return right;
}

static uint64_t measure(struct trial *t)
{
	uint64_t start, took;

	ask(t);
	t->server.answered = 0;
	start = peer_now();
	t->method->serve(&t->server);
	took = peer_now() - start;
	t->wrong += REQUESTS - take_answers(t);
	return took;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void tell(struct trial *t, unsigned repeat)
{
	double ns;

	qsort(t->took, repeat, sizeof(t->took[0]), compare);
	ns = (double)t->took[repeat / 2] / REQUESTS;
	printf("udp.%s\t%.0f\n", t->method->name, ns);
	printf("udp.%s.rate\t%.0f\n", t->method->name, 1e9 / ns);
	printf("udp.%s.wrong\t%u\n", t->method->name, t->wrong);
	fflush(stdout);
	t->wrong_total += t->wrong;
	t->wrong = 0;
}

/* Measurement by measurement, so that the machine's moods meet all methods alike. */
static void do_round(struct trial *trials, unsigned count, unsigned first, unsigned repeat)
{
	for (unsigned r = 0; r < repeat; r++) {
		for (unsigned i = 0; i < count; i++) {
			struct trial *t = &trials[(first + r + i) % count];

			t->took[r] = measure(t);
		}
	}
	for (unsigned i = 0; i < count; i++)
		tell(&trials[i], repeat);
}

static bool is_wanted(const struct options *o, struct vs_reg *reg, const struct method *m)
{
	char name[32];
	struct vs *vs;

	/* Without nft(8) there are no places for it. */
	server_name(name, m->place, 0);
	vs = vs_by_name(reg, name);
	vs_unref(vs);
	return vs && (!o->only || strcmp(o->only, m->name) == 0);
}

static unsigned open_trials(struct trial *trials, const struct method *m, unsigned count,
	struct vs_reg *reg, const struct options *o)
{
	for (; m->name && count < METHODS_MAX; m++) {
		if (!is_wanted(o, reg, m))
			continue;
		open_trial(&trials[count], m, reg, o, count);
		count++;
	}
	return count;
}

static struct vs_reg *open_registry(const char *vs_dir)
{
	struct vs_reg_config config = { .size = sizeof(config), .conf_dir = vs_dir };
	struct vs_reg *reg;
	int rc = vs_reg_open(&reg, &config);

	if (rc < 0)
		bench_die("vs_reg_open", rc);
	return reg;
}

static int run(const struct options *o)
{
	struct trial *trials = calloc(METHODS_MAX, sizeof(*trials));
	struct vs_reg *reg = open_registry(o->vs_dir);
	unsigned count, wrong = 0;

	if (!trials)
		bench_die("vsudp", ENOMEM);
	count = open_trials(trials, vsudp_peers, 0, reg, o);
	count = open_trials(trials, vsudp_ours, count, reg, o);
	/* Once for the neighbours and caches, and not counted. */
	for (unsigned i = 0; i < count; i++) {
		measure(&trials[i]);
		trials[i].wrong = 0;
	}
	for (unsigned round = 0; round < o->rounds; round++)
		do_round(trials, count, round, o->repeat);
	for (unsigned i = 0; i < count; i++)
		wrong += trials[i].method->wrong_sources ? 0 : trials[i].wrong_total;
	return wrong > 0;
}

static void list(const struct method *m)
{
	for (; m->name; m++)
		printf("%s\t%s\n", m->name, m->what);
}

static void usage(void)
{
	fputs("usage: vsudp [-f] [-b BATCH] [-c CPU] [-n REPEAT] [-r ROUNDS] [-m METHOD] VS-DIRECTORY\n"
	      "       vsudp -l\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct options o = { .rounds = 9, .repeat = 20, .batch = 32, .cpu = -1 };
	int c;

	while ((c = getopt(argc, argv, "b:c:flm:n:r:")) != -1) {
		switch (c) {
		case 'b': o.batch = (unsigned)bench_number(optarg, 1, BATCH_MAX); break;
		case 'c': o.cpu = (int)bench_number(optarg, 0, 1023); break;
		case 'f': o.is_prompt = true; break;
		case 'l': list(vsudp_peers); list(vsudp_ours); return 0;
		case 'm': o.only = optarg; break;
		case 'n': o.repeat = (unsigned)bench_number(optarg, 1, REPEAT_MAX); break;
		case 'r': o.rounds = (unsigned)bench_number(optarg, 1, 1000); break;
		default: usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	o.vs_dir = argv[optind];
	bench_set_up(o.cpu);
	if (o.is_prompt)
		bench_be_prompt(10);
	return run(&o);
}
