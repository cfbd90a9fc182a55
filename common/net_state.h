/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The difference engine: what is in the kernel, what should be there, and the steps from
 * the one to the other, in the order in which nothing is ever answered by a half-made VS.
 *
 *   net_wish.c   a struct network as the objects that the kernel would have
 *   net_read.c   the objects that it has (netlink dumps of one namespace)
 *   net_diff.c   the two compared: a list of steps. No I/O.
 *   net_step.c   one step as a netlink request (net_make.c sends them)
 *
 * A state is that of one namespace. Mark VSs that share a namespace are compared in one go.
 * Ours are: devices whose alternative name begins with NETWORK_ALTNAME; addresses, routes and
 * rules of protocol NETWORK_PROTOCOL. Everything else is only looked at, never changed.
 */
#ifndef NSAUX_NET_STATE_H
#define NSAUX_NET_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network.h"

#define NET_ALTNAME_MAX 127

struct net_link {
	unsigned index; /* 0 in a wish */
	char name[IF_NAMESIZE];
	enum network_kind kind; /* 0: something else */
	bool is_ours;
	char altname[NET_ALTNAME_MAX + 1]; /* of ours */
	bool is_up;
	unsigned mtu;    /* 0 in a wish: any */
	bool has_mac;
	uint8_t mac[6];
	unsigned link;   /* index of the lower device or the veth peer; 0: none or unknown */
	int link_nsid;   /* where that is; -1: the same namespace */
	unsigned master;
	unsigned vlan_id;
	uint16_t vlan_protocol;
	unsigned macvlan_mode;
	const struct network_device *device; /* of a wish */
};

struct net_addr {
	struct ip_prefix prefix;
	unsigned ifindex;      /* 0 in a wish: by dev */
	char dev[IF_NAMESIZE];
	bool is_ours;
	bool is_noprefixroute, is_nodad, is_tentative;
	const struct network_address *address; /* of a wish */
};

struct net_route {
	uint32_t table, metric, mtu;
	enum network_route_kind kind;
	struct ip_prefix dst, via, src;
	unsigned ifindex; /* 0: none, or in a wish by dev */
	char dev[IF_NAMESIZE];
	bool onlink, is_link_scope, is_ours;
	/* A wish: it names a source, which must be there before it. */
	bool needs_address;
};

struct net_rule {
	uint8_t family;
	uint32_t priority, table, mark, mask;
	struct ip_prefix from; /* family 0: all */
	bool is_ours;
};

struct net_state {
	struct net_link *links;
	struct net_addr *addrs;
	struct net_route *routes;
	struct net_rule *rules;
	size_t link_count, addr_count, route_count, rule_count;
};

enum net_step_kind {
	/* Away, in this order: */
	NET_ADDR_DEL = 1,
	NET_RULE_DEL,
	NET_ROUTE_DEL,
	NET_LINK_DEL,
	/* Then up, in this order: */
	NET_LINK_ADD,   /* in the parent namespace's socket where link is there */
	NET_LINK_MOVE,
	NET_LINK_SET,   /* name, mtu, mac, master */
	NET_SYSCTL,
	NET_NFT,
	NET_LINK_UP,
	NET_ROUTE_ADD,
	NET_RULE_ADD,
	NET_ADDR_ADD,
	NET_ROUTE_LATE, /* a NET_ROUTE_ADD that names a source */
};

struct net_step {
	enum net_step_kind kind;
	/* The object: in the wish for what comes, in the kernel's state for what goes. */
	union {
		const struct net_link *link;
		const struct net_addr *addr;
		const struct net_route *route;
		const struct net_rule *rule;
		const struct network_sysctl *sysctl;
		const char *nft_file;
	};
	struct network_place place; /* for messages; file NULL: a leftover */
};

struct net_plan {
	struct net_step *steps;
	size_t count;
};

#endif
