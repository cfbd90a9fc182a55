/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of net_state.h. */
#ifndef NSAUX_NET_PRIVATE_H
#define NSAUX_NET_PRIVATE_H

#include "net_state.h"

/* What IPv6 makes of a route without a metric. */
#define NET_METRIC_IPV6 1024u
/* An address in a pool of the same VS, but with a table of its own, stands before the pool. */
#define NET_RULE_BEFORE_POOL (NETWORK_RULE_FROM - 1)

static inline unsigned net_longest(unsigned family)
{
	return family == 2 ? 32 : 128;
}

bool net_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
bool net_same_address(const struct ip_prefix *a, const struct ip_prefix *b);
/* The network in which the address stands; the address as one of a network of its own. */
struct ip_prefix net_network_of(const struct ip_prefix *address);
struct ip_prefix net_host_of(const struct ip_prefix *address);

/* net_match.c: the routes of one table, destination and metric; those of the state are in order. */
struct net_routes {
	struct net_route *first;
	size_t count;
};
void net_sort_routes(struct net_state *state);
struct net_routes net_routes_of_key(const struct net_state *state, const struct net_route *key);

/* net_wish.c: parts of a wish, for net_claim() too. 0 or -ENOMEM; what is there is not added. */
int net_wish_network(struct net_state *wish, const struct net_member *member,
	const struct net_addr *addr, uint32_t table, const struct network_place *place);
int net_wish_route(struct net_state *wish, const struct net_member *member,
	const struct network_route *route, const struct ip_prefix *src);
int net_wish_from(struct net_state *wish, const struct net_member *member,
	const struct ip_prefix *from, uint32_t table, const struct network_place *place);
/* A unicast route of a mark VS that names no source of its own. */
bool net_wants_source(const struct net_member *member, const struct network_route *route);
/* How well the address suits the route as its source; 0: not at all. */
unsigned net_source_rank(const struct network_route *route, const struct ip_prefix *address,
	const char *dev, uint32_t table);

#endif
