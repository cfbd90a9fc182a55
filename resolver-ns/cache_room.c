/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where entries lie. They are written one behind the other into the front segment. When that is
 * full, one that is mostly dead bytes is cleaned and goes on as the front; else a new one is taken;
 * else, at the limit, the oldest goes on as the front, with what was asked for since it came there,
 * up to half of it, moved to its beginning. So in a full cache nothing is allocated any more, and a
 * put works through one segment at most, mostly none.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cache_private.h"

#define CLEAN_TRIES 8 /* segments that are looked at for dead bytes, at one put */
#define INDEX_PART 8  /* of the limit is what the index may have */

static_assert(offsetof(struct entry, bytes) + CACHE_KEY_MAX + CACHE_VALUE_MAX + 8 <
	SEGMENT_LARGEST - MALLOC_WORDS - sizeof(struct segment),
	"the largest entry has its segment");
static_assert(SEGMENT_LARGEST <= 8u << OFFSET_BITS, "offsets fit into a position");

static int gates_init(struct cache_store *store)
{
	pthread_mutexattr_t attr;
	int rc;

	rc = pthread_mutexattr_init(&attr);
	if (rc)
		return -rc;
	/* Held for less time than it takes to go to sleep. */
	rc = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	for (int i = 0; !rc && i < CACHE_GATES; i++)
		rc = pthread_mutex_init(&store->gates[i].lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -rc;
}

int room_begin(struct cache *cache)
{
	struct cache_store *store;
	uint32_t segment_max = SEGMENT_LARGEST;
	size_t numbers, size;
	void *block;
	int rc;

	if (atomic_load_explicit(&cache->store, memory_order_relaxed))
		return 0;
	if (cache->limit < CACHE_LIMIT_MIN)
		return -ENOSPC;
	while (segment_max > cache->limit / 8)
		segment_max /= 2;
	/* Smaller ones are made in the beginning, and few. */
	numbers = cache->limit / segment_max + 16;
	if (numbers > UINT32_MAX >> OFFSET_BITS)
		numbers = UINT32_MAX >> OFFSET_BITS;
	size = sizeof(*store) + numbers * sizeof(store->table[0]);
	size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	rc = memory_take(cache, size, CACHE_LINE, &block);
	if (rc)
		return rc;
	store = block;
	store->numbers = (uint32_t)numbers;
	store->segment_max = segment_max;
	TAILQ_INIT(&store->segments);
	rc = gates_init(store);
	if (rc) {
		memory_free(cache, store);
		return rc;
	}
	atomic_store_explicit(&cache->store, store, memory_order_release);
	return 0;
}

/* No entry of it is in the index. */
static void segment_go(struct cache_store *store, struct segment *segment)
{
	TAILQ_REMOVE(&store->segments, segment, link);
	store->table[segment->number] = NULL;
	store->written -= segment->len;
	store->dead -= segment->dead;
	if (store->front == segment)
		store->front = NULL;
	memory_throw_away(store, segment);
}

static void segment_clear(struct cache_store *store, struct segment *segment)
{
	store->written -= segment->len;
	store->dead -= segment->dead;
	segment->len = segment->dead = segment->live = 0;
}

static uint32_t free_number(struct cache_store *store)
{
	for (uint32_t i = 1; i < store->numbers; i++) {
		store->last = store->last + 1 < store->numbers ? store->last + 1 : 1;
		if (!store->table[store->last])
			return store->last;
	}
	return 0;
}

/* A cache with few entries stays small. */
static uint32_t next_size(const struct cache *cache, const struct cache_store *store, size_t need)
{
	size_t bytes = atomic_load_explicit(&cache->bytes, memory_order_relaxed);
	uint32_t size = SEGMENT_SMALLEST;

	while (size < store->segment_max && size < bytes / 2)
		size *= 2;
	while (size - MALLOC_WORDS - sizeof(struct segment) < need)
		size *= 2;
	return size - MALLOC_WORDS;
}

static int segment_add(struct cache *cache, struct cache_store *store, size_t need)
{
	uint32_t size = next_size(cache, store, need), number = free_number(store);
	struct segment *segment;
	void *block;
	int rc;

	if (!number)
		return -ENOSPC;
	rc = memory_take(cache, size, 0, &block);
	if (rc)
		return rc;
	segment = block;
	segment->number = number;
	segment->size = (uint32_t)(size - sizeof(*segment));
	store->table[number] = segment;
	TAILQ_INSERT_TAIL(&store->segments, segment, link);
	store->front = segment;
	return 0;
}

struct sweep {
	struct segment *to; /* may be the one that is swept */
	size_t room;        /* for what is kept */
	bool all;           /* keep what is unused, too */
};

static void move_entry(struct cache_store *store, struct entry *entry, size_t size,
	struct cell *cell, const struct sweep *sweep)
{
	struct segment *to = sweep->to;
	struct entry *moved = memmove(entry_at(to, to->len), entry, size);

	if (!sweep->all)
		atomic_store_explicit(&moved->used, 0, memory_order_relaxed);
	cell->position = position_of(to, to->len);
	to->len += (uint32_t)size;
	to->live++;
	store->written += size;
}

/* With the gates shut. Each entry of the segment is moved or goes. */
static void sweep_segment(struct cache *cache, struct cache_store *store, struct segment *segment,
	struct sweep sweep)
{
	size_t len = segment->len, size;
	struct entry *entry;
	struct cell *cell;

	segment_clear(store, segment);
	for (size_t offset = 0; offset < len; offset += size) {
		entry = entry_at(segment, offset);
		size = entry_size(entry->key_len, entry->value_len);
		if (entry->dead)
			continue;
		cell = index_cell(store, entry->tag, position_of(segment, offset));
		if (size <= sweep.room && store->now < entry->times.stale &&
			(sweep.all || atomic_load_explicit(&entry->used, memory_order_relaxed))) {
			move_entry(store, entry, size, cell, &sweep);
			sweep.room -= size;
			continue;
		}
		index_remove(store, cell);
		atomic_fetch_sub_explicit(&cache->entries, 1, memory_order_relaxed);
	}
}

static void becomes_youngest(struct cache_store *store, struct segment *segment)
{
	TAILQ_REMOVE(&store->segments, segment, link);
	TAILQ_INSERT_TAIL(&store->segments, segment, link);
}

/* The segment goes on as the front. */
static void recycle(struct cache *cache, struct cache_store *store, struct segment *segment,
	size_t room, bool all)
{
	cache_shut(store);
	sweep_segment(cache, store, segment, (struct sweep){segment, room, all});
	cache_open(store);
	becomes_youngest(store, segment);
	store->front = segment;
}

/* What was asked for moves to the front, as far as there is room for it; the rest goes. */
static void empty_segment(struct cache *cache, struct cache_store *store, struct segment *segment)
{
	struct sweep sweep = {.to = store->front};

	if (sweep.to && sweep.to != segment)
		sweep.room = sweep.to->size - sweep.to->len;
	if (sweep.room > segment->size / 2)
		sweep.room = segment->size / 2;
	cache_shut(store);
	sweep_segment(cache, store, segment, sweep);
	cache_open(store);
}

void room_drop_oldest(struct cache *cache)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	struct segment *oldest = TAILQ_FIRST(&store->segments);

	if (!oldest)
		return;
	empty_segment(cache, store, oldest);
	segment_go(store, oldest);
}

void room_drop_all(struct cache *cache)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	struct segment *segment;

	cache_shut(store);
	while ((segment = TAILQ_FIRST(&store->segments)))
		segment_go(store, segment);
	memory_throw_away(store, store->cells);
	store->cells = NULL;
	store->mask = 0;
	atomic_store_explicit(&cache->entries, 0, memory_order_relaxed);
	cache_open(store);
}

void room_kill(struct cache *cache, struct cell *cell)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	struct segment *segment = segment_of(store, cell->position);
	struct entry *entry = entry_of(store, cell->position);
	size_t size = entry_size(entry->key_len, entry->value_len);

	index_remove(store, cell);
	atomic_fetch_sub_explicit(&cache->entries, 1, memory_order_relaxed);
	entry->dead = true;
	store->dead += size;
	segment->dead += (uint32_t)size;
	segment->live--;
	if (segment->live)
		return;
	if (segment == store->front)
		segment_clear(store, segment);
	else
		segment_go(store, segment);
}

/* Where most of what is written is dead: entries that are replaced again and again shall not make a
 * cache grow to its limit. Those whose entries live are looked at again when their turn comes. */
static bool clean(struct cache *cache, struct cache_store *store, size_t need)
{
	struct segment *segment;

	if (store->dead <= store->written / 2)
		return false;
	for (int i = 0; i < CLEAN_TRIES; i++) {
		segment = TAILQ_FIRST(&store->segments);
		if (segment->dead >= segment->len / 2 &&
			segment->len - segment->dead + need <= segment->size) {
			recycle(cache, store, segment, segment->size - need, true);
			return true;
		}
		becomes_youngest(store, segment);
	}
	return false;
}

/* Readers look into the old one until the new one is complete. */
static int index_grow(struct cache *cache, struct cache_store *store)
{
	uint32_t count = store->cells ? (store->mask + 1) * 2 : CELLS_FIRST;
	struct cell *old = store->cells, *cells;
	void *block;
	int rc;

	if (count > UINT32_MAX / 4 || count * sizeof(*cells) > cache->limit / INDEX_PART)
		return -ENOSPC;
	rc = memory_take(cache, count * sizeof(*cells), 0, &block);
	if (rc)
		return rc;
	cells = block;
	for (uint32_t i = 0; old && i <= store->mask; i++)
		if (old[i].position)
			index_insert(cells, count - 1, old[i]);
	cache_shut(store);
	store->cells = cells;
	store->mask = count - 1;
	cache_open(store);
	memory_throw_away(store, old);
	memory_settle(cache);
	return 0;
}

static size_t entries_of(const struct cache *cache)
{
	return atomic_load_explicit(&cache->entries, memory_order_relaxed);
}

static int index_make_room(struct cache *cache, struct cache_store *store)
{
	struct segment *oldest;
	int rc;

	while (!index_has_room(store, entries_of(cache))) {
		rc = index_grow(cache, store);
		if (!rc)
			continue;
		oldest = TAILQ_FIRST(&store->segments);
		if (!oldest)
			return rc;
		empty_segment(cache, store, oldest);
		becomes_youngest(store, oldest); /* and the next front */
	}
	return 0;
}

static int front_make(struct cache *cache, struct cache_store *store, size_t need)
{
	struct segment *oldest, *youngest = TAILQ_LAST(&store->segments, segments);
	size_t room;
	int rc;

	if (youngest && !youngest->live && youngest->size >= need) {
		store->front = youngest;
		return 0;
	}
	while ((rc = segment_add(cache, store, need))) {
		oldest = TAILQ_FIRST(&store->segments);
		if (!oldest)
			return rc;
		if (oldest->size >= need) {
			room = oldest->size - need;
			if (room > oldest->size / 2)
				room = oldest->size / 2;
			recycle(cache, store, oldest, room, false);
			return 0;
		}
		room_drop_oldest(cache);
		memory_settle(cache);
	}
	return 0;
}

int room_make(struct cache *cache, size_t size)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	int rc = index_make_room(cache, store);

	if (rc)
		return rc;
	if (store->front && store->front->size - store->front->len >= size)
		return 0;
	if (store->front && !store->front->live) { /* too small although it is empty */
		segment_go(store, store->front);
		memory_settle(cache);
	}
	if (clean(cache, store, size))
		return 0;
	return front_make(cache, store, size);
}
