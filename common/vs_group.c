/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vs_group.h"
#include "vsreg.h"

#define PATH_SIZE (VS_ENTRY_NS_MAX + 1)

static bool is_named(const struct vs_selection *s, const char *name)
{
	for (size_t i = 0; s->names[i]; i++)
		if (strcmp(s->names[i], name) == 0)
			return true;
	return false;
}

/* -ENAMETOOLONG; an empty path is the namespace that vsctl runs in. */
static int path_of(char path[PATH_SIZE], const struct vs_selection *s, const struct vs_conf *conf)
{
	const char *ns = conf->values.ns;
	bool is_mark = conf->network && conf->network->is_mark;
	int n;

	if (!*ns && !is_mark)
		ns = conf->name;
	if (!*ns || strcmp(ns, VS_HOST) == 0)
		n = snprintf(path, PATH_SIZE, "%s", "");
	else if (ns[0] == '/')
		n = snprintf(path, PATH_SIZE, "%s", ns);
	else
		n = snprintf(path, PATH_SIZE, "%s/%s", s->netns_dir, ns);
	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static struct vs_group *group_of(struct vs_group **groups, const char *path)
{
	size_t size = strlen(path) + 1;
	struct vs_group *g;

	HASH_FIND_STR(*groups, path, g);
	if (g)
		return g;
	g = calloc(1, sizeof(*g) + size);
	if (!g)
		return NULL;
	memcpy(g->path, path, size);
	g->is_home = path[0] == '\0';
	HASH_ADD_STR(*groups, path, g);
	if (g->hh.tbl)
		return g;
	free(g);
	return NULL;
}

/* The name is copied. */
static int add_member(struct vs_group *g, struct vs_member member)
{
	size_t size = g->size ? g->size * 2 : 1;
	struct vs_member *members = g->members;

	if (g->count == g->size) {
		members = reallocarray(members, size, sizeof(*members));
		if (!members)
			return -ENOMEM;
		g->members = members;
		g->size = size;
	}
	member.name = strdup(member.name);
	if (!member.name)
		return -ENOMEM;
	members[g->count++] = member;
	return 0;
}

/* What the VS is to be in the namespace that its file names. */
static enum net_member_wish wish_of(
	const struct vs_selection *s, const struct vs_conf *conf, bool is_journaled)
{
	bool is_wanted = conf->values.enabled && conf->network && conf->network->is_wanted;
	bool is_meant = !s->names[0] || is_named(s, conf->name);

	if (!is_meant)
		return NET_LEAVE;
	if (s->action == VS_ACTION_DOWN)
		return NET_ABSENT;
	if (is_wanted)
		return NET_PRESENT;
	return is_journaled || !conf->values.enabled ? NET_ABSENT : NET_LEAVE;
}

static bool is_makable(const struct vs_selection *s, const struct vs_conf *conf, const char *path)
{
	size_t len = strlen(s->netns_dir);

	return conf->network && !conf->network->is_mark && strncmp(path, s->netns_dir, len) == 0 &&
	       path[len] == '/' && path[len + 1] && !strchr(path + len + 1, '/');
}

static int add_conf(struct vs_group **groups, const struct vs_selection *s,
	const struct vs_conf *conf, const struct vs_journal *journal)
{
	const struct vs_entry *entry = vs_journal_find(journal, conf->name);
	struct vs_member member = {.name = (char *)(uintptr_t)conf->name, .conf = conf};
	char path[PATH_SIZE];
	struct vs_group *g;
	int rc = path_of(path, s, conf);

	if (rc < 0)
		return rc;
	member.is_journaled = entry && strcmp(entry->ns, path) == 0;
	member.wish = wish_of(s, conf, member.is_journaled);
	/* A namespace VS of which nothing is wanted, known or there concerns nobody. */
	if (member.wish != NET_PRESENT && !member.is_journaled && conf->network &&
		!conf->network->is_mark)
		return 0;
	g = group_of(groups, path);
	if (!g)
		return -ENOMEM;
	member.path = g->path;
	g->can_be_made = g->can_be_made || (member.wish == NET_PRESENT && is_makable(s, conf, path));
	return add_member(g, member);
}

/* What the journal has, and no file (of this namespace). */
static int add_entry(struct vs_group **groups, const struct vs_selection *s,
	const struct vs_entry *entry, const struct vs_conf *conf)
{
	bool is_meant = !s->names[0] || is_named(s, entry->name);
	char path[PATH_SIZE];
	struct vs_group *g;
	int rc = conf ? path_of(path, s, conf) : 0;

	if (rc < 0 || (conf && strcmp(path, entry->ns) == 0))
		return rc;
	g = group_of(groups, entry->ns);
	if (!g)
		return -ENOMEM;
	return add_member(g, (struct vs_member){.name = (char *)(uintptr_t)entry->name,
				     .wish = is_meant ? NET_ABSENT : NET_LEAVE,
				     .path = g->path,
				     .is_journaled = true});
}

/*
 * What a VS without a file has can only be told as that which nobody else wishes: so its neighbours
 * are to be what they are.
 */
static void be_full(struct vs_group *g)
{
	bool has_stranger = false;

	for (size_t i = 0; i < g->count; i++)
		has_stranger |= !g->members[i].conf && g->members[i].wish == NET_ABSENT;
	for (size_t i = 0; i < g->count && has_stranger; i++) {
		struct vs_member *m = &g->members[i];
		if (m->wish == NET_LEAVE && m->conf)
			m->wish = m->is_journaled && m->conf->network ? NET_PRESENT : NET_ABSENT;
	}
}

int vs_group_finish(struct vs_group *g)
{
	size_t count = 0;

	be_full(g);
	free(g->networks);
	g->networks = calloc(g->count + 1, sizeof(*g->networks));
	if (!g->networks)
		return -ENOMEM;
	g->is_wanted = g->is_touched = false;
	g->is_going = g->net.is_full = true;
	g->name = g->count ? g->members[0].name : "";
	for (size_t i = 0; i < g->count; i++) {
		const struct vs_member *m = &g->members[i];

		g->is_wanted = g->is_wanted || m->wish == NET_PRESENT;
		g->is_touched = g->is_touched || m->wish != NET_LEAVE;
		g->is_going = g->is_going && (m->wish == NET_ABSENT || !m->is_journaled) &&
			      m->wish != NET_PRESENT;
		g->net.is_full = g->net.is_full && m->wish != NET_LEAVE;
		if (m->conf && m->conf->network)
			g->networks[count++] = (struct net_member){
				.name = m->name, .network = m->conf->network, .wish = m->wish};
	}
	g->net.members = g->networks;
	g->net.count = count;
	return 0;
}

int vs_group_merge(struct vs_group *into, struct vs_group *from)
{
	int rc = 0;

	for (size_t i = 0; i < from->count && rc == 0; i++)
		rc = add_member(into, from->members[i]);
	if (!into->made_path)
		into->made_path = from->made_path;
	from->same = into;
	return rc < 0 ? rc : vs_group_finish(into);
}

int vs_groups_make(struct vs_group **groups, const struct vs_selection *selection,
	struct vs_conf *confs, const struct vs_journal *journal)
{
	struct vs_entry *entry, *next_entry;
	struct vs_group *all = NULL, *g, *next;
	struct vs_conf *conf, *next_conf;
	int rc = 0;

	HASH_ITER(hh, confs, conf, next_conf) {
		if (rc == 0)
			rc = add_conf(&all, selection, conf, journal);
	}
	HASH_ITER(hh, vs_journal_entries(journal), entry, next_entry) {
		struct vs_conf *c;

		HASH_FIND_STR(confs, entry->name, c);
		if (rc == 0)
			rc = add_entry(&all, selection, entry, c);
	}
	HASH_ITER(hh, all, g, next) {
		if (rc == 0)
			rc = vs_group_finish(g);
	}
	if (rc < 0)
		vs_groups_free(all);
	else
		*groups = all;
	return rc;
}

void vs_groups_free(struct vs_group *groups)
{
	struct vs_group *g, *next;

	HASH_ITER(hh, groups, g, next) {
		HASH_DEL(groups, g);
		for (size_t i = 0; i < g->count; i++)
			free(g->members[i].name);
		free(g->members);
		free(g->networks);
		free(g);
	}
}
