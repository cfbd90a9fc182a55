/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that put, get, forget and count in the same few caches under one small budget, with
 * caches that are made and freed meanwhile. Nothing but what was put under a key may come back
 * for it. Made to be run under ThreadSanitizer, too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "budget.h"
#include "cache_rig.h"

#define THREADS 6
#define CACHES 4
#define KEYS 500 /* of each cache */
#define VALUE_MAX 6008
#define TURNS 100000
#define BUDGET ((size_t)400000)
#define LIMIT ((size_t)200000)
#define SECOND UINT64_C(1000000000)

struct hammer {
	struct cache **caches;
	struct vsresolv_budget *budget;
	atomic_uint wrong, right;
	atomic_uint numbers;
};

/* Each cache has keys of its own, so that one of another would be seen. */
static unsigned pick_key(unsigned cache, uint64_t *random)
{
	return rig_random(random) % KEYS * CACHES + cache;
}

static void turn_put(struct hammer *hammer, unsigned cache, uint64_t *random, uint64_t now)
{
	const struct cache_times times = {now, now + 10 * SECOND, now + 10 * SECOND};
	unsigned number = pick_key(cache, random);
	size_t len = 8 + rig_random(random) % (rig_random(random) % 8 ? 300 : 6000);
	uint8_t value[VALUE_MAX];
	struct rig_key key;
	int rc;

	rig_fill(value, len, number, rig_random(random));
	rc = cache_put(hammer->caches[cache], rig_key(&key, number), &times, value, len);
	if (rc && rc != -ENOSPC)
		atomic_fetch_add(&hammer->wrong, 1);
}

static void turn_get(struct hammer *hammer, unsigned cache, uint64_t *random, uint64_t now)
{
	unsigned number = pick_key(cache, random);
	struct cache_hit hit;
	uint8_t value[VALUE_MAX];
	struct rig_key key;
	long len;

	/* A quarter of all is for a few. */
	if (!(rig_random(random) % 4))
		number = number % 10 * CACHES + cache;
	len = cache_get(hammer->caches[cache], rig_key(&key, number), now, 0, value, sizeof(value),
		&hit);
	if (len == -ENOENT)
		return;
	if (len < 8 || (size_t)len != hit.len || rig_version(value, (size_t)len, number) < 0)
		atomic_fetch_add(&hammer->wrong, 1);
	else
		atomic_fetch_add(&hammer->right, 1);
}

static bool match_some(void *arg, const struct cache_key *key)
{
	const uint64_t *random = arg;

	return key->bytes[key->len - 1] % 16u == *random % 16;
}

static void turn_rare(struct hammer *hammer, unsigned cache, uint64_t *random)
{
	const struct cache_times times = {0, SECOND, SECOND};
	uint64_t entries, bytes;
	struct cache *own;
	struct rig_key key;

	switch (rig_random(random) % 8) {
	case 0:
		cache_forget(hammer->caches[cache], NULL, NULL);
		break;
	case 1:
		cache_forget(hammer->caches[cache], match_some, random);
		break;
	case 2:
		if (cache_new(&own, LIMIT, hammer->budget))
			break;
		for (unsigned i = 0; i < 300; i++)
			(void)cache_put(own, rig_key(&key, i), &times, "0123456789", 10);
		cache_free(own);
		break;
	default:
		cache_count(hammer->caches[cache], &entries, &bytes);
		if (bytes > LIMIT)
			atomic_fetch_add(&hammer->wrong, 1);
		break;
	}
}

static void *hammer_main(void *arg)
{
	struct hammer *hammer = arg;
	uint64_t random = atomic_fetch_add(&hammer->numbers, 1) + 1;
	unsigned cache, what;

	for (unsigned i = 0; i < TURNS; i++) {
		cache = rig_random(&random) % CACHES;
		what = rig_random(&random) % 1000;
		if (what < 2)
			turn_rare(hammer, cache, &random);
		else if (what < 300)
			turn_put(hammer, cache, &random, i * SECOND / 1000);
		else
			turn_get(hammer, cache, &random, i * SECOND / 1000);
	}
	return NULL;
}

static void test_hammer(void **state)
{
	struct cache *caches[CACHES];
	struct hammer hammer = {.caches = caches};
	pthread_t threads[THREADS];
	uint64_t entries, bytes, total = 0;

	(void)state;
	assert_int_equal(vsresolv_budget_new(&hammer.budget, BUDGET), 0);
	for (int i = 0; i < CACHES; i++)
		assert_int_equal(cache_new(&caches[i], LIMIT, hammer.budget), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &hammer), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CACHES; i++) {
		cache_count(caches[i], &entries, &bytes);
		total += bytes;
		cache_free(caches[i]);
	}
	vsresolv_budget_unref(hammer.budget);
	assert_true(total <= BUDGET);
	assert_int_equal(hammer.wrong, 0);
	assert_true(hammer.right > TURNS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests_name("cache_threads", tests, NULL, NULL);
}
