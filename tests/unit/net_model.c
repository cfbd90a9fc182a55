/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of Linux as the steps of a plan meet. A step that Linux would refuse fails the test. */
#include "config.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net_rig.h"
#include "net_private.h"

static void refuse(const struct rig *rig, const struct net_step *step, const char *why)
{
	char text[NET_STEP_TEXT];

	net_step_print(step, text);
	print_error("%s", rig->steps);
	fail_msg("round %u: %s: %s", rig->number, text, why);
}

static void need(const struct rig *rig, const struct net_step *step, bool good, const char *why)
{
	if (!good)
		refuse(rig, step, why);
}

/* ---- links */

static struct net_link *link_named(struct rig *rig, const char *name)
{
	const struct net_link *link = net_link_by_name(&rig->have, name);

	return link ? &rig->have.links[link - rig->have.links] : NULL;
}

static void drop_routes(struct net_state *s,
	bool (*gone)(const struct net_route *r, const void *arg), const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->route_count; i++)
		if (!gone(&s->routes[i], arg))
			s->routes[kept++] = s->routes[i];
	s->route_count = kept;
}

static bool is_by_device(const struct net_route *r, const void *index)
{
	return r->ifindex == *(const unsigned *)index;
}

static void remove_peer(struct rig *rig, unsigned index)
{
	const struct net_link *found = net_link_by_index(&rig->parent, index);
	struct net_state *s = &rig->parent;
	struct net_link *peer;

	if (!found)
		return;
	peer = &s->links[found - s->links];
	memmove(peer, peer + 1, (size_t)(s->links + s->link_count - peer - 1) * sizeof(*peer));
	s->link_count--;
	assert_int_equal(net_state_index(s), 0);
}

static void remove_link(struct rig *rig, const struct net_step *step)
{
	struct net_state *s = &rig->have;
	struct net_link *link = link_named(rig, step->link->name);
	unsigned index;
	size_t kept = 0;

	need(rig, step, link, "no such device");
	need(rig, step, link->is_ours, "somebody else's");
	index = link->index;
	if (link->kind == NETWORK_VETH)
		remove_peer(rig, link->link);
	for (size_t i = 0; i < s->addr_count; i++)
		if (s->addrs[i].ifindex != index)
			s->addrs[kept++] = s->addrs[i];
	s->addr_count = kept;
	drop_routes(s, is_by_device, &index);
	memmove(link, link + 1, (size_t)(s->links + s->link_count - link - 1) * sizeof(*link));
	s->link_count--;
	assert_int_equal(net_state_index(s), 0);
}

static void add_link(struct rig *rig, const struct net_step *step)
{
	const struct net_link *w = step->link;
	struct net_link *link;

	need(rig, step, !link_named(rig, w->name), "there is one already");
	if (w->device->link_is_own)
		need(rig, step, link_named(rig, w->device->link), "no lower device");
	link = rig_link(rig, w->name);
	link->kind = w->kind == NETWORK_MOVE ? 0 : w->kind;
	link->is_ours = true;
	link->is_up = false;
	memcpy(link->altname, w->altname, sizeof(link->altname));
	link->mtu = w->mtu ? w->mtu : 1500;
	link->has_mac = true;
	memcpy(link->mac, w->mac, sizeof(link->mac));
	link->vlan_id = w->vlan_id;
	link->vlan_protocol = w->vlan_protocol;
	link->macvlan_mode = w->macvlan_mode;
	link->link_nsid = w->device->link_is_own || !rig->has_parent ? -1 : 0;
	if (w->device->link_is_own)
		link->link = rig_index(rig, w->device->link);
	else if (rig->has_parent && net_link_by_name(&rig->parent, w->device->link))
		link->link = net_link_by_name(&rig->parent, w->device->link)->index;
	if (w->kind == NETWORK_VETH && rig->has_parent) {
		struct net_link *peer = rig_parent_link(rig, w->device->peer);
		const struct net_link *master =
			net_link_by_name(&rig->parent, w->device->master);

		peer->kind = NETWORK_VETH;
		peer->link = link->index;
		peer->master = master ? master->index : 0;
		link->link = peer->index;
	}
}

static void set_link(struct rig *rig, const struct net_step *step)
{
	struct net_link *link = link_named(rig, step->old.link->name);

	need(rig, step, link && link->is_ours, "not ours");
	memcpy(link->name, step->link->name, sizeof(link->name));
	if (step->link->mtu)
		link->mtu = step->link->mtu;
	if (step->link->has_mac)
		memcpy(link->mac, step->link->mac, sizeof(link->mac));
	assert_int_equal(net_state_index(&rig->have), 0);
}

static void set_peer(struct rig *rig, const struct net_step *step)
{
	const struct net_link *found = net_link_by_index(&rig->parent, step->old.link->index);
	const struct net_link *master =
		net_link_by_name(&rig->parent, step->link->device->master);

	need(rig, step, found, "no peer");
	rig->parent.links[found - rig->parent.links].is_up = true;
	rig->parent.links[found - rig->parent.links].master = master ? master->index : 0;
}

/* ---- addresses */

static struct net_addr *find_addr(struct rig *rig, const struct net_addr *key, unsigned index)
{
	for (size_t i = 0; i < rig->have.addr_count; i++) {
		struct net_addr *a = &rig->have.addrs[i];

		if (a->ifindex == index && net_same_address(&a->prefix, &key->prefix) &&
			(a->prefix.length == key->prefix.length || a->prefix.family == AF_INET6))
			return a;
	}
	return NULL;
}

static bool has_address(const struct rig *rig, const struct ip_prefix *address)
{
	for (size_t i = 0; i < rig->have.addr_count; i++)
		if (net_same_address(&rig->have.addrs[i].prefix, address))
			return true;
	return false;
}

static bool has_lost_source(const struct net_route *r, const void *address)
{
	return r->table == RT_TABLE_MAIN && r->dst.family == AF_INET && r->src.family &&
	       net_same_address(&r->src, address);
}

/* IPv4 loses routes of the main table, IPv6 their source. */
static void lose_source(struct rig *rig, const struct ip_prefix *address)
{
	struct net_state *s = &rig->have;

	if (has_address(rig, address))
		return;
	drop_routes(s, has_lost_source, address);
	for (size_t i = 0; i < s->route_count; i++)
		if (address->family == AF_INET6 && net_same_address(&s->routes[i].src, address))
			s->routes[i].src = (struct ip_prefix){0};
}

static bool same_network(const struct net_addr *a, const struct net_addr *b)
{
	return a->prefix.family == AF_INET && b->prefix.family == AF_INET && a != b &&
	       a->ifindex == b->ifindex && a->prefix.length == b->prefix.length &&
	       ip_prefix_contains(&a->prefix, &b->prefix);
}

static bool has_ipv4(const struct rig *rig, unsigned index)
{
	for (size_t i = 0; i < rig->have.addr_count; i++)
		if (rig->have.addrs[i].prefix.family == AF_INET &&
			rig->have.addrs[i].ifindex == index)
			return true;
	return false;
}

static bool is_ipv4_by_device(const struct net_route *r, const void *index)
{
	return r->dst.family == AF_INET && is_by_device(r, index);
}

static void remove_addr(struct rig *rig, const struct net_step *step)
{
	struct net_state *s = &rig->have;
	struct net_addr *a = find_addr(rig, step->addr, step->addr->ifindex), gone;

	need(rig, step, a, "no such address");
	need(rig, step, a->is_ours, "somebody else's");
	gone = *a;
	for (size_t i = 0; i < s->addr_count && !gone.is_secondary; i++)
		need(rig, step, !same_network(a, &s->addrs[i]), "takes secondary addresses along");
	memmove(a, a + 1, (size_t)(s->addrs + s->addr_count - a - 1) * sizeof(*a));
	s->addr_count--;
	lose_source(rig, &gone.prefix);
	if (gone.prefix.family == AF_INET && !has_ipv4(rig, gone.ifindex))
		drop_routes(s, is_ipv4_by_device, &gone.ifindex);
}

static void add_addr(struct rig *rig, const struct net_step *step)
{
	struct net_link *link = link_named(rig, step->addr->dev);
	struct net_addr *a;

	need(rig, step, link && link->is_up, "no device that is up");
	need(rig, step, !find_addr(rig, step->addr, link->index), "there is one already");
	a = net_state_addr(&rig->have);
	assert_non_null(a);
	*a = *step->addr;
	a->ifindex = link->index;
	a->match = NULL;
	for (size_t i = 0; i < rig->have.addr_count; i++)
		a->is_secondary = a->is_secondary || same_network(a, &rig->have.addrs[i]);
}

/* ---- routes */

static struct net_route *find_route(struct rig *rig, const struct net_route *key)
{
	for (size_t i = 0; i < rig->have.route_count; i++) {
		struct net_route *r = &rig->have.routes[i];

		if (r->table == key->table && r->metric == key->metric &&
			net_prefix_equal(&r->dst, &key->dst))
			return r;
	}
	return NULL;
}

static bool has_way(const struct rig *rig, const struct net_route *key, unsigned index)
{
	for (size_t i = 0; i < rig->have.route_count; i++) {
		const struct net_route *r = &rig->have.routes[i];

		if ((r->table == key->table || r->table == RT_TABLE_MAIN) && !r->via.family &&
			r->kind == NETWORK_UNICAST && r->ifindex == index &&
			ip_prefix_contains(&r->dst, &key->via))
			return true;
	}
	return false;
}

static void put_route(struct rig *rig, const struct net_step *step, struct net_route *r)
{
	const struct net_route *w = step->route;
	struct net_link *link = w->dev[0] ? link_named(rig, w->dev) : NULL;

	if (w->kind == NETWORK_UNICAST) {
		need(rig, step, link && link->is_up, "no device that is up");
		need(rig, step, !w->src.family || has_address(rig, &w->src), "no such source");
		need(rig, step, !w->via.family || w->onlink || has_way(rig, w, link->index),
			"no way to the gateway");
	}
	*r = *w;
	r->ifindex = w->kind == NETWORK_UNICAST ? link->index : 0;
	r->match = NULL;
	r->interim = NULL;
	r->is_right = r->is_late = false;
}

static void add_route(struct rig *rig, const struct net_step *step)
{
	struct net_route *r, made;

	need(rig, step, !find_route(rig, step->route), "there is one already");
	put_route(rig, step, &made);
	r = net_state_route(&rig->have);
	assert_non_null(r);
	*r = made;
}

static void set_route(struct rig *rig, const struct net_step *step)
{
	struct net_route *r = find_route(rig, step->route);

	if (!r) {
		add_route(rig, step);
		return;
	}
	need(rig, step, r->is_ours, "somebody else's");
	put_route(rig, step, r);
}

static void remove_route(struct rig *rig, const struct net_step *step)
{
	struct net_route *r = find_route(rig, step->route);
	struct net_state *s = &rig->have;

	if (!r)
		return;
	need(rig, step, r->is_ours, "somebody else's");
	memmove(r, r + 1, (size_t)(s->routes + s->route_count - r - 1) * sizeof(*r));
	s->route_count--;
}

/* ---- rules */

static struct net_rule *find_rule(struct rig *rig, const struct net_rule *key)
{
	for (size_t i = 0; i < rig->have.rule_count; i++) {
		struct net_rule *r = &rig->have.rules[i];

		if (r->family == key->family && r->priority == key->priority &&
			r->table == key->table && r->mark == key->mark &&
			r->is_unreachable == key->is_unreachable &&
			net_prefix_equal(&r->from, &key->from))
			return r;
	}
	return NULL;
}

static void add_rule(struct rig *rig, const struct net_step *step)
{
	struct net_rule *r;

	need(rig, step, !find_rule(rig, step->rule), "there is one already");
	r = net_state_rule(&rig->have);
	assert_non_null(r);
	*r = *step->rule;
	r->match = NULL;
	r->closed = NULL;
	r->order = rig->next_order++;
}

static void remove_rule(struct rig *rig, const struct net_step *step)
{
	struct net_rule *r = find_rule(rig, step->rule);
	struct net_state *s = &rig->have;

	need(rig, step, r, "no such rule");
	need(rig, step, r->is_ours, "somebody else's");
	memmove(r, r + 1, (size_t)(s->rules + s->rule_count - r - 1) * sizeof(*r));
	s->rule_count--;
	net_sort_rules(s);
}

static void link_up(struct rig *rig, const struct net_step *step)
{
	struct net_link *link = link_named(rig, step->link->name);

	need(rig, step, link, "no such device");
	link->is_up = true;
}

static void do_file(struct rig *rig, const struct net_step *step)
{
	(void)step;
	rig->files_right = true;
}

void model_step(struct rig *rig, const struct net_step *step)
{
	static void (*const does[])(struct rig *rig, const struct net_step *step) = {
		[NET_ADDR_DEL] = remove_addr,
		[NET_RULE_DEL] = remove_rule,
		[NET_ROUTE_DEL] = remove_route,
		[NET_LINK_DEL] = remove_link,
		[NET_LINK_RETURN] = remove_link,
		[NET_LINK_ADD] = add_link,
		[NET_LINK_MOVE] = add_link,
		[NET_LINK_SET] = set_link,
		[NET_PEER_SET] = set_peer,
		[NET_SYSCTL] = do_file,
		[NET_NFT] = do_file,
		[NET_LINK_UP] = link_up,
		[NET_ROUTE_ADD] = add_route,
		[NET_ROUTE_SET] = set_route,
		[NET_RULE_ADD] = add_rule,
		[NET_ADDR_ADD] = add_addr,
	};

	does[step->kind](rig, step);
}
