/* SPDX-License-Identifier: BSD-3-Clause */
/* What a context counts; see struct vsresolv_stats. Counted with or without a lock. */
#ifndef NSAUX_COUNTERS_H
#define NSAUX_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* What every request counts, those that the cache answers, too: by the CPU that counts, since a
 * line that all threads write would be most of the price of such a request. */
#define COUNTERS_STRIPES 4
struct counters_stripe {
	_Atomic uint64_t requests, cache_hits, cache_stale;
	char apart[72]; /* of 64 bytes no line has two, wherever the first begins */
};

struct counters {
	_Atomic uint64_t queries, joined, datagrams, tcp;
	_Atomic uint64_t timeouts, ignored, guarded, refused;
	_Atomic uint32_t in_flight, waiting; /* now */
};

static inline void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
