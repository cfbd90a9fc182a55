/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "net_private.h"
#include "net_watch.h"

static struct watch_entry *add(struct watch *watch, const struct network *net)
{
	struct watch_entry *e = &watch->entries[watch->count++];

	assert_true(watch->count <= WATCH_MAX);
	*e = (struct watch_entry){
		.is_mark = net->is_mark,
		.table = net->table,
		.first = net->table,
		.table_count = net->table_count,
	};
	return e;
}

void watch_note(struct watch *watch, const struct rig *rig)
{
	for (size_t i = 0; i < rig->group.count; i++) {
		const struct network *net = rig->members[i].network;

		for (size_t j = 0; j < net->address_count; j++) {
			struct watch_entry *e = add(watch, net);

			e->prefix = net->addresses[j].prefix;
			e->table = net->addresses[j].table;
			memcpy(e->dev, net->addresses[j].dev, sizeof(e->dev));
		}
		for (size_t j = 0; j < net->pool_count; j++) {
			struct watch_entry *e = add(watch, net);

			e->prefix = net->pools[j].prefix;
			e->is_pool = true;
		}
	}
}

static void broken(const struct rig *rig, const struct net_step *step,
	const struct ip_prefix *what, const char *why)
{
	char text[NET_STEP_TEXT], address[IP_PREFIX_TEXT] = "-";

	net_step_print(step, text);
	if (what->family)
		ip_prefix_print(what, address);
	print_error("%s", rig->steps);
	fail_msg("round %u: after '%s': %s: %s", rig->number, text, address, why);
}

static bool has_route(const struct rig *rig, uint32_t table, const struct ip_prefix *dst,
	enum network_route_kind kind)
{
	for (size_t i = 0; i < rig->have.route_count; i++) {
		const struct net_route *r = &rig->have.routes[i];

		if (r->table == table && r->kind == kind && net_prefix_equal(&r->dst, dst))
			return true;
	}
	return false;
}

/* Nothing else leads to the network either. */
static bool is_bare(const struct rig *rig, uint32_t table, const struct ip_prefix *net)
{
	for (size_t i = 0; i < rig->have.route_count; i++) {
		const struct net_route *r = &rig->have.routes[i];

		if (r->table == table && r->kind == NETWORK_UNICAST &&
			r->dst.length <= net->length && ip_prefix_contains(&r->dst, net))
			return false;
	}
	return true;
}

/* NULL, or what is wrong. */
static const char *check_table(const struct rig *rig, const struct watch_entry *e,
	const struct ip_prefix *address, bool is_going)
{
	const struct ip_prefix end = {.family = address->family};
	struct ip_prefix net = net_network_of(&e->prefix);

	if (e->is_mark && !has_route(rig, e->table, &end, NETWORK_UNREACHABLE))
		return "its table has no end";
	if (e->is_mark && is_going && is_bare(rig, e->table, &net))
		return NULL;
	if (e->prefix.length < net_longest(address->family) &&
		!has_route(rig, e->table, &net, NETWORK_UNICAST))
		return "its table has no route of its network";
	return NULL;
}

/* As before or as after. */
static void check_addr(struct watch *watch, const struct rig *rig, const struct net_step *step,
	const struct net_addr *a)
{
	const struct net_rule *rule = net_rule_covering(&rig->have, &a->prefix);
	const char *wrong = rule ? "goes by a table that is not its own" : "has no rule";
	uint32_t table = rule ? rule->table : RT_TABLE_MAIN;

	watch->checks++;
	for (size_t i = 0; i < watch->count && wrong; i++) {
		const struct watch_entry *e = &watch->entries[i];

		if (e->table != table || e->is_pool || !net_same_address(&e->prefix, &a->prefix))
			continue;
		if (!e->dev[0] || rig_index(rig, e->dev) == a->ifindex)
			wrong = check_table(rig, e, &a->prefix, i < watch->before);
	}
	if (wrong)
		broken(rig, step, &a->prefix, wrong);
}

static bool is_of_table(const struct watch *watch, const struct rig *rig,
	const struct ip_prefix *src, uint32_t table)
{
	for (size_t i = 0; i < watch->count; i++) {
		const struct watch_entry *e = &watch->entries[i];

		if (table >= e->first && table - e->first < e->table_count &&
			ip_prefix_contains(e->is_pool ? &e->prefix : src, src) &&
			(e->is_pool || net_same_address(&e->prefix, src)))
			return true;
	}
	for (size_t i = 0; i < rig->have.addr_count; i++)
		if (!rig->have.addrs[i].is_ours &&
			net_same_address(&rig->have.addrs[i].prefix, src))
			return true;
	return false;
}

/* The first of the rules for the mark counts. */
static bool is_closed(const struct rig *rig, const struct net_rule *rule)
{
	for (size_t i = 0; i < rig->have.rule_count; i++) {
		const struct net_rule *r = &rig->have.rules[i];

		if (r->family == rule->family && r->mark == rule->mark && !r->from.family &&
			r->order < rule->order)
			return true;
	}
	return false;
}

static void check_mark(const struct watch *watch, const struct rig *rig,
	const struct net_step *step, const struct net_rule *rule)
{
	for (size_t i = 0; i < rig->have.route_count; i++) {
		const struct net_route *r = &rig->have.routes[i];

		if (!r->is_ours || r->table != rule->table || r->dst.family != rule->family ||
			r->kind != NETWORK_UNICAST)
			continue;
		if (r->src.family == 0)
			broken(rig, step, &r->dst, "the mark leads to a route without source");
		else if (!is_of_table(watch, rig, &r->src, r->table))
			broken(rig, step, &r->src, "the mark leads to a source of another VS");
	}
}

void watch_step(struct rig *rig, const struct net_step *step)
{
	struct watch *watch = rig->watch_arg;

	net_sort_rules(&rig->have);
	for (size_t i = 0; i < rig->have.addr_count; i++)
		if (rig->have.addrs[i].is_ours)
			check_addr(watch, rig, step, &rig->have.addrs[i]);
	for (size_t i = 0; i < rig->have.rule_count; i++) {
		const struct net_rule *r = &rig->have.rules[i];

		if (r->is_ours && r->mark && !r->from.family && !r->is_unreachable &&
			!is_closed(rig, r))
			check_mark(watch, rig, step, r);
	}
}
