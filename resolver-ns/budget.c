/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "budget.h"
#include "cache.h"

#define BUDGET_MIN 65536

struct vsresolv_budget {
	atomic_uint refs;
	size_t limit;
	pthread_mutex_t lock; /* for what follows */
	size_t bytes, count;
	LIST_HEAD(, budget_member) members;
};

int vsresolv_budget_new(struct vsresolv_budget **budget, size_t bytes)
{
	struct vsresolv_budget *b;
	int rc;

	if (bytes < BUDGET_MIN)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	rc = pthread_mutex_init(&b->lock, NULL);
	if (rc) {
		free(b);
		return -rc;
	}
	atomic_init(&b->refs, 1);
	b->limit = bytes;
	LIST_INIT(&b->members);
	*budget = b;
	return 0;
}

struct vsresolv_budget *budget_ref(struct vsresolv_budget *budget)
{
	if (budget)
		atomic_fetch_add_explicit(&budget->refs, 1, memory_order_relaxed);
	return budget;
}

void vsresolv_budget_unref(struct vsresolv_budget *budget)
{
	if (!budget || atomic_fetch_sub_explicit(&budget->refs, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&budget->lock);
	free(budget);
}

void budget_join(struct vsresolv_budget *budget, struct budget_member *member, struct cache *cache)
{
	if (!budget)
		return;
	member->cache = cache;
	pthread_mutex_lock(&budget->lock);
	LIST_INSERT_HEAD(&budget->members, member, link);
	budget->count++;
	pthread_mutex_unlock(&budget->lock);
}

void budget_leave(struct vsresolv_budget *budget, struct budget_member *member)
{
	if (!budget)
		return;
	pthread_mutex_lock(&budget->lock);
	LIST_REMOVE(member, link);
	budget->count--;
	budget->bytes -= member->bytes;
	pthread_mutex_unlock(&budget->lock);
}

/* The largest that has more than its share, and more than the asker would have. */
static struct budget_member *largest(struct vsresolv_budget *budget,
	const struct budget_member *asker, size_t bytes)
{
	struct budget_member *member, *found = NULL;
	size_t least = budget->limit / budget->count;

	if (least < asker->bytes + bytes)
		least = asker->bytes + bytes;
	LIST_FOREACH(member, &budget->members, link) {
		if (member == asker || member->busy || member->bytes <= least)
			continue;
		found = member;
		least = member->bytes;
	}
	return found;
}

static int make_room(struct vsresolv_budget *budget, struct budget_member *asker, size_t bytes,
	void **block)
{
	struct budget_member *member;
	size_t freed;

	LIST_FOREACH(member, &budget->members, link)
		member->busy = false;
	while (budget->limit - budget->bytes < bytes) {
		member = largest(budget, asker, bytes);
		if (!member)
			return -ENOSPC;
		free(*block);
		freed = cache_shrink(member->cache, block);
		member->busy = !freed;
		member->bytes -= freed;
		budget->bytes -= freed;
	}
	return 0;
}

int budget_take(struct vsresolv_budget *budget, struct budget_member *asker, size_t bytes,
	void **block)
{
	int rc = 0;

	*block = NULL;
	if (!budget)
		return 0;
	pthread_mutex_lock(&budget->lock);
	if (budget->limit - budget->bytes < bytes)
		rc = make_room(budget, asker, bytes, block);
	if (!rc) {
		budget->bytes += bytes;
		asker->bytes += bytes;
	}
	pthread_mutex_unlock(&budget->lock);
	return rc;
}

void budget_give(struct vsresolv_budget *budget, struct budget_member *member, size_t bytes)
{
	if (!budget || !bytes)
		return;
	pthread_mutex_lock(&budget->lock);
	member->bytes -= bytes;
	budget->bytes -= bytes;
	pthread_mutex_unlock(&budget->lock);
}
