/* SPDX-License-Identifier: BSD-3-Clause */
/* What getaddrinfo found: put in order, made a list, and remembered. */
#include "config.h"

#include <string.h>

#include "gai.h"

/* ---- the end of all lists */

/* What netview learns meanwhile changes the epoch, but not what was looked at before. */
static int sort(struct gai *gai, struct memo *memo, uint64_t now)
{
	struct request *r = &gai->request;
	struct netview *view = r->ctx->view;
	uint32_t before = netview_generation(view);
	int rc = netview_sort(view, now, r->conf, memo->data.addrs, memo->count);

	gai->epoch += netview_generation(view) - before;
	return rc;
}

static void keep(struct gai *gai, struct memo *memo, uint64_t now)
{
	memo->epoch = gai->epoch;
	memo->generation = gai->request.conf->generation;
	memo_keep(gai->request.ctx, gai->node, &gai->hints, now, gai->until, memo);
}

/* memo->data has the addresses; canonical may be NULL. */
static int finish_list(struct gai *gai, struct memo *memo, const char *canonical)
{
	uint64_t now = engine_now();
	char unicode[DNS_TEXT_MAX];
	int rc = sort(gai, memo, now);

	if (rc < 0)
		return request_status(&gai->request, rc, NULL);
	if (canonical && gai->hints.flags & AI_CANONIDN)
		canonical = front_unicode(canonical, unicode);
	if (canonical && gai->hints.flags & AI_CANONNAME)
		memo_set_canonical(memo, canonical);
	rc = front_list(&gai->hints, memo->data.addrs, memo->count, memo_canonical(memo),
		&gai->res);
	if (!rc)
		keep(gai, memo, now);
	return rc;
}

static bool wants_mapped(const struct gai *gai)
{
	return gai->family == AF_INET6 && gai->hints.flags & AI_V4MAPPED;
}

/* AI_V4MAPPED: those of IPv4 if there are no others, or with AI_ALL. They stand first. */
static void map(struct gai *gai, struct memo *memo, size_t v4)
{
	size_t i;

	if (!wants_mapped(gai))
		return;
	if (v4 < memo->count && !(gai->hints.flags & AI_ALL)) {
		memo->count = (uint16_t)(memo->count - v4);
		memmove(memo->data.addrs, memo->data.addrs + v4,
			memo->count * sizeof(memo->data.addrs[0]));
		return;
	}
	for (i = 0; i < v4; i++)
		front_map_v4(&memo->data.addrs[i]);
}

/* ---- the hosts file */

static size_t add_hosts(struct gai *gai, struct memo *memo, int family, const char **canonical)
{
	struct hosts_addr found[HOSTS_ADDRS_MAX];
	const char *name = NULL;
	size_t i, n = hosts_find(gai->request.conf->hosts, gai->ascii, family, found,
			  HOSTS_ADDRS_MAX, &name);

	if (n > HOSTS_ADDRS_MAX)
		n = HOSTS_ADDRS_MAX;
	for (i = 0; i < n && memo->count < FRONT_ADDRS_MAX; i++)
		front_addr(&memo->data.addrs[memo->count++], found[i].family, found[i].addr);
	if (n && !*canonical)
		*canonical = name;
	return n;
}

int gai_result_hosts(struct gai *gai)
{
	struct request *r = &gai->request;
	const char *canonical = NULL;
	size_t v4 = 0;
	struct memo memo;

	memo_init(&memo, 0, &(struct vsresolv_info){ .source = VSRESOLV_HOSTS, .rcode = -1 });
	if (wants_mapped(gai))
		v4 = add_hosts(gai, &memo, AF_INET, &canonical);
	add_hosts(gai, &memo, gai->family, &canonical);
	if (!memo.count)
		return 1;
	map(gai, &memo, v4);
	r->info.source = VSRESOLV_HOSTS;
	return finish_list(gai, &memo, canonical);
}

/* ---- answers */

static void add_answer(struct gai *gai, struct memo *memo, const struct gai_part *part)
{
	const struct answer *a = part->answer;
	int family = part->question.type == DNS_A ? AF_INET : AF_INET6;
	union dns_address found[FRONT_ADDRS_MAX];
	struct vsresolv *ctx = gai->request.ctx;
	uint64_t now = engine_now();
	size_t i, n;

	if (!a || a->summary.kind != DNS_POSITIVE)
		return;
	n = dns_read_addresses(a->message, a->len, &part->question, &a->summary, found,
		FRONT_ADDRS_MAX);
	for (i = 0; i < n && i < FRONT_ADDRS_MAX && memo->count < FRONT_ADDRS_MAX; i++) {
		if (guard_allows(ctx->guard, family, &found[i], now))
			front_addr(&memo->data.addrs[memo->count++], family, &found[i]);
		else
			count(&ctx->counters.guarded);
	}
}

/* The end of the CNAMEs. In lower case: the case of a reply is that of the query, which may be
 * random. What could not be the name of a host is not told. */
static const char *canonical_name(const struct gai *gai, char text[static DNS_TEXT_MAX])
{
	const struct gai_part *part = &gai->parts[GAI_V4];
	struct dns_name name;

	if (!part->answer || part->answer->summary.kind != DNS_POSITIVE)
		part = &gai->parts[GAI_V6];
	name = part->answer->summary.final;
	dns_name_lower(&name);
	if (!front_is_hostlike(&name))
		name = part->question.name;
	return dns_name_text(&name, text, DNS_TEXT_MAX) < 0 ? NULL : text;
}

int gai_result_answers(struct gai *gai, const struct gai_verdict *verdict)
{
	char text[DNS_TEXT_MAX];
	const char *canonical = NULL;
	struct memo memo;
	size_t v4;

	memo_init(&memo, 0, &verdict->info);
	memo.expires = verdict->expires;
	add_answer(gai, &memo, &gai->parts[GAI_V4]);
	v4 = memo.count;
	add_answer(gai, &memo, &gai->parts[GAI_V6]);
	if (!memo.count)
		return EAI_NODATA; /* the guard left nothing */
	map(gai, &memo, v4);
	if (gai->hints.flags & AI_CANONNAME)
		canonical = canonical_name(gai, text);
	return finish_list(gai, &memo, canonical);
}

void gai_result_negative(struct gai *gai, const struct gai_verdict *verdict)
{
	struct memo memo;

	if (verdict->status != EAI_NODATA && verdict->status != EAI_NONAME)
		return;
	memo_init(&memo, verdict->status, &verdict->info);
	memo.expires = verdict->expires;
	keep(gai, &memo, engine_now());
}
