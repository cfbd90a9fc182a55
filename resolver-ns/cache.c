/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cache_private.h"

#define LARGEST_PART 4 /* of the limit is what one entry may have */

int cache_new(struct cache **cache, size_t limit, struct vsresolv_budget *budget)
{
	struct cache *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	if (getrandom(&c->key, sizeof(c->key), 0) != sizeof(c->key)) {
		free(c);
		return -EAGAIN;
	}
	rc = pthread_mutex_init(&c->writer, NULL);
	if (rc) {
		free(c);
		return -rc;
	}
	c->limit = limit;
	c->budget = budget_ref(budget);
	budget_join(c->budget, &c->member, c);
	*cache = c;
	return 0;
}

void cache_free(struct cache *cache)
{
	struct cache_store *store;

	if (!cache)
		return;
	budget_leave(cache->budget, &cache->member);
	vsresolv_budget_unref(cache->budget);
	store = atomic_load(&cache->store);
	if (store) {
		room_drop_all(cache);
		memory_free_trash(cache, NULL);
		for (int i = 0; i < CACHE_GATES; i++)
			pthread_mutex_destroy(&store->gates[i].lock);
		free(store);
	}
	pthread_mutex_destroy(&cache->writer);
	free(cache);
}

void cache_shut(struct cache_store *store)
{
	for (int i = 0; i < CACHE_GATES; i++)
		pthread_mutex_lock(&store->gates[i].lock);
}

void cache_open(struct cache_store *store)
{
	for (int i = CACHE_GATES; i-- > 0;)
		pthread_mutex_unlock(&store->gates[i].lock);
}

/* Of the CPU, so that no other is likely to use it at the moment. */
static struct gate *gate_of_reader(struct cache_store *store)
{
	return &store->gates[(unsigned)sched_getcpu() % CACHE_GATES];
}

static void writer_unlock(struct cache *cache)
{
	if (atomic_exchange_explicit(&cache->owes, false, memory_order_relaxed) &&
		atomic_load_explicit(&cache->store, memory_order_relaxed)) {
		room_drop_oldest(cache);
		memory_settle(cache);
	}
	pthread_mutex_unlock(&cache->writer);
}

static uint32_t tag_of(const struct cache *cache, const struct cache_key *key)
{
	return (uint32_t)siphash_after(&cache->key, key->space, key->bytes, key->len);
}

static unsigned count_use(struct entry *entry)
{
	unsigned hits = atomic_load_explicit(&entry->hits, memory_order_relaxed);

	/* Nothing is written for what is asked for often; that one is lost between two
	 * readers does not matter. */
	if (!atomic_load_explicit(&entry->used, memory_order_relaxed))
		atomic_store_explicit(&entry->used, 1, memory_order_relaxed);
	if (hits < CACHE_HITS_MAX)
		atomic_store_explicit(&entry->hits, (uint8_t)++hits, memory_order_relaxed);
	return hits;
}

/* With a gate held. */
static long read_entry(struct entry *entry, unsigned flags, void *value, size_t size,
	struct cache_hit *hit)
{
	bool fits = entry->value_len <= size;
	unsigned hits;

	hits = fits && !(flags & CACHE_QUIET) ? count_use(entry) :
		atomic_load_explicit(&entry->hits, memory_order_relaxed);
	if (hit)
		*hit = (struct cache_hit){entry->times, hits, entry->value_len};
	if (!fits)
		return -EMSGSIZE;
	if (entry->value_len)
		memcpy(value, entry->bytes + entry->key_len, entry->value_len);
	return entry->value_len;
}

long cache_get(struct cache *cache, const struct cache_key *key, uint64_t now, unsigned flags,
	void *value, size_t size, struct cache_hit *hit)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_acquire);
	struct entry *entry;
	struct gate *gate;
	struct cell *cell;
	long rc = -ENOENT;
	uint32_t tag;

	if (!store || key->len > CACHE_KEY_MAX)
		return -ENOENT;
	tag = tag_of(cache, key);
	gate = gate_of_reader(store);
	pthread_mutex_lock(&gate->lock);
	cell = index_find(store, key, tag);
	if (cell) {
		entry = entry_of(store, cell->position);
		if (now < (flags & CACHE_STALE ? entry->times.stale : entry->times.expires))
			rc = read_entry(entry, flags, value, size, hit);
	}
	pthread_mutex_unlock(&gate->lock);
	return rc;
}

struct item {
	const struct cache_key *key;
	uint32_t tag;
	const struct cache_times *times;
	const void *value;
	size_t len;
};

/* With the gates shut, and room in front and in the index. */
static void write_entry(struct cache *cache, struct cache_store *store, const struct item *item)
{
	struct segment *front = store->front;
	struct entry *entry = entry_at(front, front->len);
	size_t size = entry_size(item->key->len, item->len);

	*entry = (struct entry){.times = *item->times, .tag = item->tag,
		.space = item->key->space, .key_len = item->key->len,
		.value_len = (uint16_t)item->len};
	memcpy(entry->bytes, item->key->bytes, item->key->len);
	if (item->len)
		memcpy(entry->bytes + item->key->len, item->value, item->len);
	index_insert(store->cells, store->mask,
		(struct cell){item->tag, position_of(front, front->len)});
	front->len += (uint32_t)size;
	front->live++;
	store->written += size;
	atomic_fetch_add_explicit(&cache->entries, 1, memory_order_relaxed);
}

static int put(struct cache *cache, const struct item *item)
{
	size_t size = entry_size(item->key->len, item->len);
	struct cache_store *store;
	struct cell *former;
	int rc;

	rc = room_begin(cache);
	if (rc)
		return rc;
	store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	if (item->times->written > store->now)
		store->now = item->times->written;
	if (item->len > CACHE_VALUE_MAX || size > cache->limit / LARGEST_PART)
		rc = -E2BIG;
	else
		rc = room_make(cache, size);
	cache_shut(store);
	former = index_find(store, item->key, item->tag);
	if (former)
		room_kill(cache, former);
	if (!rc)
		write_entry(cache, store, item);
	cache_open(store);
	memory_settle(cache);
	return rc;
}

int cache_put(struct cache *cache, const struct cache_key *key, const struct cache_times *times,
	const void *value, size_t len)
{
	struct item item = {.key = key, .times = times, .value = value, .len = len};
	int rc;

	if (key->len > CACHE_KEY_MAX)
		return -E2BIG;
	item.tag = tag_of(cache, key);
	pthread_mutex_lock(&cache->writer);
	rc = put(cache, &item);
	writer_unlock(cache);
	return rc;
}

void cache_drop(struct cache *cache, const struct cache_key *key)
{
	struct cache_store *store;
	struct cell *cell = NULL;

	if (key->len > CACHE_KEY_MAX)
		return;
	pthread_mutex_lock(&cache->writer);
	store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	if (store)
		cell = index_find(store, key, tag_of(cache, key));
	if (cell) {
		cache_shut(store);
		room_kill(cache, cell);
		cache_open(store);
		memory_settle(cache);
	}
	writer_unlock(cache);
}

/* With the gates shut. That the last one's death makes the segment go, or empties it, does not
 * matter: it is freed when they are open. */
static void forget_in(struct cache *cache, struct cache_store *store, struct segment *segment,
	cache_match_fn *match, void *arg)
{
	struct cache_key key;
	struct entry *entry;
	size_t size;

	for (size_t offset = 0; offset < segment->len; offset += size) {
		entry = entry_at(segment, offset);
		size = entry_size(entry->key_len, entry->value_len);
		if (entry->dead)
			continue;
		key = (struct cache_key){entry->space, entry->key_len, entry->bytes};
		if (match(arg, &key))
			room_kill(cache, index_cell(store, entry->tag,
				position_of(segment, offset)));
	}
}

void cache_forget(struct cache *cache, cache_match_fn *match, void *arg)
{
	struct segment *segment, *next;
	struct cache_store *store;

	pthread_mutex_lock(&cache->writer);
	store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	if (store && !match)
		room_drop_all(cache);
	for (segment = store ? TAILQ_FIRST(&store->segments) : NULL; segment; segment = next) {
		next = TAILQ_NEXT(segment, link);
		cache_shut(store);
		forget_in(cache, store, segment, match, arg);
		cache_open(store);
	}
	memory_settle(cache);
	writer_unlock(cache);
}

void cache_count(struct cache *cache, uint64_t *entries, uint64_t *bytes)
{
	*entries = atomic_load_explicit(&cache->entries, memory_order_relaxed);
	*bytes = atomic_load_explicit(&cache->bytes, memory_order_relaxed);
}

size_t cache_shrink(struct cache *cache, void **block)
{
	struct cache_store *store;
	size_t bytes = 0;

	*block = NULL;
	if (pthread_mutex_trylock(&cache->writer)) {
		atomic_store_explicit(&cache->owes, true, memory_order_relaxed);
		return 0;
	}
	store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	if (store) {
		room_drop_oldest(cache);
		if (TAILQ_EMPTY(&store->segments))
			room_drop_all(cache);
		bytes = memory_free_trash(cache, block);
	}
	pthread_mutex_unlock(&cache->writer);
	return bytes;
}
