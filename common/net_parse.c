/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of the four dumps as objects of a state. An attribute of the wrong length is passed
 * over like an unknown one.
 */
#include "config.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "net_private.h"
#include "netlink.h"

static uint32_t get_u32(const struct netlink_value *v)
{
	uint32_t n = 0;

	if (v->len == sizeof(n))
		memcpy(&n, v->bytes, sizeof(n));
	return n;
}

static uint16_t get_u16(const struct netlink_value *v)
{
	uint16_t n = 0;

	if (v->len == sizeof(n))
		memcpy(&n, v->bytes, sizeof(n));
	return n;
}

static bool is_text(const struct netlink_value *v, const char *text)
{
	size_t len = strlen(text);

	return (v->len == len || (v->len == len + 1 && v->bytes[len] == '\0')) &&
	       memcmp(v->bytes, text, len) == 0;
}

/* A string that ends with a NUL within the value, and fits. */
static bool get_text(const struct netlink_value *v, char *text, size_t size)
{
	size_t len = strnlen((const char *)v->bytes, v->len);

	if (len == v->len || len >= size)
		return false;
	memcpy(text, v->bytes, len + 1);
	return true;
}

static size_t address_size(unsigned family)
{
	return family == AF_INET ? 4 : 16;
}

static bool get_prefix(
	const struct netlink_value *v, uint8_t family, unsigned length, struct ip_prefix *prefix)
{
	if (v->len != address_size(family) || length > net_longest(family))
		return false;
	*prefix = (struct ip_prefix){.family = family, .length = (uint8_t)length};
	memcpy(prefix->bytes, v->bytes, v->len);
	return true;
}

/* ---- links */

static void parse_altnames(struct net_link *link, struct netlink_attrs names)
{
	char text[NET_ALTNAME_MAX + 1];
	struct netlink_value v;

	while (!link->is_ours && netlink_attr_next(&names, &v)) {
		if (v.type != IFLA_ALT_IFNAME || !get_text(&v, text, sizeof(text)))
			continue;
		if (strncmp(text, NETWORK_ALTNAME, sizeof(NETWORK_ALTNAME) - 1) != 0)
			continue;
		memcpy(link->altname, text, sizeof(text));
		link->is_ours = true;
	}
}

static void parse_kind_data(struct net_link *link, struct netlink_attrs data)
{
	struct netlink_value v;

	while (netlink_attr_next(&data, &v)) {
		if (link->kind == NETWORK_VLAN && v.type == IFLA_VLAN_ID)
			link->vlan_id = get_u16(&v);
		else if (link->kind == NETWORK_VLAN && v.type == IFLA_VLAN_PROTOCOL)
			link->vlan_protocol = ntohs(get_u16(&v));
		else if (link->kind == NETWORK_MACVLAN && v.type == IFLA_MACVLAN_MODE)
			link->macvlan_mode = get_u32(&v);
	}
}

static void parse_linkinfo(struct net_link *link, struct netlink_attrs info)
{
	struct netlink_value v;

	while (netlink_attr_next(&info, &v)) {
		if (v.type == IFLA_INFO_DATA)
			parse_kind_data(link, netlink_nested(&v));
		if (v.type != IFLA_INFO_KIND)
			continue;
		if (is_text(&v, "veth"))
			link->kind = NETWORK_VETH;
		else if (is_text(&v, "macvlan"))
			link->kind = NETWORK_MACVLAN;
		else if (is_text(&v, "vlan"))
			link->kind = NETWORK_VLAN;
	}
}

static void parse_link_attr(struct net_link *link, const struct netlink_value *v)
{
	switch (v->type) {
	case IFLA_IFNAME:
		get_text(v, link->name, sizeof(link->name));
		break;
	case IFLA_MTU:
		link->mtu = get_u32(v);
		break;
	case IFLA_LINK:
		link->link = get_u32(v);
		break;
	case IFLA_LINK_NETNSID:
		if (v->len == sizeof(link->link_nsid))
			memcpy(&link->link_nsid, v->bytes, v->len);
		break;
	case IFLA_MASTER:
		link->master = get_u32(v);
		break;
	case IFLA_ADDRESS:
		link->has_mac = v->len == sizeof(link->mac);
		if (link->has_mac)
			memcpy(link->mac, v->bytes, v->len);
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(link, netlink_nested(v));
		break;
	case IFLA_PROP_LIST:
		parse_altnames(link, netlink_nested(v));
		break;
	default:
		break;
	}
}

static int parse_link(struct net_state *state, const struct netlink_message *m)
{
	struct netlink_attrs attrs;
	struct netlink_value v;
	struct net_link *link;
	struct ifinfomsg head;

	if (m->len < sizeof(head))
		return -EPROTO;
	memcpy(&head, m->body, sizeof(head));
	if (head.ifi_family != AF_UNSPEC || head.ifi_index <= 0)
		return 0;
	link = net_state_link(state);
	if (!link)
		return -ENOMEM;
	link->index = (unsigned)head.ifi_index;
	link->is_up = head.ifi_flags & IFF_UP;
	link->link_nsid = -1;
	attrs = netlink_attrs(m, sizeof(head));
	while (netlink_attr_next(&attrs, &v))
		parse_link_attr(link, &v);
	return 0;
}

/* ---- addresses */

/* IFA_LOCAL is the own end of a point-to-point link; IPv6 mostly has IFA_ADDRESS alone. */
static int parse_addr(struct net_state *state, const struct netlink_message *m)
{
	struct net_addr addr = {0}, *new;
	struct netlink_attrs attrs;
	struct netlink_value v;
	struct ifaddrmsg head;
	bool has_local = false;
	uint32_t flags;

	if (m->len < sizeof(head))
		return -EPROTO;
	memcpy(&head, m->body, sizeof(head));
	if (head.ifa_family != AF_INET && head.ifa_family != AF_INET6)
		return 0;
	flags = head.ifa_flags;
	attrs = netlink_attrs(m, sizeof(head));
	while (netlink_attr_next(&attrs, &v)) {
		if (v.type == IFA_LOCAL || (v.type == IFA_ADDRESS && !has_local))
			get_prefix(&v, head.ifa_family, head.ifa_prefixlen, &addr.prefix);
		has_local = has_local || v.type == IFA_LOCAL;
		if (v.type == IFA_FLAGS && v.len == sizeof(flags))
			flags = get_u32(&v);
		if (v.type == IFA_PROTO && v.len == 1)
			addr.is_ours = v.bytes[0] == NETWORK_PROTOCOL;
	}
	if (addr.prefix.family == 0)
		return 0;
	addr.ifindex = head.ifa_index;
	addr.is_noprefixroute = flags & IFA_F_NOPREFIXROUTE;
	addr.is_nodad = flags & IFA_F_NODAD;
	addr.is_tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	addr.is_secondary = head.ifa_family == AF_INET && (flags & IFA_F_SECONDARY);
	new = net_state_addr(state);
	if (!new)
		return -ENOMEM;
	*new = addr;
	return 0;
}

/* ---- routes */

static enum network_route_kind route_kind(unsigned type)
{
	switch (type) {
	case RTN_UNICAST:
		return NETWORK_UNICAST;
	case RTN_UNREACHABLE:
		return NETWORK_UNREACHABLE;
	case RTN_BLACKHOLE:
		return NETWORK_BLACKHOLE;
	default:
		return 0;
	}
}

static uint32_t parse_mtu(struct netlink_attrs metrics)
{
	struct netlink_value v;

	while (netlink_attr_next(&metrics, &v))
		if (v.type == RTAX_MTU)
			return get_u32(&v);
	return 0;
}

static void parse_route_attr(
	struct net_route *r, const struct rtmsg *head, const struct netlink_value *v)
{
	switch (v->type) {
	case RTA_DST:
		get_prefix(v, head->rtm_family, head->rtm_dst_len, &r->dst);
		break;
	case RTA_TABLE:
		r->table = get_u32(v);
		break;
	case RTA_PRIORITY:
		r->metric = get_u32(v);
		break;
	case RTA_OIF:
		r->ifindex = get_u32(v);
		break;
	case RTA_GATEWAY:
		get_prefix(v, head->rtm_family, net_longest(head->rtm_family), &r->via);
		break;
	case RTA_PREFSRC:
		get_prefix(v, head->rtm_family, net_longest(head->rtm_family), &r->src);
		break;
	case RTA_METRICS:
		r->mtu = parse_mtu(netlink_nested(v));
		break;
	case RTA_SRC:
	case RTA_MULTIPATH:
	case RTA_VIA:
	case RTA_NH_ID:
	case RTA_ENCAP:
		r->is_odd = true;
		break;
	default:
		break;
	}
}

static bool parse_route_message(struct net_route *r, const struct netlink_message *m)
{
	struct netlink_attrs attrs;
	struct netlink_value v;
	struct rtmsg head;

	memcpy(&head, m->body, sizeof(head));
	if ((head.rtm_family != AF_INET && head.rtm_family != AF_INET6) ||
		(head.rtm_flags & RTM_F_CLONED))
		return false;
	r->dst.family = head.rtm_family;
	r->table = head.rtm_table;
	r->kind = route_kind(head.rtm_type);
	r->is_ours = head.rtm_protocol == NETWORK_PROTOCOL;
	r->onlink = head.rtm_flags & RTNH_F_ONLINK;
	r->is_odd = r->kind == 0 || head.rtm_tos != 0;
	attrs = netlink_attrs(m, sizeof(head));
	while (netlink_attr_next(&attrs, &v))
		parse_route_attr(r, &head, &v);
	if (r->dst.length != head.rtm_dst_len)
		return false;
	if (r->kind != NETWORK_UNICAST)
		r->ifindex = 0;
	return true;
}

static int parse_route(
	struct net_state *state, const struct net_state *wish, const struct netlink_message *m)
{
	struct net_route r = {0}, *new;

	if (m->len < sizeof(struct rtmsg))
		return -EPROTO;
	if (!parse_route_message(&r, m))
		return 0;
	if (!r.is_ours && (!wish || !net_routes_of_key(wish, &r).count))
		return 0;
	new = net_state_route(state);
	if (!new)
		return -ENOMEM;
	*new = r;
	return 0;
}

/* ---- rules */

static void parse_rule_attr(
	struct net_rule *r, const struct fib_rule_hdr *head, const struct netlink_value *v)
{
	switch (v->type) {
	case FRA_SRC:
		get_prefix(v, head->family, head->src_len, &r->from);
		break;
	case FRA_PRIORITY:
		r->priority = get_u32(v);
		break;
	case FRA_TABLE:
		r->table = get_u32(v);
		break;
	case FRA_FWMARK:
		r->mark = get_u32(v);
		break;
	case FRA_FWMASK:
		r->mask = get_u32(v);
		break;
	case FRA_PROTOCOL:
		r->is_ours = v->len == 1 && v->bytes[0] == NETWORK_PROTOCOL;
		break;
	case FRA_SUPPRESS_PREFIXLEN:
	case FRA_SUPPRESS_IFGROUP:
		r->is_odd = r->is_odd || get_u32(v) != UINT32_MAX;
		break;
	case FRA_PAD:
		break;
	default:
		r->is_odd = true;
		break;
	}
}

static int parse_rule(struct net_state *state, const struct netlink_message *m)
{
	struct netlink_attrs attrs;
	struct fib_rule_hdr head;
	struct netlink_value v;
	struct net_rule *r;

	if (m->len < sizeof(head))
		return -EPROTO;
	memcpy(&head, m->body, sizeof(head));
	if (head.family != AF_INET && head.family != AF_INET6)
		return 0;
	r = net_state_rule(state);
	if (!r)
		return -ENOMEM;
	r->family = head.family;
	r->table = head.table;
	r->order = (unsigned)state->rule_count;
	r->is_unreachable = head.action == FR_ACT_UNREACHABLE;
	r->is_odd = head.dst_len != 0 || head.tos != 0 || (head.flags & FIB_RULE_INVERT) ||
		    (head.action != FR_ACT_TO_TBL && head.action != FR_ACT_UNREACHABLE);
	attrs = netlink_attrs(m, sizeof(head));
	while (netlink_attr_next(&attrs, &v))
		parse_rule_attr(r, &head, &v);
	if (r->from.length != head.src_len)
		r->is_odd = true;
	if (r->is_unreachable)
		r->table = 0;
	if (head.family == AF_INET6)
		state->has_ipv6 = true;
	return 0;
}

static int parse_message(struct net_take *take, const struct netlink_message *m)
{
	switch (m->head.nlmsg_type) {
	case RTM_NEWLINK:
		return parse_link(take->state, m);
	case RTM_NEWADDR:
		return parse_addr(take->state, m);
	case RTM_NEWROUTE:
		return parse_route(take->state, take->wish, m);
	case RTM_NEWRULE:
		return parse_rule(take->state, m);
	default:
		return 0;
	}
}

int net_take_bytes(struct net_take *take, const void *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc;

	while ((rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		if (m.head.nlmsg_seq != take->seq)
			continue;
		if (m.head.nlmsg_flags & NLM_F_DUMP_INTR)
			take->is_interrupted = true;
		if (m.head.nlmsg_type == NLMSG_DONE || m.head.nlmsg_type == NLMSG_ERROR) {
			rc = netlink_error(&m);
			return rc < 0 ? rc : 1;
		}
		rc = parse_message(take, &m);
		if (rc < 0)
			return rc;
	}
	return rc;
}
