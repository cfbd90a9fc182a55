/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a cache, counted as malloc takes it: before it is asked for, so that the limit holds at
 * any time.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "cache_private.h"

struct trash {
	struct trash *next;
};

/* *block: as of budget_take(). */
static int charge(struct cache *cache, size_t bytes, void **block)
{
	int rc;

	*block = NULL;
	if (bytes > cache->limit - atomic_load_explicit(&cache->bytes, memory_order_relaxed))
		return -ENOSPC;
	rc = budget_take(cache->budget, &cache->member, bytes, block);
	if (!rc)
		atomic_fetch_add_explicit(&cache->bytes, bytes, memory_order_relaxed);
	return rc;
}

static void discharge(struct cache *cache, size_t bytes)
{
	atomic_fetch_sub_explicit(&cache->bytes, bytes, memory_order_relaxed);
	budget_give(cache->budget, &cache->member, bytes);
}

static size_t taken_by(void *block)
{
	return malloc_usable_size(block) + MALLOC_WORDS;
}

static bool is_largest(void *block)
{
	size_t bytes = taken_by(block);

	return bytes >= SEGMENT_LARGEST && bytes < SEGMENT_LARGEST + 4 * MALLOC_WORDS;
}

/* given: what another cache gave, or NULL; it is taken if it fits. alignment: 0 is malloc's. */
static void *allocate(size_t size, size_t alignment, void *given)
{
	if (given && !alignment && size == SEGMENT_LARGEST - MALLOC_WORDS)
		return given;
	free(given);
	return alignment ? aligned_alloc(alignment, size) : malloc(size);
}

/* What malloc most likely takes for it. For a segment it is what another one gives, to the byte. */
static size_t likely(size_t size)
{
	return size < 65536 ? (size + 8 + 15) / 16 * 16 + MALLOC_WORDS - 8 : size + 8192;
}

int memory_take(struct cache *cache, size_t size, size_t alignment, void **block)
{
	size_t expected = likely(size), real;
	void *p, *given;
	int rc;

	rc = charge(cache, expected, &given);
	if (rc) {
		free(given);
		return rc;
	}
	p = allocate(size, alignment, given);
	if (!p) {
		discharge(cache, expected);
		return -ENOMEM;
	}
	real = taken_by(p);
	if (real > expected) {
		rc = charge(cache, real - expected, &given);
		free(given);
	} else {
		discharge(cache, expected - real);
	}
	if (rc) {
		free(p);
		discharge(cache, expected);
		return rc;
	}
	*block = memset(p, 0, size);
	return 0;
}

void memory_free(struct cache *cache, void *block)
{
	discharge(cache, taken_by(block));
	free(block);
}

void memory_throw_away(struct cache_store *store, void *block)
{
	struct trash *trash = block;

	if (!block)
		return;
	trash->next = store->trash;
	store->trash = trash;
}

size_t memory_free_trash(struct cache *cache, void **block)
{
	struct cache_store *store = atomic_load_explicit(&cache->store, memory_order_relaxed);
	struct trash *trash;
	size_t bytes = 0;

	while (store && (trash = store->trash)) {
		store->trash = trash->next;
		bytes += taken_by(trash);
		if (block && !*block && is_largest(trash))
			*block = trash;
		else
			free(trash);
	}
	atomic_fetch_sub_explicit(&cache->bytes, bytes, memory_order_relaxed);
	return bytes;
}

void memory_settle(struct cache *cache)
{
	budget_give(cache->budget, &cache->member, memory_free_trash(cache, NULL));
}

