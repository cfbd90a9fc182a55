/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes of mark VSs that name a source which goes. Linux would leave them as they are (IPv4),
 * or without a source (IPv6), and a socket with the mark would send from an address that is no
 * longer its VS's, or never was. So they get another source of the same VS before that, or go
 * themselves: then the VS has no other address that could need them.
 */
#include "config.h"

#include <linux/rtnetlink.h>

#include "net_private.h"

/* When the last of it goes; NET_STAYS too for an address that is not there. */
static enum net_going source_going(const struct net_run *run, const struct ip_prefix *src)
{
	struct net_addrs addrs = net_addrs_of(run->have, src);
	enum net_going going = NET_STAYS;

	for (size_t i = 0; i < addrs.count; i++) {
		if (addrs.first[i].going == NET_STAYS)
			return NET_STAYS;
		if (addrs.first[i].going > going)
			going = addrs.first[i].going;
	}
	return going;
}

static bool is_wished(const struct net_run *run, const struct ip_prefix *address)
{
	for (size_t i = 0; i < run->wish->addr_count; i++)
		if (net_same_address(&run->wish->addrs[i].prefix, address))
			return true;
	return false;
}

static const struct net_member *member_of(const struct net_run *run, const struct net_route *h)
{
	if (h->match)
		return h->match->member;
	for (size_t i = 0; i < run->group->count; i++) {
		const struct network *net = run->group->members[i].network;

		if (net->is_mark && h->table >= net->table &&
			h->table - net->table < net->table_count)
			return &run->group->members[i];
	}
	return NULL;
}

static struct net_route *interim_of(struct net_run *run, const struct net_route *route)
{
	struct net_route *interim = &run->plan->routes[run->plan->route_count++];

	*interim = *route;
	return interim;
}

/* The route that is wished in its place can be had at once. */
static bool replace_now(struct net_run *run, struct net_route *h)
{
	struct net_route *w = h->match, as_is;

	if (!w || w->is_passed || !net_is_usable(run, &w->src))
		return false;
	as_is = *w;
	as_is.src = h->src;
	if (!net_same_route(&as_is, h))
		return false;
	h->interim = interim_of(run, w);
	w->is_right = true;
	return true;
}

/* What a route of the wish names is there by then. Without any the table has nothing else. */
static const struct ip_prefix *lasting_source(
	const struct net_run *run, const struct net_member *member, const struct net_route *h)
{
	const struct ip_prefix *other = NULL;

	for (size_t i = 0; i < run->wish->route_count; i++) {
		const struct net_route *w = &run->wish->routes[i];

		if (w->member != member || w->is_passed || w->src.family != h->dst.family)
			continue;
		if (w->ifindex == h->ifindex)
			return &w->src;
		if (!other)
			other = &w->src;
	}
	return other;
}

static void forget(struct net_route *h, enum net_going going)
{
	h->going = going;
	if (h->match) {
		h->match->is_right = false;
		h->match->match = NULL;
		h->match = NULL;
	}
}

/* Linux looks for it again at each change. */
static bool has_way(const struct net_run *run, const struct net_route *h)
{
	if (!h->via.family || h->onlink)
		return true;
	for (size_t i = 0; i < run->have->route_count; i++) {
		const struct net_route *r = &run->have->routes[i];

		if (r->table == h->table && r->ifindex == h->ifindex && !r->via.family &&
			r->going != NET_GOES_FIRST && !net_is_lost(run, r) &&
			ip_prefix_contains(&r->dst, &h->via))
			return true;
	}
	return false;
}

static void settle_first(struct net_run *run, struct net_route *h)
{
	const struct ip_prefix *other = net_other_source(run, member_of(run, h), h);
	bool is_lost = net_is_lost(run, h), has_a_way = has_way(run, h);

	if ((is_lost && other) || (!is_lost && has_a_way && replace_now(run, h)))
		return;
	if (!other || !has_a_way) {
		forget(h, NET_GOES_FIRST);
		return;
	}
	h->interim = interim_of(run, h);
	h->interim->src = net_host_of(other);
	if (h->match)
		h->match->is_right = false;
}

static void settle_last(struct net_run *run, struct net_route *h)
{
	const struct net_member *member = member_of(run, h);
	const struct ip_prefix *other = member ? lasting_source(run, member, h) : NULL;

	/* The way to its router may be another one by then. */
	if (!other || h->via.family) {
		forget(h, NET_GOES_BEFORE);
		return;
	}
	h->leaving = interim_of(run, h);
	h->leaving->src = net_host_of(other);
	h->leaving->is_late = !net_is_usable(run, other);
}

static bool goes_before(const struct net_run *run, const struct net_route *h)
{
	for (size_t i = 0; i < run->have->route_count; i++) {
		const struct net_route *r = &run->have->routes[i];

		if (r->going == NET_GOES_BEFORE && !r->via.family && r->table == h->table &&
			r->dst.family == h->dst.family)
			return true;
	}
	return false;
}

/* Where one goes before the addresses all do, lest what was for the one takes another. */
static void settle_rest(struct net_run *run)
{
	for (size_t i = 0; i < run->have->route_count; i++) {
		struct net_route *h = &run->have->routes[i];

		if (h->going == NET_GOES_LAST && h->kind == NETWORK_UNICAST &&
			h->table != RT_TABLE_MAIN && goes_before(run, h))
			h->going = NET_GOES_BEFORE;
	}
}

/* What is wished instead of a route whose source goes last is there before that. */
void net_settle_leaving(struct net_run *run)
{
	for (size_t i = 0; i < run->have->route_count; i++) {
		struct net_route *h = &run->have->routes[i];
		const struct ip_prefix *src;

		if (!h->is_ours || h->kind != NETWORK_UNICAST || h->src.family == 0 ||
			h->table == RT_TABLE_MAIN)
			continue;
		if (source_going(run, &h->src) == NET_GOES_FIRST)
			settle_first(run, h);
		src = h->interim ? &h->interim->src : &h->src;
		if (source_going(run, src) == NET_GOES_LAST && !h->match &&
			!net_is_lost(run, h) && !is_wished(run, src))
			settle_last(run, h);
	}
	settle_rest(run);
}
