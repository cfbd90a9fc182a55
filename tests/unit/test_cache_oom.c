/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at the n-th allocation, for every n that a day's work has, and at all from the n-th
 * on: the cache may know less, but nothing wrong, and nothing is lost or counted twice. Linked with
 * --wrap for what allocates.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "budget.h"
#include "cache_rig.h"

#define KEYS 300
#define LIMIT 65536
#define SECOND UINT64_C(1000000000)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
/* The linker lets shared libraries find them, too. */
#define WRAPPER __attribute__((visibility("default")))
WRAPPER void *__wrap_malloc(size_t size);
WRAPPER void *__wrap_calloc(size_t count, size_t size);
WRAPPER void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* Those that are left until the failure; negative: there is none. */
static struct failing {
	long left;
	bool for_good;
} failing = {-1, false};

static bool fails(void)
{
	if (failing.left < 0)
		return false;
	if (failing.left > 0) {
		failing.left--;
		return false;
	}
	if (!failing.for_good)
		failing.left = -1;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

static void check_get(struct cache *cache, unsigned number, unsigned version)
{
	static uint8_t value[512], wanted[512];
	struct rig_key key;
	long len = cache_get(cache, rig_key(&key, number), 1, 0, value, sizeof(value), NULL);

	if (len == -ENOENT)
		return;
	assert_int_equal(len, 100 + number);
	rig_fill(wanted, (size_t)len, number, version);
	assert_memory_equal(value, wanted, (size_t)len);
}

/* How many puts failed. */
static unsigned fill(struct cache *cache, unsigned version)
{
	const struct cache_times times = {0, SECOND, SECOND};
	uint64_t entries, bytes;
	struct rig_key key;
	uint8_t value[512];
	unsigned bad = 0;
	int rc;

	for (unsigned i = 0; i < KEYS; i++) {
		rig_fill(value, 100 + i, i, version);
		rc = cache_put(cache, rig_key(&key, i), &times, value, 100 + i);
		assert_true(!rc || rc == -ENOMEM || rc == -ENOSPC);
		bad += rc != 0;
		if (rc)
			assert_int_equal(cache_get(cache, &key.key, 1, 0, value, sizeof(value),
				NULL), -ENOENT);
		check_get(cache, i, version);
		check_get(cache, i / 2, version);
	}
	cache_count(cache, &entries, &bytes);
	assert_true(bytes <= LIMIT);
	return bad;
}

/* False: it was over before the failure. */
static bool day(long nth, bool for_good)
{
	struct vsresolv_budget *budget = NULL;
	struct cache *cache = NULL;
	unsigned bad = 0;
	bool failed;

	failing = (struct failing){nth, for_good};
	if (!vsresolv_budget_new(&budget, LIMIT) && !cache_new(&cache, LIMIT, budget)) {
		bad = fill(cache, 1);
		cache_forget(cache, NULL, NULL);
		bad += fill(cache, 2);
	}
	failed = failing.left < 0 || (for_good && !failing.left);
	failing.left = -1;
	if (cache && !for_good)
		assert_true(bad <= 1);
	if (cache)
		assert_int_equal(fill(cache, 3), 0);
	cache_free(cache);
	vsresolv_budget_unref(budget);
	return failed;
}

static void test_one_fails(void **state)
{
	long nth = 0;

	(void)state;
	while (day(nth, false))
		nth++;
	assert_true(nth > 20);
}

static void test_all_fail_from_one_on(void **state)
{
	long nth = 0;

	(void)state;
	while (day(nth, true))
		nth++;
	assert_true(nth > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_fails),
		cmocka_unit_test(test_all_fail_from_one_on),
	};

	return cmocka_run_group_tests_name("cache_oom", tests, NULL, NULL);
}
