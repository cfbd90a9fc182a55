/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes back what a plan has done before one of its steps failed. */
#include "config.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "net_link_step.h"
#include "net_make_private.h"
#include "net_nft.h"
#include "net_sysctl.h"

static int undo_step(struct net_maker *m, const struct net_step *step)
{
	int rc = net_maker_step(m, step);

	return rc < 0 ? rc : net_maker_flush(m, step->kind == NET_LINK_MOVE);
}

static int undo_message(struct net_maker *m, bool is_parent, struct nl_msg *msg, int bad)
{
	int rc = -ENOMEM;

	if (msg && !bad)
		rc = net_maker_take(m, NET_ROLE_ONLY, is_parent, msg);
	else
		nlmsg_free(msg);
	return rc < 0 ? rc : net_maker_flush(m, false);
}

/* The same object, with the opposite step. */
static int undo_object(struct net_maker *m, const struct net_step *step)
{
	static const enum net_step_kind opposite[] = {
		[NET_ADDR_DEL] = NET_ADDR_ADD,
		[NET_ADDR_ADD] = NET_ADDR_DEL,
		[NET_RULE_DEL] = NET_RULE_ADD,
		[NET_RULE_ADD] = NET_RULE_DEL,
		[NET_ROUTE_DEL] = NET_ROUTE_ADD,
		[NET_ROUTE_ADD] = NET_ROUTE_DEL,
		[NET_ROUTE_SET] = NET_ROUTE_SET,
	};
	struct net_step back = *step;

	back.kind = opposite[step->kind];
	if (step->kind == NET_ROUTE_SET && step->old.route)
		back.route = step->old.route;
	else if (step->kind == NET_ROUTE_SET)
		back.kind = NET_ROUTE_DEL;
	return undo_step(m, &back);
}

/* Also one of which only the first request was done, so that its index is not known. */
static int undo_add(struct net_maker *m, const struct net_link *link)
{
	unsigned index = net_site_index(&m->site, 0, link->name);

	return undo_message(m, false,
		net_link_message(RTM_DELLINK, 0, index, index ? NULL : link->name), 0);
}

/* Back in the parent namespace it is as it was there. */
static int undo_move(struct net_maker *m, const struct net_step *step, unsigned roles)
{
	const struct net_link *was = net_link_by_name(m->site.parent, step->link->device->link);
	struct net_step back = *step;
	struct nl_msg *msg;
	int bad, rc;

	if (!was)
		return -ENODEV;
	if (!(roles & NET_ROLE_CREATE))
		return undo_message(m, true,
			net_link_altname(RTM_DELLINKPROP, NULL, was->index, step->link->altname), 0);
	back.kind = NET_LINK_RETURN;
	rc = undo_step(m, &back);
	msg = rc < 0 ? NULL : net_link_message(RTM_NEWLINK, 0, 0, was->name);
	if (!msg)
		return rc < 0 ? rc : -ENOMEM;
	bad = nla_put_u32(msg, IFLA_MTU, was->mtu);
	if (was->has_mac && step->link->has_mac)
		bad |= nla_put(msg, IFLA_ADDRESS, sizeof(was->mac), was->mac);
	net_link_set_up(msg, was->is_up);
	return undo_message(m, true, msg, bad);
}

static int set_up(struct net_maker *m, const struct net_link *link, bool is_up)
{
	unsigned index = net_site_index(&m->site, link->index, link->name);
	struct nl_msg *msg = index ? net_link_message(RTM_NEWLINK, 0, index, NULL) : NULL;

	if (msg)
		net_link_set_up(msg, is_up);
	return undo_message(m, false, msg, 0);
}

/* The index of what was given back, which is in the parent under its name there. */
static int find_in_parent(struct net_maker *m, const char *name, unsigned *index)
{
	struct nl_msg *msg = net_link_message(RTM_GETLINK, 0, 0, name);
	struct net_batch *batch = m->ground->is_home ? &m->inside.batch : &m->outside.batch;
	int rc = undo_message(m, true, msg, 0);

	if (rc == 0)
		*index = batch->results[0].ifindex;
	return rc;
}

static int undo_return(struct net_maker *m, const struct net_step *step, unsigned roles)
{
	const struct net_link *link = step->link;
	const char *name = net_altname_parent_name(link->altname);
	struct network_device device = {.kind = NETWORK_MOVE};
	struct net_state parent = {.links = &(struct net_link){0}, .link_count = 1};
	const struct net_state *real = m->site.parent;
	struct net_link back = *link;
	struct net_step move = {.kind = NET_LINK_MOVE, .link = &back};
	int rc;

	if (!(roles & NET_ROLE_CREATE))
		return undo_message(m, false,
			net_link_altname(RTM_NEWLINKPROP, NULL, link->index, link->altname), 0);
	if (!name)
		name = link->name;
	snprintf(device.link, sizeof(device.link), "%s", name);
	memcpy(parent.links->name, device.link, sizeof(device.link));
	rc = find_in_parent(m, name, &parent.links->index);
	if (rc < 0)
		return rc;
	back.device = &device;
	m->site.parent = &parent;
	rc = undo_step(m, &move);
	m->site.parent = real;
	return rc < 0 || !link->is_up ? rc : set_up(m, link, true);
}

/* The device as the kernel showed it, as if it stood in a file. -EOPNOTSUPP: not enough is known. */
static int device_of(const struct net_maker *m, const struct net_link *link,
	struct network_device *device)
{
	const struct net_state *parent = m->site.parent;
	bool is_own = link->link_nsid < 0;
	const struct net_link *lower =
		net_link_by_index(is_own ? m->site.have : parent, link->link);

	*device = (struct network_device){.kind = link->kind,
		.mtu = link->mtu,
		.has_mac = link->has_mac,
		.link_is_own = is_own,
		.vlan_id = link->vlan_id,
		.vlan_protocol = link->vlan_protocol,
		.macvlan_mode = link->macvlan_mode};
	memcpy(device->mac, link->mac, sizeof(device->mac));
	if (!lower || (link->kind != NETWORK_VETH && link->kind != NETWORK_MACVLAN &&
			      link->kind != NETWORK_VLAN))
		return -EOPNOTSUPP;
	if (link->kind != NETWORK_VETH) {
		memcpy(device->link, lower->name, sizeof(device->link));
		return 0;
	}
	memcpy(device->peer, lower->name, sizeof(device->peer));
	lower = lower->master ? net_link_by_index(parent, lower->master) : NULL;
	if (lower)
		memcpy(device->master, lower->name, sizeof(device->master));
	return 0;
}

/* Gateways are in the networks of other routes, which must be there before. */
static void restore_routes(struct net_maker *m, bool has_gateway)
{
	const struct net_state *have = m->site.have;

	for (size_t i = 0; i < have->route_count; i++) {
		struct net_step step = {.kind = NET_ROUTE_ADD, .route = &have->routes[i]};
		if (step.route->is_ours && !step.route->is_odd &&
			(step.route->via.family != 0) == has_gateway)
			undo_step(m, &step);
		m->failure.error = 0;
	}
}

/* What was on a device has gone with it, and routes with addresses, without steps of their own. What is
 * there is not added again. */
static void restore_objects(struct net_maker *m)
{
	const struct net_state *have = m->site.have;

	for (size_t i = 0; i < have->addr_count; i++) {
		struct net_step step = {.kind = NET_ADDR_ADD, .addr = &have->addrs[i]};
		if (step.addr->is_ours)
			undo_step(m, &step);
		m->failure.error = 0;
	}
	restore_routes(m, false);
	restore_routes(m, true);
}

static int undo_del(struct net_maker *m, const struct net_step *step)
{
	struct network_device device;
	struct net_link link = *step->link;
	struct net_step back = {.kind = NET_LINK_ADD, .link = &link};
	int rc = device_of(m, &link, &device);

	if (rc < 0)
		return rc;
	link.device = &device;
	rc = undo_step(m, &back);
	if (rc == 0 && link.is_up)
		rc = set_up(m, &link, true);
	return rc;
}

static int undo_set(struct net_maker *m, const struct net_step *step)
{
	const struct net_step back = {.kind = NET_LINK_SET,
		.link = step->old.link,
		.old.link = step->link};

	return undo_step(m, &back);
}

static int undo_peer(struct net_maker *m, const struct net_link *was)
{
	struct nl_msg *msg = net_link_message(RTM_NEWLINK, 0, was->index, was->name);
	int bad = msg ? nla_put_u32(msg, IFLA_MASTER, was->master) : 0;

	if (msg)
		net_link_set_up(msg, was->is_up);
	return undo_message(m, true, msg, bad);
}

static int undo_saved(struct net_maker *m, size_t i)
{
	const struct net_step *step = &m->plan->steps[i];
	const struct net_ground *g = m->ground;
	const struct net_saved *saved = m->saved;

	while (saved && saved->step != i)
		saved = saved->next;
	if (!saved)
		return -ENOENT;
	if (step->kind == NET_NFT)
		return net_nft_restore(g->ns_fd, g->cookie, saved->ruleset);
	return net_sysctl_write(g->ns_fd, g->cookie, step->sysctl->sysctl->key, saved->value);
}

static int undo(struct net_maker *m, size_t i)
{
	const struct net_step *step = &m->plan->steps[i];

	switch (step->kind) {
	case NET_LINK_DEL:
		return undo_del(m, step);
	case NET_LINK_RETURN:
		return undo_return(m, step, m->roles[i]);
	case NET_LINK_ADD:
		return m->roles[i] & NET_ROLE_CREATE ? undo_add(m, step->link) : 0;
	case NET_LINK_MOVE:
		return undo_move(m, step, m->roles[i]);
	case NET_LINK_SET:
		return undo_set(m, step);
	case NET_PEER_SET:
		return undo_peer(m, step->old.link);
	case NET_LINK_UP:
		return set_up(m, step->link, false);
	case NET_SYSCTL:
	case NET_NFT:
		return undo_saved(m, i);
	default:
		return undo_object(m, step);
	}
}

size_t net_maker_undo(struct net_maker *m, size_t count)
{
	char what[NET_STEP_TEXT], text[NET_STEP_TEXT + NET_BATCH_TEXT + 64];
	bool is_lossy = false;
	size_t failed = 0;

	m->current = NO_STEP;
	while (count-- > 0) {
		int rc;

		if (!m->roles[count])
			continue;
		m->failure.error = 0;
		m->failure.text[0] = '\0';
		rc = undo(m, count);
		is_lossy = is_lossy || m->plan->steps[count].kind == NET_ADDR_DEL ||
			   m->plan->steps[count].kind == NET_LINK_DEL;
		if (rc == 0)
			continue;
		failed++;
		net_step_print(&m->plan->steps[count], what);
		snprintf(text, sizeof(text), "%s: cannot be undone: %s", what, strerror(-rc));
		m->ground->report(
			m->ground->arg, LOG_WARNING, &m->plan->steps[count].place, text);
	}
	if (is_lossy)
		restore_objects(m);
	return failed;
}
