/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The difference engine: what is in the kernel, what should be there, and the steps from
 * the one to the other, in the order in which nothing is ever answered by a half-made VS.
 *
 *   net_wish.c   VSs of one namespace as the objects that the kernel would have
 *   net_claim.c  and what follows from addresses that somebody else configured
 *   net_read.c   the objects that it has (netlink dumps of one namespace)
 *   net_diff.c   the two compared: a list of steps. No I/O.
 *   net_state.c  memory
 *   net_step.c   one step as a netlink request (net_make.c sends them)
 *
 * A state is that of one namespace. Mark VSs that share a namespace are compared in one go.
 * Ours are: devices whose alternative name begins with NETWORK_ALTNAME; addresses, routes and
 * rules of protocol NETWORK_PROTOCOL. Everything else is only looked at, never changed.
 *
 * IPv4 addresses of mark VSs are made with the length 32, whatever that of their network: Linux
 * takes the first address of a network to be the primary one and, unless told otherwise, removes
 * all others of it along with that one; so VSs with addresses of one network would depend on
 * each other. Their network's route is separate anyway.
 */
#ifndef NSAUX_NET_STATE_H
#define NSAUX_NET_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network.h"

#define NET_ALTNAME_MAX 127
/* What one namespace may have of each; the tenant's root may make as many as it likes. */
#define NET_OBJECTS_MAX 131072

struct net_member;

/* What net_diff() made of an object of the kernel. */
enum net_going {
	NET_STAYS,
	NET_GOES_FIRST,  /* before anything comes */
	NET_GOES_BEFORE, /* a route: when all has come, before the addresses go that go last */
	NET_GOES_LAST,
};

struct net_link {
	unsigned index; /* 0 in a wish; net_diff() fills in that of a device that is there */
	char name[IF_NAMESIZE];
	enum network_kind kind; /* 0: something else */
	bool is_ours;
	char altname[NET_ALTNAME_MAX + 1]; /* of ours; see net_altname() */
	bool is_up;
	unsigned mtu;    /* 0 in a wish: any */
	bool has_mac;
	uint8_t mac[6];
	unsigned link;   /* index of the lower device or the veth peer; 0: none or unknown */
	int link_nsid;   /* where that is; -1: the same namespace */
	unsigned master;
	unsigned vlan_id;
	uint16_t vlan_protocol; /* host order */
	unsigned macvlan_mode;
	const struct network_device *device; /* of a wish; NULL: lo of a namespace VS */
	/* Of net_diff(): the same object on the other side. */
	struct net_link *match;
	enum net_going going;
	/* Of the kernel, by net_diff(): when its last IPv4 address goes, with which Linux removes all
	 * IPv4 routes by the device, of whatever table. NET_STAYS: never. */
	enum net_going ipv4_going;
};

struct net_addr {
	struct ip_prefix prefix; /* see above for IPv4 of mark VSs */
	unsigned ifindex;        /* in a wish: filled in by net_diff(); 0: of a device to come */
	char dev[IF_NAMESIZE];   /* of a wish */
	bool is_ours;
	bool is_noprefixroute, is_nodad, is_tentative, is_secondary;
	uint32_t table; /* of a wish: where its traffic is to be routed */
	/* Of a wish: */
	const struct network_address *address;
	const struct net_member *member;
	bool is_passed; /* by net_diff(): its device is not there or not up */
	struct net_addr *match;
	enum net_going going;
};

struct net_route {
	uint32_t table, metric, mtu; /* metric as the kernel will show it */
	enum network_route_kind kind; /* 0: something else */
	struct ip_prefix dst, via, src;
	unsigned ifindex; /* as in net_addr; of kinds other than NETWORK_UNICAST always 0 */
	char dev[IF_NAMESIZE]; /* of a wish */
	bool onlink, is_ours;
	bool is_odd; /* several next hops or others of which the engine knows nothing */
	/* Of a wish: */
	struct network_place place; /* file NULL: follows from no line of its own */
	const struct net_member *member;
	bool is_implied; /* by an address, of which all is told that is to be told */
	bool is_passed;
	struct net_route *match; /* the same key; equal when is_right */
	bool is_right;
	bool is_late;              /* its source is not there yet */
	struct net_route *interim; /* so until then; NULL: as it is, or not at all */
	/* Of the kernel: interim is what it becomes before addresses go first, leaving before they
	 * go last, since its source is among them. */
	struct net_route *leaving;
	enum net_going going;
};

struct net_rule {
	uint8_t family;
	uint32_t priority, table, mark, mask;
	struct ip_prefix from; /* family 0: all */
	bool is_unreachable;   /* in the place of a table */
	bool is_ours;
	bool is_odd; /* with selectors or actions of which the engine knows nothing */
	unsigned order; /* as the kernel has them */
	/* Of a wish: */
	struct network_place place;
	const struct net_member *member;
	bool is_passed; /* somebody else's is in the way */
	struct net_rule *match;
	struct net_rule *closed; /* stands in its place until the late routes are there */
	enum net_going going;    /* first: as soon as the rules of the wish are there */
};

/* Of a wish only: what cannot be read by netlink. Whoever can read it sets is_right. */
struct net_sysctl {
	const struct network_sysctl *sysctl;
	bool is_right;
};

struct net_nft {
	const char *file;
	struct network_place place;
	bool is_right;
};

struct net_state {
	struct net_link *links; /* of the kernel: in order of index */
	struct net_addr *addrs;
	struct net_route *routes;
	struct net_rule *rules;
	struct net_sysctl *sysctls;
	struct net_nft *nfts;
	unsigned *by_name; /* the links in order of name, where there are many */
	size_t link_count, addr_count, route_count, rule_count, sysctl_count, nft_count;
	size_t link_size, addr_size, route_size, rule_size, sysctl_size, nft_size, by_name_count;
	bool has_ipv6; /* the kernel has it; a wish for it where it has not is an error */
	bool is_whole; /* with routes of others that a wish meets */
};

/* Memory: a zeroed struct is an empty state. clear keeps the memory for the next namespace. */
void net_state_clear(struct net_state *state);
void net_state_free(struct net_state *state); /* what it has; not the struct */
/* Another one, zeroed; NULL: no memory, or NET_OBJECTS_MAX. Pointers to others become invalid. */
struct net_link *net_state_link(struct net_state *state);
struct net_addr *net_state_addr(struct net_state *state);
struct net_route *net_state_route(struct net_state *state);
struct net_rule *net_state_rule(struct net_state *state);
struct net_sysctl *net_state_sysctl(struct net_state *state);
struct net_nft *net_state_nft(struct net_state *state);
/* Puts links in order once all are there. 0 or -ENOMEM. */
int net_state_index(struct net_state *state);
const struct net_link *net_link_by_index(const struct net_state *state, unsigned index);
const struct net_link *net_link_by_name(const struct net_state *state, const char *name);

/*
 * The alternative name of a device that a VS made ("nsaux:made:VS:DEV") or brought in
 * ("nsaux:from:VS:NAME", NAME being that in the parent namespace, under which it goes back). Of a
 * name of a VS that is too long the end is a checksum.
 */
void net_altname(char text[NET_ALTNAME_MAX + 1], const char *vs,
	const struct network_device *device);
/* Whether it says so of this VS (NULL: of any). */
bool net_altname_is_of(const char *altname, const char *vs);
/* The name in the parent namespace of a device that was brought in; NULL: it was made. */
const char *net_altname_parent_name(const char *altname);

/* The VSs of one namespace, all that are configured: also those that are not to be touched. */
struct net_member {
	const char *name;
	const struct network *network;
	enum net_member_wish {
		NET_LEAVE,   /* only known, so that nothing of it is taken for another's */
		NET_PRESENT, /* should be there */
		NET_ABSENT,  /* should not: whatever it has goes */
	} wish;
};

struct net_group {
	const struct net_member *members;
	size_t count;
	/* No member is to be left: every object of ours that nobody wishes goes. */
	bool is_full;
	/* For the keeper: only rules and routes. What has no device or source (yet) is passed over
	 * without a word, and a conflict is a warning. Devices and addresses are left alone; a
	 * route that names a source waits for it. */
	bool is_keeper;
	/* The namespace goes with all that is in it: only its devices are looked at, some of which
	 * are to be given back, and not what its tenant may have filled it with. */
	bool is_ending;
};

/* wish: a cleared state, which then borrows strings of the networks. 0 or -ENOMEM. */
int net_wish(struct net_state *wish, const struct net_group *group);

/*
 * net_claim: adds to the wish what follows from addresses that stand in `have` without being
 * configured: those in a Pool= of a mark VS, or on a Device= that just one mark VS names. Each gets
 * its `from` rule (where no pool's rule covers it) and the route of its network. 0, -ENOMEM.
 */
int net_claim(struct net_state *wish, const struct net_state *have, const struct net_group *group);

/* Reads by one netlink socket after another, with one buffer. */
struct net_reader {
	unsigned char *bytes;
	size_t size;
	uint32_t seq;
};

/* What to read. Addresses and links are always read. */
#define NET_READ_LINKS 0x1u  /* links alone: of the parent namespace */
#define NET_READ_WHOLE 0x2u  /* routes of others, too, as far as a wish meets them */
void net_reader_free(struct net_reader *reader); /* what it has */

/*
 * net_read: a cleared state is filled. fd is a netlink socket (NETLINK_ROUTE) of the namespace, for
 * which net_read_prepare() was called once; nobody else reads from it meanwhile. wish may be
 * NULL: then no routes of others are taken. 0, -ENOMEM, -E2BIG (NET_OBJECTS_MAX), -ETIMEDOUT (it
 * changes faster than it can be read), -EPROTO, or what the kernel gave. The wish is put in order.
 */
int net_read_prepare(int fd);
int net_read(struct net_reader *reader, int fd, unsigned flags, struct net_state *wish,
	struct net_state *state);
/*
 * The part of it that needs no socket: the messages of one buffer, of any of the dumps. 1 at the
 * end of the dump, 0 when more is to come, -errno.
 */
void net_sort_routes(struct net_state *state);
struct net_take {
	struct net_state *state;
	const struct net_state *wish; /* in order (net_sort_routes()), or NULL */
	uint32_t seq;        /* messages of another one are passed over */
	bool is_interrupted; /* the kernel says that the dump is to be made again */
};
int net_take_bytes(struct net_take *take, const void *bytes, size_t len);

/*
 * A step is one request, or one file to write or load. They are done in the order of the plan;
 * numbers have no meaning. What comes is in `wish`'s memory or the plan's, what goes or
 * changes in `have`'s: both states must outlive the plan and not change.
 */
enum net_step_kind {
	NET_ADDR_DEL = 1,
	NET_RULE_DEL,
	NET_ROUTE_DEL,
	NET_LINK_DEL,
	NET_LINK_RETURN, /* to the parent namespace, by its name there, without our alternative name */
	NET_LINK_ADD,    /* veth, macvlan, vlan: made down, with its alternative name; mtu, mac, master
			  * of the peer, and the peer up */
	NET_LINK_MOVE,   /* from the parent namespace, with its alternative name; name, mtu, mac */
	NET_LINK_SET,    /* old.link is there: its name, mtu and mac where they differ */
	NET_PEER_SET,    /* old.link is the other end in the parent: its name, master, up */
	NET_SYSCTL,
	NET_NFT,
	NET_LINK_UP,
	NET_ROUTE_ADD, /* NLM_F_CREATE | NLM_F_EXCL */
	NET_ROUTE_SET, /* NLM_F_CREATE | NLM_F_REPLACE: the same table, destination and metric */
	NET_RULE_ADD,
	NET_ADDR_ADD,
};

struct net_step {
	enum net_step_kind kind;
	/*
	 * NET_ROUTE_SET: the route names a source that was not there when the state was read. In
	 * IPv6 the kernel refuses it (EINVAL) until duplicate address detection has ended. Then no
	 * step behind those that are late may be done; look again in a while.
	 */
	bool is_late;
	/* The object: as wished for what comes or changes, of the kernel for what goes. */
	union {
		const struct net_link *link;
		const struct net_addr *addr;
		const struct net_route *route;
		const struct net_rule *rule;
		struct net_sysctl *sysctl;
		struct net_nft *nft;
	};
	union {
		const struct net_link *link;
		const struct net_route *route;
	} old;
	struct network_place place; /* for messages; file NULL: a leftover */
};

struct net_plan {
	struct net_step *steps;
	size_t count, size;
	struct net_route *routes; /* as they are until their source is there */
	struct net_rule *rules;
	size_t route_count, rule_count, route_size, rule_size;
};

void net_plan_clear(struct net_plan *plan);
void net_plan_free(struct net_plan *plan); /* what it has */
const char *net_step_name(enum net_step_kind kind);
/* For messages and --dry-run: "add address 10.0.0.5/24 dev eth0". size: at least NET_STEP_TEXT. */
#define NET_STEP_TEXT 256
void net_step_print(const struct net_step *step, char text[NET_STEP_TEXT]);

/* Told of each conflict (LOG_ERR) and what else one should know (LOG_WARNING). */
typedef void net_report_fn(void *arg, int priority, const struct network_place *place,
	const char *text);

/*
 * net_diff: a cleared plan is filled. parent: the links of the parent namespace (NET_READ_LINKS;
 * may be `have` itself), or NULL: what is there is not looked at. The order:
 *
 *   addresses go that must go first: they get another table, device or length, or the device goes;
 *   devices go (here when others come, otherwise at the very end), come, are set; sysctls, nft; up;
 *   routes come and change, those that other routes need first; an address that a route
 *   names as source may not be there yet: until then it names another of the VS, or none;
 *   rules come: from, then mark; then those go that stand before one of the wish;
 *   addresses come; routes get their right source;
 *   addresses, rules, routes go, and devices. Routes that Linux took along come again.
 *
 * So each address has its rule and routes before it is up and as long as it is. When there is no
 * other address of the VS that a new route can name until its own is there, since that is the
 * first, then the mark rule is `unreachable` in that time, and a socket with the mark gets an
 * error instead of another VS's address.
 *
 * What goes may have gone by itself by then: no error (ESRCH, ENODEV, EADDRNOTAVAIL, ENOENT).
 *
 * 0; -EEXIST: conflicts with objects of others, -ENODEV: a device that is not there (all told, and
 * then the plan is empty); -ENOMEM.
 */
int net_diff(struct net_plan *plan, struct net_state *wish, struct net_state *have,
	const struct net_state *parent, const struct net_group *group, net_report_fn *report,
	void *arg);

/*
 * net_compare: all of the above for one namespace. look->wish is that of net_wish() already, with
 * is_right set where sysctls and nft files are as they should be. First only our own routes are
 * read, and when there is anything to do, once more with those of others that the wish meets.
 * parent NULL: the namespace is its own parent. Warnings are told only where there is work.
 */
struct net_look {
	struct net_reader reader;
	struct net_state wish, have;
	struct net_plan plan;
};
int net_compare(struct net_look *look, int fd, const struct net_state *parent,
	const struct net_group *group, net_report_fn *report, void *arg);
void net_look_clear(struct net_look *look); /* before the next namespace */
void net_look_free(struct net_look *look);

#endif
