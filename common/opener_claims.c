/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An address that is not found is nobody's, also where there is a namespace VS, which has all that
 * no other claims: until it is known on which device it stands it could be a mark VS's.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "opener_claims.h"

struct gathered {
	struct opener *opener;
	const struct opener_entry *carrier;
	uint64_t owner;  /* who is looked at */
	bool has_device; /* and may have addresses that no file names */
	struct claim *list;
	size_t count, size;
	size_t file_from; /* where the claims of this file begin */
	bool full;
};

static int add(struct gathered *g, const struct claim *claim)
{
	size_t size = g->size ? g->size * 2 : 64;
	struct claim *bigger;

	if (g->count == OPENER_CLAIMS_MAX) {
		g->full = true;
		return 0;
	}
	if (g->count == g->size) {
		bigger = reallocarray(g->list, size, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		g->list = bigger;
		g->size = size;
	}
	g->list[g->count++] = *claim;
	return 0;
}

/* In a list an empty value drops what stood before. */
static void drop_kind(struct gathered *g, uint8_t kind)
{
	size_t n = g->file_from;

	for (size_t i = g->file_from; i < g->count; i++)
		if (g->list[i].kind != kind)
			g->list[n++] = g->list[i];
	g->count = n;
}

/* The address is the first word. The registry has checked the files. */
static int take_setting(const char *key, const char *value, const char *file, unsigned line,
	void *arg)
{
	struct gathered *g = arg;
	struct claim claim = {.owner = g->owner};
	size_t len = strcspn(value, " \t");
	char text[IP_PREFIX_TEXT];

	(void)file;
	(void)line;
	if (!strcmp(key, "Device"))
		g->has_device = g->has_device || *value;
	if (!strcmp(key, "Address"))
		claim.kind = CLAIM_ADDRESS;
	else if (!strcmp(key, "Pool"))
		claim.kind = CLAIM_POOL;
	else
		return 0;
	if (!len)
		drop_kind(g, claim.kind);
	if (!len || len >= sizeof(text))
		return 0;
	memcpy(text, value, len);
	text[len] = '\0';
	return ip_prefix_parse(text, &claim.prefix) ? 0 : add(g, &claim);
}


static void set_address(struct claim *claim, const struct sockaddr_storage *addr)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	claim->prefix.family = (uint8_t)addr->ss_family;
	if (addr->ss_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		memcpy(claim->prefix.bytes, &in.sin_addr, sizeof(in.sin_addr));
	} else {
		memcpy(&in6, addr, sizeof(in6));
		memcpy(claim->prefix.bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
	}
}

static int take_address(const struct vs_address *a, void *arg)
{
	struct gathered *g = arg;
	struct claim claim = {.kind = CLAIM_FOUND, .ifindex = a->ifindex, .owner = g->owner};

	if (a->addr.ss_family != AF_INET && a->addr.ss_family != AF_INET6)
		return 0;
	set_address(&claim, &a->addr);
	return claims_is_common(claim.prefix.family, claim.prefix.bytes) ? 0 : add(g, &claim);
}

/* The file says all about a mark VS without devices; of the others the registry knows which of the
 * addresses that there are now they own. */
static int take_vs(struct gathered *g, const struct opener_entry *e)
{
	int rc;

	g->owner = e->id;
	g->file_from = g->count;
	g->has_device = vs_flavour(e->vs) != VS_MARK;
	rc = vs_settings(e->vs, "Network", take_setting, g);
	if (!rc && g->has_device)
		rc = vs_addresses(e->vs, take_address, g);
	/* It goes, and then there is news of all. */
	return rc == -ESTALE ? 0 : rc;
}

static int take_all(struct gathered *g)
{
	struct opener_entry *e, *next;
	int rc = 0;

	HASH_ITER(by_id, g->opener->by_id, e, next)
		if (!rc && !e->share && e->cookie == g->carrier->cookie &&
			opener_is_announced(g->opener, e))
			rc = take_vs(g, e);
	return rc;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
	return a->owner == b->owner && a->kind == b->kind && a->ifindex == b->ifindex &&
	       a->prefix.family == b->prefix.family && a->prefix.length == b->prefix.length &&
	       !memcmp(a->prefix.bytes, b->prefix.bytes, sizeof(a->prefix.bytes));
}

static bool is_told(const struct opener_share *told, const struct opener_share *now)
{
	if (!told->claims || told->count != now->count || told->default_vs != now->default_vs ||
		told->rest_vs != now->rest_vs)
		return false;
	for (size_t i = 0; i < now->count; i++)
		if (!same_claim(&told->claims[i], &now->claims[i]))
			return false;
	return true;
}

static int send_part(struct opener *opener, uint64_t carrier, const struct opener_claims *head,
	const struct claim *list, size_t count)
{
	struct buf_writer w;

	opener_begin(opener, &w, OPENER_CLAIMS);
	buf_put_u64(&w, carrier);
	opener_put_claims(&w, head);
	buf_put_u32(&w, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		opener_put_claim(&w, &list[i]);
	return opener_send(opener, &w, NULL, 0);
}

static int send_all(struct opener *opener, uint64_t carrier, const struct opener_share *now)
{
	struct opener_claims head = {.default_vs = now->default_vs, .rest_vs = now->rest_vs};
	size_t at = 0, part;
	int rc;

	do {
		part = now->count - at;
		part = part < OPENER_CLAIMS_MESSAGE ? part : OPENER_CLAIMS_MESSAGE;
		head.first = at == 0;
		head.last = at + part == now->count;
		rc = send_part(opener, carrier, &head, now->claims + at, part);
		at += part;
	} while (!rc && at < now->count);
	return rc;
}

static void tell_full(struct opener_entry *carrier, bool full)
{
	if (full && !carrier->share->full)
		log_warn(vs_name(carrier->vs), "more than %u addresses and pools in its namespace: "
					       "some are not served", OPENER_CLAIMS_MAX);
	carrier->share->full = full;
}

static uint64_t rest_of(struct opener *opener, uint64_t cookie)
{
	struct vs *vs = vs_by_cookie(opener->reg, cookie);
	const struct opener_entry *e = vs ? opener_entry_of(opener, vs) : NULL;

	vs_unref(vs);
	return e && opener_is_announced(opener, e) ? e->id : 0;
}

int opener_claims_tell(struct opener *opener, struct opener_entry *carrier)
{
	struct gathered g = {.opener = opener, .carrier = carrier};
	const struct opener_entry *first = opener_default_of(opener, carrier);
	struct opener_share *told = carrier->share, now;
	int rc = take_all(&g);

	/* One more, so that none is not the same as none told. */
	if (!rc && !g.list)
		rc = (g.list = calloc(1, sizeof(*g.list))) ? 0 : -ENOMEM;
	now = (struct opener_share){.claims = g.list,
		.count = g.count,
		.default_vs = first ? first->id : 0,
		.rest_vs = rest_of(opener, carrier->cookie)};
	if (rc || is_told(told, &now)) {
		free(g.list);
		return rc;
	}
	tell_full(carrier, g.full);
	rc = send_all(opener, carrier->id, &now);
	free(told->claims);
	told->claims = rc ? NULL : now.claims;
	told->count = now.count;
	told->default_vs = now.default_vs;
	told->rest_vs = now.rest_vs;
	if (rc)
		free(now.claims);
	return rc;
}
