/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps in words, much as ip(8) would have them. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

static const char *const step_names[] = {
	[NET_ADDR_DEL] = "remove address",
	[NET_RULE_DEL] = "remove rule",
	[NET_ROUTE_DEL] = "remove route",
	[NET_LINK_DEL] = "remove device",
	[NET_LINK_RETURN] = "give back device",
	[NET_LINK_ADD] = "add device",
	[NET_LINK_MOVE] = "move device",
	[NET_LINK_SET] = "change device",
	[NET_PEER_SET] = "change peer of device",
	[NET_SYSCTL] = "set",
	[NET_NFT] = "load",
	[NET_LINK_UP] = "set up device",
	[NET_ROUTE_ADD] = "add route",
	[NET_ROUTE_SET] = "change route",
	[NET_RULE_ADD] = "add rule",
	[NET_ADDR_ADD] = "add address",
};

const char *net_step_name(enum net_step_kind kind)
{
	if (kind >= sizeof(step_names) / sizeof(step_names[0]) || !step_names[kind])
		return "?";
	return step_names[kind];
}

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at, t->left, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = t->left ? (int)t->left - 1 : 0;
	t->at += n;
	t->left -= (size_t)n;
}

static void add_prefix(struct text *t, const char *word, const struct ip_prefix *prefix)
{
	char text[IP_PREFIX_TEXT];

	if (prefix->family == 0)
		return;
	ip_prefix_print(prefix, text);
	add(t, "%s %s", word, text);
}

static void add_device(struct text *t, const char *dev, unsigned index)
{
	if (dev[0])
		add(t, " dev %s", dev);
	else if (index)
		add(t, " dev %u", index);
}

static void add_route(struct text *t, const struct net_route *r)
{
	if (r->kind != NETWORK_UNICAST)
		add(t, " %s", r->kind == NETWORK_UNREACHABLE ? "unreachable" : "blackhole");
	if (r->dst.length)
		add_prefix(t, "", &r->dst);
	else
		add(t, " default%s", r->dst.family == AF_INET6 ? " (IPv6)" : "");
	add_prefix(t, " via", &r->via);
	add_device(t, r->dev, r->ifindex);
	add_prefix(t, " src", &r->src);
	add(t, " table %u", r->table);
	if (r->metric)
		add(t, " metric %u", r->metric);
	if (r->mtu)
		add(t, " mtu %u", r->mtu);
	if (r->onlink)
		add(t, " onlink");
}

static void add_rule(struct text *t, const struct net_rule *r)
{
	if (r->from.family)
		add_prefix(t, " from", &r->from);
	if (r->mark)
		add(t, " fwmark %#x", r->mark);
	if (r->is_unreachable)
		add(t, " unreachable");
	else
		add(t, " lookup %u", r->table);
	add(t, " priority %u%s", r->priority, r->family == AF_INET6 ? " (IPv6)" : "");
}

void net_step_print(const struct net_step *step, char text[NET_STEP_TEXT])
{
	struct text t = {text, NET_STEP_TEXT};

	add(&t, "%s", net_step_name(step->kind));
	switch (step->kind) {
	case NET_ADDR_ADD:
	case NET_ADDR_DEL:
		add_prefix(&t, "", &step->addr->prefix);
		add_device(&t, step->addr->dev, step->addr->ifindex);
		break;
	case NET_RULE_ADD:
	case NET_RULE_DEL:
		add_rule(&t, step->rule);
		break;
	case NET_ROUTE_ADD:
	case NET_ROUTE_SET:
	case NET_ROUTE_DEL:
		add_route(&t, step->route);
		break;
	case NET_SYSCTL:
		add(&t, " %s = %s", step->sysctl->sysctl->key, step->sysctl->sysctl->value);
		break;
	case NET_NFT:
		add(&t, " %s", step->nft->file);
		break;
	default:
		add(&t, " %s", step->link->name);
		break;
	}
}
