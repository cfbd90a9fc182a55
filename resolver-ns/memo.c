/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "memo.h"

/* The flags that decide what is found. */
#define MEMO_FLAGS (AI_CANONNAME | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN)

struct memo_key {
	struct cache_key key;
	uint8_t bytes[CACHE_KEY_MAX];
};

/* False: too long. */
static bool key_make(struct memo_key *k, const char *node, const struct front_hints *hints)
{
	const unsigned flags = (unsigned)hints->flags & MEMO_FLAGS;
	const size_t len = strlen(node);

	_Static_assert(MEMO_FLAGS <= UINT8_MAX, "one byte");
	if (len > sizeof(k->bytes) - 2)
		return false;
	k->bytes[0] = (uint8_t)flags;
	k->bytes[1] = (uint8_t)hints->family;
	memcpy(k->bytes + 2, node, len);
	k->key = (struct cache_key){
		.space = ANSWER_MEMO, .len = (uint16_t)(len + 2), .bytes = k->bytes};
	return true;
}

static size_t memo_size(const struct memo *memo)
{
	return offsetof(struct memo, data) + memo->count * sizeof(memo->data.addrs[0]) +
	       memo->canonical;
}

void memo_init(struct memo *memo, int status, const struct vsresolv_info *info)
{
	memset(memo, 0, offsetof(struct memo, data));
	memo->status = status;
	memo->rcode = info->rcode;
	memo->source = (uint8_t)info->source;
	memo->ad = info->ad != 0;
	memcpy(&memo->server, &info->server, sizeof(memo->server));
}

void memo_set_canonical(struct memo *memo, const char *name)
{
	const size_t at = memo->count * sizeof(memo->data.addrs[0]), len = strlen(name) + 1;

	if (len > sizeof(memo->data.bytes) - at)
		return;
	memcpy(memo->data.bytes + at, name, len);
	memo->canonical = (uint16_t)len;
}

const char *memo_canonical(const struct memo *memo)
{
	return memo->canonical ? memo->data.bytes + memo->count * sizeof(memo->data.addrs[0]) :
				 NULL;
}

void memo_info(const struct memo *memo, uint64_t now, struct vsresolv_info *info)
{
	*info = (struct vsresolv_info){
		.source = memo->source == VSRESOLV_NETWORK ? VSRESOLV_CACHE :
							     (enum vsresolv_source)memo->source,
		.rcode = memo->rcode,
		.ad = memo->ad,
	};
	if (memo->expires > now)
		info->ttl = (uint32_t)((memo->expires - now) / LOOP_SEC);
	memcpy(&info->server, &memo->server, sizeof(memo->server));
}

bool memo_find(struct vsresolv *ctx, const char *node, const struct front_hints *hints,
	uint64_t now, struct memo *memo)
{
	struct memo_key k;

	if (!key_make(&k, node, hints) ||
		cache_get(ctx->cache, &k.key, now, 0, memo, sizeof(*memo), NULL) < 0)
		return false;
	return memo->epoch == atomic_load(&ctx->epoch) &&
	       source_is_same(ctx->source, now, memo->generation);
}

void memo_keep(struct vsresolv *ctx, const char *node, const struct front_hints *hints,
	uint64_t now, uint64_t until, const struct memo *memo)
{
	struct cache_times times = { .written = now, .expires = now + MEMO_KEEP };
	struct memo_key k;

	if (until < times.expires)
		times.expires = until;
	times.stale = times.expires;
	if (times.expires <= now || memo->epoch != atomic_load(&ctx->epoch) ||
		!key_make(&k, node, hints))
		return;
	(void)cache_put(ctx->cache, &k.key, &times, memo, memo_size(memo));
}
