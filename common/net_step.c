/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "net_link_step.h"
#include "net_step.h"

#define ADD (NLM_F_CREATE | NLM_F_EXCL)

/* None is longer, and libnl would clear a page for each. */
struct nl_msg *net_request(int type, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(NET_REQUEST_MAX);

	if (msg && nlmsg_put(msg, 0, 0, type, 0, flags))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

unsigned net_site_index(const struct net_site *site, unsigned index, const char *name)
{
	for (size_t i = 0; i < site->made_count; i++) {
		const struct net_made *m = &site->made[i];
		if (index ? m->old_index == index : strcmp(m->name, name) == 0)
			return m->index;
	}
	if (index == 0 && name[0] && site->have) {
		const struct net_link *link = net_link_by_name(site->have, name);
		if (link && link->going == NET_STAYS)
			return link->index;
	}
	return index;
}

static int put_prefix(struct nl_msg *msg, int type, const struct ip_prefix *prefix)
{
	return prefix->family ? nla_put(msg, type, prefix->family == AF_INET ? 4 : 16,
					prefix->bytes) :
				0;
}

/* Takes over the message. */
static int finish(struct nl_msg *msg, int bad, net_request_fn *put, void *arg)
{
	if (msg && !bad)
		return put(arg, NET_ROLE_ONLY, false, msg);
	nlmsg_free(msg);
	return -ENOMEM;
}

static struct nl_msg *message(int type, int flags, const void *head, size_t len)
{
	struct nl_msg *msg = net_request(type, flags);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)head, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_addr(const struct net_addr *addr, bool add, const struct net_site *site,
	net_request_fn *put, void *arg)
{
	const struct ifaddrmsg head = {
		.ifa_family = addr->prefix.family,
		.ifa_prefixlen = addr->prefix.length,
		.ifa_index = net_site_index(site, addr->ifindex, addr->dev),
	};
	uint32_t flags = (addr->is_noprefixroute ? IFA_F_NOPREFIXROUTE : 0u) |
			 (addr->is_nodad ? IFA_F_NODAD : 0u);
	struct nl_msg *msg;
	int bad;

	if (head.ifa_index == 0)
		return -ENODEV;
	msg = message(add ? RTM_NEWADDR : RTM_DELADDR, add ? ADD : 0, &head, sizeof(head));
	if (!msg)
		return -ENOMEM;
	bad = put_prefix(msg, IFA_LOCAL, &addr->prefix);
	if (addr->prefix.family == AF_INET)
		bad |= put_prefix(msg, IFA_ADDRESS, &addr->prefix);
	if (add)
		bad |= nla_put_u32(msg, IFA_FLAGS, flags) |
		       nla_put_u8(msg, IFA_PROTO, NETWORK_PROTOCOL);
	return finish(msg, bad, put, arg);
}

static unsigned char route_type(enum network_route_kind kind)
{
	switch (kind) {
	case NETWORK_UNREACHABLE:
		return RTN_UNREACHABLE;
	case NETWORK_BLACKHOLE:
		return RTN_BLACKHOLE;
	case NETWORK_UNICAST:
		break;
	}
	return RTN_UNICAST;
}

/* IPv4 alone knows scopes: what has no gateway is a link of ours. */
static unsigned char route_scope(const struct net_route *route)
{
	bool is_link = route->dst.family == AF_INET && route->kind == NETWORK_UNICAST &&
		       route->via.family == 0;

	return is_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static int put_route_mtu(struct nl_msg *msg, uint32_t mtu)
{
	struct nlattr *metrics = mtu ? nla_nest_start(msg, RTA_METRICS) : NULL;
	int bad = mtu && !metrics;

	if (metrics) {
		bad |= nla_put_u32(msg, RTAX_MTU, mtu);
		nla_nest_end(msg, metrics);
	}
	return bad;
}

static int put_route(const struct net_route *route, int type, int flags,
	const struct net_site *site, net_request_fn *put, void *arg)
{
	const struct rtmsg head = {
		.rtm_family = route->dst.family,
		.rtm_dst_len = route->dst.length,
		.rtm_table = route->table < 256 ? (unsigned char)route->table : RT_TABLE_UNSPEC,
		.rtm_protocol = NETWORK_PROTOCOL,
		.rtm_scope = route_scope(route),
		.rtm_type = route_type(route->kind),
		.rtm_flags = route->onlink ? RTNH_F_ONLINK : 0u,
	};
	bool has_device = route->ifindex || route->dev[0];
	unsigned index = has_device ? net_site_index(site, route->ifindex, route->dev) : 0;
	struct nl_msg *msg;
	int bad;

	if (has_device && index == 0)
		return -ENODEV;
	msg = message(type, flags, &head, sizeof(head));
	if (!msg)
		return -ENOMEM;
	bad = nla_put_u32(msg, RTA_TABLE, route->table);
	if (route->dst.length > 0)
		bad |= put_prefix(msg, RTA_DST, &route->dst);
	bad |= put_prefix(msg, RTA_GATEWAY, &route->via);
	bad |= put_prefix(msg, RTA_PREFSRC, &route->src);
	if (index)
		bad |= nla_put_u32(msg, RTA_OIF, index);
	if (route->metric)
		bad |= nla_put_u32(msg, RTA_PRIORITY, route->metric);
	bad |= put_route_mtu(msg, route->mtu);
	return finish(msg, bad, put, arg);
}

static int put_rule(const struct net_rule *rule, bool add, net_request_fn *put, void *arg)
{
	const struct fib_rule_hdr head = {
		.family = rule->family,
		.src_len = rule->from.family ? rule->from.length : 0,
		.table = rule->table < 256 ? (unsigned char)rule->table : RT_TABLE_UNSPEC,
		.action = rule->is_unreachable ? FR_ACT_UNREACHABLE : FR_ACT_TO_TBL,
	};
	struct nl_msg *msg =
		message(add ? RTM_NEWRULE : RTM_DELRULE, add ? ADD : 0, &head, sizeof(head));
	int bad;

	if (!msg)
		return -ENOMEM;
	bad = nla_put_u32(msg, FRA_PRIORITY, rule->priority) |
	      nla_put_u8(msg, FRA_PROTOCOL, NETWORK_PROTOCOL);
	if (!rule->is_unreachable)
		bad |= nla_put_u32(msg, FRA_TABLE, rule->table);
	if (rule->from.family && rule->from.length > 0)
		bad |= put_prefix(msg, FRA_SRC, &rule->from);
	if (rule->mark)
		bad |= nla_put_u32(msg, FRA_FWMARK, rule->mark) |
		       nla_put_u32(msg, FRA_FWMASK, rule->mask);
	return finish(msg, bad, put, arg);
}

struct nl_msg *net_request_nsid(int type, int fd)
{
	const struct rtgenmsg head = {.rtgen_family = AF_UNSPEC};
	struct nl_msg *msg = message(type, 0, &head, sizeof(head));
	int bad = msg ? nla_put_u32(msg, NETNSA_FD, (uint32_t)fd) : 0;

	if (msg && type == RTM_NEWNSID)
		bad |= nla_put_s32(msg, NETNSA_NSID, NETNSA_NSID_NOT_ASSIGNED);
	if (bad) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int net_step_requests(const struct net_step *step, const struct net_site *site,
	net_request_fn *put, void *arg)
{
	switch (step->kind) {
	case NET_ADDR_DEL:
	case NET_ADDR_ADD:
		return put_addr(step->addr, step->kind == NET_ADDR_ADD, site, put, arg);
	case NET_RULE_DEL:
	case NET_RULE_ADD:
		return put_rule(step->rule, step->kind == NET_RULE_ADD, put, arg);
	case NET_ROUTE_DEL:
		return put_route(step->route, RTM_DELROUTE, 0, site, put, arg);
	case NET_ROUTE_ADD:
		return put_route(step->route, RTM_NEWROUTE, ADD, site, put, arg);
	case NET_ROUTE_SET:
		return put_route(step->route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, site, put,
			arg);
	case NET_SYSCTL:
	case NET_NFT:
		return -EINVAL;
	case NET_LINK_DEL:
	case NET_LINK_RETURN:
	case NET_LINK_ADD:
	case NET_LINK_MOVE:
	case NET_LINK_SET:
	case NET_PEER_SET:
	case NET_LINK_UP:
		break;
	}
	return net_link_requests(step, site, put, arg);
}
