/* SPDX-License-Identifier: BSD-3-Clause */
/* The devices of a wish and those that are there. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "net_private.h"

static const struct net_link *wish_by_name(const struct net_state *wish, const char *name)
{
	for (size_t i = 0; i < wish->link_count; i++)
		if (wish->links[i].is_ours && strcmp(wish->links[i].name, name) == 0)
			return &wish->links[i];
	return NULL;
}

unsigned net_link_depth(const struct net_state *wish, const struct net_link *link)
{
	unsigned depth = 0;

	while (link && link->device && link->device->link_is_own && depth < NETWORK_DEVICES_MAX) {
		link = wish_by_name(wish, link->device->link);
		depth++;
	}
	return depth;
}

static struct net_link *have_by_name(const struct net_run *run, const char *name)
{
	const struct net_link *link = net_link_by_name(run->have, name);

	return link ? &run->have->links[link - run->have->links] : NULL;
}

static struct net_link *have_by_altname(const struct net_run *run, const char *altname)
{
	for (size_t i = 0; i < run->have->link_count; i++)
		if (run->have->links[i].is_ours &&
			strcmp(run->have->links[i].altname, altname) == 0)
			return &run->have->links[i];
	return NULL;
}

/* True also where it cannot be told. */
static bool has_lower(const struct net_run *run, const struct net_link *w, const struct net_link *h)
{
	const struct network_device *d = w->device;
	const struct net_link *lower;

	if (d->link_is_own) {
		lower = net_link_by_name(run->have, d->link);
		return lower && lower->index == h->link && h->link_nsid == -1;
	}
	lower = run->parent ? net_link_by_name(run->parent, d->link) : NULL;
	if (!lower)
		return true;
	return lower->index == h->link && (run->parent != run->have || h->link_nsid == -1);
}

static bool same_kind(const struct net_run *run, const struct net_link *w, const struct net_link *h)
{
	if (w->kind != h->kind)
		return false;
	if (w->kind == NETWORK_MACVLAN)
		return w->macvlan_mode == h->macvlan_mode && has_lower(run, w, h);
	if (w->kind == NETWORK_VLAN)
		return w->vlan_id == h->vlan_id && w->vlan_protocol == h->vlan_protocol &&
		       has_lower(run, w, h);
	return true;
}

static bool is_peer_of_going(const struct net_run *run, const struct net_link *peer)
{
	for (size_t i = 0; i < run->have->link_count; i++) {
		const struct net_link *h = &run->have->links[i];

		if (h->going == NET_GOES_FIRST && h->kind == NETWORK_VETH &&
			h->link == peer->index)
			return true;
	}
	return false;
}

/* The parent has what a new device is made of. */
static void check_parent(struct net_run *run, const struct net_link *w)
{
	const struct network_device *d = w->device;
	const struct net_link *link;

	if (!run->parent)
		return;
	if (w->kind == NETWORK_VETH) {
		link = net_link_by_name(run->parent, d->peer);
		if (link && !is_peer_of_going(run, link))
			net_tell(run, -EEXIST, &d->place,
				"there is a device '%s' already, which is not the peer of '%s'",
				d->peer, w->name);
		if (d->master[0] && !net_link_by_name(run->parent, d->master))
			net_tell(run, -ENODEV, &d->place, "there is no device '%s'", d->master);
	} else if (w->kind != NETWORK_PRESENT && !d->link_is_own &&
		   !net_link_by_name(run->parent, d->link)) {
		net_tell(run, -ENODEV, &d->place, "there is no device '%s'", d->link);
	}
}

/* What was found is of the right name; is it what is wished? It stays, is made again, or is in
 * the way. */
static void match_made(struct net_run *run, struct net_link *w, struct net_link *h)
{
	if (h->is_ours && strcmp(h->altname, w->altname) == 0 &&
		(w->kind == NETWORK_MOVE || same_kind(run, w, h))) {
		w->match = h;
	} else if (!h->is_ours && (w->kind == NETWORK_MOVE || same_kind(run, w, h))) {
		w->match = h;
	} else if (h->is_ours && (net_link_may_go(run, h) || strcmp(h->altname, w->altname) == 0)) {
		h->going = NET_GOES_FIRST;
	} else {
		net_tell(run, -EEXIST, &w->device->place,
			"there is a device '%s' already, which %s", w->name,
			h->is_ours ? "is another VS's" : "is of another kind and somebody else's");
	}
	if (w->match)
		h->match = w;
}

static void match_link(struct net_run *run, struct net_link *w)
{
	struct net_link *h = have_by_name(run, w->name);

	if (w->kind == NETWORK_PRESENT) {
		w->match = h;
		if (h && !h->match)
			h->match = w;
		else if (!h && w->device && !run->group->is_keeper)
			net_tell(run, -ENODEV, &w->device->place, "there is no device '%s'",
				w->name);
		return;
	}
	if (run->group->is_keeper) {
		w->match = h;
		return;
	}
	if (!h || (h->is_ours && strcmp(h->altname, w->altname) != 0)) {
		struct net_link *renamed = have_by_altname(run, w->altname);

		h = renamed ? renamed : h;
	}
	if (h)
		match_made(run, w, h);
}

/* A device goes together with the one that it was made on. */
static void follow_lower(struct net_run *run, struct net_link *w)
{
	const struct net_link *lower;

	if (!w->match || !w->device || !w->device->link_is_own)
		return;
	lower = wish_by_name(run->wish, w->device->link);
	if (lower && !lower->match) {
		w->match->going = NET_GOES_FIRST;
		w->match->match = NULL;
		w->match = NULL;
	}
}

static void follow_lowers(struct net_run *run)
{
	for (unsigned depth = 1; depth < NETWORK_DEVICES_MAX; depth++) {
		bool any = false;

		for (size_t i = 0; i < run->wish->link_count; i++) {
			if (net_link_depth(run->wish, &run->wish->links[i]) != depth)
				continue;
			follow_lower(run, &run->wish->links[i]);
			any = true;
		}
		if (!any)
			return;
	}
}

/* The devices that nobody wishes go before others come, whose names or lower devices they may have;
 * where none comes they are the last that goes. */
static void find_leftovers(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->link_count; i++)
		run->links_come = run->links_come ||
				  (run->wish->links[i].is_ours && !run->wish->links[i].match);
	if (run->group->is_keeper)
		run->links_come = false;
	for (size_t i = 0; i < run->have->link_count; i++) {
		struct net_link *h = &run->have->links[i];

		if (h->going == NET_STAYS && !h->match && net_link_may_go(run, h))
			h->going = run->links_come ? NET_GOES_FIRST : NET_GOES_LAST;
	}
}

void net_match_links(struct net_run *run)
{
	for (size_t i = 0; i < run->wish->link_count; i++)
		match_link(run, &run->wish->links[i]);
	follow_lowers(run);
	find_leftovers(run);
	for (size_t i = 0; i < run->wish->link_count && !run->group->is_keeper; i++)
		if (run->wish->links[i].is_ours && !run->wish->links[i].match)
			check_parent(run, &run->wish->links[i]);
	for (size_t i = 0; i < run->wish->link_count; i++)
		if (run->wish->links[i].match)
			run->wish->links[i].index = run->wish->links[i].match->index;
}
