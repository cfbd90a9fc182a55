/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "cache.h"
#include "cache_private.h"

#define SECOND UINT64_C(1000000000)

static struct cache *new_cache(size_t limit)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_new(&cache, limit, NULL), 0);
	return cache;
}

static struct cache_key key_of(const char *name, uint16_t space)
{
	return (struct cache_key){.space = space, .len = (uint16_t)strlen(name),
		.bytes = (const uint8_t *)name};
}

static int put_text(struct cache *cache, const char *name, const char *value, uint64_t now)
{
	const struct cache_key key = key_of(name, 1);
	const struct cache_times times = {now, now + 10 * SECOND, now + 15 * SECOND};

	return cache_put(cache, &key, &times, value, strlen(value));
}

/* "" for one that is not there. */
static const char *get_flags(struct cache *cache, const char *name, uint64_t now, unsigned flags,
	struct cache_hit *hit)
{
	static char text[4096];
	const struct cache_key key = key_of(name, 1);
	long len = cache_get(cache, &key, now, flags, text, sizeof(text) - 1, hit);

	if (len < 0)
		assert_int_equal(len, -ENOENT);
	text[len < 0 ? 0 : len] = '\0';
	return text;
}

static const char *get_text(struct cache *cache, const char *name, uint64_t now)
{
	return get_flags(cache, name, now, 0, NULL);
}

static uint64_t entries_of(struct cache *cache)
{
	uint64_t entries, bytes;

	cache_count(cache, &entries, &bytes);
	return entries;
}

static uint64_t bytes_of(struct cache *cache)
{
	uint64_t entries, bytes;

	cache_count(cache, &entries, &bytes);
	return bytes;
}

static void test_put_get(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	struct cache_hit hit;

	(void)state;
	assert_string_equal(get_text(cache, "a", 1), "");
	assert_int_equal(put_text(cache, "a", "one", 5 * SECOND), 0);
	assert_string_equal(get_flags(cache, "a", 6 * SECOND, 0, &hit), "one");
	assert_int_equal(hit.len, 3);
	assert_int_equal(hit.times.written, 5 * SECOND);
	assert_int_equal(hit.times.expires, 15 * SECOND);
	assert_int_equal(hit.times.stale, 20 * SECOND);
	assert_int_equal(put_text(cache, "a", "another", 6 * SECOND), 0);
	assert_string_equal(get_text(cache, "a", 6 * SECOND), "another");
	assert_int_equal(entries_of(cache), 1);
	assert_string_equal(get_text(cache, "", 6 * SECOND), "");
	assert_int_equal(put_text(cache, "", "the root", 6 * SECOND), 0);
	assert_string_equal(get_text(cache, "", 6 * SECOND), "the root");
	assert_string_equal(get_text(cache, "b", 6 * SECOND), "");
	cache_free(cache);
}

/* Neither another space, nor bytes that go over from the key into the value. */
static void test_keys_apart(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	const struct cache_times times = {0, SECOND, SECOND};
	struct cache_key key = key_of("name", 1);
	uint8_t value[8];

	(void)state;
	assert_int_equal(cache_put(cache, &key, &times, "A", 1), 0);
	key.space = 28;
	assert_int_equal(cache_get(cache, &key, 0, 0, value, sizeof(value), NULL), -ENOENT);
	assert_int_equal(cache_put(cache, &key, &times, "AAAA", 4), 0);
	assert_int_equal(cache_get(cache, &key, 0, 0, value, sizeof(value), NULL), 4);
	key.space = 1;
	assert_int_equal(cache_get(cache, &key, 0, 0, value, sizeof(value), NULL), 1);
	assert_int_equal(value[0], 'A');
	key = key_of("nameA", 1);
	assert_int_equal(cache_get(cache, &key, 0, 0, value, sizeof(value), NULL), -ENOENT);
	key = key_of("nam", 1);
	assert_int_equal(cache_get(cache, &key, 0, 0, value, sizeof(value), NULL), -ENOENT);
	cache_free(cache);
}

/* Two that the hash does not tell apart. */
static void test_equal_tags(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	struct cache_key key = key_of("aaaa", 1);
	struct cache_store *store;
	uint32_t tag;

	(void)state;
	assert_int_equal(put_text(cache, "aaaa", "x", 0), 0);
	store = atomic_load(&cache->store);
	tag = (uint32_t)siphash_after(&cache->key, 1, "aaaa", 4);
	assert_non_null(index_find(store, &key, tag));
	key.len--;
	assert_null(index_find(store, &key, tag));
	key = key_of("aaab", 1);
	assert_null(index_find(store, &key, tag));
	key = key_of("aaaa", 2);
	assert_null(index_find(store, &key, tag));
	cache_free(cache);
}

/* Strangers choose the names; they must not know where these lie. */
static void test_keys_of_hash_differ(void **state)
{
	struct cache *one = new_cache(1 << 20), *two = new_cache(1 << 20);

	(void)state;
	assert_memory_not_equal(&one->key, &two->key, sizeof(one->key));
	cache_free(one);
	cache_free(two);
}

static void test_times(void **state)
{
	struct cache *cache = new_cache(1 << 20);

	(void)state;
	assert_int_equal(put_text(cache, "a", "x", 0), 0);
	assert_string_equal(get_text(cache, "a", 10 * SECOND - 1), "x");
	assert_string_equal(get_text(cache, "a", 10 * SECOND), "");
	assert_string_equal(get_flags(cache, "a", 10 * SECOND, CACHE_STALE, NULL), "x");
	assert_string_equal(get_flags(cache, "a", 15 * SECOND - 1, CACHE_STALE, NULL), "x");
	assert_string_equal(get_flags(cache, "a", 15 * SECOND, CACHE_STALE, NULL), "");
	cache_free(cache);
}

static void test_hits(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	const struct cache_key key = key_of("a", 1);
	struct cache_hit hit;
	char small[2];

	(void)state;
	assert_int_equal(put_text(cache, "a", "long", 0), 0);
	get_flags(cache, "a", 1, CACHE_QUIET, &hit);
	assert_int_equal(hit.hits, 0);
	get_flags(cache, "a", 1, 0, &hit);
	assert_int_equal(hit.hits, 1);
	memset(&hit, 0, sizeof(hit));
	assert_int_equal(cache_get(cache, &key, 1, 0, small, sizeof(small), &hit), -EMSGSIZE);
	assert_int_equal(hit.len, 4);
	assert_int_equal(hit.hits, 1);
	assert_int_equal(hit.times.expires, 10 * SECOND);
	for (int i = 0; i < 300; i++)
		get_flags(cache, "a", 1, 0, &hit);
	assert_int_equal(hit.hits, CACHE_HITS_MAX);
	assert_int_equal(put_text(cache, "a", "new", 2), 0);
	get_flags(cache, "a", 2, 0, &hit);
	assert_int_equal(hit.hits, 1);
	cache_free(cache);
}

static void test_too_large(void **state)
{
	static uint8_t value[CACHE_VALUE_MAX + 1], back[CACHE_VALUE_MAX + 1];
	static uint8_t name[CACHE_KEY_MAX + 1];
	struct cache *cache = new_cache(1 << 20), *small = new_cache(CACHE_LIMIT_MIN);
	const struct cache_times times = {0, SECOND, SECOND};
	struct cache_key key = {.space = 1, .len = CACHE_KEY_MAX, .bytes = name};

	(void)state;
	memset(value, 7, sizeof(value));
	assert_int_equal(cache_put(cache, &key, &times, value, CACHE_VALUE_MAX), 0);
	assert_int_equal(cache_get(cache, &key, 0, 0, back, sizeof(back), NULL), CACHE_VALUE_MAX);
	assert_memory_equal(value, back, CACHE_VALUE_MAX);
	/* After an error the earlier value is gone, too. */
	assert_int_equal(cache_put(cache, &key, &times, value, sizeof(value)), -E2BIG);
	assert_int_equal(cache_get(cache, &key, 0, 0, back, sizeof(back), NULL), -ENOENT);
	key.len++;
	assert_int_equal(cache_put(cache, &key, &times, value, 1), -E2BIG);
	assert_int_equal(cache_get(cache, &key, 0, 0, back, sizeof(back), NULL), -ENOENT);
	key.len = 9;
	assert_int_equal(cache_put(small, &key, &times, value, 5000), -E2BIG);
	assert_int_equal(cache_put(small, &key, &times, value, 4000), 0);
	assert_int_equal(cache_get(small, &key, 0, 0, back, sizeof(back), NULL), 4000);
	cache_free(small);
	cache_free(cache);
}

static void test_nothing_is_kept(void **state)
{
	struct cache *cache = new_cache(CACHE_LIMIT_MIN - 1);
	void *block = cache;

	(void)state;
	assert_int_equal(put_text(cache, "a", "x", 0), -ENOSPC);
	assert_string_equal(get_text(cache, "a", 1), "");
	assert_int_equal(bytes_of(cache), 0);
	cache_forget(cache, NULL, NULL);
	assert_int_equal(cache_shrink(cache, &block), 0);
	assert_null(block);
	cache_free(cache);
	cache_free(NULL);
}

static void test_drop(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	static const uint8_t long_name[CACHE_KEY_MAX + 1];
	struct cache_key key = key_of("a", 1);

	(void)state;
	cache_drop(cache, &key);
	assert_int_equal(put_text(cache, "a", "x", 0), 0);
	assert_int_equal(put_text(cache, "b", "y", 0), 0);
	key.space = 2;
	cache_drop(cache, &key);
	assert_string_equal(get_text(cache, "a", 1), "x");
	key.space = 1;
	cache_drop(cache, &key);
	cache_drop(cache, &key);
	assert_string_equal(get_text(cache, "a", 1), "");
	assert_string_equal(get_text(cache, "b", 1), "y");
	assert_int_equal(entries_of(cache), 1);
	key = (struct cache_key){.len = CACHE_KEY_MAX + 1, .bytes = long_name};
	cache_drop(cache, &key);
	cache_free(cache);
}

static bool begins_with(void *arg, const struct cache_key *key)
{
	const uint8_t *first = arg;

	return key->len && key->bytes[0] == *first && key->space == 1;
}

static void test_forget(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	uint8_t first = 'a';
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%c%d", i % 2 ? 'a' : 'b', i);
		assert_int_equal(put_text(cache, name, name, 0), 0);
	}
	cache_forget(cache, begins_with, &first);
	assert_int_equal(entries_of(cache), 500);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%c%d", i % 2 ? 'a' : 'b', i);
		assert_string_equal(get_text(cache, name, 1), i % 2 ? "" : name);
	}
	first = 'b';
	cache_forget(cache, begins_with, &first);
	assert_int_equal(entries_of(cache), 0);
	assert_int_equal(put_text(cache, "a", "x", 0), 0);
	assert_string_equal(get_text(cache, "a", 1), "x");
	cache_forget(cache, NULL, NULL);
	assert_int_equal(entries_of(cache), 0);
	assert_string_equal(get_text(cache, "a", 1), "");
	assert_true(bytes_of(cache) < 2048);
	assert_int_equal(put_text(cache, "a", "y", 0), 0);
	assert_string_equal(get_text(cache, "a", 1), "y");
	cache_free(cache);
}

/* What is asked for stays, however many others come and go. */
static void test_used_stay(void **state)
{
	struct cache *cache = new_cache(1 << 17);
	unsigned lost = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "hot%d", i);
		assert_int_equal(put_text(cache, name, name, 0), 0);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "cold%d", i);
		assert_int_equal(put_text(cache, name, "some value of some length", 0), 0);
		snprintf(name, sizeof(name), "hot%d", i % 20);
		lost += strcmp(get_text(cache, name, 1), name) != 0;
		assert_true(bytes_of(cache) <= 1 << 17);
	}
	assert_int_equal(lost, 0);
	snprintf(name, sizeof(name), "cold%d", 19999);
	assert_string_not_equal(get_text(cache, name, 1), "");
	assert_string_equal(get_text(cache, "cold0", 1), "");
	cache_free(cache);
}

/* Expired ones do not stay, although they were asked for. */
static void test_expired_go(void **state)
{
	struct cache *cache = new_cache(1 << 17);
	char name[16];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "old%d", i);
		assert_int_equal(put_text(cache, name, name, 0), 0);
		assert_string_equal(get_text(cache, name, 0), name);
	}
	/* Once round, and not twice. */
	for (int i = 0; i < 1700; i++) {
		snprintf(name, sizeof(name), "new%d", i);
		assert_int_equal(put_text(cache, name, name, 20 * SECOND), 0);
	}
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "old%d", i);
		assert_string_equal(get_flags(cache, name, 1, CACHE_STALE, NULL), "");
	}
	cache_free(cache);
}

/* A few names that are refreshed for years do not fill the memory with what they were. */
static void test_few_names_stay_small(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	static const char value[150] = "................................................"
		"................................................";
	const struct cache_times years = {0, UINT64_C(1) << 60, UINT64_C(1) << 60};
	const struct cache_key key = key_of("long", 1);
	uint64_t most = 0, now = 0;
	char name[16];

	(void)state;
	assert_int_equal(cache_put(cache, &key, &years, "lived", 5), 0);
	for (int i = 0; i < 20000; i++) {
		now += SECOND;
		snprintf(name, sizeof(name), "name%d", i * 7 % 10);
		assert_int_equal(put_text(cache, name, value, now), 0);
		assert_string_equal(get_text(cache, name, now), value);
		if (bytes_of(cache) > most)
			most = bytes_of(cache);
	}
	assert_string_equal(get_text(cache, "long", now), "lived");
	assert_true(most < 10000);
	cache_free(cache);
}

static void test_shrink(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	uint64_t before;
	size_t freed;
	void *block;
	char name[16];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		assert_int_equal(put_text(cache, name, name, 0), 0);
	}
	do {
		before = bytes_of(cache);
		freed = cache_shrink(cache, &block);
		free(block);
		assert_int_equal(bytes_of(cache), before - freed);
	} while (freed);
	assert_int_equal(entries_of(cache), 0);
	assert_true(before < 2048);
	assert_int_equal(put_text(cache, "a", "x", 0), 0);
	assert_string_equal(get_text(cache, "a", 1), "x");
	cache_free(cache);
}

/* 1,000 contexts that are idle, or know a few names. */
static void test_small_ones(void **state)
{
	struct cache *cache = new_cache(1 << 20);
	char name[16];

	(void)state;
	assert_int_equal(bytes_of(cache), 0);
	assert_true(sizeof(struct cache) <= 256);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		assert_int_equal(put_text(cache, name, name, 0), 0);
	}
	assert_true(bytes_of(cache) <= 4096);
	cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get),
		cmocka_unit_test(test_keys_apart),
		cmocka_unit_test(test_equal_tags),
		cmocka_unit_test(test_keys_of_hash_differ),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_hits),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_nothing_is_kept),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_used_stay),
		cmocka_unit_test(test_expired_go),
		cmocka_unit_test(test_few_names_stay_small),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_small_ones),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
