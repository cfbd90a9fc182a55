/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration of virtual servers as the objects that the kernel would have.
 *
 * Routes of a mark VS name their source, because the kernel would choose among all addresses
 * of the device, of whatever VS. A route for which there is no source is not made:
 * the VS cannot be reached, and its sockets get an error.
 */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

bool net_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->length == b->length && net_same_address(a, b);
}

bool net_same_address(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct ip_prefix net_network_of(const struct ip_prefix *address)
{
	struct ip_prefix net = {.family = address->family, .length = address->length};
	unsigned whole = address->length / 8, rest = address->length % 8;

	memcpy(net.bytes, address->bytes, whole);
	if (rest)
		net.bytes[whole] = address->bytes[whole] & (uint8_t)(0xff00u >> rest);
	return net;
}

struct ip_prefix net_host_of(const struct ip_prefix *address)
{
	struct ip_prefix host = *address;

	host.length = (uint8_t)net_longest(address->family);
	return host;
}

static int wish_device(struct net_state *wish, const struct net_member *member,
	const struct network_device *device)
{
	struct net_link *link = net_state_link(wish);

	if (!link)
		return -ENOMEM;
	memcpy(link->name, device->name, sizeof(link->name));
	link->kind = device->kind;
	link->is_ours = device->kind != NETWORK_PRESENT;
	if (link->is_ours)
		net_altname(link->altname, member->name, device);
	/* What a mark VS finds is somebody else's to set up. */
	link->is_up = link->is_ours || !member->network->is_mark;
	link->mtu = device->mtu;
	link->has_mac = device->has_mac;
	memcpy(link->mac, device->mac, sizeof(link->mac));
	link->vlan_id = device->vlan_id;
	link->vlan_protocol = device->vlan_protocol;
	link->macvlan_mode = device->macvlan_mode;
	link->device = device;
	return 0;
}

static int wish_devices(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	bool has_lo = net->is_mark;
	struct net_link *lo;
	int rc = 0;

	for (size_t i = 0; i < net->device_count && rc == 0; i++) {
		has_lo = has_lo || strcmp(net->devices[i].name, "lo") == 0;
		rc = wish_device(wish, member, &net->devices[i]);
	}
	if (has_lo || rc < 0)
		return rc;
	lo = net_state_link(wish);
	if (!lo)
		return -ENOMEM;
	*lo = (struct net_link){.name = "lo", .kind = NETWORK_PRESENT, .is_up = true};
	return 0;
}

/* A table has one member's routes only. */
static struct net_route *find_route(struct net_state *wish, const struct net_member *member,
	uint32_t table, const struct ip_prefix *dst, uint32_t metric)
{
	for (size_t i = wish->route_count; i > 0; i--) {
		struct net_route *r = &wish->routes[i - 1];

		if (r->member == member && r->table == table && r->metric == metric &&
			net_prefix_equal(&r->dst, dst))
			return r;
	}
	return NULL;
}

static uint32_t default_metric(const struct ip_prefix *dst)
{
	return dst->family == AF_INET6 ? NET_METRIC_IPV6 : 0;
}

int net_wish_network(struct net_state *wish, const struct net_member *member,
	const struct net_addr *addr, uint32_t table, const struct network_place *place)
{
	struct ip_prefix dst = net_network_of(&addr->prefix);
	uint32_t metric = default_metric(&dst);
	struct net_route *r;

	if (addr->prefix.length == net_longest(addr->prefix.family))
		return 0;
	/* The same network on another device: behind the first. */
	for (; (r = find_route(wish, member, table, &dst, metric)); metric++)
		if (strcmp(r->dev, addr->dev) == 0)
			return 0;
	r = net_state_route(wish);
	if (!r)
		return -ENOMEM;
	r->table = table;
	r->metric = metric;
	r->kind = NETWORK_UNICAST;
	r->dst = dst;
	if (member->network->is_mark)
		r->src = net_host_of(&addr->prefix);
	memcpy(r->dev, addr->dev, sizeof(r->dev));
	r->is_ours = true;
	r->place = *place;
	r->member = member;
	r->is_implied = true;
	return 0;
}

bool net_wants_source(const struct net_member *member, const struct network_route *route)
{
	return member->network->is_mark && route->kind == NETWORK_UNICAST && route->src.family == 0;
}

unsigned net_source_rank(const struct network_route *route, const struct ip_prefix *address,
	const char *dev, uint32_t table)
{
	unsigned rank = 1;

	if (address->family != route->dst.family)
		return 0;
	if (table == route->table)
		rank += 8;
	if (strcmp(dev, route->dev) == 0)
		rank += 2;
	if (route->via.family && ip_prefix_contains(address, &route->via))
		rank += 4;
	return rank;
}

/* The first of the best. */
static const struct ip_prefix *source_of(
	const struct network *net, const struct network_route *route)
{
	const struct ip_prefix *best = NULL;
	unsigned best_rank = 0;

	for (size_t i = 0; i < net->address_count; i++) {
		const struct network_address *a = &net->addresses[i];
		unsigned rank = net_source_rank(route, &a->prefix, a->dev, a->table);

		if (rank > best_rank) {
			best = &a->prefix;
			best_rank = rank;
		}
	}
	return best;
}

int net_wish_route(struct net_state *wish, const struct net_member *member,
	const struct network_route *route, const struct ip_prefix *src)
{
	uint32_t metric = route->metric ? route->metric : default_metric(&route->dst);
	struct net_route *r;

	if (find_route(wish, member, route->table, &route->dst, metric))
		return 0;
	r = net_state_route(wish);
	if (!r)
		return -ENOMEM;
	r->table = route->table;
	r->metric = metric;
	r->kind = route->kind;
	r->dst = route->dst;
	r->is_ours = true;
	r->place = route->place;
	r->member = member;
	if (route->kind != NETWORK_UNICAST)
		return 0;
	r->mtu = route->mtu;
	r->via = route->via;
	r->onlink = route->onlink;
	memcpy(r->dev, route->dev, sizeof(r->dev));
	if (src)
		r->src = net_host_of(src);
	return 0;
}

static int wish_routes(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	int rc = 0;

	for (size_t i = 0; i < net->route_count && rc == 0; i++) {
		const struct network_route *route = &net->routes[i];
		const struct ip_prefix *src = route->src.family ? &route->src : NULL;

		if (net_wants_source(member, route)) {
			src = source_of(net, route);
			if (!src)
				continue; /* net_claim() may find one */
		}
		rc = net_wish_route(wish, member, route, src);
	}
	return rc;
}

static int wish_end(struct net_state *wish, const struct net_member *member, uint32_t table,
	uint8_t family)
{
	struct net_route *r = net_state_route(wish);

	if (!r)
		return -ENOMEM;
	r->table = table;
	r->metric = NETWORK_METRIC_LAST;
	r->kind = NETWORK_UNREACHABLE;
	r->dst.family = family;
	r->is_ours = true;
	r->member = member;
	return 0;
}

static int wish_ends(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	int rc = 0;

	for (uint32_t i = 0; net->is_mark && i < net->table_count && rc == 0; i++) {
		rc = wish_end(wish, member, net->table + i, AF_INET);
		if (rc == 0)
			rc = wish_end(wish, member, net->table + i, AF_INET6);
	}
	return rc;
}

static int wish_address(struct net_state *wish, const struct net_member *member,
	const struct network_address *address)
{
	const struct network *net = member->network;
	struct net_addr *addr = net_state_addr(wish), whole;
	int rc;

	if (!addr)
		return -ENOMEM;
	addr->prefix = address->prefix;
	memcpy(addr->dev, address->dev, sizeof(addr->dev));
	addr->is_ours = addr->is_noprefixroute = true;
	addr->is_nodad = address->nodad;
	addr->table = address->table;
	addr->address = address;
	addr->member = member;
	whole = *addr;
	if (net->is_mark && address->prefix.family == AF_INET)
		addr->prefix = net_host_of(&address->prefix);
	rc = net_wish_network(wish, member, &whole, address->table, &address->place);
	if (rc == 0 && address->table != net->table)
		rc = net_wish_network(wish, member, &whole, net->table, &address->place);
	return rc;
}

static struct net_rule *wish_rule(struct net_state *wish, const struct net_member *member,
	const struct ip_prefix *from, uint32_t priority, const struct network_place *place)
{
	struct net_rule *rule = net_state_rule(wish);

	if (!rule)
		return NULL;
	rule->family = from->family;
	rule->priority = priority;
	rule->table = member->network->table;
	rule->from = *from;
	rule->is_ours = true;
	rule->place = *place;
	rule->member = member;
	return rule;
}

/* Of an address with its own table packets with the mark have a rule, too. */
static int wish_own_table(struct net_state *wish, const struct net_member *member,
	const struct ip_prefix *from, uint32_t table, const struct network_place *place)
{
	struct net_rule *rule = wish_rule(wish, member, from, NET_RULE_BEFORE_MARK, place);

	if (!rule)
		return -ENOMEM;
	rule->table = table;
	rule->mark = member->network->mark;
	rule->mask = UINT32_MAX;
	return 0;
}

int net_wish_from(struct net_state *wish, const struct net_member *member,
	const struct ip_prefix *address, uint32_t table, const struct network_place *place)
{
	const struct network *net = member->network;
	struct ip_prefix from = net_host_of(address);
	bool is_pool = false;
	struct net_rule *rule;

	for (size_t i = 0; i < net->pool_count && !is_pool; i++)
		is_pool = ip_prefix_contains(&net->pools[i].prefix, &from);
	if (is_pool && table == net->table)
		return 0;
	rule = wish_rule(wish, member, &from, is_pool ? NET_RULE_BEFORE_POOL : NETWORK_RULE_FROM,
		place);
	if (!rule)
		return -ENOMEM;
	rule->table = table;
	return table == net->table ? 0 : wish_own_table(wish, member, &from, table, place);
}

static int wish_pool(struct net_state *wish, const struct net_member *member,
	const struct network_pool *pool)
{
	return wish_rule(wish, member, &pool->prefix, NETWORK_RULE_FROM, &pool->place) ? 0
										       : -ENOMEM;
}

static int wish_mark(struct net_state *wish, const struct net_member *member, uint8_t family)
{
	struct net_rule *rule = net_state_rule(wish);

	if (!rule)
		return -ENOMEM;
	rule->family = family;
	rule->priority = NETWORK_RULE_MARK;
	rule->table = member->network->table;
	rule->mark = member->network->mark;
	rule->mask = UINT32_MAX;
	rule->is_ours = true;
	rule->member = member;
	return 0;
}

static int wish_rules(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	int rc = 0;

	for (size_t i = 0; i < net->address_count && rc == 0; i++)
		rc = net_wish_from(wish, member, &net->addresses[i].prefix,
			net->addresses[i].table, &net->addresses[i].place);
	for (size_t i = 0; i < net->pool_count && rc == 0; i++)
		rc = wish_pool(wish, member, &net->pools[i]);
	if (rc == 0)
		rc = wish_mark(wish, member, AF_INET);
	if (rc == 0)
		rc = wish_mark(wish, member, AF_INET6);
	return rc;
}

static int wish_files(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	struct net_nft *nft;

	for (size_t i = 0; i < net->sysctl_count; i++) {
		struct net_sysctl *sysctl = net_state_sysctl(wish);

		if (!sysctl)
			return -ENOMEM;
		sysctl->sysctl = &net->sysctls[i];
	}
	if (!net->nft_file)
		return 0;
	nft = net_state_nft(wish);
	if (!nft)
		return -ENOMEM;
	nft->file = net->nft_file;
	nft->place = net->nft_place;
	return 0;
}

/* Routes of the file come before those that follow from it, and so win. */
static int wish_member(struct net_state *wish, const struct net_member *member)
{
	const struct network *net = member->network;
	int rc = wish_devices(wish, member);

	if (rc == 0)
		rc = wish_routes(wish, member);
	for (size_t i = 0; i < net->address_count && rc == 0; i++)
		rc = wish_address(wish, member, &net->addresses[i]);
	if (rc == 0)
		rc = wish_ends(wish, member);
	if (rc == 0 && net->is_mark)
		rc = wish_rules(wish, member);
	if (rc == 0)
		rc = wish_files(wish, member);
	return rc;
}

int net_wish(struct net_state *wish, const struct net_group *group)
{
	int rc = 0;

	for (size_t i = 0; i < group->count && rc == 0; i++)
		if (group->members[i].wish == NET_PRESENT)
			rc = wish_member(wish, &group->members[i]);
	return rc;
}
