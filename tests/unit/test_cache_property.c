/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache beside a model that keeps everything: seeded random operations under a clock of the
 * test's. What comes back is exactly what was put last, as long as it may be given, or nothing;
 * with room for all, it is never nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "cache_rig.h"

#define KEYS 400
#define SECOND UINT64_C(1000000000)
#define STEPS 30000

struct known {
	bool there;
	unsigned version, hits;
	size_t len;
	struct cache_times times;
};

struct world {
	struct cache *cache;
	size_t limit;
	bool roomy;
	uint64_t random, now;
	unsigned version, found, asked;
	struct known known[KEYS];
};

static unsigned pick(struct world *world, unsigned below)
{
	return rig_random(&world->random) % below;
}

static size_t pick_len(struct world *world)
{
	switch (pick(world, 50)) {
	case 0:
		return 0;
	case 1:
		return pick(world, CACHE_VALUE_MAX + 1);
	case 2:
		return CACHE_VALUE_MAX + 1 + pick(world, 100);
	default:
		return 8 + pick(world, 300);
	}
}

static void step_put(struct world *world)
{
	static uint8_t value[CACHE_VALUE_MAX + 200], back[CACHE_VALUE_MAX + 200];
	unsigned number = pick(world, KEYS);
	struct known *known = &world->known[number];
	struct rig_key key;
	long len;
	int rc;

	*known = (struct known){.version = ++world->version, .len = pick_len(world)};
	known->times.written = world->now;
	known->times.expires = world->now + pick(world, 100) * SECOND;
	known->times.stale = known->times.expires + pick(world, 2) * pick(world, 50) * SECOND;
	rig_fill(value, known->len, number, known->version);
	rc = cache_put(world->cache, rig_key(&key, number), &known->times, value, known->len);
	known->there = !rc;
	if (known->len > CACHE_VALUE_MAX)
		assert_int_equal(rc, -E2BIG);
	else if (world->roomy)
		assert_int_equal(rc, 0);
	else
		assert_true(!rc || rc == -E2BIG || rc == -ENOSPC);
	if (rc || world->now >= known->times.expires)
		return;
	/* What was put is there for now, however small the limit is. */
	len = cache_get(world->cache, &key.key, world->now, CACHE_QUIET, back, sizeof(back), NULL);
	assert_int_equal(len, known->len);
	assert_memory_equal(back, value, known->len);
}

static void check_found(struct known *known, unsigned number, const struct cache_hit *hit,
	const uint8_t *value, long len, unsigned flags)
{
	static uint8_t wanted[CACHE_VALUE_MAX];

	assert_true(known->there);
	assert_int_equal(hit->len, known->len);
	assert_memory_equal(&hit->times, &known->times, sizeof(hit->times));
	if (len >= 0) {
		assert_int_equal(len, known->len);
		rig_fill(wanted, known->len, number, known->version);
		assert_memory_equal(value, wanted, known->len);
		if (!(flags & CACHE_QUIET) && known->hits < CACHE_HITS_MAX)
			known->hits++;
	}
	assert_int_equal(hit->hits, known->hits);
}

static void step_get(struct world *world)
{
	static uint8_t value[CACHE_VALUE_MAX];
	/* Some are asked for more than others. */
	unsigned number = pick(world, pick(world, 2) ? KEYS / 10 : KEYS);
	size_t size = pick(world, 10) ? sizeof(value) : pick(world, 200);
	struct known *known = &world->known[number];
	unsigned flags = pick(world, 4); /* CACHE_STALE, CACHE_QUIET */
	uint64_t until = flags & CACHE_STALE ? known->times.stale : known->times.expires;
	bool may = known->there && world->now < until;
	struct cache_hit hit = {0};
	struct rig_key key;
	long len;

	len = cache_get(world->cache, rig_key(&key, number), world->now, flags, value, size, &hit);
	if (len == -EMSGSIZE)
		assert_true(known->len > size);
	else if (len < 0)
		assert_int_equal(len, -ENOENT);
	world->asked += may;
	world->found += len != -ENOENT;
	if (len != -ENOENT)
		assert_true(may);
	if (world->roomy)
		assert_int_equal(len == -ENOENT, !may);
	if (len != -ENOENT)
		check_found(known, number, &hit, value, len, flags);
}

static void step_drop(struct world *world)
{
	unsigned number = pick(world, KEYS);
	struct rig_key key;

	cache_drop(world->cache, rig_key(&key, number));
	world->known[number].there = false;
}

static bool match_some(void *arg, const struct cache_key *key)
{
	const unsigned *rest = arg;

	return (key->bytes[4] + key->space) % 7u == *rest;
}

static void step_forget(struct world *world)
{
	unsigned rest = pick(world, 7);
	bool all = !pick(world, 10);
	struct rig_key key;

	cache_forget(world->cache, all ? NULL : match_some, all ? NULL : &rest);
	for (unsigned i = 0; i < KEYS; i++)
		if (all || match_some(&rest, rig_key(&key, i)))
			world->known[i].there = false;
}

static void step_shrink(struct world *world)
{
	void *block;

	cache_shrink(world->cache, &block);
	free(block);
}

static void check_counts(struct world *world)
{
	uint64_t entries, bytes, known = 0;

	for (unsigned i = 0; i < KEYS; i++)
		known += world->known[i].there;
	cache_count(world->cache, &entries, &bytes);
	assert_true(bytes <= world->limit);
	assert_true(entries <= known);
}

static void step(struct world *world)
{
	unsigned what = pick(world, 1000);

	if (what < 300)
		step_put(world);
	else if (what < 900)
		step_get(world);
	else if (what < 990)
		world->now += pick(world, 5) * SECOND / 2;
	else if (what < 992)
		step_forget(world);
	else if (what < 993 && !world->roomy)
		step_shrink(world);
	else if (what < 996)
		step_drop(world);
	else
		check_counts(world);
}

static void live(uint64_t seed, size_t limit, bool roomy)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	*world = (struct world){.limit = limit, .roomy = roomy, .random = seed, .now = SECOND};
	assert_int_equal(cache_new(&world->cache, limit, NULL), 0);
	for (int i = 0; i < STEPS; i++)
		step(world);
	/* A small cache gives little, but it gives. */
	assert_true(world->asked > 1000);
	assert_true(roomy ? world->found == world->asked : world->found > world->asked / 50);
	cache_free(world->cache);
	free(world);
}

static void test_roomy(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		live(seed, (size_t)64 << 20, true);
}

static void test_tight(void **state)
{
	const size_t limits[] = {16384, 20000, 65536, 100000, 1 << 18};

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		live(seed, limits[seed % (sizeof(limits) / sizeof(limits[0]))], false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roomy),
		cmocka_unit_test(test_tight),
	};

	return cmocka_run_group_tests_name("cache_property", tests, NULL, NULL);
}
