/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "dnszone.h"
#include "peer.h"
#include "resolvload.h"

#define SUB_BITS 6

static void set_kind(struct rl_options *o, const char *text, const char *usage)
{
	static const char *const names[] = { "1", "8", "both" };

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) == 0) {
			o->kind = (enum rl_kind)i;
			return;
		}
	}
	fputs(usage, stderr);
	exit(2);
}

static void set_option(struct rl_options *o, int c, const char *value, const char *usage)
{
	switch (c) {
	case 'a':
		o->is_apart = true;
		break;
	case 'c':
		o->cpu = (int)bench_number(value, 0, 1023);
		break;
	case 'k':
		set_kind(o, value, usage);
		break;
	case 'L':
		o->limit = bench_number(value, 0, UINT64_MAX);
		break;
	case 'n':
		o->ns = value;
		break;
	case 'N':
		o->count = (unsigned)bench_number(value, 1, 100000000);
		break;
	case 's':
		o->server = value;
		break;
	case 't':
		o->ms = (unsigned)bench_number(value, 1, 3600000);
		break;
	case 'T':
		o->threads = (unsigned)bench_number(value, 1, 16);
		break;
	case 'u':
		o->is_unchecked = true;
		break;
	case 'v':
		o->vss = (unsigned)bench_number(value, 0, ZONE_NUMBERS);
		break;
	case 'w':
		o->window = (unsigned)bench_number(value, 1, RL_WINDOW_MAX);
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

void rl_read_options(struct rl_options *o, int argc, char **argv, const char *usage)
{
	int c;

	*o = (struct rl_options){ .server = "127.0.0.1", .cpu = -1, .ms = 500, .window = 100,
				  .threads = 1, .vss = 1, .run = (unsigned long long)getpid() };
	if (argc < 2) {
		fputs(usage, stderr);
		exit(2);
	}
	o->mode = argv[1];
	while ((c = getopt(argc - 1, argv + 1, "ac:k:L:n:N:s:t:T:uv:w:")) != -1)
		set_option(o, c, optarg, usage);
	if (optind != argc - 1) {
		fputs(usage, stderr);
		exit(2);
	}
	bench_set_up(o->cpu);
}

void rl_namespace(const struct rl_options *o, unsigned i, char *path, size_t size)
{
	size_t n = strcspn(o->ns ? o->ns : "", "%");

	if (!o->ns)
		bench_die("no namespace (-n)", EINVAL);
	/* "%" is the number. */
	if (o->ns[n])
		snprintf(path, size, "%.*s%u%s", (int)n, o->ns, i, o->ns + n + 1);
	else
		snprintf(path, size, "%s", o->ns);
}

int rl_family(const struct rl_options *o)
{
	return o->kind == RL_BOTH ? AF_UNSPEC : AF_INET;
}

unsigned rl_addresses(const struct rl_options *o)
{
	static const unsigned counts[] = { 1, 8, 2 };

	return counts[o->kind];
}

static uint64_t name_of(const struct rl_options *o, const char *first, unsigned long long i,
	char name[RL_NAME])
{
	snprintf(name, RL_NAME, "%s%llu.%stest", first, i, o->kind == RL_EIGHT ? "many8." : "");
	return zone_hash_text(name);
}

uint64_t rl_new_name(const struct rl_options *o, unsigned i, char name[RL_NAME])
{
	/* Runs follow each other, and caches outlive them: the process is a part of the name. */
	return name_of(o, "q", o->run * 100000000 + i, name);
}

uint64_t rl_warm_name(const struct rl_options *o, unsigned i, char name[RL_NAME])
{
	return name_of(o, "w", i % RL_WARM, name);
}

bool rl_is_right(const struct rl_options *o, const struct sockaddr *sa, unsigned number,
	uint64_t hash)
{
	return o->is_unchecked || zone_is_right(sa, number, hash, o->kind == RL_EIGHT ? 8 : 1);
}

/* ---- times */

void rl_times_add(struct rl_times *times, uint64_t ns)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(ns | 1 << SUB_BITS);
	unsigned shift = top - SUB_BITS;

	times->bucket[shift << SUB_BITS | (ns >> shift & ((1 << SUB_BITS) - 1))]++;
	times->count++;
}

double rl_times_us(const struct rl_times *times, double part)
{
	uint64_t want = (uint64_t)((double)times->count * part), seen = 0;

	for (unsigned i = 0; i < RL_BUCKETS; i++) {
		uint64_t low = (i & ((1 << SUB_BITS) - 1)) | 1 << SUB_BITS;

		seen += times->bucket[i];
		if (seen > want || (seen && seen == times->count))
			return (double)(low << (i >> SUB_BITS)) / 1e3;
	}
	return 0;
}

static uint64_t cpu_time(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * 1000000000 +
		((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000;
}

void rl_begin(struct rl_run *run, const struct rl_options *o, int who)
{
	memset(run, 0, sizeof(*run));
	run->o = o;
	run->who = who;
	run->cpu = cpu_time(who);
	run->begin = peer_now();
	run->until = o->count ? UINT64_MAX : run->begin + (uint64_t)o->ms * 1000000;
}

/* What comes after the time is not counted: one lost datagram would make it seconds more. */
static void freeze(struct rl_run *run, uint64_t now)
{
	if (run->end)
		return;
	run->end = now;
	run->cpu = cpu_time(run->who) - run->cpu;
}

void rl_done(struct rl_run *run, uint64_t since, int status, bool is_right)
{
	uint64_t now = peer_now();

	if (now >= run->until) {
		freeze(run, now);
		return;
	}
	if (status) {
		run->failed++;
		return;
	}
	run->answers++;
	run->wrong += !is_right;
	rl_times_add(&run->times, now - since);
}

int rl_end(struct rl_run *run)
{
	double answers = run->answers ? (double)run->answers : 1, ns, cpu;

	freeze(run, peer_now());
	ns = (double)(run->end - run->begin);
	cpu = (double)run->cpu;
	printf("answers=%llu failed=%llu wrong=%llu rate=%.0f each=%.4f cpu=%.3f p50=%.2f "
	       "p99=%.2f\n",
		(unsigned long long)run->answers, (unsigned long long)run->failed,
		(unsigned long long)run->wrong, answers / ns * 1e9, ns / answers / 1e3,
		cpu / answers / 1e3, rl_times_us(&run->times, 0.5), rl_times_us(&run->times, 0.99));
	return run->wrong || !run->answers;
}

/* ---- memory */

static uint64_t rollup(const char *what)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	uint64_t n = 0;

	if (!f)
		bench_die("/proc/self/smaps_rollup", errno);
	while (fgets(line, sizeof(line), f)) {
		char *digits = line + strcspn(line, "0123456789");

		if (strncmp(line, what, strlen(what)) != 0)
			continue;
		digits[strspn(digits, "0123456789")] = '\0';
		n = bench_number(digits, 0, UINT64_MAX / 1024) * 1024;
	}
	fclose(f);
	return n;
}

uint64_t rl_private(void)
{
	return rollup("Private_Dirty:");
}

uint64_t rl_pss(void)
{
	return rollup("Pss:");
}

uint64_t rl_heap(void)
{
	struct mallinfo2 heap = mallinfo2();

	return heap.uordblks + heap.hblkhd;
}

unsigned rl_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;
	struct dirent *e;

	if (!d)
		bench_die("/proc/self/fd", errno);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1; /* the directory's own */
}
