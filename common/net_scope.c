/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose is an object of ours that nobody wishes? When all VSs of a namespace were compared it is
 * nobody's and goes. When only some were named it goes if it is of one of those: by table, mark,
 * address or alternative name.
 *
 * The keeper takes away no rule that stands for an address that is still there, nor the table that
 * such a rule looks up: that is for vsctl, which takes away the address first.
 */
#include "config.h"

#include <linux/rtnetlink.h>

#include "net_private.h"

bool net_member_has(const struct net_member *member, const struct ip_prefix *address)
{
	const struct network *net = member->network;

	for (size_t i = 0; i < net->address_count; i++)
		if (net_same_address(&net->addresses[i].prefix, address))
			return true;
	for (size_t i = 0; i < net->pool_count; i++)
		if (ip_prefix_contains(&net->pools[i].prefix, address))
			return true;
	return false;
}

static bool has_table(const struct network *net, uint32_t table)
{
	return table >= net->table && table - net->table < net->table_count;
}

/* The table that the VS of this mark had before, if it is nobody's now. */
static bool is_former_table(const struct net_run *run, uint32_t table)
{
	const struct net_group *group = run->group;
	bool is_former = false;

	for (size_t i = 0; i < group->count; i++)
		if (has_table(group->members[i].network, table))
			return false;
	for (size_t i = 0; i < run->have->rule_count; i++) {
		const struct net_rule *r = &run->have->rules[i];

		if (!r->is_ours || r->mark == 0 || r->table != table)
			continue;
		for (size_t j = 0; j < group->count && !is_former; j++)
			is_former = group->members[j].wish != NET_LEAVE &&
				    group->members[j].network->mark == r->mark;
		if (!is_former)
			return false;
	}
	return is_former;
}

static bool is_named_table(const struct net_run *run, uint32_t table)
{
	const struct net_group *group = run->group;

	for (size_t i = 0; i < group->count; i++)
		if (has_table(group->members[i].network, table))
			return group->members[i].wish != NET_LEAVE;
	return is_former_table(run, table);
}

static bool is_named_address(const struct net_run *run, const struct ip_prefix *address)
{
	const struct net_group *group = run->group;

	for (size_t i = 0; i < group->count; i++)
		if (group->members[i].wish != NET_LEAVE &&
			net_member_has(&group->members[i], address))
			return true;
	return false;
}

bool net_link_may_go(const struct net_run *run, const struct net_link *link)
{
	const struct net_group *group = run->group;

	if (!link->is_ours || group->is_keeper || !net_altname_is_of(link->altname, NULL))
		return false;
	for (size_t i = 0; i < group->count && !group->is_full; i++)
		if (group->members[i].wish != NET_LEAVE &&
			net_altname_is_of(link->altname, group->members[i].name))
			return true;
	return group->is_full;
}

/* An address without a rule is a namespace VS's, or somebody took its rule away. */
static bool is_of_named_namespace_vs(const struct net_run *run, const struct net_addr *addr)
{
	const struct net_group *group = run->group;
	bool is_named = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct net_member *m = &group->members[i];

		if (m->wish == NET_LEAVE && net_member_has(m, &addr->prefix))
			return false;
		is_named = is_named || (m->wish != NET_LEAVE && !m->network->is_mark);
	}
	return is_named;
}

bool net_addr_may_go(const struct net_run *run, const struct net_addr *addr)
{
	const struct net_rule *rule;
	const struct net_link *link;

	if (!addr->is_ours || run->group->is_keeper)
		return false;
	if (run->group->is_full || is_named_address(run, &addr->prefix))
		return true;
	link = net_link_by_index(run->have, addr->ifindex);
	if (link && net_link_may_go(run, link))
		return true;
	rule = net_rule_covering(run->have, &addr->prefix);
	return rule ? is_named_table(run, rule->table) : is_of_named_namespace_vs(run, addr);
}

/* An address that is up has no other rule than this, and will have none. */
static bool is_in_use(const struct net_run *run, const struct net_rule *rule)
{
	for (size_t i = 0; i < run->have->addr_count && rule->from.family; i++) {
		const struct ip_prefix *a = &run->have->addrs[i].prefix;

		if (ip_prefix_contains(&rule->from, a) && !net_rule_covering(run->wish, a))
			return true;
	}
	return false;
}

bool net_rule_may_go(const struct net_run *run, const struct net_rule *rule)
{
	const struct net_group *group = run->group;

	if (!rule->is_ours || (group->is_keeper && is_in_use(run, rule)))
		return false;
	if (group->is_full || (!rule->is_unreachable && is_named_table(run, rule->table)) ||
		(rule->from.family && is_named_address(run, &rule->from)))
		return true;
	for (size_t i = 0; i < group->count; i++)
		if (rule->mark && group->members[i].wish != NET_LEAVE &&
			group->members[i].network->mark == rule->mark)
			return true;
	return false;
}

static bool is_table_in_use(const struct net_run *run, uint32_t table)
{
	for (size_t i = 0; i < run->have->rule_count; i++) {
		const struct net_rule *r = &run->have->rules[i];

		if (r->is_ours && !r->match && r->going == NET_STAYS && r->table == table)
			return true;
	}
	return false;
}

bool net_route_may_go(const struct net_run *run, const struct net_route *route)
{
	const struct net_group *group = run->group;

	if (!route->is_ours)
		return false;
	if (group->is_keeper &&
		(route->table == RT_TABLE_MAIN || is_table_in_use(run, route->table)))
		return false;
	return group->is_full || is_named_table(run, route->table);
}
