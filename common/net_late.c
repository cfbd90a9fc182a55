/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes that name a source which is not there yet. Linux refuses them until it is, but the address
 * needs its routes from its first moment on. So they begin with another source of the same VS. If
 * there is none they begin without, which does for packets that have a source already; so
 * that no other packet takes one of another VS, the mark rule is closed until they are right.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net_private.h"

bool net_is_usable(const struct net_run *run, const struct ip_prefix *src)
{
	struct net_addrs addrs = net_addrs_of(run->have, src);

	for (size_t i = 0; i < addrs.count; i++)
		if (!addrs.first[i].is_tentative && addrs.first[i].going != NET_GOES_FIRST)
			return true;
	return false;
}

/* It is removed and made again, and Linux may take a route along that names it. */
static bool is_made_again(const struct net_run *run, const struct ip_prefix *src)
{
	return net_addrs_of(run->have, src).count > 0 && !net_is_usable(run, src);
}

/* The mark whose rules look up the table; 0: none. */
static uint32_t mark_of_table(const struct net_run *run, uint32_t table)
{
	for (size_t i = 0; i < run->have->rule_count; i++) {
		const struct net_rule *h = &run->have->rules[i];

		if (h->is_ours && h->table == table && h->mark)
			return h->mark;
	}
	return 0;
}

static bool is_same_vs(const struct net_run *run, uint32_t a, uint32_t b)
{
	return a == b || (mark_of_table(run, a) && mark_of_table(run, a) == mark_of_table(run, b));
}

/* By the configuration, or up to now. */
static bool is_of(const struct net_run *run, const struct net_member *member,
	const struct ip_prefix *address, uint32_t table)
{
	const struct net_rule *rule;

	if (member && net_member_has(member, address))
		return true;
	rule = net_rule_covering(run->have, address);
	if (!rule)
		return false;
	if (is_same_vs(run, rule->table, table))
		return true;
	return member && rule->table >= member->network->table &&
	       rule->table - member->network->table < member->network->table_count;
}

const struct ip_prefix *net_other_source(const struct net_run *run,
	const struct net_member *member, const struct net_route *route)
{
	const struct ip_prefix *other = NULL;

	for (size_t i = 0; i < run->have->addr_count; i++) {
		const struct net_addr *h = &run->have->addrs[i];

		if (h->prefix.family != route->dst.family || h->is_tentative ||
			h->going == NET_GOES_FIRST ||
			!is_of(run, member, &h->prefix, route->table))
			continue;
		if (h->ifindex == route->ifindex)
			return &h->prefix;
		if (!other)
			other = &h->prefix;
	}
	return other;
}

bool net_settle_source(struct net_run *run, struct net_route *w)
{
	const struct ip_prefix *other;

	if (w->src.family == 0 || net_is_usable(run, &w->src))
		return true;
	other = net_other_source(run, w->member, w);
	if (other)
		w->src = net_host_of(other);
	return other;
}

static void close_mark(struct net_run *run, const struct net_route *w)
{
	const struct ip_prefix all = {0};
	struct net_rules rules =
		net_rules_of(run->wish, w->dst.family, &all, w->member->network->mark);
	struct net_rule *rule = rules.count ? &rules.first[0] : NULL;

	if (!rule || rule->closed || (rule->match && !rule->match->is_ours))
		return;
	rule->closed = &run->plan->rules[run->plan->rule_count++];
	*rule->closed = (struct net_rule){
		.family = rule->family,
		.priority = rule->priority,
		.mark = rule->mark,
		.mask = rule->mask,
		.is_unreachable = true,
		.is_ours = true,
	};
	rules = net_rules_of(run->have, w->dst.family, &all, rule->mark);
	for (size_t i = 0; i < rules.count; i++)
		if (rules.first[i].is_unreachable && rules.first[i].is_ours &&
			rules.first[i].priority == rule->priority)
			rule->closed->match = &rules.first[i];
}

/* The route that is there already does until then. */
static bool may_stay(const struct net_run *run, const struct net_route *w)
{
	struct net_route as_is = *w;
	const struct net_route *h;

	if (!w->match)
		return false;
	h = w->match->interim ? w->match->interim : w->match;
	as_is.src = h->src;
	return net_same_route(&as_is, h) &&
	       (as_is.src.family == 0 || net_is_usable(run, &as_is.src));
}

static void set_interim(struct net_run *run, struct net_route *w)
{
	const struct ip_prefix *other =
		w->member->network->is_mark ? net_other_source(run, w->member, w) : NULL;

	w->interim = &run->plan->routes[run->plan->route_count++];
	*w->interim = *w;
	w->interim->src = (struct ip_prefix){0};
	if (other)
		w->interim->src = net_host_of(other);
}

static void look_at(struct net_run *run, struct net_route *w)
{
	const struct net_route *until;

	if (w->is_passed || w->src.family == 0)
		return;
	if (w->is_right) {
		w->is_late = is_made_again(run, &w->src);
		w->is_right = !w->is_late;
		return;
	}
	w->is_late = !net_is_usable(run, &w->src);
	if (!w->is_late)
		return;
	if (!may_stay(run, w))
		set_interim(run, w);
	until = w->interim	      ? w->interim
		: w->match->interim ? w->match->interim
				    : w->match;
	if (until->src.family == 0 && w->member->network->is_mark)
		close_mark(run, w);
}

static int make_room(struct net_run *run)
{
	const size_t route_size = run->wish->route_count + 2 * run->have->route_count;
	struct net_plan *plan = run->plan;
	struct net_route *routes;
	struct net_rule *rules;

	if (plan->route_size < route_size) {
		routes = reallocarray(plan->routes, route_size, sizeof(*routes));
		if (!routes)
			return -ENOMEM;
		plan->routes = routes;
		plan->route_size = route_size;
	}
	if (plan->rule_size < run->wish->rule_count) {
		rules = reallocarray(plan->rules, run->wish->rule_count, sizeof(*rules));
		if (!rules)
			return -ENOMEM;
		plan->rules = rules;
		plan->rule_size = run->wish->rule_count;
	}
	return 0;
}

int net_find_late(struct net_run *run)
{
	if (run->group->is_keeper)
		return 0;
	if (make_room(run) < 0)
		return -ENOMEM;
	net_settle_leaving(run);
	for (size_t i = 0; i < run->wish->route_count; i++)
		look_at(run, &run->wish->routes[i]);
	return 0;
}
