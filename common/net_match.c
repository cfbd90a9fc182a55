/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses, routes and rules of a wish and those that are there. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

bool net_is_barred(const struct net_run *run, uint8_t family)
{
	return family == AF_INET6 && !run->have->has_ipv6;
}

/* ---- rules */

static void tell_rule(struct net_run *run, const struct net_rule *w, const struct net_rule *h)
{
	char from[IP_PREFIX_TEXT] = "all";

	if (w->from.family)
		ip_prefix_print(&w->from, from);
	net_tell(run, -EEXIST, &w->place,
		"there is a rule of somebody else already: %u: from %s fwmark %#x lookup %u",
		h->priority, from, h->mark, h->table);
}

static void match_rule(struct net_run *run, struct net_rule *w)
{
	struct net_rules same = net_rules_of(run->have, w->family, &w->from, w->mark);
	const struct net_rule *in_the_way = NULL;

	for (size_t i = 0; i < same.count; i++) {
		struct net_rule *h = &same.first[i];

		if (h->is_odd || h->mask != w->mask || h->priority != w->priority || h->match)
			continue;
		if (!h->is_unreachable && h->table == w->table) {
			if (!w->match || (h->is_ours && !w->match->is_ours))
				w->match = h;
		} else if (!h->is_ours) {
			in_the_way = h;
		}
	}
	if (w->match)
		w->match->match = w;
	w->is_passed = !w->match && in_the_way;
	if (w->is_passed)
		tell_rule(run, w, in_the_way);
}

/* A packet that the one rule is for may meet the other. */
static bool is_before_wish(const struct net_run *run, const struct net_rule *h)
{
	if (h->is_unreachable)
		return false;
	if (h->mark)
		return net_rules_of(run->wish, h->family, &h->from, h->mark).count > 0;
	for (size_t i = 0; i < run->wish->rule_count; i++) {
		const struct net_rule *w = &run->wish->rules[i];

		if (w->from.family && ip_prefix_overlap(&w->from, &h->from))
			return true;
	}
	return false;
}

void net_match_rules(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->rule_count; i++)
		if (!net_is_barred(run, run->wish->rules[i].family))
			match_rule(run, &run->wish->rules[i]);
	for (size_t i = 0; i < run->have->rule_count; i++) {
		struct net_rule *h = &run->have->rules[i];

		if (!h->match && net_rule_may_go(run, h))
			h->going = is_before_wish(run, h) ? NET_GOES_FIRST : NET_GOES_LAST;
	}
}

/* ---- devices of addresses and routes */

enum where { IS_THERE, IS_DOWN, IS_MISSING };

static enum where resolve(const struct net_run *run, const char *dev, unsigned *index)
{
	const struct net_link *h = net_link_by_name(run->have, dev);
	bool is_up = h && h->is_up;

	if (h && h->going == NET_STAYS && (is_up || run->group->is_keeper)) {
		*index = h->index;
		return is_up ? IS_THERE : IS_DOWN;
	}
	for (size_t i = 0; i < run->wish->link_count; i++) {
		const struct net_link *w = &run->wish->links[i];

		if (strcmp(w->name, dev) != 0 || (w->kind == NETWORK_PRESENT && !w->match))
			continue;
		*index = w->match ? w->match->index : 0;
		is_up = is_up || !w->match ||
			(w->is_up && (w->match->is_ours || w->kind == NETWORK_PRESENT));
		if (is_up && !run->group->is_keeper)
			return IS_THERE;
	}
	*index = h && h->going == NET_STAYS ? h->index : *index;
	return (h && h->going == NET_STAYS) ? IS_DOWN : IS_MISSING;
}

/* The device is there, or the object is passed over. */
static bool resolve_for(struct net_run *run, const char *dev, const struct network_place *place,
	unsigned *index, bool is_silent)
{
	enum where where = resolve(run, dev, index);

	if (where == IS_MISSING && !is_silent)
		net_tell(run, -ENODEV, place, "there is no device '%s'", dev);
	if (where == IS_DOWN && !is_silent)
		net_warn(run, place, "the device '%s' is not up, and is not ours to set up", dev);
	return where == IS_THERE;
}

/* ---- addresses */

static bool is_link_local(const struct ip_prefix *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void tell_addr(struct net_run *run, const struct net_addr *w, const struct net_addr *h)
{
	const struct net_link *link = net_link_by_index(run->have, h->ifindex);
	char text[IP_PREFIX_TEXT];

	ip_prefix_print(&h->prefix, text);
	net_tell(run, -EEXIST, &w->address->place,
		"somebody else has configured the address %s on the device '%s' already", text,
		link ? link->name : "?");
}

/* Whether traffic of the address goes by its table now, or by none. */
static bool is_moved(const struct net_run *run, const struct net_addr *w, const struct net_addr *h)
{
	const struct net_rule *rule = net_rule_covering(run->have, &h->prefix);

	return rule && rule->table != w->table;
}

/* What the one address of the kernel is to the wish. A link-local address may be on each device. */
static void match_one_addr(struct net_run *run, struct net_addr *w, struct net_addr *h)
{
	const struct net_link *link = net_link_by_index(run->have, h->ifindex);
	bool is_same_length = h->prefix.length == w->prefix.length;

	if (h->match || (h->ifindex != w->ifindex && is_link_local(&h->prefix)))
		return;
	if (link && link->going == NET_GOES_FIRST) {
		h->going = NET_GOES_FIRST;
	} else if (h->ifindex == w->ifindex && !h->is_ours) {
		if (is_same_length || w->member->network->is_mark)
			w->match = h;
		else
			tell_addr(run, w, h);
	} else if (h->ifindex == w->ifindex && is_same_length) {
		if (is_moved(run, w, h))
			h->going = NET_GOES_FIRST;
		else
			w->match = h;
	} else if (h->ifindex == w->ifindex) {
		/* IPv4 can have the new one beside the old one. */
		h->going = h->prefix.family == AF_INET && !is_moved(run, w, h) ? NET_GOES_LAST
									       : NET_GOES_FIRST;
	} else if (h->is_ours) {
		h->going = NET_GOES_FIRST;
	} else {
		tell_addr(run, w, h);
	}
}

static void match_addr(struct net_run *run, struct net_addr *w)
{
	struct net_addrs same = net_addrs_of(run->have, &w->prefix);

	if (run->group->is_keeper) {
		w->is_passed = true;
		return;
	}
	if (net_is_barred(run, w->prefix.family))
		net_tell(run, -EAFNOSUPPORT, &w->address->place, "the kernel has no IPv6");
	w->is_passed = !resolve_for(run, w->dev, &w->address->place, &w->ifindex, false);
	if (w->is_passed && w->ifindex == 0)
		return;
	for (size_t i = 0; i < same.count; i++)
		match_one_addr(run, w, &same.first[i]);
	if (w->match)
		w->match->match = w;
}

static void find_addr_leftover(struct net_run *run, struct net_addr *h)
{
	const struct net_link *link = net_link_by_index(run->have, h->ifindex);
	const struct net_rule *rule;

	if (h->match || h->going != NET_STAYS)
		return;
	if (link && link->going == NET_GOES_FIRST)
		h->going = NET_GOES_FIRST; /* of whomever it is */
	else if (!net_addr_may_go(run, h))
		return;
	else if ((rule = net_rule_covering(run->have, &h->prefix)) && rule->going == NET_GOES_FIRST)
		h->going = NET_GOES_FIRST;
	else
		h->going = NET_GOES_LAST;
}

static bool is_in_network_of(const struct net_addr *second, const struct net_addr *first)
{
	return second->ifindex == first->ifindex &&
	       second->prefix.length == first->prefix.length &&
	       ip_prefix_contains(&first->prefix, &second->prefix);
}

static bool is_secondary_of(const struct net_addr *second, const struct net_addr *first)
{
	return second->is_secondary && is_in_network_of(second, first);
}

/* An address to come would be a secondary one, too, if the first were still there. */
static bool has_successor(const struct net_run *run, const struct net_addr *first)
{
	for (size_t i = 0; i < run->wish->addr_count; i++) {
		const struct net_addr *w = &run->wish->addrs[i];

		if (!w->match && !w->is_passed && is_in_network_of(w, first))
			return true;
	}
	return false;
}

/*
 * Linux takes the others of an IPv4 network along with its first address. Ours are taken away
 * before, and come again; for somebody else's sake the first one stays.
 */
static void keep_secondaries(struct net_run *run, struct net_addr *first)
{
	const struct net_link *link = net_link_by_index(run->have, first->ifindex);
	char text[IP_PREFIX_TEXT];
	bool any;

	if (!first->is_ours || (link && link->going == NET_GOES_FIRST))
		return;
	any = has_successor(run, first);
	for (size_t i = 0; i < run->have->addr_count; i++) {
		struct net_addr *h = &run->have->addrs[i];

		if (!is_secondary_of(h, first))
			continue;
		any = true;
		if (h->is_ours)
			continue;
		ip_prefix_print(&first->prefix, text);
		net_warn(run, NULL,
			"%s stays, since Linux would remove others' addresses with it", text);
		first->going = NET_STAYS;
		return;
	}
	if (any)
		first->going = NET_GOES_FIRST;
	for (size_t i = 0; i < run->have->addr_count && any; i++) {
		struct net_addr *h = &run->have->addrs[i];

		if (!is_secondary_of(h, first))
			continue;
		h->going = NET_GOES_FIRST;
		if (h->match)
			h->match->match = NULL;
		h->match = NULL;
	}
}

static bool has_successor_on(const struct net_run *run, unsigned ifindex)
{
	for (size_t i = 0; i < run->wish->addr_count; i++) {
		const struct net_addr *w = &run->wish->addrs[i];

		if (!w->match && !w->is_passed && w->prefix.family == AF_INET &&
			w->ifindex == ifindex)
			return true;
	}
	return false;
}

static void find_ipv4_going(struct net_run *run, struct net_link *link)
{
	enum net_going last = NET_STAYS;

	for (size_t i = 0; i < run->have->addr_count; i++) {
		const struct net_addr *h = &run->have->addrs[i];

		if (h->ifindex != link->index || h->prefix.family != AF_INET)
			continue;
		if (h->going == NET_STAYS)
			return;
		last = h->going > last ? h->going : last;
	}
	if (last != NET_GOES_LAST || !has_successor_on(run, link->index))
		link->ipv4_going = last;
}

static void find_links_without_ipv4(struct net_run *run)
{
	for (size_t i = 0; i < run->have->addr_count; i++) {
		const struct net_addr *h = &run->have->addrs[i];
		const struct net_link *link;

		if (h->going == NET_STAYS || h->prefix.family != AF_INET)
			continue;
		link = net_link_by_index(run->have, h->ifindex);
		if (link && link->ipv4_going == NET_STAYS)
			find_ipv4_going(run, &run->have->links[link - run->have->links]);
	}
}

void net_match_addrs(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->addr_count; i++)
		match_addr(run, &run->wish->addrs[i]);
	for (size_t i = 0; i < run->have->addr_count; i++)
		find_addr_leftover(run, &run->have->addrs[i]);
	for (size_t i = 0; i < run->have->addr_count; i++) {
		struct net_addr *h = &run->have->addrs[i];

		if (h->going != NET_STAYS && h->prefix.family == AF_INET && !h->is_secondary &&
			h->prefix.length < 32)
			keep_secondaries(run, h);
	}
	find_links_without_ipv4(run);
}

/* ---- routes */

bool net_same_route(const struct net_route *w, const struct net_route *h)
{
	if (h->is_odd || w->kind != h->kind)
		return false;
	if (w->kind != NETWORK_UNICAST)
		return true;
	if (w->ifindex != h->ifindex || !net_same_address(&w->via, &h->via) || w->mtu != h->mtu)
		return false;
	if (w->via.family && w->onlink != h->onlink)
		return false;
	/* The kernel's own route of a network names the address that it belongs to. */
	return net_same_address(&w->src, &h->src) || (!h->is_ours && w->src.family == 0);
}

bool net_is_lost(const struct net_run *run, const struct net_route *h)
{
	const struct net_link *link = h->ifindex ? net_link_by_index(run->have, h->ifindex) : NULL;

	return link && (link->going == NET_GOES_FIRST ||
			       (link->ipv4_going == NET_GOES_FIRST && h->dst.family == AF_INET));
}

static void match_route(struct net_run *run, struct net_route *w)
{
	struct net_routes same = net_routes_of_key(run->have, w);
	struct net_route *in_the_way = NULL, *ours = NULL, *equal = NULL;
	char dst[IP_PREFIX_TEXT];

	if (w->kind == NETWORK_UNICAST)
		w->is_passed = !resolve_for(run, w->dev, &w->place, &w->ifindex,
			w->is_implied || run->group->is_keeper);
	if (run->group->is_keeper && !net_settle_source(run, w))
		w->is_passed = true;
	for (size_t i = 0; i < same.count && !(w->is_passed && run->group->is_keeper); i++) {
		struct net_route *h = &same.first[i];

		if (net_is_lost(run, h) || h->match)
			continue;
		if (net_same_route(w, h))
			equal = !equal || h->is_ours ? h : equal;
		else if (h->is_ours)
			ours = h;
		else
			in_the_way = h;
	}
	w->is_right = equal;
	w->match = equal ? equal : ours;
	if (w->match)
		w->match->match = w;
	if (equal || !in_the_way || w->is_passed)
		return;
	w->is_passed = true;
	ip_prefix_print(&w->dst, dst);
	net_tell(run, -EEXIST, &w->place, "table %u has a route of somebody else to %s already",
		w->table, dst);
}

void net_match_routes(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->route_count; i++) {
		struct net_route *w = &run->wish->routes[i];

		if (net_is_barred(run, w->dst.family) ||
			(run->group->is_keeper && !w->member->network->is_mark))
			w->is_passed = true;
		else
			match_route(run, w);
	}
	for (size_t i = 0; i < run->have->route_count; i++) {
		struct net_route *h = &run->have->routes[i];

		if (!h->match && !net_is_lost(run, h) && net_route_may_go(run, h))
			h->going = NET_GOES_LAST;
	}
}
