/* SPDX-License-Identifier: BSD-3-Clause */
/* What getaddrinfo finds without waiting for anything. */
#include "config.h"

#include <errno.h>

#include "gai.h"

static int system_error(struct vsresolv_info *info, int error)
{
	if (error == -ENOMEM)
		return EAI_MEMORY;
	info->error = error;
	return EAI_SYSTEM;
}

/* A snapshot without servers will do: they are for who asks. */
static int need_conf(struct vsresolv *ctx, struct gai_wish *wish, struct vsresolv_info *info)
{
	int rc;

	if (wish->conf)
		return 0;
	rc = source_get(ctx->source, engine_now(), &wish->conf);
	return rc == 0 || rc == -EDESTADDRREQ ? 0 : system_error(info, rc);
}

static int read_hints(struct vsresolv *ctx, const char *service, const struct addrinfo *hints,
	struct gai_wish *wish, struct vsresolv_info *info)
{
	const struct services *services = NULL;
	int e;

	if (front_service_is_name(service)) {
		e = need_conf(ctx, wish, info);
		if (e)
			return e;
		services = wish->conf->services;
	}
	return front_hints(&wish->hints, hints, wish->node, service, services);
}

/* The scope of an address in digits, by the devices of the VS. */
static int read_scope(struct vsresolv *ctx, const char *device, union netview_addr *addr,
	struct vsresolv_info *info)
{
	unsigned ifindex;
	int rc;

	if (!device[0] || addr->sa.sa_family != AF_INET6)
		return 0;
	rc = place_ifindex(ctx->place, device, &ifindex);
	if (rc < 0)
		return rc == -ENODEV ? EAI_NONAME : system_error(info, rc);
	addr->in6.sin6_scope_id = ifindex;
	return 0;
}

static int from_local(struct vsresolv *ctx, const struct gai_wish *wish, struct addrinfo **res,
	struct vsresolv_info *info)
{
	const char *canonical = wish->hints.flags & AI_CANONNAME ? wish->node : NULL;
	union netview_addr addrs[2];
	char device[IF_NAMESIZE];
	size_t count;
	int e = front_local(&wish->hints, wish->ascii, addrs, &count, device);

	if (!e)
		e = read_scope(ctx, device, addrs, info);
	if (!e)
		e = front_list(&wish->hints, addrs, count, canonical, res);
	if (e <= 0)
		info->source = VSRESOLV_LOCAL;
	return e;
}

static int from_memo(struct vsresolv *ctx, const struct gai_wish *wish, struct addrinfo **res,
	struct vsresolv_info *info)
{
	uint64_t now = engine_now();
	/* Eight KiB, of which a few hundred bytes are used: to clear them, as hardening does,
	 * would take a fifth of all the time. */
	struct memo memo __attribute__((uninitialized));

	if (!memo_find(ctx, wish->node, &wish->hints, now, &memo))
		return 1;
	memo_info(&memo, now, info);
	if (memo.status)
		return memo.status;
	return front_list(&wish->hints, memo.data.addrs, memo.count, memo_canonical(&memo), res);
}

/* One address, which needs neither order nor a look at the families that the VS has. */
static int from_hosts(const struct gai_wish *wish, struct addrinfo **res,
	struct vsresolv_info *info)
{
	const int flags = wish->hints.flags, family = wish->hints.family;
	const char *canonical = NULL;
	struct hosts_addr found[2];
	union netview_addr addr;

	if (flags & (AI_ADDRCONFIG | AI_CANONIDN) || (flags & AI_V4MAPPED && family == AF_INET6) ||
		hosts_find(wish->conf->hosts, wish->ascii, family, found, 2, &canonical) != 1)
		return 1;
	front_addr(&addr, found[0].family, found[0].addr);
	info->source = VSRESOLV_HOSTS;
	return front_list(&wish->hints, &addr, 1, flags & AI_CANONNAME ? canonical : NULL, res);
}

int gai_at_hand(struct vsresolv *ctx, const char *node, const char *service,
	const struct addrinfo *hints, struct gai_wish *wish, struct addrinfo **res,
	struct vsresolv_info *info)
{
	int e;

	wish->conf = NULL;
	wish->node = wish->ascii = front_given(node);
	*info = (struct vsresolv_info){ .rcode = -1 };
	if (!context_is_ours(ctx))
		return system_error(info, -EPROTOTYPE);
	e = read_hints(ctx, front_given(service), hints, wish, info);
	if (!e && wish->node)
		e = front_ascii(wish->node, wish->hints.flags, wish->buf, &wish->ascii);
	if (e)
		return e;
	e = from_local(ctx, wish, res, info);
	if (e == 1)
		e = from_memo(ctx, wish, res, info);
	if (e != 1)
		return e;
	e = need_conf(ctx, wish, info);
	return e ? e : from_hosts(wish, res, info);
}
