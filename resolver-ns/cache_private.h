/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the cache: cache.c (its calls, its locks), cache_room.c (segments, and what becomes of
 * the oldest), cache_index.c (from a key to its entry), cache_memory.c (bytes, counted).
 *
 * Two kinds of locks. The writer's: puts, forgets and shrinks, one at a time. And the gates: a
 * reader takes that of the CPU it runs on, so that readers on two CPUs write to nothing that both
 * have; what readers look at changes only while the writer has all the gates ("shut"). What takes
 * time, above all getting memory, is done before or after that.
 *
 * Order: the writer's lock before the gates, and before the budget's lock, which is never waited
 * for with the gates shut. With the budget's lock held the writer's lock of another cache is only
 * tried.
 */
#ifndef NSAUX_CACHE_PRIVATE_H
#define NSAUX_CACHE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "budget.h"
#include "cache.h"
#include "siphash.h"

#define CACHE_GATES 8
#define CACHE_LINE 64
#define CACHE_LIMIT_MIN 16384
#define SEGMENT_SMALLEST 2048u
#define SEGMENT_LARGEST 16384u
/* malloc's own eight bytes and what it rounds to: so a segment is a power of two in the heap. */
#define MALLOC_WORDS 16u

struct entry {
	struct cache_times times;
	uint32_t tag;          /* of the index */
	uint16_t space, key_len, value_len;
	_Atomic uint8_t hits;  /* these two are written by readers */
	_Atomic uint8_t used;  /* since it came to where it is */
	bool dead;             /* no longer in the index */
	uint8_t bytes[];       /* key, value */
};

/* Entries one behind the other, each at a multiple of 8 bytes. */
struct segment {
	TAILQ_ENTRY(segment) link; /* oldest first */
	uint32_t number;           /* its place in cache_store.table; not 0 */
	uint32_t size, len;        /* bytes there are, and are written */
	uint32_t dead;             /* bytes of dead entries */
	uint32_t live;             /* entries */
	_Alignas(8) uint8_t bytes[];
};

/* tag: the lower half of the hash; position: 0 is none, else the number of a segment and the offset
 * in it. */
struct cell {
	uint32_t tag, position;
};
#define CELLS_FIRST 16u
#define OFFSET_BITS 11 /* in units of 8 bytes */

struct trash;

struct gate {
	_Alignas(CACHE_LINE) pthread_mutex_t lock;
};

/* What there is once something was put. */
struct cache_store {
	struct gate gates[CACHE_GATES];
	/* With the gates shut: */
	_Alignas(CACHE_LINE) struct cell *cells;
	uint32_t mask; /* cells - 1 */
	/* Of the writer: */
	_Alignas(CACHE_LINE) TAILQ_HEAD(segments, segment) segments;
	struct segment *front;  /* the one that is written to, or NULL */
	struct trash *trash;    /* to be freed when the gates are open */
	size_t written, dead;   /* bytes of all segments */
	uint64_t now;           /* the latest time of writing */
	uint32_t segment_max;   /* the size of most segments */
	uint32_t numbers, last; /* places in table; the one that was taken last */
	_Alignas(CACHE_LINE) struct segment *table[];
};

struct cache {
	struct cache_store *_Atomic store; /* written once, by the writer */
	size_t limit;
	struct siphash_key key;
	struct vsresolv_budget *budget;
	struct budget_member member;
	pthread_mutex_t writer;
	atomic_bool owes;              /* cache_shrink() found a writer at work, who does it then */
	_Atomic size_t bytes, entries; /* written by the writer */
};

static inline size_t entry_size(size_t key_len, size_t value_len)
{
	return (offsetof(struct entry, bytes) + key_len + value_len + 7) & ~(size_t)7;
}

static inline struct entry *entry_at(struct segment *segment, size_t offset)
{
	return (struct entry *)(void *)(segment->bytes + offset);
}

static inline uint32_t position_of(const struct segment *segment, size_t offset)
{
	return segment->number << OFFSET_BITS | (uint32_t)(offset / 8);
}

static inline struct segment *segment_of(const struct cache_store *store, uint32_t position)
{
	return store->table[position >> OFFSET_BITS];
}

static inline struct entry *entry_of(const struct cache_store *store, uint32_t position)
{
	size_t offset = (position & ((1u << OFFSET_BITS) - 1)) * (size_t)8;

	return entry_at(segment_of(store, position), offset);
}

/* cache.c: nothing may look at the store meanwhile. */
void cache_shut(struct cache_store *store);
void cache_open(struct cache_store *store);

/* cache_index.c; the first for readers, too. cells must not be full. */
struct cell *index_find(const struct cache_store *store, const struct cache_key *key,
	uint32_t tag); /* or NULL */
struct cell *index_cell(const struct cache_store *store, uint32_t tag, uint32_t position);
void index_insert(struct cell *cells, uint32_t mask, struct cell cell);
void index_remove(struct cache_store *store, struct cell *cell);
/* True: an entry more, and it is still sparse enough for short ways. */
bool index_has_room(const struct cache_store *store, size_t entries);

/* cache_room.c, for the writer. */
int room_begin(struct cache *cache); /* makes the store */
/* Room for an entry in front and in the index, whatever has to go for it. -ENOMEM, -ENOSPC. */
int room_make(struct cache *cache, size_t size);
void room_drop_oldest(struct cache *cache);
void room_drop_all(struct cache *cache);
/* With the gates shut: the entry of that cell is dead. */
void room_kill(struct cache *cache, struct cell *cell);

/* cache_memory.c. alignment: 0 is malloc's. The block is zeroed. -ENOMEM, -ENOSPC. */
int memory_take(struct cache *cache, size_t size, size_t alignment, void **block);
void memory_free(struct cache *cache, void *block);
/* It is freed by memory_settle(): readers may be looking at it, or the gates are shut. */
void memory_throw_away(struct cache_store *store, void *block);
void memory_settle(struct cache *cache);
/* The same, but the budget is the caller's to tell how many bytes. block: as of cache_shrink(), or
 * NULL. */
size_t memory_free_trash(struct cache *cache, void **block);

#endif
