/* SPDX-License-Identifier: BSD-3-Clause */
/* What is counted against what was taken: of the allocator, and of the machine. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "budget.h"
#include "cache_rig.h"

#define CACHES 100
#define LIMIT ((size_t)1 << 20)
#define PUTS 400000 /* of a thread */
#define SECOND UINT64_C(1000000000)

static uint64_t pss_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long kib = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	fclose(file);
	assert_true(kib > 0);
	return (uint64_t)kib * 1024;
}

static uint64_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static uint64_t bytes_of(struct cache *cache)
{
	uint64_t entries, bytes;

	cache_count(cache, &entries, &bytes);
	return bytes;
}

static void put_random(struct cache *cache, uint64_t *random, uint64_t now)
{
	unsigned number = rig_random(random) % 10000;
	/* Most are short; some are what DNSSEC makes of it. */
	size_t len = rig_random(random) % 20 ? 40 + rig_random(random) % 250 :
		rig_random(random) % 4000;
	const struct cache_times times = {now, now + 100 * SECOND, now + 100 * SECOND};
	static const uint8_t value[4000];
	struct rig_key key;

	assert_int_equal(cache_put(cache, rig_key(&key, number), &times, value, len), 0);
	number = rig_random(random) % 10000;
	cache_get(cache, rig_key(&key, number), now, 0, (uint8_t[4000]){0}, 4000, NULL);
}

static void test_counted_is_taken(void **state)
{
	uint64_t before = heap_bytes(), random = 1, heap, bytes, most = 0;
	struct cache *cache;

	(void)state;
	assert_int_equal(cache_new(&cache, LIMIT, NULL), 0);
	for (unsigned i = 0; i < 50000; i++) {
		put_random(cache, &random, i * SECOND / 100);
		bytes = bytes_of(cache);
		assert_true(bytes <= LIMIT);
		if (i % 100)
			continue;
		heap = heap_bytes() - before;
		/* Not less than was taken, but for the cache itself and for former indexes that
		 * the thread's own list of malloc keeps, and not a hundredth more. */
		assert_true(heap <= bytes + 3072);
		assert_true(bytes <= heap + heap / 100 + 512);
		most = bytes > most ? bytes : most;
	}
	assert_true(most > LIMIT / 100 * 95);
	cache_free(cache);
	assert_true(heap_bytes() <= before + 4096);
}

struct churn {
	struct cache **caches;
	unsigned count;
	uint64_t random;
	pthread_t thread;
	pthread_barrier_t meet; /* when it is done, and when it may end */
};

static void *churn_main(void *arg)
{
	struct churn *churn = arg;

	for (unsigned i = 0; i < PUTS; i++)
		put_random(churn->caches[rig_random(&churn->random) % churn->count],
			&churn->random, (uint64_t)i * SECOND / 1000);
	pthread_barrier_wait(&churn->meet);
	pthread_barrier_wait(&churn->meet);
	return NULL;
}

/* Two threads, at once into all caches; or apart, one after the other into half of them each, and
 * the first one lives on, so that its part of malloc remains its own. */
static void churn(struct cache **caches, bool apart)
{
	struct churn churns[2] = {{.caches = caches, .random = 1}, {.caches = caches, .random = 2}};

	if (apart)
		churns[1].caches += CACHES / 2;
	for (int i = 0; i < 2; i++) {
		churns[i].count = apart ? CACHES / 2 : CACHES;
		pthread_barrier_init(&churns[i].meet, NULL, 2);
		assert_int_equal(pthread_create(&churns[i].thread, NULL, churn_main, &churns[i]),
			0);
		if (apart)
			pthread_barrier_wait(&churns[i].meet);
	}
	for (int i = 0; i < 2 && !apart; i++)
		pthread_barrier_wait(&churns[i].meet);
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&churns[i].meet);
		pthread_join(churns[i].thread, NULL);
		pthread_barrier_destroy(&churns[i].meet);
	}
}

/* PSS that caches take when they were put into until they were full, and on. */
static void check_pss(size_t limit, struct vsresolv_budget *budget, uint64_t total, bool apart)
{
	uint64_t before, pss, bytes = 0;
	struct cache *caches[CACHES];

	malloc_trim(0);
	before = pss_bytes();
	for (int i = 0; i < CACHES; i++)
		assert_int_equal(cache_new(&caches[i], limit, budget), 0);
	churn(caches, apart);
	pss = pss_bytes() - before;
	for (int i = 0; i < CACHES; i++)
		bytes += bytes_of(caches[i]);
	printf("# limit %llu, counted %llu, PSS %llu\n", (unsigned long long)total,
		(unsigned long long)bytes, (unsigned long long)pss);
	assert_true(bytes <= total && bytes > total / 10 * 8);
	assert_true(pss <= total + total / 10);
	for (int i = 0; i < CACHES; i++)
		cache_free(caches[i]);
}

static void test_pss(void **state)
{
	(void)state;
	check_pss(LIMIT, NULL, CACHES * LIMIT, false);
}

static void test_pss_of_small_ones(void **state)
{
	(void)state;
	check_pss(LIMIT / 8, NULL, CACHES * LIMIT / 8, false);
}

static void check_budget(bool apart)
{
	struct vsresolv_budget *budget = NULL;

	assert_int_equal(vsresolv_budget_new(&budget, CACHES * LIMIT / 2), 0);
	check_pss(LIMIT, budget, CACHES * LIMIT / 2, apart);
	vsresolv_budget_unref(budget);
}

static void test_pss_of_a_budget(void **state)
{
	(void)state;
	check_budget(false);
}

/* What one thread took of malloc's arena becomes the other's. */
static void test_pss_moves_on(void **state)
{
	(void)state;
	check_budget(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted_is_taken),
		cmocka_unit_test(test_pss),
		cmocka_unit_test(test_pss_of_small_ones),
		cmocka_unit_test(test_pss_of_a_budget),
		cmocka_unit_test(test_pss_moves_on),
	};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	printf("1..0 # SKIP the sanitizer has an allocator of its own\n");
	return 0;
#endif
	return cmocka_run_group_tests_name("cache_memory", tests, NULL, NULL);
}
