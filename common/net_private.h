/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of net_state.h. */
#ifndef NSAUX_NET_PRIVATE_H
#define NSAUX_NET_PRIVATE_H

#include <stdarg.h>

#include "net_state.h"

/* What IPv6 makes of a route without a metric. */
#define NET_METRIC_IPV6 1024u
/*
 * An address with a table of its own: of packets with the VS's mark before the mark rule, of others
 * before that of a pool of the same VS in which it lies.
 */
#define NET_RULE_BEFORE_MARK (NETWORK_RULE_MARK - 1)
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

/* net_order.c: objects in order, and those of one key. */
struct net_addrs {
	struct net_addr *first;
	size_t count;
};
struct net_routes {
	struct net_route *first;
	size_t count;
};
struct net_rules {
	struct net_rule *first;
	size_t count;
};
void net_sort_addrs(struct net_state *state);
void net_sort_rules(struct net_state *state);
/* The same address, with any length and on any device. */
struct net_addrs net_addrs_of(const struct net_state *state, const struct ip_prefix *address);
/* The same table, destination and metric. */
struct net_routes net_routes_of_key(const struct net_state *state, const struct net_route *key);
/* The same from and mark. */
struct net_rules net_rules_of(const struct net_state *state, uint8_t family,
	const struct ip_prefix *from, uint32_t mark);
/* The rule of ours that a packet from this address meets first, or NULL. */
const struct net_rule *net_rule_covering(
	const struct net_state *state, const struct ip_prefix *address);

/* One net_diff(). */
struct net_run {
	struct net_plan *plan;
	struct net_state *wish, *have;
	const struct net_state *parent;
	const struct net_group *group;
	net_report_fn *report;
	void *arg;
	int error;       /* the first one that was told */
	bool links_come; /* so those that go, go first */
};

void net_tell(struct net_run *run, int error, const struct network_place *place,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void net_warn(struct net_run *run, const struct network_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* There is no IPv6 in this kernel, and so nothing of it to be done. */
bool net_is_barred(const struct net_run *run, uint8_t family);

/* net_scope.c: does an object of ours that nobody wishes go? */
bool net_link_may_go(const struct net_run *run, const struct net_link *link);
bool net_addr_may_go(const struct net_run *run, const struct net_addr *addr);
bool net_route_may_go(const struct net_run *run, const struct net_route *route);
bool net_rule_may_go(const struct net_run *run, const struct net_rule *rule);
bool net_member_has(const struct net_member *member, const struct ip_prefix *address);

/* net_match_link.c, net_match.c, net_late.c: each finds the twin of each object of the wish, and
 * what goes. In this order. */
void net_match_links(struct net_run *run);
void net_match_rules(struct net_run *run);
void net_match_addrs(struct net_run *run);
void net_match_routes(struct net_run *run);
int net_find_late(struct net_run *run); /* 0 or -ENOMEM */
/* A route that Linux takes along with what goes first. */
bool net_is_lost(const struct net_run *run, const struct net_route *h);
/* net_leave.c */
void net_settle_leaving(struct net_run *run);
bool net_is_usable(const struct net_run *run, const struct ip_prefix *src);
/* Another address of the VS that is there at least until all has come; if possible on the same
 * device. member NULL: of whatever VS the route's table was. */
const struct ip_prefix *net_other_source(const struct net_run *run,
	const struct net_member *member, const struct net_route *route);
bool net_same_route(const struct net_route *w, const struct net_route *h);
/* For the keeper: a source that is there, of the same VS. False: there is none. */
bool net_settle_source(struct net_run *run, struct net_route *w);
/* How many devices of the same VS lie below it. */
unsigned net_link_depth(const struct net_state *wish, const struct net_link *link);

/* Makes the wish ready to be compared once more. */
void net_wish_unmatch(struct net_state *wish);

/* net_emit.c: the steps. 0 or -ENOMEM. */
int net_emit(struct net_run *run);

/* net_wish.c: parts of a wish, for net_claim() too. 0 or -ENOMEM; what is there is not added. */
int net_wish_network(struct net_state *wish, const struct net_member *member,
	const struct net_addr *addr, uint32_t table, const struct network_place *place);
int net_wish_route(struct net_state *wish, const struct net_member *member,
	const struct network_route *route, const struct ip_prefix *src);
int net_wish_from(struct net_state *wish, const struct net_member *member,
	const struct ip_prefix *address, uint32_t table, const struct network_place *place);
/* A unicast route of a mark VS that names no source of its own. */
bool net_wants_source(const struct net_member *member, const struct network_route *route);
/* How well the address suits the route as its source; 0: not at all. */
unsigned net_source_rank(const struct network_route *route, const struct ip_prefix *address,
	const char *dev, uint32_t table);

#endif
