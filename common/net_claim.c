/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses that somebody else configured, and that are a mark VS's by its Pool= or Device=.
 *
 * Addresses of ours are none of these: either the configuration has them, or they are to go. An
 * address that waits for duplicate address detection gets its rule at once, but is
 * named as a source only after that.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

/* More than that is nobody's configuration. */
#define CLAIMS_MAX 4096

struct claims {
	struct net_state *wish;
	const struct net_state *have;
	const struct net_group *group;
	size_t count;
};

/* Loopback, link-local and multicast addresses are told apart by other means. */
static bool is_claimable(const struct ip_prefix *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] != 127 && a->bytes[0] < 224 && a->bytes[0] != 0 &&
		       !(a->bytes[0] == 169 && a->bytes[1] == 254);
	if (a->family != AF_INET6 || a->bytes[0] == 0xff)
		return false;
	if (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80)
		return false;
	for (size_t i = 0; i < 15; i++)
		if (a->bytes[i])
			return true;
	return a->bytes[15] > 1;
}

static bool has_address(const struct network *net, const struct ip_prefix *address)
{
	for (size_t i = 0; i < net->address_count; i++)
		if (net_same_address(&net->addresses[i].prefix, address))
			return true;
	return false;
}

static bool has_pool(const struct network *net, const struct ip_prefix *address)
{
	for (size_t i = 0; i < net->pool_count; i++)
		if (ip_prefix_contains(&net->pools[i].prefix, address))
			return true;
	return false;
}

static bool has_device(const struct network *net, const char *name)
{
	for (size_t i = 0; i < net->device_count; i++)
		if (strcmp(net->devices[i].name, name) == 0)
			return true;
	return false;
}

/* The member that owns the address by its pool or device, unless it is in a file. */
static const struct net_member *owner_of(
	const struct net_group *group, const struct ip_prefix *address, const char *dev)
{
	const struct net_member *by_pool = NULL, *by_device = NULL;
	unsigned devices = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct net_member *m = &group->members[i];

		if (has_address(m->network, address))
			return NULL;
		if (!m->network->is_mark)
			continue;
		if (!by_pool && has_pool(m->network, address))
			by_pool = m;
		if (has_device(m->network, dev)) {
			by_device = m;
			devices++;
		}
	}
	if (by_pool)
		return by_pool;
	return devices == 1 ? by_device : NULL;
}

static bool has_from(const struct net_state *wish, const struct ip_prefix *address)
{
	for (size_t i = 0; i < wish->rule_count; i++)
		if (wish->rules[i].from.family &&
			ip_prefix_contains(&wish->rules[i].from, address))
			return true;
	return false;
}

/* Routes of the file that no address of the file can be the source of. */
static int claim_routes(
	struct claims *c, const struct net_member *member, const struct net_addr *addr)
{
	const struct network *net = member->network;
	int rc = 0;

	for (size_t i = 0; i < net->route_count && rc == 0; i++) {
		bool has_own = !net_wants_source(member, &net->routes[i]) ||
			       net->routes[i].dst.family != addr->prefix.family;

		for (size_t j = 0; j < net->address_count && !has_own; j++)
			has_own = net->addresses[j].prefix.family == addr->prefix.family;
		if (!has_own)
			rc = net_wish_route(c->wish, member, &net->routes[i], &addr->prefix);
	}
	return rc;
}

static int claim(struct claims *c, const struct net_addr *have)
{
	const struct net_link *link = net_link_by_index(c->have, have->ifindex);
	const struct network_place none = {0};
	const struct net_member *member;
	struct net_addr addr = *have;
	int rc = 0;

	member = link ? owner_of(c->group, &have->prefix, link->name) : NULL;
	if (!member || member->wish != NET_PRESENT)
		return 0;
	if (++c->count > CLAIMS_MAX)
		return -E2BIG;
	if (!has_from(c->wish, &have->prefix))
		rc = net_wish_from(c->wish, member, &have->prefix, member->network->table, &none);
	if (have->is_tentative || rc < 0)
		return rc;
	memcpy(addr.dev, link->name, sizeof(addr.dev));
	if (strcmp(link->name, "lo") != 0)
		rc = net_wish_network(c->wish, member, &addr, member->network->table, &none);
	return rc == 0 ? claim_routes(c, member, &addr) : rc;
}

static int compare_prefix(const void *a, const void *b)
{
	const struct net_addr *const *l = a, *const *r = b;

	return memcmp(&(*l)->prefix, &(*r)->prefix, sizeof((*l)->prefix));
}

/* Of several that a route could name the lowest is taken, so that it stays the same one. */
static const struct net_addr **in_order(const struct net_state *have, size_t *count)
{
	const struct net_addr **addrs = reallocarray(NULL, have->addr_count + 1, sizeof(*addrs));
	size_t n = 0;

	for (size_t i = 0; addrs && i < have->addr_count; i++)
		if (!have->addrs[i].is_ours && is_claimable(&have->addrs[i].prefix))
			addrs[n++] = &have->addrs[i];
	if (addrs)
		qsort(addrs, n, sizeof(*addrs), compare_prefix);
	*count = n;
	return addrs;
}

static bool has_mark_vs(const struct net_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->members[i].network->is_mark)
			return true;
	return false;
}

int net_claim(struct net_state *wish, const struct net_state *have, const struct net_group *group)
{
	struct claims c = {.wish = wish, .have = have, .group = group};
	const struct net_addr **addrs;
	size_t count;
	int rc = 0;

	if (!has_mark_vs(group))
		return 0;
	addrs = in_order(have, &count);
	if (!addrs)
		return -ENOMEM;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = claim(&c, addrs[i]);
	free(addrs);
	return rc;
}
