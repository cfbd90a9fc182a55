/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts load on a portmapper and tells what a request cost the process that answered it. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"

#define CHANGES 512 /* SETs between two rounds of UNSETs, and so more programs than registered */

struct options {
	unsigned sockets, window, cpu_of;
	bool fresh, fifo;
	uint64_t milliseconds, rate;
	int cpu;
	const char *call;
};

static void usage(void)
{
	fputs("usage: rpcload [OPTION...] CALL TARGET\n"
	      "  CALL    null, getport, getaddr, self (GETADDR of rpcbind); register (programs on\n"
	      "          udp, tcp and local), set (SET of others, which are removed again)\n"
	      "  TARGET  udp ADDRESS PORT | tcp ADDRESS PORT | unix PATH |\n"
	      "          netns DIRECTORY PORT (a socket in each namespace; -w 1)\n"
	      "  -s N    sockets [4]           -w N   calls on their way on each [16]\n"
	      "  -p N    programs [10]         -t MS  how long [1000]\n"
	      "  -r N    paced: calls a second -e     an echo answers: look at xids only\n"
	      "  -c CPU  where to run          -P PID whose CPU time is measured\n"
	      "  -f      under SCHED_FIFO, where that is allowed\n"
	      "  -1      set: a connection for each call, one after the other, as libtirpc does\n",
	      stderr);
	exit(2);
}

static void read_options(int argc, char **argv, struct options *o, struct load *load)
{
	int c;

	while ((c = getopt(argc, argv, "s:w:p:t:r:ec:P:1f")) != -1) {
		switch (c) {
		case 's': o->sockets = (unsigned)bench_number(optarg, 1, 1000); break;
		case 'w': o->window = (unsigned)bench_number(optarg, 1, LOAD_WINDOW_MAX); break;
		case 'p': load->plan.programs = (uint32_t)bench_number(optarg, 1, 10000); break;
		case 't': o->milliseconds = bench_number(optarg, 1, 3600000); break;
		case 'r': o->rate = bench_number(optarg, 1, 100000000); break;
		case 'e': load->plan.echo = true; break;
		case 'c': o->cpu = (int)bench_number(optarg, 0, 1023); break;
		case 'f': o->fifo = true; break;
		case '1': o->fresh = true; break;
		case 'P': o->cpu_of = (unsigned)bench_number(optarg, 1, INT32_MAX); break;
		default: usage();
		}
	}
	if (argc - optind < 3)
		usage();
	o->call = argv[optind++];
}

/* "10.0.0.1" and 111: "10.0.0.1.0.111" */
static void make_hint(struct load *load, const char *host, uint16_t port)
{
	static char hint[64];

	load->plan.port = port;
	load->plan.hint = hint;
	snprintf(hint, sizeof(hint), "%s.%d.%d", host, port >> 8, port & 255);
}

static void open_target(struct load *load, const struct options *o, const char *const *target)
{
	bool netns = strcmp(target[0], "netns") == 0;

	load->plan.hint = "";
	if (!netns && !peer_target_words(target))
		usage();
	if (netns && !target[2])
		usage();
	if (target[2])
		make_hint(load, netns ? "127.0.0.1" : target[1],
			  (uint16_t)bench_number(target[2], 1, 65535));
	if (netns)
		load_open_everywhere(load, target[1], load->plan.port, o->window);
	else
		load_open(load, target, o->sockets, o->window);
}

struct cost {
	uint64_t calls, wall, cpu; /* nanoseconds */
};

static void run_closed(struct load *load, const struct options *o, uint64_t calls, uint64_t until,
		       struct cost *cost)
{
	uint64_t cpu = o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) : 0;
	uint64_t begin = peer_now(), answered = load->answered;

	load_closed(load, calls, until);
	cost->calls += load->answered - answered;
	cost->wall += peer_now() - begin;
	cost->cpu += o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) - cpu : 0;
}

/* One call on a connection of its own. */
static void call_once(struct load *load, const char *const *target, uint32_t index)
{
	uint8_t record[4 + CALL_MAX], reply[CALL_MAX];
	struct peer peer;
	size_t len;
	ssize_t n;
	int rc = peer_open(&peer, target, NULL);

	if (rc)
		bench_die(target[1], rc);
	len = call_make(&load->plan, index, index, record + 4);
	put_u32(record, 0x80000000U | (uint32_t)len);
	rc = peer_write(&peer, record, 4 + len, 0);
	n = rc ? rc : peer_read(&peer, reply, sizeof(reply), 5000);
	if (n < 0 || !call_check(&load->plan, index, reply, (size_t)n))
		bench_die("a call on a connection of its own", n < 0 ? (int)n : EBADMSG);
	peer_close(&peer);
}

/* As run_set(), the way libtirpc's servers do it. */
static void run_fresh_set(struct load *load, const struct options *o, const char *const *target,
			  uint64_t until, struct cost *cost)
{
	uint32_t first = CALLS_NETIDS * load->plan.programs;
	struct cost removal = { 0 };

	while (peer_now() < until) {
		uint64_t cpu = o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) : 0;
		uint64_t begin = peer_now();

		load->plan.proc = CALL_SET;
		for (uint32_t i = 0; i < CHANGES; i++)
			call_once(load, target, first + i);
		cost->calls += CHANGES;
		cost->wall += peer_now() - begin;
		cost->cpu += o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) - cpu : 0;
		load->plan.proc = CALL_UNSET;
		load->next = first;
		run_closed(load, o, CHANGES, UINT64_MAX, &removal);
	}
}

/* Only the SETs count. */
static void run_set(struct load *load, const struct options *o, uint64_t until, struct cost *cost)
{
	uint32_t first = CALLS_NETIDS * load->plan.programs;
	struct cost removal = { 0 };

	while (peer_now() < until) {
		load->plan.proc = CALL_SET;
		load->next = first;
		run_closed(load, o, CHANGES, UINT64_MAX, cost);
		load->plan.proc = CALL_UNSET;
		load->next = first;
		run_closed(load, o, CHANGES, UINT64_MAX, &removal);
	}
}

static void run_paced(struct load *load, const struct options *o, uint64_t until, struct cost *cost)
{
	uint64_t cpu = o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) : 0;
	uint64_t begin = peer_now();

	load_paced(load, o->rate, until);
	cost->wall = until - begin;
	cost->cpu = o->cpu_of ? bench_cpu_time((pid_t)o->cpu_of) - cpu : 0;
	cost->calls = load->answered;
}

static void run(struct load *load, const struct options *o, const char *const *target,
		struct cost *cost)
{
	uint64_t until = peer_now() + o->milliseconds * 1000000;

	if (strcmp(o->call, "set") == 0 && o->fresh)
		run_fresh_set(load, o, target, until, cost);
	else if (strcmp(o->call, "set") == 0)
		run_set(load, o, until, cost);
	else if (strcmp(o->call, "register") == 0)
		run_closed(load, o, CALLS_NETIDS * load->plan.programs *
			   (load->apart ? load->count : 1), UINT64_MAX, cost);
	else if (o->rate)
		run_paced(load, o, until, cost);
	else
		run_closed(load, o, UINT64_MAX, until, cost);
}

int main(int argc, char **argv)
{
	struct options o = { .sockets = 4, .window = 16, .milliseconds = 1000, .cpu = -1 };
	struct load load = { .plan = { .programs = 10 } };
	struct cost cost = { 0 };

	read_options(argc, argv, &o, &load);
	if (strcmp(o.call, "register") == 0)
		load.plan.proc = CALL_SET;
	else if (!call_by_name(o.call, &load.plan.proc))
		usage();
	bench_set_up(o.cpu);
	if (o.fifo)
		bench_be_prompt(20);
	open_target(&load, &o, (const char *const *)(argv + optind));
	run(&load, &o, (const char *const *)(argv + optind), &cost);
	if (!cost.calls)
		bench_die("no answers", ETIMEDOUT);
	printf("calls=%llu lost=%llu rate=%.0f cpu=%.3f busy=%.3f reply=%zu\n",
	       (unsigned long long)cost.calls, (unsigned long long)load.lost,
	       (double)cost.calls * 1e9 / (double)cost.wall,
	       (double)cost.cpu / 1e3 / (double)cost.calls,
	       (double)cost.cpu / (double)cost.wall, load.reply_len);
	load_close(&load);
	return 0;
}
