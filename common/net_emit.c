/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes and goes as steps, in the order of net_diff(). */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

static const struct network_place nowhere;

/* Room for one more; where there is none, the plan's count says so at the end. */
static struct net_step *step(struct net_run *run, enum net_step_kind kind,
	const struct network_place *place)
{
	struct net_plan *plan = run->plan;
	size_t size = plan->size ? plan->size * 2 : 64;
	struct net_step *steps;

	if (plan->count == plan->size) {
		steps = reallocarray(plan->steps, size, sizeof(*steps));
		if (!steps) {
			run->error = -ENOMEM;
			return NULL;
		}
		plan->steps = steps;
		plan->size = size;
	}
	plan->steps[plan->count] = (struct net_step){.kind = kind, .place = *place};
	return &plan->steps[plan->count++];
}

static void emit_rule(struct net_run *run, enum net_step_kind kind, const struct net_rule *rule,
	const struct network_place *place)
{
	struct net_step *s = step(run, kind, place);

	if (s)
		s->rule = rule;
}

static void emit_addr(struct net_run *run, enum net_step_kind kind, const struct net_addr *addr,
	const struct network_place *place)
{
	struct net_step *s = step(run, kind, place);

	if (s)
		s->addr = addr;
}

static void emit_link(struct net_run *run, enum net_step_kind kind, const struct net_link *link,
	const struct net_link *old)
{
	struct net_step *s =
		step(run, kind, link->device ? &link->device->place : &nowhere);

	if (!s)
		return;
	s->link = link;
	s->old.link = old;
}

static void emit_route(struct net_run *run, enum net_step_kind kind, const struct net_route *route,
	const struct net_route *old)
{
	struct net_step *s = step(run, kind, &route->place);

	if (!s)
		return;
	s->route = route;
	s->old.route = old;
}

/* ---- what goes */

/* Secondary addresses before the one that would take them along. Others' go only with a device. */
static void emit_addrs_going(struct net_run *run, enum net_going when)
{
	for (int primary = 0; primary < 2; primary++) {
		for (size_t i = 0; i < run->have->addr_count; i++) {
			const struct net_addr *h = &run->have->addrs[i];

			if (h->going == when && h->is_ours && h->is_secondary == !primary)
				emit_addr(run, NET_ADDR_DEL, h, &nowhere);
		}
	}
}

static void emit_rules_going(struct net_run *run, enum net_going when)
{
	for (size_t i = 0; i < run->have->rule_count; i++)
		if (run->have->rules[i].going == when)
			emit_rule(run, NET_RULE_DEL, &run->have->rules[i], &nowhere);
}

/* A route of the kernel after what was done to it for its source. */
static const struct net_route *as_it_is(const struct net_route *h)
{
	if (h->leaving)
		return h->leaving;
	return h->interim ? h->interim : h;
}

/* Those that end a table are the last of it. */
static void emit_routes_going(struct net_run *run, enum net_going when)
{
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < run->have->route_count; i++) {
			const struct net_route *h = &run->have->routes[i];
			int turn = h->kind != NETWORK_UNICAST ? 2 : h->via.family ? 0 : 1;
			struct net_step *s;

			if (h->going != when || turn != pass)
				continue;
			s = step(run, NET_ROUTE_DEL, &nowhere);
			if (s)
				s->route = as_it_is(h);
		}
	}
}

/* Routes whose source goes get another, or go before it. */
static void emit_leaving_first(struct net_run *run)
{
	for (size_t i = 0; i < run->have->route_count; i++) {
		const struct net_route *h = &run->have->routes[i];

		if (h->interim)
			emit_route(run, NET_ROUTE_SET, h->interim, h);
	}
	emit_routes_going(run, NET_GOES_FIRST);
}

static void emit_leaving_last(struct net_run *run)
{
	for (size_t i = 0; i < run->have->route_count; i++) {
		const struct net_route *h = &run->have->routes[i];

		if (!h->leaving)
			continue;
		emit_route(run, NET_ROUTE_SET, h->leaving, h->interim ? h->interim : h);
		if (run->error == 0)
			run->plan->steps[run->plan->count - 1].is_late = h->leaving->is_late;
	}
	emit_routes_going(run, NET_GOES_BEFORE);
}

/* By a device that has lost its last IPv4 address, and with that its routes. */
static void emit_routes_again(struct net_run *run)
{
	for (int behind = 0; behind < 2; behind++) {
		for (size_t i = 0; i < run->wish->route_count; i++) {
			const struct net_route *w = &run->wish->routes[i];
			const struct net_link *link;

			if (w->is_passed || w->dst.family != AF_INET || !w->ifindex ||
				behind != (w->via.family != 0))
				continue;
			link = net_link_by_index(run->have, w->ifindex);
			if (link && link->ipv4_going == NET_GOES_LAST)
				emit_route(run, NET_ROUTE_SET, w, NULL);
		}
	}
}

static bool is_upper(const struct net_link *link)
{
	return link->kind == NETWORK_MACVLAN || link->kind == NETWORK_VLAN;
}

static void emit_links_going(struct net_run *run, enum net_going when)
{
	for (int lower = 0; lower < 2; lower++) {
		for (size_t i = 0; i < run->have->link_count; i++) {
			const struct net_link *h = &run->have->links[i];

			if (h->going != when || is_upper(h) == lower)
				continue;
			emit_link(run,
				net_altname_parent_name(h->altname) ? NET_LINK_RETURN
								    : NET_LINK_DEL,
				h, h);
		}
	}
}

/* ---- devices that come */

static bool differs(const struct net_link *w, const struct net_link *h)
{
	return strcmp(w->name, h->name) != 0 || (w->mtu && w->mtu != h->mtu) ||
	       (w->has_mac && memcmp(w->mac, h->mac, sizeof(w->mac)) != 0);
}

/* The other end, unless somebody took it elsewhere or gave it another name. */
static void emit_peer(struct net_run *run, const struct net_link *w)
{
	const struct net_link *peer, *master = NULL;

	if (!run->parent || w->kind != NETWORK_VETH)
		return;
	peer = net_link_by_name(run->parent, w->device->peer);
	if (!peer || peer->index != w->match->link || peer->kind != NETWORK_VETH)
		return;
	if (w->device->master[0])
		master = net_link_by_name(run->parent, w->device->master);
	if (!peer->is_up || (master && peer->master != master->index))
		emit_link(run, NET_PEER_SET, w, peer);
}

static void emit_link_coming(struct net_run *run, const struct net_link *w)
{
	if (w->kind == NETWORK_PRESENT)
		return;
	if (!w->match) {
		emit_link(run, w->kind == NETWORK_MOVE ? NET_LINK_MOVE : NET_LINK_ADD, w, NULL);
	} else if (w->match->is_ours) {
		if (differs(w, w->match))
			emit_link(run, NET_LINK_SET, w, w->match);
		emit_peer(run, w);
	}
}

static void emit_link_up(struct net_run *run, const struct net_link *w)
{
	const struct net_link *h = w->match;

	if (!w->is_up || (h && h->is_up))
		return;
	if (!h || h->is_ours || w->kind == NETWORK_PRESENT)
		emit_link(run, NET_LINK_UP, w, h);
}

/* Lower devices before those on top of them. */
static void emit_by_depth(struct net_run *run,
	void (*emit)(struct net_run *run, const struct net_link *w))
{
	unsigned deepest = 0;

	for (unsigned depth = 0; depth <= deepest; depth++) {
		for (size_t i = 0; i < run->wish->link_count; i++) {
			const struct net_link *w = &run->wish->links[i];
			unsigned d = net_link_depth(run->wish, w);

			deepest = d > deepest ? d : deepest;
			if (d == depth)
				emit(run, w);
		}
	}
}

static void emit_links(struct net_run *run)
{
	struct net_step *s;

	emit_by_depth(run, emit_link_coming);
	for (size_t i = 0; i < run->wish->sysctl_count; i++) {
		struct net_sysctl *sysctl = &run->wish->sysctls[i];

		if (!sysctl->is_right && (s = step(run, NET_SYSCTL, &sysctl->sysctl->place)))
			s->sysctl = sysctl;
	}
	for (size_t i = 0; i < run->wish->nft_count; i++) {
		struct net_nft *nft = &run->wish->nfts[i];

		if (!nft->is_right && (s = step(run, NET_NFT, &nft->place)))
			s->nft = nft;
	}
	emit_by_depth(run, emit_link_up);
}

/* ---- routes and rules that come */

static void emit_route_coming(struct net_run *run, const struct net_route *w)
{
	const struct net_route *route = w->is_late ? w->interim : w;

	if (w->is_passed || w->is_right || !route)
		return;
	if (w->match)
		emit_route(run, NET_ROUTE_SET, route, as_it_is(w->match));
	else
		emit_route(run, NET_ROUTE_ADD, route, NULL);
}

/* The end of a table first, then networks, then what lies behind a router in one. */
static void emit_routes_coming(struct net_run *run)
{
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < run->wish->route_count; i++) {
			const struct net_route *w = &run->wish->routes[i];
			int turn = w->kind != NETWORK_UNICAST ? 0 : w->via.family ? 2 : 1;

			if (turn == pass)
				emit_route_coming(run, w);
		}
	}
}

static void emit_late(struct net_run *run, const struct net_route *w)
{
	struct net_step *s = step(run, NET_ROUTE_SET, &w->place);

	if (!s)
		return;
	s->route = w;
	s->is_late = true;
	if (w->interim)
		s->old.route = w->interim;
	else if (w->match)
		s->old.route = as_it_is(w->match);
}

static void emit_routes_late(struct net_run *run, uint8_t family)
{
	for (int behind = 0; behind < 2; behind++) {
		for (size_t i = 0; i < run->wish->route_count; i++) {
			const struct net_route *w = &run->wish->routes[i];

			if (!w->is_late || w->is_passed || w->dst.family != family ||
				behind != (w->via.family != 0))
				continue;
			emit_late(run, w);
		}
	}
}

static void emit_rules_coming(struct net_run *run)
{
	for (int mark = 0; mark < 2; mark++) {
		for (size_t i = 0; i < run->wish->rule_count; i++) {
			const struct net_rule *w = &run->wish->rules[i];

			if (!w->match && !w->closed && !w->is_passed &&
				!net_is_barred(run, w->family) && mark == (w->from.family == 0))
				emit_rule(run, NET_RULE_ADD, w, &w->place);
		}
	}
}

static void emit_closing(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->rule_count; i++) {
		const struct net_rule *w = &run->wish->rules[i];

		if (!w->closed)
			continue;
		if (!w->closed->match)
			emit_rule(run, NET_RULE_ADD, w->closed, &w->place);
		if (w->match)
			emit_rule(run, NET_RULE_DEL, w->match, &w->place);
	}
}

static void emit_opening(struct net_run *run, uint8_t family)
{
	for (size_t i = 0; i < run->wish->rule_count; i++) {
		const struct net_rule *w = &run->wish->rules[i];

		if (!w->closed || w->family != family)
			continue;
		emit_rule(run, NET_RULE_ADD, w, &w->place);
		if (!w->closed->match)
			emit_rule(run, NET_RULE_DEL, w->closed, &w->place);
	}
}

static void emit_addrs_coming(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->addr_count; i++) {
		const struct net_addr *w = &run->wish->addrs[i];

		if (!w->match && !w->is_passed)
			emit_addr(run, NET_ADDR_ADD, w, &w->address->place);
	}
}

int net_emit(struct net_run *run)
{
	emit_closing(run);
	emit_leaving_first(run);
	emit_addrs_going(run, NET_GOES_FIRST);
	emit_links_going(run, NET_GOES_FIRST);
	if (!run->group->is_keeper)
		emit_links(run);
	emit_routes_coming(run);
	emit_rules_coming(run);
	emit_rules_going(run, NET_GOES_FIRST);
	emit_addrs_coming(run);
	emit_routes_late(run, AF_INET);
	emit_opening(run, AF_INET);
	/* Here it may take seconds. */
	emit_routes_late(run, AF_INET6);
	emit_opening(run, AF_INET6);
	emit_leaving_last(run);
	emit_addrs_going(run, NET_GOES_LAST);
	emit_routes_again(run);
	emit_rules_going(run, NET_GOES_LAST);
	emit_routes_going(run, NET_GOES_LAST);
	emit_links_going(run, NET_GOES_LAST);
	return run->error;
}
