/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An address comes or goes. Coming: the look that takes it to be there already makes its rule, and
 * its network's route with another source of the VS, if that has one; then it is added. Going: the
 * look that takes it to be gone has routes name other sources, since Linux removes those of an
 * address together with it; then it goes, its network's route after it, and its rule some time
 * later.
 *
 * Addresses that are not configured are not marked as ours: like all that somebody else
 * adds, they last until they are deleted. IPv4 addresses get the length 32 where something else
 * brings their network's route, for the reason that net_state.h tells.
 */
#include "config.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <string.h>

#include "net_private.h"
#include "vsreg_keeper.h"

static int get_prefix(const struct vs_address *address, struct ip_prefix *prefix)
{
	const unsigned char *bytes = (const unsigned char *)&address->addr;
	struct ip_prefix p = {.family = AF_INET};

	if (address->addr.ss_family == AF_INET && address->prefix <= 32) {
		memcpy(p.bytes, bytes + offsetof(struct sockaddr_in, sin_addr), 4);
		if (p.bytes[0] == 0 || p.bytes[0] == 127 || p.bytes[0] >= 224)
			return -EINVAL;
	} else if (address->addr.ss_family == AF_INET6 && address->prefix <= 128) {
		const struct in6_addr *in6;

		p.family = AF_INET6;
		memcpy(p.bytes, bytes + offsetof(struct sockaddr_in6, sin6_addr), 16);
		in6 = &((const struct sockaddr_in6 *)&address->addr)->sin6_addr;
		if (IN6_IS_ADDR_UNSPECIFIED(in6) || IN6_IS_ADDR_LOOPBACK(in6) ||
			IN6_IS_ADDR_MULTICAST(in6) || IN6_IS_ADDR_LINKLOCAL(in6) ||
			IN6_IS_ADDR_V4MAPPED(in6))
			return -EINVAL;
	} else {
		return -EINVAL;
	}
	p.length = (uint8_t)address->prefix;
	*prefix = p;
	return address->prefix > 0 ? 0 : -EINVAL;
}

/* ---- whose it is */

/* By how much a VS has an address; 0: not at all. As claims.h has it. */
static unsigned claim_of(
	const struct network *network, const struct ip_prefix *address, const char *dev)
{
	unsigned best = 0;

	for (size_t i = 0; i < network->address_count; i++) {
		if (net_same_address(&network->addresses[i].prefix, address))
			return 1000;
	}
	for (size_t i = 0; i < network->pool_count; i++) {
		const struct ip_prefix *pool = &network->pools[i].prefix;

		if (ip_prefix_contains(pool, address) && best < 10u + pool->length)
			best = 10u + pool->length;
	}
	for (size_t i = 0; i < network->device_count && best == 0; i++) {
		if (network->is_mark && strcmp(network->devices[i].name, dev) == 0)
			best = 1;
	}
	return best;
}

/* 0, or -EADDRNOTAVAIL: it is another one's, or would be nobody's. */
static int check_owner(const struct keeper_ns *ns, const struct vs *vs,
	const struct ip_prefix *address, const char *dev)
{
	unsigned own = 0, other = 0;

	for (size_t i = 0; i < ns->count; i++) {
		unsigned claim = claim_of(ns->wishes[i].network, address, dev);

		if (ns->members[i].vs == vs)
			own = claim;
		else if (claim > other)
			other = claim;
	}
	return own > other ? 0 : -EADDRNOTAVAIL;
}

/* ---- what the kernel has */

static struct net_addr *find_address(struct net_state *have, const struct ip_prefix *address)
{
	for (size_t i = 0; i < have->addr_count; i++) {
		if (net_same_address(&have->addrs[i].prefix, address))
			return &have->addrs[i];
	}
	return NULL;
}

/* Are they of one network of IPv4, so that one of them is secondary? */
static bool depends(const struct net_addr *a, const struct net_addr *b)
{
	struct ip_prefix l, r;

	if (a->prefix.family != AF_INET || b->prefix.family != AF_INET ||
		a->ifindex != b->ifindex || a->prefix.length != b->prefix.length)
		return false;
	l = net_network_of(&a->prefix);
	r = net_network_of(&b->prefix);
	return net_same_address(&l, &r);
}

/* The length with which an address is added. */
static uint8_t length_of(const struct network *network, const struct net_state *have,
	const struct net_addr *addr)
{
	const struct ip_prefix *p = &addr->prefix;

	if (p->family != AF_INET)
		return p->length;
	for (size_t i = 0; i < network->address_count; i++) {
		const struct ip_prefix *a = &network->addresses[i].prefix;

		if (a->length <= p->length && ip_prefix_contains(a, p))
			return 32;
	}
	for (size_t i = 0; i < have->addr_count; i++) {
		if (depends(&have->addrs[i], addr))
			return 32;
	}
	return p->length;
}

/* ---- the request */

static struct nl_msg *message(int type, const struct net_addr *addr)
{
	const struct ifaddrmsg head = {
		.ifa_family = addr->prefix.family,
		.ifa_prefixlen = addr->prefix.length,
		.ifa_index = addr->ifindex,
	};
	int size = addr->prefix.family == AF_INET ? 4 : 16, bad;
	struct nl_msg *msg = nlmsg_alloc_simple(
		type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0);

	if (!msg)
		return NULL;
	bad = nlmsg_append(msg, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) |
	      nla_put(msg, IFA_LOCAL, size, addr->prefix.bytes) |
	      nla_put(msg, IFA_ADDRESS, size, addr->prefix.bytes);
	if (type == RTM_NEWADDR) {
		bad |= nla_put_u32(msg, IFA_FLAGS,
			IFA_F_NOPREFIXROUTE | (addr->is_nodad ? IFA_F_NODAD : 0u));
		if (addr->is_ours)
			bad |= nla_put_u8(msg, IFA_PROTO, NETWORK_PROTOCOL);
	}
	if (!bad)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int send_one(struct vs_keeper *keeper, struct keeper_ns *ns, int type,
	const struct net_addr *addr)
{
	struct nl_msg *msg = message(type, addr);
	int rc;

	if (!msg)
		return -ENOMEM;
	net_batch_init(&keeper->batch, ns->ask);
	rc = net_batch_add(&keeper->batch, msg);
	nlmsg_free(msg);
	if (rc >= 0)
		rc = net_batch_send(&keeper->batch);
	return rc < 0 ? rc : keeper->batch.results[0].error;
}

/* ---- together */

/* The namespace, open, with its present state in keeper->look.have. */
static int begin(struct vs_keeper *keeper, struct vs *vs, struct keeper_ns **ns)
{
	struct net_look *look = &keeper->look;
	int rc = keeper_refresh(keeper);

	if (rc < 0)
		return rc;
	if (vs_is_gone(vs))
		return -ESTALE;
	*ns = keeper_find(keeper, vs_cookie(vs));
	if (vs_flavour(vs) != VS_MARK || !*ns)
		return -EOPNOTSUPP;
	rc = keeper_ns_open(keeper, *ns);
	if (rc < 0)
		return rc;
	net_look_clear(look);
	return net_read(&look->reader, (*ns)->ask, 0, NULL, &look->have);
}

static const struct network *network_of_vs(const struct keeper_ns *ns, const struct vs *vs)
{
	for (size_t i = 0; i < ns->count; i++) {
		if (ns->members[i].vs == vs)
			return ns->wishes[i].network;
	}
	return NULL;
}

/* Where it stands, or where its file wants it, or the only place; 0: there is no telling. */
static unsigned choose_device(
	const struct network *network, struct net_state *have, const struct ip_prefix *address)
{
	const struct net_addr *old = find_address(have, address);
	const struct net_link *link;
	const char *name = NULL;
	unsigned count = 0;

	if (old)
		return old->ifindex;
	for (size_t i = 0; i < network->device_count; i++) {
		if (strcmp(network->devices[i].name, "lo") == 0)
			continue;
		name = network->devices[i].name;
		count++;
	}
	for (size_t i = 0; i < network->address_count; i++) {
		if (!net_same_address(&network->addresses[i].prefix, address))
			continue;
		name = network->addresses[i].dev;
		count = 1;
	}
	link = count == 1 ? net_link_by_name(have, name) : NULL;
	return link ? link->index : 0;
}

/* The length is that which was asked for. */
static int describe(struct vs_keeper *keeper, struct keeper_ns *ns, const struct vs *vs,
	const struct vs_address *address, struct net_addr *addr)
{
	const struct network *network = network_of_vs(ns, vs);
	struct net_state *have = &keeper->look.have;
	const struct net_link *link;
	int rc = get_prefix(address, &addr->prefix);

	if (!network)
		return -ESTALE;
	if (rc < 0)
		return rc;
	addr->ifindex = address->ifindex;
	if (addr->ifindex == 0)
		addr->ifindex = choose_device(network, have, &addr->prefix);
	link = net_link_by_index(have, addr->ifindex);
	if (!link)
		return -ENODEV;
	memcpy(addr->dev, link->name, sizeof(addr->dev));
	return check_owner(ns, vs, &addr->prefix, addr->dev);
}

/* One that its file has becomes what vsctl would have made. */
static void as_configured(const struct network *network, struct net_addr *addr)
{
	for (size_t i = 0; i < network->address_count; i++) {
		const struct network_address *a = &network->addresses[i];

		if (!net_same_address(&a->prefix, &addr->prefix) || strcmp(a->dev, addr->dev) != 0)
			continue;
		addr->prefix.length = a->prefix.family == AF_INET ? 32 : a->prefix.length;
		addr->is_nodad = a->nodad;
		addr->is_ours = true;
	}
}

/* Is its rule there? By whatever look it was made, or by another keeper. */
static int check_rule(struct vs_keeper *keeper, struct keeper_ns *ns, const struct net_addr *addr)
{
	struct net_look *look = &keeper->look;
	int rc;

	net_look_clear(look);
	rc = net_read(&look->reader, ns->ask, 0, NULL, &look->have);
	for (size_t i = 0; rc == 0 && i < look->have.rule_count; i++) {
		const struct net_rule *r = &look->have.rules[i];

		if (r->is_ours && r->mark == 0 && r->from.family &&
			ip_prefix_contains(&r->from, &addr->prefix))
			return 0;
	}
	return rc < 0 ? rc : -EAGAIN;
}

int vs_keeper_address_add(
	struct vs_keeper *keeper, struct vs *vs, const struct vs_address *address)
{
	struct net_addr addr = {.is_noprefixroute = true};
	const struct keeper_pretence pretence = {.comes = &addr};
	const struct net_addr *old;
	const struct network *network;
	struct keeper_ns *ns;
	int looked, rc = begin(keeper, vs, &ns);

	if (rc == 0)
		rc = describe(keeper, ns, vs, address, &addr);
	if (rc < 0)
		return rc;
	old = find_address(&keeper->look.have, &addr.prefix);
	if (old)
		return old->ifindex == addr.ifindex ? keeper_look(keeper, ns, NULL) : -EEXIST;
	network = network_of_vs(ns, vs);
	looked = keeper_look(keeper, ns, &pretence); /* with the network's length, for its route */
	addr.prefix.length = length_of(network, &keeper->look.have, &addr);
	as_configured(network, &addr);
	rc = check_rule(keeper, ns, &addr);
	if (rc == -EAGAIN && looked < 0)
		rc = looked;
	if (rc == 0)
		rc = send_one(keeper, ns, RTM_NEWADDR, &addr);
	keeper_look(keeper, ns, NULL);
	return rc;
}

int vs_keeper_address_del(
	struct vs_keeper *keeper, struct vs *vs, const struct vs_address *address)
{
	struct net_addr addr = {.is_noprefixroute = true};
	const struct keeper_pretence pretence = {.goes = &addr.prefix};
	const struct net_addr *old;
	struct keeper_ns *ns;
	int rc = begin(keeper, vs, &ns);

	if (rc == 0)
		rc = describe(keeper, ns, vs, address, &addr);
	if (rc < 0)
		return rc;
	old = find_address(&keeper->look.have, &addr.prefix);
	if (!old || old->ifindex != addr.ifindex)
		return -ENOENT;
	addr.prefix.length = old->prefix.length;
	for (size_t i = 0; !old->is_secondary && i < keeper->look.have.addr_count; i++) {
		if (&keeper->look.have.addrs[i] != old &&
			depends(&keeper->look.have.addrs[i], old))
			return -EBUSY;
	}
	keeper_look(keeper, ns, &pretence);
	rc = send_one(keeper, ns, RTM_DELADDR, &addr);
	keeper_look(keeper, ns, NULL);
	return rc;
}
