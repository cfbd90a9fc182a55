/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache of one context: values under keys, each until its time, in bounded memory.
 *
 * It knows nothing of the DNS. Memory is taken in segments into which entries are written one
 * behind the other; the oldest segment makes room, but what was asked for since it was written is
 * kept. So the limit is exact: what is counted is what malloc took, its overhead included.
 *
 * Thread-safe, and made for many readers: a reader takes a lock of its CPU, in which nothing
 * waits and only bytes are copied. Times are nanoseconds of CLOCK_BOOTTIME, from the caller.
 */
#ifndef NSAUX_CACHE_H
#define NSAUX_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct vsresolv_budget;

struct cache_key {
	uint16_t space; /* what kind of value it is: DNS types, and others above 0xff00 of which see
			 * answer.h; part of the key */
	uint16_t len;   /* at most CACHE_KEY_MAX */
	const uint8_t *bytes; /* compared as they are: lower case is the caller's */
};

#define CACHE_KEY_MAX 512
#define CACHE_VALUE_MAX 15000 /* longer ones are not kept */

struct cache_times {
	uint64_t written;
	uint64_t expires;
	uint64_t stale; /* until then it can be asked for with CACHE_STALE; >= expires */
};

/* limit: bytes; below 16 KiB (0 too) nothing is kept. No memory is taken for entries before the
 * first one comes. -ENOMEM, -EAGAIN: there is no randomness for the key of the hash yet. */
int cache_new(struct cache **cache, size_t limit, struct vsresolv_budget *budget);
void cache_free(struct cache *cache); /* NULL is allowed */

/*
 * cache_get: copies the value. Returns its length; -ENOENT; -EMSGSIZE: `size` is too small: *hit is
 * written, and it does not count as use. flags: CACHE_STALE; CACHE_QUIET: does not count as use.
 * hits: how often it has been asked for since it was put, this time included; it stops at
 * CACHE_HITS_MAX, from where on readers of an entry write nothing that they share. hit may be NULL.
 */
#define CACHE_STALE 0x1u
#define CACHE_QUIET 0x2u
#define CACHE_HITS_MAX 7
struct cache_hit {
	struct cache_times times;
	unsigned hits;
	size_t len;
};
long cache_get(struct cache *cache, const struct cache_key *key, uint64_t now, unsigned flags,
	void *value, size_t size, struct cache_hit *hit);

/* cache_put: in the place of an earlier value. 0; -E2BIG: longer than CACHE_VALUE_MAX, or with
 * its key more than a quarter of the limit; -ENOMEM; -ENOSPC: of the limit, of the budget. After
 * an error no value is there, the earlier one neither. */
int cache_put(struct cache *cache, const struct cache_key *key, const struct cache_times *times,
	const void *value, size_t len);

/* cache_drop: no value is there any more. */
void cache_drop(struct cache *cache, const struct cache_key *key);

/* cache_forget: all entries (match NULL), or those of which match returns true; it runs with a lock
 * held. */
typedef bool cache_match_fn(void *arg, const struct cache_key *key);
void cache_forget(struct cache *cache, cache_match_fn *match, void *arg);

/* Entries (some may have expired), and the bytes taken for them, of the allocator's too: never more
 * than the limit. What an empty cache takes, some 200 bytes, is not in it. */
void cache_count(struct cache *cache, uint64_t *entries, uint64_t *bytes);

/* For the budget: the oldest segment goes; how many bytes. 0: there is none, or another thread is
 * writing, which will see to it before it goes. *block: its memory if it was of the largest size,
 * for the caller to use or to free, else NULL. */
size_t cache_shrink(struct cache *cache, void **block);

#endif
