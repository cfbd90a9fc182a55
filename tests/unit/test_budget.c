/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "budget.h"
#include "cache_rig.h"

#define SECOND UINT64_C(1000000000)
#define SEGMENT 16384 /* the largest */
#define LIMIT ((size_t)1 << 20)

static struct vsresolv_budget *new_budget(size_t bytes)
{
	struct vsresolv_budget *budget = NULL;

	assert_int_equal(vsresolv_budget_new(&budget, bytes), 0);
	return budget;
}

static struct cache *new_cache(struct vsresolv_budget *budget)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_new(&cache, LIMIT, budget), 0);
	return cache;
}

static uint64_t bytes_of(struct cache *cache)
{
	uint64_t entries, bytes;

	cache_count(cache, &entries, &bytes);
	return bytes;
}

static void put_some(struct cache *cache, unsigned count)
{
	const struct cache_times times = {0, SECOND, SECOND};
	struct rig_key key;
	uint8_t value[150];

	for (unsigned i = 0; i < count; i++) {
		rig_fill(value, sizeof(value), i, 0);
		assert_int_equal(cache_put(cache, rig_key(&key, i), &times, value,
			sizeof(value)), 0);
	}
}

static void test_new(void **state)
{
	struct vsresolv_budget *budget = NULL;

	(void)state;
	assert_int_equal(vsresolv_budget_new(&budget, 65535), -EINVAL);
	assert_null(budget);
	assert_null(budget_ref(NULL));
	vsresolv_budget_unref(NULL);
	budget = new_budget(65536);
	assert_ptr_equal(budget_ref(budget), budget);
	vsresolv_budget_unref(budget);
	vsresolv_budget_unref(budget);
}

/* A cache keeps its budget. */
static void test_unref_first(void **state)
{
	struct vsresolv_budget *budget = new_budget(65536);
	struct cache *cache = new_cache(budget);

	(void)state;
	vsresolv_budget_unref(budget);
	put_some(cache, 1000);
	assert_in_range(bytes_of(cache), 1, 65536);
	cache_free(cache);
}

/* The total holds, at any time. */
static void test_total(void **state)
{
	struct vsresolv_budget *budget = new_budget(LIMIT);
	struct cache *caches[8];
	uint64_t total;

	(void)state;
	for (int i = 0; i < 8; i++)
		caches[i] = new_cache(budget);
	for (int i = 0; i < 8; i++) {
		put_some(caches[i], 10000);
		total = 0;
		for (int j = 0; j < 8; j++)
			total += bytes_of(caches[j]);
		assert_true(total <= LIMIT);
		assert_true(total > LIMIT / 10 * 9);
	}
	for (int i = 0; i < 8; i++)
		cache_free(caches[i]);
	vsresolv_budget_unref(budget);
}

/* One that came late gets its share from the one that had everything, and no more; the others,
 * which have less than theirs, lose nothing. */
static void test_late_one_gets_its_share(void **state)
{
	struct vsresolv_budget *budget = new_budget(LIMIT);
	struct cache *greedy = new_cache(budget), *late = new_cache(budget);
	struct cache *small[2] = {new_cache(budget), new_cache(budget)};
	uint64_t had[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		put_some(small[i], 100);
		had[i] = bytes_of(small[i]);
	}
	put_some(greedy, 10000);
	assert_true(bytes_of(greedy) > LIMIT / 10 * 8);
	put_some(late, 10000);
	assert_true(bytes_of(late) >= LIMIT / 4);
	assert_true(bytes_of(late) + SEGMENT >= bytes_of(greedy));
	assert_true(bytes_of(greedy) + 2 * SEGMENT >= bytes_of(late));
	put_some(greedy, 10000);
	assert_true(bytes_of(late) + 2 * SEGMENT >= bytes_of(greedy));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bytes_of(small[i]), had[i]);
		cache_free(small[i]);
	}
	cache_free(greedy);
	cache_free(late);
	vsresolv_budget_unref(budget);
}

/* However many ask for more: who has his share keeps it. */
static void test_share_is_safe(void **state)
{
	struct vsresolv_budget *budget = new_budget(LIMIT);
	struct cache *quiet = new_cache(budget), *greedy[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		greedy[i] = new_cache(budget);
	put_some(quiet, 10000);
	for (int round = 0; round < 5; round++)
		for (int i = 0; i < 3; i++)
			put_some(greedy[i], 3000);
	assert_true(bytes_of(quiet) + SEGMENT >= LIMIT / 4);
	for (int i = 0; i < 3; i++) {
		assert_true(bytes_of(greedy[i]) + 2 * SEGMENT >= LIMIT / 4);
		cache_free(greedy[i]);
	}
	put_some(quiet, 10000);
	assert_true(bytes_of(quiet) > LIMIT / 10 * 9);
	cache_free(quiet);
	vsresolv_budget_unref(budget);
}

struct busy {
	struct cache *cache;
	atomic_bool end;
	atomic_uint rounds;
};

static void *busy_main(void *arg)
{
	struct busy *busy = arg;

	while (!atomic_load(&busy->end)) {
		put_some(busy->cache, 10000);
		atomic_fetch_add(&busy->rounds, 1);
	}
	return NULL;
}

/* The lock of the greedy one is mostly taken: it makes room all the same. */
static void test_share_of_a_busy_one(void **state)
{
	struct vsresolv_budget *budget = new_budget(LIMIT);
	struct busy busy = {.cache = new_cache(budget)};
	const struct cache_times times = {0, SECOND, SECOND};
	struct cache *late = new_cache(budget);
	const uint8_t value[150] = {0};
	struct rig_key key;
	pthread_t thread;
	unsigned puts;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, busy_main, &busy), 0);
	while (!atomic_load(&busy.rounds))
		sched_yield();
	for (puts = 0; puts < 1000000 && bytes_of(late) + SEGMENT < LIMIT / 2; puts++)
		(void)cache_put(late, rig_key(&key, puts), &times, value, sizeof(value));
	atomic_store(&busy.end, true);
	pthread_join(thread, NULL);
	/* Had each put grown it, some 2,500 would have done. */
	assert_true(puts < 1000000);
	printf("# %u puts\n", puts);
	cache_free(busy.cache);
	cache_free(late);
	vsresolv_budget_unref(budget);
}

/* More members than can have anything: some get nothing, and that is all. */
static void test_too_many(void **state)
{
	struct vsresolv_budget *budget = new_budget(65536);
	const struct cache_times times = {0, SECOND, SECOND};
	struct cache *caches[100];
	unsigned kept = 0;
	struct rig_key key;
	uint64_t total = 0;
	int rc;

	(void)state;
	for (int i = 0; i < 100; i++)
		caches[i] = new_cache(budget);
	for (int i = 0; i < 100; i++) {
		rc = cache_put(caches[i], rig_key(&key, 1), &times, "value", 5);
		assert_true(!rc || rc == -ENOSPC);
		kept += !rc;
	}
	assert_in_range(kept, 10, 30);
	for (int i = 0; i < 100; i++) {
		total += bytes_of(caches[i]);
		cache_free(caches[i]);
	}
	assert_true(total <= 65536);
	vsresolv_budget_unref(budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_unref_first),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_late_one_gets_its_share),
		cmocka_unit_test(test_share_is_safe),
		cmocka_unit_test(test_share_of_a_busy_one),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
