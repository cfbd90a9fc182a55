/* SPDX-License-Identifier: BSD-3-Clause */
/* struct vsresolv, for the files of the library. */
#ifndef NSAUX_CONTEXT_H
#define NSAUX_CONTEXT_H

#include <sys/queue.h>

#include "answer.h"
#include "cache.h"
#include "counters.h"
#include "engine.h"
#include "guard.h"
#include "netview.h"
#include "place.h"
#include "queries.h"
#include "rconf.h"

struct vsresolv {
	uint64_t process; /* that opened it */
	struct vsresolv_loop *engine;
	bool has_loop; /* the application's */
	bool has_budget;
	unsigned flags, stale_seconds, in_flight, waiting;
	struct place *place;
	struct source *source;
	struct cache *cache;
	struct guard *guard;   /* NULL: all addresses are let through */
	struct health *health;
	struct counters counters;
	struct counters_stripe *stripes; /* COUNTERS_STRIPES of them */
	atomic_uint epoch; /* of memos: changed by flush, reload, network changes */
	void (*log)(void *arg, int priority, const char *vs, const char *text);
	void *log_arg;

	/* Under the engine's lock; there while context_wake() holds: */
	LIST_HEAD(, request) requests; /* of this context that are not delivered yet */
	unsigned awake;
	uint64_t slept; /* when it was last awake */
	struct loop_timer linger;
	struct queries *queries;
	struct netview *view;

	char name[];
};

/* False in a child of the process that opened it. */
bool context_is_ours(const struct vsresolv *ctx);

/* In such a child: frees what is under the engine's lock, without a word to the kernel. */
void context_forsake(struct vsresolv *ctx);

/* With the lock held: queries and view are there until context_sleep(). In a loop of the
 * application they go VSRESOLV_LINGER_MS after the last one; else with it. */
int context_wake(struct vsresolv *ctx);
void context_sleep(struct vsresolv *ctx);

#endif
