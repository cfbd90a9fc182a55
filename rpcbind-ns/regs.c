/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regs_private.h"

/* Whose entries an unset takes. */
struct target {
	uint32_t prog, vers;
	unsigned netids; /* NETID_BIT()s */
	const struct uaddr *host;
};

#define NETID_BIT(netid) (1U << (netid))

static void owner_format(const struct regs_owner *owner, char *text, size_t size)
{
	if (owner->superuser)
		snprintf(text, size, "superuser");
	else if (owner->uid == (uid_t)-1)
		snprintf(text, size, "unknown");
	else
		snprintf(text, size, "%u", owner->uid);
}

/* Nobody is the same as the unknown owner, who may be anybody. */
static bool owner_is(const struct regs_owner *a, const struct regs_owner *b)
{
	return !a->superuser && !b->superuser && a->uid == b->uid && a->uid != (uid_t)-1;
}

/* Only superusers add to what another one has, so all others in a group are the same owner. */
static bool group_is_of(const struct group *group, const struct regs_owner *owner)
{
	return group->superusers == 0 && owner_is(&TAILQ_FIRST(&group->nodes)->entry.owner, owner);
}

static int entry_init(struct regs_entry *entry, uint32_t prog, uint32_t vers, enum netid netid,
	const char *text, const struct regs_owner *owner)
{
	int family;

	memset(entry, 0, sizeof(*entry));
	if (netid <= NETID_NONE || netid >= NETID_COUNT)
		return -EINVAL;
	family = netid_info(netid)->family;
	if (uaddr_parse(family, text, &entry->uaddr) < 0)
		return -EINVAL;
	if (family != AF_UNIX && entry->uaddr.port == 0)
		return -EINVAL;
	entry->prog = prog;
	entry->vers = vers;
	entry->netid = netid;
	entry->owner = *owner;
	memcpy(entry->text, text, strlen(text) + 1); /* uaddr_parse() takes none that is longer */
	owner_format(owner, entry->owner_text, sizeof(entry->owner_text));
	return 0;
}

int regs_new(struct regs **regs, const struct regs_limits *limits)
{
	struct regs *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->limits = *limits;
	TAILQ_INIT(&r->order);
	*regs = r;
	return 0;
}

void regs_free(struct regs *regs)
{
	struct node *node, *next;

	if (!regs)
		return;
	TAILQ_FOREACH_MUT (node, &regs->order, in_order, next) {
		node->entry.port_listed = false;
		regs_node_remove(regs, node);
	}
	free(regs);
}

int regs_add_builtin(struct regs *regs, uint32_t vers, enum netid netid, const char *text)
{
	static const struct regs_owner superuser = {.superuser = true};
	const struct group *group;
	struct regs_entry entry;
	int rc = entry_init(&entry, REGS_PROG_RPCBIND, vers, netid, text, &superuser);

	if (rc < 0)
		return rc;
	entry.builtin = true;
	group = regs_group(regs, entry.prog, vers, netid);
	if (group && regs_node(regs, group, &entry.uaddr))
		return -EINVAL;
	return regs_node_add(regs, &entry);
}

/* 1: registered already. 0: the key is free. -EEXIST as in regs_set(). */
static int check_group(const struct regs *regs, const struct regs_entry *entry)
{
	const struct group *group = regs_group(regs, entry->prog, entry->vers, entry->netid);
	const struct node *node = group ? regs_node(regs, group, &entry->uaddr) : NULL;
	bool same;

	if (!group)
		return 0;
	if (node) {
		same = entry->netid == NETID_LOCAL ? strcmp(node->entry.text, entry->text) == 0
						   : node->entry.uaddr.port == entry->uaddr.port;
		return same ? 1 : -EEXIST;
	}
	return entry->owner.superuser || group_is_of(group, &entry->owner) ? 0 : -EEXIST;
}

static bool is_full(const struct regs *regs, const struct regs_entry *entry)
{
	const struct program *program = regs_program(regs, entry->prog);
	const struct group *group = regs_group(regs, entry->prog, entry->vers, entry->netid);

	if (regs->count >= regs->limits.entries)
		return true;
	if (group ? group->node_count >= REGS_HOSTS_MAX
		  : program && program->group_count >= REGS_GROUPS_MAX)
		return true;
	return !entry->owner.superuser &&
	       regs_owned(regs, entry->owner.uid) >= regs->limits.entries_per_owner;
}

int regs_set(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid, const char *text,
	const struct regs_owner *owner)
{
	struct regs_entry entry;
	int rc;

	if (prog == REGS_PROG_RPCBIND)
		return -EPERM;
	rc = entry_init(&entry, prog, vers, netid, text, owner);
	if (rc < 0)
		return rc;
	rc = check_group(regs, &entry);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return is_full(regs, &entry) ? -ENOSPC : regs_node_add(regs, &entry);
}

static struct group *target_group(
	const struct regs *regs, const struct target *target, enum netid netid)
{
	if (!(target->netids & NETID_BIT(netid)))
		return NULL;
	return regs_group(regs, target->prog, target->vers, netid);
}

static bool may_remove_node(const struct node *node, const struct regs_owner *owner)
{
	return !node->entry.builtin && (owner->superuser || owner_is(&node->entry.owner, owner));
}

/* Where one entry is rpcbind's own, all are. */
static bool may_remove_group(const struct group *group, const struct regs_owner *owner)
{
	return !TAILQ_FIRST(&group->nodes)->entry.builtin &&
	       (owner->superuser || group_is_of(group, owner));
}

static int check_target(
	const struct regs *regs, const struct target *target, const struct regs_owner *owner)
{
	const struct group *group;
	const struct node *node;

	for (int netid = NETID_NONE + 1; netid < NETID_COUNT; netid++) {
		group = target_group(regs, target, (enum netid)netid);
		if (!group)
			continue;
		if (!target->host && !may_remove_group(group, owner))
			return -EPERM;
		node = target->host ? regs_node(regs, group, target->host) : NULL;
		if (node && !may_remove_node(node, owner))
			return -EPERM;
	}
	return 0;
}

static void remove_group(struct regs *regs, struct group *group)
{
	struct node *node, *next;

	TAILQ_FOREACH_MUT (node, &group->nodes, in_group, next) {
		node->entry.port_listed = false; /* nobody is left to inherit */
		regs_node_remove(regs, node);
	}
}

static void remove_target(struct regs *regs, const struct target *target)
{
	struct group *group;
	struct node *node;

	for (int netid = NETID_NONE + 1; netid < NETID_COUNT; netid++) {
		group = target_group(regs, target, (enum netid)netid);
		if (group && !target->host)
			remove_group(regs, group);
		node = group && target->host ? regs_node(regs, group, target->host) : NULL;
		if (node)
			regs_node_remove(regs, node);
	}
}

static int unset(struct regs *regs, const struct target *target, const struct regs_owner *owner)
{
	size_t before = regs->count;
	int rc = check_target(regs, target, owner);

	if (rc < 0)
		return rc;
	remove_target(regs, target);
	return (int)(before - regs->count);
}

int regs_unset(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid,
	const struct uaddr *host, const struct regs_owner *owner)
{
	struct target target = {prog, vers, netid == NETID_NONE ? ~0U : NETID_BIT(netid), host};

	return unset(regs, &target, owner);
}

int regs_unset_pmap(struct regs *regs, uint32_t prog, uint32_t vers, const struct regs_owner *owner)
{
	struct target target = {prog, vers, NETID_BIT(NETID_UDP) | NETID_BIT(NETID_TCP), NULL};

	return unset(regs, &target, owner);
}
