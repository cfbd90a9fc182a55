/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of a state in order, so that those of one key are found without looking at all. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "net_private.h"

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_address(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = compare(a->family, b->family);

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_addrs(const void *a, const void *b)
{
	const struct net_addr *l = a, *r = b;
	int order = compare_address(&l->prefix, &r->prefix);

	if (!order)
		order = compare(l->ifindex, r->ifindex);
	return order ? order : compare(l->prefix.length, r->prefix.length);
}

static int compare_keys(const struct net_route *l, const struct net_route *r)
{
	int order = compare(l->table, r->table);

	if (!order)
		order = memcmp(&l->dst, &r->dst, sizeof(l->dst));
	return order ? order : compare(l->metric, r->metric);
}

static int compare_routes(const void *a, const void *b)
{
	const struct net_route *l = a, *r = b;
	int order = compare_keys(l, r);

	return order ? order : compare(l->ifindex, r->ifindex);
}

static int compare_selectors(const struct net_rule *l, uint8_t family,
	const struct ip_prefix *from, uint32_t mark)
{
	int order = compare(l->family, family);

	if (!order)
		order = memcmp(&l->from, from, sizeof(l->from));
	return order ? order : compare(l->mark, mark);
}

static int compare_rules(const void *a, const void *b)
{
	const struct net_rule *l = a, *r = b;
	int order = compare_selectors(l, r->family, &r->from, r->mark);

	if (!order)
		order = compare(l->priority, r->priority);
	return order ? order : compare(l->order, r->order);
}

/* The kernel and net_wish() mostly give them in order already. */
static void sort(void *array, size_t count, size_t each, int (*order)(const void *, const void *))
{
	const char *bytes = array;

	for (size_t i = 1; i < count; i++) {
		if (order(bytes + (i - 1) * each, bytes + i * each) > 0) {
			qsort(array, count, each, order);
			return;
		}
	}
}

void net_sort_addrs(struct net_state *state)
{
	sort(state->addrs, state->addr_count, sizeof(*state->addrs), compare_addrs);
}

void net_sort_routes(struct net_state *state)
{
	sort(state->routes, state->route_count, sizeof(*state->routes), compare_routes);
}

void net_sort_rules(struct net_state *state)
{
	sort(state->rules, state->rule_count, sizeof(*state->rules), compare_rules);
}

struct net_addrs net_addrs_of(const struct net_state *state, const struct ip_prefix *address)
{
	size_t low = 0, high = state->addr_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_address(&state->addrs[middle].prefix, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (end < state->addr_count &&
		compare_address(&state->addrs[end].prefix, address) == 0)
		end++;
	return (struct net_addrs){end > low ? &state->addrs[low] : NULL, end - low};
}

struct net_routes net_routes_of_key(const struct net_state *state, const struct net_route *key)
{
	size_t low = 0, high = state->route_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&state->routes[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (end < state->route_count && compare_keys(&state->routes[end], key) == 0)
		end++;
	return (struct net_routes){end > low ? &state->routes[low] : NULL, end - low};
}

/* The first rule that does not stand before these selectors. */
static size_t rule_bound(const struct net_state *state, uint8_t family,
	const struct ip_prefix *from, uint32_t mark)
{
	size_t low = 0, high = state->rule_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_selectors(&state->rules[middle], family, from, mark) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct net_rules net_rules_of(const struct net_state *state, uint8_t family,
	const struct ip_prefix *from, uint32_t mark)
{
	size_t first = rule_bound(state, family, from, mark), end = first;

	while (end < state->rule_count &&
		compare_selectors(&state->rules[end], family, from, mark) == 0)
		end++;
	return (struct net_rules){end > first ? &state->rules[first] : NULL, end - first};
}

static const struct net_rule *earlier(const struct net_rule *best, const struct net_rule *r,
	const struct ip_prefix *address)
{
	if (!r->is_ours || r->is_odd || r->mark || !ip_prefix_contains(&r->from, address))
		return best;
	if (!best || r->priority < best->priority ||
		(r->priority == best->priority && r->order < best->order))
		return r;
	return best;
}

/* Rules for networks stand before those for addresses, being shorter, and are few. */
const struct net_rule *net_rule_covering(
	const struct net_state *state, const struct ip_prefix *address)
{
	const struct ip_prefix shortest = {.family = address->family};
	const struct ip_prefix host = {
		.family = address->family, .length = (uint8_t)net_longest(address->family)};
	struct ip_prefix exact = *address;
	size_t i = rule_bound(state, address->family, &shortest, 0);
	size_t end = rule_bound(state, address->family, &host, 0);
	const struct net_rule *best = NULL;
	struct net_rules rules;

	for (; i < end; i++)
		best = earlier(best, &state->rules[i], address);
	exact.length = host.length;
	rules = net_rules_of(state, address->family, &exact, 0);
	for (i = 0; i < rules.count; i++)
		best = earlier(best, &rules.first[i], address);
	return best;
}
