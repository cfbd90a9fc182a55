/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One namespace changed. The journal tells, whenever this ends:
 *
 *   making     what is there of the VS is ours, and so is the namespace of that cookie if it says
 *              so: another run finds the difference, and makes the rest or takes it away
 *   made       all was there
 *   removing   as making; the name of the namespace may be gone already
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_batch.h"
#include "net_namespace.h"
#include "net_nft.h"
#include "netns.h"
#include "vs_apply_private.h"

#define ROUNDS 3

/* What the journal said of a member before. */
struct before {
	bool is_there;
	struct vs_entry entry; /* its ns is owned here */
};

struct change {
	struct vs_apply *apply;
	struct vs_group *group;
	struct vs_place place;
	bool has_made;         /* the namespace */
	struct before *before; /* of each member */
};

/* All who name it by the path that we made tell that: the last one to go takes it along. */
static int put(struct change *c, const struct vs_member *member, enum vs_entry_state state)
{
	const char *made = c->group->made_path;
	const struct vs_entry entry = {.state = state,
		.made_namespace = made && strcmp(made, member->path) == 0,
		.cookie = c->group->cookie,
		.ns = (char *)(uintptr_t)member->path};

	return vs_journal_put(c->apply->journal, member->name, &entry);
}

static int remember(struct change *c)
{
	c->before = calloc(c->group->count + 1, sizeof(*c->before));
	if (!c->before)
		return -ENOMEM;
	for (size_t i = 0; i < c->group->count; i++) {
		const struct vs_member *m = &c->group->members[i];
		const struct vs_entry *e = vs_journal_find(c->apply->journal, m->name);

		if (!e)
			continue;
		c->before[i].is_there = true;
		c->before[i].entry.state = e->state;
		c->before[i].entry.made_namespace = e->made_namespace;
		c->before[i].entry.cookie = e->cookie;
		c->before[i].entry.ns = strdup(e->ns);
		if (!c->before[i].entry.ns)
			return -ENOMEM;
	}
	return 0;
}

static void forget(struct change *c)
{
	for (size_t i = 0; c->before && i < c->group->count; i++)
		free(c->before[i].entry.ns);
	free(c->before);
}

/* A VS that was in another namespace must have left that one: there is one file for it. */
static int announce(struct change *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->group->count && rc == 0; i++) {
		const struct vs_member *m = &c->group->members[i];
		const struct before *b = &c->before[i];

		if (m->wish == NET_PRESENT)
			rc = b->is_there && strcmp(b->entry.ns, m->path) != 0 ?
				     -EBUSY :
				     put(c, m, VS_ENTRY_MAKING);
		else if (m->wish == NET_ABSENT && m->is_journaled)
			rc = put(c, m, VS_ENTRY_REMOVING);
	}
	return rc;
}

static int conclude(struct change *c, bool is_whole)
{
	int rc = 0;

	for (size_t i = 0; i < c->group->count && rc == 0; i++) {
		const struct vs_member *m = &c->group->members[i];

		if (m->wish == NET_PRESENT && is_whole)
			rc = put(c, m, VS_ENTRY_MADE);
		else if (m->wish == NET_ABSENT && m->is_journaled)
			rc = vs_journal_remove(c->apply->journal, m->name);
	}
	return rc;
}

/* Nothing was changed, or all of it was undone. */
static void withdraw(struct change *c)
{
	for (size_t i = 0; i < c->group->count; i++) {
		const struct vs_member *m = &c->group->members[i];
		const struct before *b = &c->before[i];

		if (m->wish == NET_LEAVE || (m->wish == NET_ABSENT && !m->is_journaled))
			continue;
		if (b->is_there)
			vs_journal_put(c->apply->journal, m->name, &b->entry);
		else
			vs_journal_remove(c->apply->journal, m->name);
	}
}

static int make_namespace(struct change *c)
{
	struct vs_apply *a = c->apply;
	struct vs_group *g = c->group;
	int rc = 0;

	if (!a->is_netns_dir_ready)
		rc = net_namespace_prepare(a->config->selection.netns_dir);
	if (rc < 0)
		return vs_fail(a, g, rc, a->config->selection.netns_dir);
	a->is_netns_dir_ready = true;
	c->place.ns = netns_make(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &c->place.sock);
	rc = c->place.ns < 0 ? c->place.ns :
			       netns_socket_cookie(c->place.sock, &c->place.cookie);
	if (rc == 0)
		rc = net_batch_prepare(c->place.sock);
	if (rc < 0)
		return vs_fail(a, g, rc, "make a network namespace");
	c->place.is_new = c->has_made = true;
	g->made_path = g->path;
	g->cookie = c->place.cookie;
	return 0;
}

/* In the journal before there is a name: without that the namespace ends with this process. */
static int name_namespace(struct change *c)
{
	int rc = net_namespace_bind(c->group->path, c->place.ns);

	if (rc < 0)
		return vs_fail(c->apply, c->group, rc, c->group->path);
	vs_tell_namespace(c->apply, c->group, "make");
	return 0;
}

/* Conflicts with others may have come up since all was checked. */
static void report(void *arg, int priority, const struct network_place *place, const char *text)
{
	struct change *c = arg;

	if (priority == LOG_ERR)
		vs_tell_place(c->apply, priority, c->group, place, text);
}

/* What waits is told once it is done. */
static void tell_done(const struct change *c)
{
	struct vs_apply *a = c->apply;
	char text[NET_STEP_TEXT] = "";

	for (size_t i = 0; i < a->look.plan.count; i++) {
		if (!net_maker_did(a->maker, i))
			continue;
		if (a->config->wants_text)
			net_step_print(&a->look.plan.steps[i], text);
		a->config->step(a->config->arg, c->group, text);
	}
}

/* The kernel takes some routes along with an address, so that more may be to do than was known. */
static bool may_need_more(const struct vs_apply *a)
{
	for (size_t i = 0; i < a->look.plan.count; i++)
		if (a->look.plan.steps[i].kind == NET_ADDR_DEL ||
			a->look.plan.steps[i].kind == NET_LINK_DEL)
			return true;
	return false;
}

static int carry_out(struct change *c)
{
	struct vs_apply *a = c->apply;
	const struct net_ground ground = {.name = c->group->name,
		.ns_fd = c->place.ns,
		.cookie = c->place.cookie,
		.sock = c->place.sock,
		.is_home = c->group->is_home,
		.is_ours = c->group->made_path != NULL,
		.is_new = c->place.is_new,
		.owner = c->group,
		.parent = c->group->is_home ? &a->look.have : &a->parent,
		.have = &a->look.have,
		.report = report,
		.arg = c};
	int rc = vs_compare(a, c->group, &c->place, report, c);

	if (rc == 0)
		rc = net_make(a->maker, &ground, &a->look.plan);
	if (rc >= 0)
		tell_done(c);
	if (rc < 0 && rc != -ENOMEM && a->status == 0)
		a->status = rc;
	return rc;
}

/* What has no altname and no protocol number is gone with the namespace, or by its own mark. */
static int take_name(struct change *c)
{
	struct vs_group *g = c->group;
	int rc = 0;

	if (!g->made_path && c->place.ns >= 0)
		rc = net_nft_unload(c->place.ns, c->place.cookie);
	if (g->made_path && !g->is_home) {
		rc = net_namespace_unbind(g->made_path, g->cookie);
		if (rc == 0 && c->place.ns >= 0)
			vs_tell_namespace(c->apply, g, "remove");
	}
	return rc < 0 ? vs_fail(c->apply, g, rc, g->path) : 0;
}

/* 0, 1, or an error with the namespace as it was. */
static int work(struct change *c)
{
	struct vs_group *g = c->group;
	int rc = 0;

	if (c->place.ns >= 0)
		rc = vs_place_use(c->apply, &c->place);
	if (rc == 0 && c->place.is_new)
		rc = name_namespace(c);
	for (int i = 0; i < ROUNDS && rc == 0 && c->place.ns >= 0; i++) {
		rc = carry_out(c);
		c->place.is_new = false;
		if ((g->is_going && g->made_path) || !may_need_more(c->apply))
			break;
	}
	if (rc == 0 && g->is_going)
		rc = take_name(c);
	return rc;
}

static void fail(struct change *c)
{
	struct vs_group *g = c->group;

	if (c->has_made) {
		/* All of it goes with the namespace, and other ends have gone before. */
		net_namespace_unbind(g->path, g->cookie);
		g->made_path = NULL;
		withdraw(c);
	} else if (net_maker_is_clean(c->apply->maker)) {
		withdraw(c);
	}
}

int vs_change(struct vs_apply *a, struct vs_group *g)
{
	struct change c = {.apply = a, .group = g};
	int rc = vs_place_open(a, g, &c.place);

	if (rc < 0)
		return rc;
	rc = remember(&c);
	if (rc == 0 && c.place.ns < 0 && g->is_wanted)
		rc = make_namespace(&c);
	if (rc == 0) {
		rc = announce(&c);
		if (rc < 0)
			vs_fail(a, g, rc, "the journal");
		else
			rc = work(&c);
		g->is_dark = rc == NET_DARK;
		if (rc < 0)
			fail(&c);
		else if (!g->is_dark && conclude(&c, rc == 0) < 0)
			rc = vs_fail(a, g, -EIO, "the journal");
		g->is_there = g->is_there || (c.has_made && rc >= 0);
	}
	vs_place_close(a, &c.place);
	forget(&c);
	return g->is_dark ? 0 : rc;
}

static void tell_dark(void *arg, void *owner, int error, const char *text)
{
	struct vs_apply *a = arg;
	struct vs_group *g = owner;

	g->has_failed = true;
	vs_tell(a, LOG_ERR, "VS %s: the other end of a device: %s%s%s%s", g->name, strerror(-error),
		*text ? " (" : "", text, *text ? ")" : "");
	if (a->status == 0)
		a->status = error;
}

static void end_darkness(struct vs_apply *a, struct vs_group *g)
{
	struct change c = {.apply = a, .group = g};

	g->is_dark = false;
	if (!g->has_failed) {
		if (conclude(&c, true) < 0)
			vs_fail(a, g, -EIO, "the journal");
		return;
	}
	for (size_t i = 0; i < g->count; i++) {
		g->members[i].is_journaled |= g->members[i].wish == NET_PRESENT;
		g->members[i].wish = NET_ABSENT;
	}
	if (vs_group_finish(g) == 0)
		vs_change(a, g);
}

void vs_light(struct vs_apply *a)
{
	struct vs_group *g, *next;

	net_maker_light(a->maker, tell_dark, a);
	HASH_ITER(hh, a->groups, g, next) {
		if (g->is_dark)
			end_darkness(a, g);
	}
}
