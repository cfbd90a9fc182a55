/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resolver's cache beside the floor, which is a plain hash table without locks, times, or a
 * limit: what a hit and a put take, and whether two threads are in each other's way. The best of
 * several rounds each; a thread's own time on its CPU would hide that it waits, so it is the wall
 * clock.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "cache.h"

#define VALUE 150
#define NAMES_MAX 10000
#define PLENTY ((size_t)16 << 20)
#define SECOND UINT64_C(1000000000)

struct name {
	uint8_t len, text[39];
};

struct floor_entry {
	struct floor_entry *next;
	struct name name;
	uint8_t value[VALUE];
};

struct bench {
	struct name names[NAMES_MAX];
	struct floor_entry *buckets[NAMES_MAX * 2];
	struct cache *cache[2];
	unsigned count; /* of the names that are asked for */
};

struct worker {
	pthread_t thread;
	struct bench *bench;
	struct cache *cache;
	void (*run)(struct worker *worker, unsigned turns);
	pthread_barrier_t *start;
	unsigned turns;
	uint64_t began, ended, misses;
};

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* Other names each time, in an order that no prefetcher knows. */
static const struct name *next_name(const struct worker *worker, uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return &worker->bench->names[((uint64_t)*random * worker->bench->count) >> 32];
}

static uint64_t plain_hash(const struct name *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (unsigned i = 0; i < name->len; i++)
		hash = (hash ^ name->text[i]) * UINT64_C(1099511628211);
	return hash;
}

static struct floor_entry **floor_bucket(struct bench *bench, const struct name *name)
{
	return &bench->buckets[plain_hash(name) % (NAMES_MAX * 2)];
}

static void run_floor(struct worker *worker, unsigned turns)
{
	uint32_t random = (uint32_t)(uintptr_t)worker;
	const struct floor_entry *entry;
	const struct name *name;
	uint8_t value[512];

	while (turns--) {
		name = next_name(worker, &random);
		entry = *floor_bucket(worker->bench, name);
		while (entry && memcmp(&entry->name, name, sizeof(*name)) != 0)
			entry = entry->next;
		worker->misses += !entry;
		if (entry)
			memcpy(value, entry->value, VALUE);
		__asm__ volatile("" : : "r"(value) : "memory");
	}
}

static struct cache_key key_of(const struct name *name)
{
	return (struct cache_key){.space = 1, .len = name->len, .bytes = name->text};
}

static void run_get(struct worker *worker, unsigned turns)
{
	uint32_t random = (uint32_t)(uintptr_t)worker;
	struct cache_hit hit;
	struct cache_key key;
	uint8_t value[512];

	while (turns--) {
		key = key_of(next_name(worker, &random));
		worker->misses +=
			cache_get(worker->cache, &key, 1, 0, value, sizeof(value), &hit) != VALUE;
	}
}

static void run_put(struct worker *worker, unsigned turns)
{
	const struct cache_times times = {0, SECOND, SECOND};
	const uint8_t value[VALUE] = {0};
	uint32_t random = (uint32_t)(uintptr_t)worker;
	struct cache_key key;

	while (turns--) {
		key = key_of(next_name(worker, &random));
		worker->misses += cache_put(worker->cache, &key, &times, value, VALUE) != 0;
	}
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	pthread_barrier_wait(worker->start);
	worker->began = clock_now();
	worker->run(worker, worker->turns);
	worker->ended = clock_now();
	return NULL;
}

/* Nanoseconds of a turn, of each thread. */
static double one_round(struct worker *workers, unsigned threads, unsigned turns)
{
	uint64_t began = UINT64_MAX, ended = 0;
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].start = &start;
		workers[i].turns = turns;
		if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]))
			bench_die("pthread_create", 0);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		began = workers[i].began < began ? workers[i].began : began;
		ended = workers[i].ended > ended ? workers[i].ended : ended;
	}
	pthread_barrier_destroy(&start);
	return (double)(ended - began) / turns;
}

static double measure(struct bench *bench, void (*run)(struct worker *, unsigned), unsigned threads,
	bool same, unsigned turns)
{
	struct worker workers[2] = {0};
	double best = 0, ns;

	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct worker){.bench = bench, .run = run,
			.cache = bench->cache[same ? 0 : i]};
	for (int round = 0; round < 100; round++) {
		ns = one_round(workers, threads, turns);
		if (!round || ns < best)
			best = ns;
	}
	return best;
}

static void line(struct bench *bench, const char *what, void (*run)(struct worker *, unsigned),
	unsigned turns)
{
	double one = measure(bench, run, 1, true, turns), two = measure(bench, run, 2, true, turns);
	double apart = measure(bench, run, 2, false, turns);

	printf("%-24s %6u %8.1f %8.1f %6.2f %8.1f %6.2f\n", what, bench->count, one, two,
		2 * one / two, apart, 2 * one / apart);
}

static void fill(struct bench *bench, size_t limit)
{
	struct worker worker = {.bench = bench};
	const struct cache_times times = {0, SECOND, SECOND};
	const uint8_t value[VALUE] = {0};
	struct cache_key key;
	int rc;

	for (int c = 0; c < 2; c++) {
		cache_free(bench->cache[c]);
		rc = cache_new(&bench->cache[c], limit, NULL);
		worker.cache = bench->cache[c];
		for (unsigned i = 0; !rc && i < bench->count; i++) {
			key = key_of(&bench->names[i]);
			rc = cache_put(worker.cache, &key, &times, value, VALUE);
		}
		if (rc)
			bench_die("filling a cache", -rc);
	}
}

static void make_names(struct bench *bench)
{
	struct floor_entry *entry, **bucket;
	struct name *name;

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		name = &bench->names[i];
		name->len = (uint8_t)snprintf((char *)name->text, sizeof(name->text),
			"host%u.branch%u.corp.example", i, i % 97);
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			bench_die("malloc", 0);
		bucket = floor_bucket(bench, name);
		entry->name = *name;
		entry->next = *bucket;
		*bucket = entry;
	}
}

static void opening(void)
{
	enum { COUNT = 1000 };
	static struct cache *caches[COUNT];
	uint64_t began = clock_now(), opened;

	for (int i = 0; i < COUNT; i++)
		if (cache_new(&caches[i], (size_t)1 << 20, NULL))
			bench_die("cache_new", 0);
	opened = clock_now();
	for (int i = 0; i < COUNT; i++)
		cache_free(caches[i]);
	printf("open: %.0f ns, close: %.0f ns, of a cache that nothing came to\n",
		(double)(opened - began) / COUNT, (double)(clock_now() - opened) / COUNT);
}

int main(int argc, char **argv)
{
	unsigned turns = argc > 1 ? (unsigned)bench_number(argv[1], 1, 100000000) : 20000;
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		bench_die("malloc", 0);
	bench_set_up(-1);
	make_names(bench);
	printf("%-24s %6s %8s %8s %6s %8s %6s\n", "ns", "names", "1 thread", "2, same", "scale",
		"2, own", "scale");
	for (bench->count = 100; bench->count <= NAMES_MAX; bench->count *= 100) {
		fill(bench, PLENTY);
		line(bench, "floor: hit", run_floor, turns);
		line(bench, "cache: hit", run_get, turns);
		line(bench, "cache: put, replaces", run_put, turns);
	}
	bench->count = NAMES_MAX;
	fill(bench, (size_t)1 << 20);
	line(bench, "cache: put, 1 MiB, full", run_put, turns);
	opening();
	cache_free(bench->cache[0]);
	cache_free(bench->cache[1]);
	return 0;
}
