/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be asked of a context besides names, and what can be told it. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "context.h"

const char *vsresolv_name(const struct vsresolv *ctx)
{
	return ctx->name;
}

int vsresolv_reload(struct vsresolv *ctx)
{
	int rc;

	if (!ctx)
		return -EINVAL;
	if (!context_is_ours(ctx))
		return -EPROTOTYPE;
	rc = source_reload(ctx->source, engine_now());
	atomic_fetch_add(&ctx->epoch, 1);
	return rc;
}

static bool key_is_name(void *arg, const struct cache_key *key)
{
	const struct dns_name *name = arg;

	return key->len == name->len && memcmp(key->bytes, name->wire, key->len) == 0;
}

int vsresolv_flush(struct vsresolv *ctx, const char *name)
{
	struct dns_name key;

	if (!ctx)
		return -EINVAL;
	if (!context_is_ours(ctx))
		return -EPROTOTYPE;
	if (name) {
		if (dns_name_parse(&key, name) < 0)
			return -EINVAL;
		dns_name_lower(&key);
		cache_forget(ctx->cache, key_is_name, &key);
	} else {
		cache_forget(ctx->cache, NULL, NULL);
		engine_lock(ctx->engine);
		health_forget(ctx->health);
		engine_unlock(ctx->engine);
	}
	/* Memos have other keys than names; they are all of an epoch. */
	atomic_fetch_add(&ctx->epoch, 1);
	return 0;
}

int vsresolv_stats(struct vsresolv *ctx, struct vsresolv_stats *stats)
{
	struct vsresolv_stats now = {0};
	struct counters *c;
	size_t size;

	if (!ctx || !stats || stats->size < offsetof(struct vsresolv_stats, requests))
		return -EINVAL;
	if (!context_is_ours(ctx))
		return -EPROTOTYPE;
	c = &ctx->counters;
	size = stats->size;
	now.size = size;
	for (unsigned i = 0; i < COUNTERS_STRIPES; i++) {
		now.requests += atomic_load(&ctx->stripes[i].requests);
		now.cache_hits += atomic_load(&ctx->stripes[i].cache_hits);
		now.cache_stale += atomic_load(&ctx->stripes[i].cache_stale);
	}
	now.queries = atomic_load(&c->queries);
	now.joined = atomic_load(&c->joined);
	now.datagrams = atomic_load(&c->datagrams);
	now.tcp = atomic_load(&c->tcp);
	now.timeouts = atomic_load(&c->timeouts);
	now.ignored = atomic_load(&c->ignored);
	now.guarded = atomic_load(&c->guarded);
	now.refused = atomic_load(&c->refused);
	now.in_flight = atomic_load(&c->in_flight);
	now.waiting = atomic_load(&c->waiting);
	cache_count(ctx->cache, &now.cache_entries, &now.cache_bytes);
	memcpy(stats, &now, size < sizeof(now) ? size : sizeof(now));
	return 0;
}
