/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the network of one virtual server should be: the [Network] section of its file, and
 * those keys of [VirtualServer] that the kernel sees (Mark=, Table=), read and checked.
 *
 * This is the wish alone; nothing here looks at the kernel. net_state.h compares it with that.
 */
#ifndef NSAUX_NETWORK_H
#define NSAUX_NETWORK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ini.h"

#define NETWORK_DEVICES_MAX 64
#define NETWORK_ADDRESSES_MAX 256
#define NETWORK_POOLS_MAX 64
#define NETWORK_ROUTES_MAX 256
#define NETWORK_SYSCTLS_MAX 128

/* Which routing rules and routes are ours, and where our rules stand among others. */
#define NETWORK_PROTOCOL 86       /* rtm_protocol, FRA_PROTOCOL, IFA_PROTO */
/*
 * The mark stands first: what its VS's table gives no way is looked at once more by Linux (IPv6
 * always; TCP over IPv4 when the device has no address), with whatever source the namespace has.
 * By a `from` rule before the mark's it would leave as another VS. The number before each is for
 * addresses with a table of their own.
 */
#define NETWORK_RULE_MARK 8600    /* priority of: fwmark MARK lookup TABLE */
#define NETWORK_RULE_FROM 8602    /* priority of: from ADDRESS lookup TABLE */
#define NETWORK_METRIC_LAST 4278198272u /* of the unreachable default that ends each table */
#define NETWORK_ALTNAME "nsaux:"  /* begins the alternative name of each device that we made */

/* Where in the files a wish stands, for messages about it. file lives as long as the document. */
struct network_place {
	const char *file;
	unsigned line;
};

/* An address, or with a prefix shorter than the family's a network. */
struct ip_prefix {
	uint8_t family; /* AF_INET or AF_INET6; 0: none */
	uint8_t length; /* of the prefix, bits */
	uint8_t bytes[16];
};

enum network_kind {
	NETWORK_PRESENT = 1, /* is there already (lo, of a mark VS any; else by the word
			      * `present`); neither made nor moved */
	NETWORK_MOVE,    /* brought in from the parent namespace; goes back at the end */
	NETWORK_VETH,    /* made, with the other end `peer` in the parent namespace */
	NETWORK_MACVLAN, /* made on top of `link` */
	NETWORK_VLAN,    /* 802.1Q or 802.1ad, made on top of `link` */
};

/* Device=NAME [KIND] [link DEV] [peer DEV] [master BRIDGE] [id N] [protocol 802.1Q|802.1ad]
 * [mode bridge|private|vepa|passthru] [mtu N] [mac ADDRESS] */
struct network_device {
	struct network_place place;
	char name[IF_NAMESIZE];
	enum network_kind kind;
	/* NETWORK_MOVE: its name in the parent namespace (default: name). MACVLAN, VLAN: the lower
	 * device: another Device= of the same VS (link_is_own) or one of the parent namespace. */
	char link[IF_NAMESIZE];
	bool link_is_own;
	char peer[IF_NAMESIZE];   /* NETWORK_VETH */
	char master[IF_NAMESIZE]; /* NETWORK_VETH: the bridge of the parent for the peer; "" none */
	unsigned vlan_id;         /* 1 to 4094 */
	uint16_t vlan_protocol;   /* ETH_P_8021Q or ETH_P_8021AD, host order */
	unsigned macvlan_mode;    /* MACVLAN_MODE_* */
	unsigned mtu;             /* 0: the kernel's choice */
	bool has_mac;
	uint8_t mac[6];
};

/* Address=ADDRESS/LENGTH [dev DEV] [gateway ADDRESS] [nodad]. dev may be left out where
 * there is one Device= that is not lo. It is a Device= of the VS, or lo; of a mark VS any device:
 * a Device= there is a claim of all of its addresses, and a device that is shared has none. */
struct network_address {
	struct network_place place;
	struct ip_prefix prefix; /* the whole address, with the length of its network */
	char dev[IF_NAMESIZE];
	struct ip_prefix gateway; /* its own default route (mark VSs); family 0: that of the VS */
	bool nodad;
	uint32_t table; /* the one that its `from` rule looks up; namespace VS: RT_TABLE_MAIN */
};

/* Pool=NETWORK/LENGTH, mark VSs only: whatever address of the namespace lies in there is the VS's,
 * whoever configures it; its rule stands before the address does. */
struct network_pool {
	struct network_place place;
	struct ip_prefix prefix;
};

enum network_route_kind {
	NETWORK_UNICAST = 1,
	NETWORK_UNREACHABLE,
	NETWORK_BLACKHOLE,
};

/* Gateway=ADDRESS [dev DEV] [onlink], which is a Route=default; Route=NETWORK|default [via ADDRESS]
 * [dev DEV] [src ADDRESS] [metric N] [mtu N] [onlink], Route=unreachable|blackhole NETWORK.
 * The default route by the gateway of an Address= is in here too (once for each table). Not in
 * here, since they follow from the rest: the networks of the addresses, and the unreachable
 * default of each table of a mark VS. */
struct network_route {
	struct network_place place;
	enum network_route_kind kind;
	struct ip_prefix dst; /* length 0: default */
	struct ip_prefix via; /* family 0: none */
	struct ip_prefix src; /* preferred source; family 0: none */
	char dev[IF_NAMESIZE]; /* of a unicast route always set: by the network `via` lies in */
	uint32_t metric;      /* 0: the kernel's choice */
	uint32_t mtu;         /* 0: the device's */
	bool onlink;
	bool is_gateway;      /* from Gateway=, or the gateway of an Address= */
	uint32_t table;
};

/* Sysctl=KEY = VALUE, below net. only, namespace VSs only. */
struct network_sysctl {
	struct network_place place;
	const char *key; /* net/ipv4/..., as a path below /proc/sys */
	const char *value;
};

struct network {
	bool is_mark;
	uint32_t mark;  /* 0 where !is_mark */
	/* Tables [table, table + table_count) are the VS's: one more for each gateway of an
	 * Address= that is not the VS's. */
	uint32_t table, table_count;
	bool is_default; /* Default=yes */
	bool is_wanted;  /* has a [Network] section, so that vsctl makes and keeps it */
	struct network_device *devices;
	struct network_address *addresses;
	struct network_pool *pools;
	struct network_route *routes;
	struct network_sysctl *sysctls;
	size_t device_count, address_count, pool_count, route_count, sysctl_count;
	struct network_place mark_place, table_place, default_place; /* file NULL: not set */
	struct network_place nft_place;
	const char *nft_file; /* NftFile=, absolute; NULL: none; namespace VSs only */
};

/*
 * network_parse: reads the two sections of a document, which the network then borrows strings of.
 * Every error is told with its place. 0, -EINVAL, -ENOMEM.
 */
int network_parse(struct network **network, const struct ini_doc *doc, ini_error_fn *error,
	void *arg);
void network_free(struct network *network); /* NULL is allowed */

/* One VS among all, for what only a look at all of them shows. */
struct network_member {
	const char *name;
	const char *ns; /* Namespace=, or of a namespace VS without it the name */
	const struct network *network;
};

/*
 * network_check_all: marks and tables that two VSs have; in one namespace (by the text of
 * Namespace=) addresses or pools of two mark VSs that overlap, and two defaults; a device that
 * two VSs move or make. Each is told once, with the place of the one and the other. 0 or -EINVAL.
 */
int network_check_all(const struct network_member *members, size_t count, ini_error_fn *error,
	void *arg);

/* The prefixes are in the same family, and one contains the other? */
bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b);
/* Does the network contain the address (whatever the length of the latter)? */
bool ip_prefix_contains(const struct ip_prefix *net, const struct ip_prefix *address);
bool ip_prefix_same_address(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_has_host_bits(const struct ip_prefix *p);
bool ip_prefix_is_whole(const struct ip_prefix *p); /* the length is the family's longest */
/* "10.0.0.5/24", "2001:db8::5/64". 0 or -EINVAL; without /LENGTH the family's longest. */
int ip_prefix_parse(const char *text, struct ip_prefix *prefix);
/* text: at least IP_PREFIX_TEXT bytes. The length is left out where it is the family's longest. */
#define IP_PREFIX_TEXT 52
void ip_prefix_print(const struct ip_prefix *prefix, char *text);

#endif
