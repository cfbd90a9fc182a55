/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regs_private.h"

size_t regs_owner_text(const struct regs_owner *owner, char *text)
{
	int n;

	if (owner->superuser)
		n = snprintf(text, REGS_OWNER_MAX, "superuser");
	else if (owner->uid == (uid_t)-1)
		n = snprintf(text, REGS_OWNER_MAX, "unknown");
	else
		n = snprintf(text, REGS_OWNER_MAX, "%u", owner->uid);
	return n > 0 ? (size_t)n : 0;
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
	entry->text = text; /* uaddr_parse() takes none that is longer than UADDR_MAX */
	return 0;
}

int regs_new(struct regs **regs, const struct regs_limits *limits, const struct siphash_key *key)
{
	struct regs *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->limits = *limits;
	if (!r->limits.entries_ordinary)
		r->limits.entries_ordinary = limits->entries;
	if (key)
		r->key = *key;
	TAILQ_INIT(&r->order);
	*regs = r;
	return 0;
}

void regs_clear(struct regs *regs)
{
	struct node *node, *next;

	TAILQ_FOREACH_MUT (node, &regs->order, in_order, next) {
		node->entry.port_listed = false;
		regs_node_remove(regs, node);
	}
	regs->last_builtin = NULL;
}

void regs_free(struct regs *regs)
{
	if (!regs)
		return;
	regs_clear(regs);
	free(regs);
}

int regs_add_builtin(struct regs *regs, uint32_t vers, enum netid netid, const char *text)
{
	static const struct regs_owner superuser = {.superuser = true};
	const struct group *group;
	struct regs_entry entry;
	int rc = entry_init(&entry, REGS_PROG_RPCBIND, vers, netid, text, &superuser);

	if (rc < 0 || regs->builtins)
		return rc < 0 ? rc : -EINVAL;
	entry.builtin = true;
	group = regs_group(regs, entry.prog, vers, netid);
	if (group && regs_node(regs, group, &entry.uaddr))
		return -EINVAL;
	return regs_node_add(regs, &entry) ? 0 : -ENOMEM;
}

void regs_on_change(struct regs *regs, regs_change_fn *fn, void *arg)
{
	regs->on_change = fn;
	regs->on_change_arg = arg;
}

static int tell(const struct regs *regs, const struct regs_change *change)
{
	return regs->on_change ? regs->on_change(change, regs->on_change_arg) : 0;
}

/* 1: registered already. 0: the key is free. -EEXIST: with another address. */
static int check_key(const struct regs *regs, const struct regs_entry *entry)
{
	const struct group *group = regs_group(regs, entry->prog, entry->vers, entry->netid);
	const struct node *node = group ? regs_node(regs, group, &entry->uaddr) : NULL;
	bool same;

	if (!node)
		return 0;
	same = entry->netid == NETID_LOCAL ? strcmp(node->entry.text, entry->text) == 0
					   : node->entry.uaddr.port == entry->uaddr.port;
	return same ? 1 : -EEXIST;
}

/* May the owner add to what is registered of this program, version and netid? */
static int check_owner(const struct regs *regs, const struct regs_entry *entry)
{
	const struct group *group = regs_group(regs, entry->prog, entry->vers, entry->netid);

	if (group && !entry->owner.superuser && !group_is_of(group, &entry->owner))
		return -EEXIST;
	if (entry->owner.superuser)
		return 0;
	return regs->ordinary >= regs->limits.entries_ordinary ||
			       regs_owned(regs, entry->owner.uid) >= regs->limits.entries_per_owner
		       ? -ENOSPC
		       : 0;
}

static bool is_full(const struct regs *regs, const struct regs_entry *entry)
{
	const struct program *program = regs_program(regs, entry->prog);
	const struct group *group = regs_group(regs, entry->prog, entry->vers, entry->netid);

	if (regs->count >= regs->limits.entries)
		return true;
	return group ? group->node_count >= REGS_HOSTS_MAX
		     : program && program->group_count >= REGS_GROUPS_MAX;
}

/* What regs_set() and regs_apply() have in common; only the first asks for the owner. 1: it is
 * registered already. */
static int check_set(const struct regs *regs, const struct regs_entry *entry, bool by_owner)
{
	int rc = check_key(regs, entry);

	if (!rc && by_owner)
		rc = check_owner(regs, entry);
	if (!rc && is_full(regs, entry))
		rc = -ENOSPC;
	return rc;
}

int regs_set(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid, const char *text,
	const struct regs_owner *owner)
{
	struct regs_change change = {REGS_SET, prog, vers, 0, text, *owner, NULL};
	struct regs_entry entry;
	struct node *node;
	int rc;

	if (prog == REGS_PROG_RPCBIND)
		return -EPERM;
	rc = entry_init(&entry, prog, vers, netid, text, owner);
	if (!rc)
		rc = check_set(regs, &entry, true);
	if (rc)
		return rc < 0 ? rc : 0;
	node = regs_node_add(regs, &entry);
	if (!node)
		return -ENOMEM;
	change.netids = NETID_BIT(netid);
	rc = tell(regs, &change);
	if (rc)
		regs_node_remove(regs, node);
	return rc;
}

static struct group *target_group(
	const struct regs *regs, const struct regs_change *target, enum netid netid)
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

/* 1: something matches. 0: nothing does. */
static int check_target(const struct regs *regs, const struct regs_change *target,
	const struct regs_owner *owner)
{
	const struct group *group;
	const struct node *node;
	int found = 0;

	for (int netid = NETID_NONE + 1; netid < NETID_COUNT; netid++) {
		group = target_group(regs, target, (enum netid)netid);
		if (!group)
			continue;
		if (!target->host && !may_remove_group(group, owner))
			return -EPERM;
		node = target->host ? regs_node(regs, group, target->host) : NULL;
		if (node && !may_remove_node(node, owner))
			return -EPERM;
		found = found || node || !target->host;
	}
	return found;
}

static void remove_group(struct regs *regs, struct group *group)
{
	struct node *node, *next;

	TAILQ_FOREACH_MUT (node, &group->nodes, in_group, next) {
		node->entry.port_listed = false; /* nobody is left to inherit */
		regs_node_remove(regs, node);
	}
}

static void remove_target(struct regs *regs, const struct regs_change *target)
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

/* All of program 100000 is rpcbind's own, wherever it stands. */
static int unset_rpcbind(const struct regs *regs, const struct regs_change *target,
	const struct regs_owner *owner)
{
	struct regs_change there = *target;

	if (!regs->builtins)
		return check_target(regs, target, owner);
	there.netids &= regs->builtin_netids;
	return check_target(regs->builtins, &there, owner);
}

static int unset(struct regs *regs, const struct regs_change *target,
	const struct regs_owner *owner)
{
	size_t before = regs->count;
	int rc;

	if (target->prog == REGS_PROG_RPCBIND)
		return unset_rpcbind(regs, target, owner);
	rc = check_target(regs, target, owner);
	if (rc <= 0)
		return rc;
	rc = tell(regs, target);
	if (rc)
		return rc;
	remove_target(regs, target);
	return (int)(before - regs->count);
}

int regs_unset(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid,
	const struct uaddr *host, const struct regs_owner *owner)
{
	const struct regs_change target = {.kind = REGS_UNSET,
		.prog = prog,
		.vers = vers,
		.netids = netid == NETID_NONE ? ~0U : NETID_BIT(netid),
		.host = host};

	return unset(regs, &target, owner);
}

int regs_unset_pmap(struct regs *regs, uint32_t prog, uint32_t vers, const struct regs_owner *owner)
{
	const struct regs_change target = {.kind = REGS_UNSET,
		.prog = prog,
		.vers = vers,
		.netids = NETID_BIT(NETID_UDP) | NETID_BIT(NETID_TCP)};

	return unset(regs, &target, owner);
}

/* NETID_NONE when it is not one bit. */
static enum netid only_netid(unsigned netids)
{
	for (int netid = NETID_NONE + 1; netid < NETID_COUNT; netid++)
		if (netids == NETID_BIT(netid))
			return (enum netid)netid;
	return NETID_NONE;
}

static int apply_set(struct regs *regs, const struct regs_change *change)
{
	struct regs_entry entry;
	int rc = entry_init(&entry, change->prog, change->vers, only_netid(change->netids),
		change->text, &change->owner);

	if (!rc)
		rc = check_set(regs, &entry, false);
	if (rc)
		return rc < 0 ? rc : 0;
	return regs_node_add(regs, &entry) ? 0 : -ENOMEM;
}

int regs_apply(struct regs *regs, const struct regs_change *change)
{
	if (change->prog == REGS_PROG_RPCBIND)
		return -EPERM;
	if (change->kind == REGS_SET)
		return apply_set(regs, change);
	if (change->kind != REGS_UNSET)
		return -EINVAL;
	remove_target(regs, change);
	return 0;
}
