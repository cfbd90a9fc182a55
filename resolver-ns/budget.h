/* SPDX-License-Identifier: BSD-3-Clause */
/* struct vsresolv_budget: bytes that several caches share. Thread-safe. */
#ifndef NSAUX_BUDGET_H
#define NSAUX_BUDGET_H

#include "vsresolv.h"

struct cache;

struct vsresolv_budget *budget_ref(struct vsresolv_budget *budget); /* NULL gives NULL */
/* A cache joins and leaves. */
int budget_join(struct vsresolv_budget *budget, struct cache *cache);
void budget_leave(struct vsresolv_budget *budget, struct cache *cache);
/* Takes bytes for a member; where they are not there, the largest member gives of its oldest, if it has
 * more than the asker would have. -ENOSPC. */
int budget_take(struct vsresolv_budget *budget, struct cache *asker, size_t bytes);
void budget_give(struct vsresolv_budget *budget, struct cache *cache, size_t bytes);

#endif
