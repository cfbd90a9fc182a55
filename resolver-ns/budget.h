/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vsresolv_budget: bytes that several caches share. Thread-safe.
 *
 * A member's share is the budget divided by the members. Up to there it always gets its bytes, if
 * need be from the largest; beyond, those that are free, or those of a member that is larger than
 * it would be then. No member is brought below its share by others, but for part of a segment.
 */
#ifndef NSAUX_BUDGET_H
#define NSAUX_BUDGET_H

#include <stdbool.h>
#include <sys/queue.h>

#include "vsresolv.h"

struct cache;

struct budget_member { /* embedded in a cache; belongs to the budget */
	LIST_ENTRY(budget_member) link;
	struct cache *cache;
	size_t bytes;
	bool busy; /* could not make room just now */
};

struct vsresolv_budget *budget_ref(struct vsresolv_budget *budget); /* NULL gives NULL */
/* A cache joins and leaves, with all that it has. budget may be NULL, here and below: no limit. */
void budget_join(struct vsresolv_budget *budget, struct budget_member *member,
	struct cache *cache);
void budget_leave(struct vsresolv_budget *budget, struct budget_member *member);
/*
 * Takes bytes for a member; where they are not there, others make room by cache_shrink(). -ENOSPC.
 * *block: the memory itself that another gave, or NULL; the caller's, on failure, too. Handed on
 * so, it does not wait in the malloc arena of one thread while that of the other grows.
 */
int budget_take(struct vsresolv_budget *budget, struct budget_member *asker, size_t bytes,
	void **block);
void budget_give(struct vsresolv_budget *budget, struct budget_member *member, size_t bytes);

#endif
