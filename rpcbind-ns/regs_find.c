/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "regs_private.h"

const struct regs *regs_home(const struct regs *regs, uint32_t prog, enum netid netid)
{
	if (prog != REGS_PROG_RPCBIND || !regs->builtins)
		return regs;
	return regs->builtin_netids & NETID_BIT(netid) ? regs->builtins : NULL;
}

/* The entry of the group that this client is told, or NULL. */
static const struct node *group_choose(const struct regs *regs, const struct group *group,
	const struct uaddr *contacted, bool inside)
{
	const struct node *node = contacted ? regs_node(regs, group, contacted) : NULL;

	if (node)
		return node;
	if (group->wildcard)
		return group->wildcard;
	if (inside || !contacted || contacted->family == AF_UNIX)
		return TAILQ_FIRST(&group->nodes);
	return NULL;
}

/* Is a the better stand-in for a version that is not registered? */
static bool stands_in_better(const struct node *a, const struct node *b)
{
	if (a->entry.owner.superuser != b->entry.owner.superuser)
		return a->entry.owner.superuser;
	return a->entry.vers > b->entry.vers;
}

/* The best stand-in among the other versions of the program. */
static const struct node *find_stand_in(const struct regs *regs, uint32_t prog, enum netid netid,
	const struct uaddr *contacted, bool inside)
{
	const struct program *program = regs_program(regs, prog);
	const struct node *best = NULL, *node;
	const struct group *group;

	if (!program)
		return NULL;
	TAILQ_FOREACH (group, &program->groups, in_program) {
		if (group->key.netid != (uint32_t)netid)
			continue;
		node = group_choose(regs, group, contacted, inside);
		if (node && (!best || stands_in_better(node, best)))
			best = node;
	}
	return best;
}

const struct regs_entry *regs_find(const struct regs *regs, uint32_t prog, uint32_t vers,
	enum netid netid, const struct uaddr *contacted, bool inside, bool any_version)
{
	const struct regs *home = regs_home(regs, prog, netid);
	const struct group *group = home ? regs_group(home, prog, vers, netid) : NULL;
	const struct node *node = group ? group_choose(home, group, contacted, inside) : NULL;

	if (!node && home && any_version)
		node = find_stand_in(home, prog, netid, contacted, inside);
	return node ? &node->entry : NULL;
}

bool regs_versions(const struct regs *regs, uint32_t prog, enum netid netid,
	const struct uaddr *contacted, bool inside, uint32_t *low, uint32_t *high)
{
	const struct regs *home = regs_home(regs, prog, netid);
	const struct program *program = home ? regs_program(home, prog) : NULL;
	uint32_t from = UINT32_MAX, to = 0;
	const struct group *group;

	if (!program)
		return false;
	TAILQ_FOREACH (group, &program->groups, in_program) {
		if (group->key.netid != (uint32_t)netid ||
			!group_choose(home, group, contacted, inside))
			continue;
		from = group->key.vers < from ? group->key.vers : from;
		to = group->key.vers > to ? group->key.vers : to;
	}
	if (from > to)
		return false;
	*low = from;
	*high = to;
	return true;
}

/* The next of the shared entries that count here. */
static const struct node *next_builtin(const struct regs *regs, const struct node *node)
{
	node = node ? TAILQ_NEXT(node, in_order) : TAILQ_FIRST(&regs->builtins->order);
	while (node && !(regs->builtin_netids & NETID_BIT(node->entry.netid)))
		node = TAILQ_NEXT(node, in_order);
	return node;
}

bool regs_has_program(const struct regs *regs, uint32_t prog)
{
	if (prog == REGS_PROG_RPCBIND && regs->builtins)
		return next_builtin(regs, NULL) != NULL;
	return regs_program(regs, prog) != NULL;
}

/* Who walks over all entries waits for memory most of the time: they lie anywhere. */
static void prefetch(const struct node *node)
{
	const char *line = (const char *)node;

	for (size_t at = 0; node && at <= offsetof(struct node, in_order); at += 64)
		__builtin_prefetch(line + at);
}

const struct regs_entry *regs_next(const struct regs *regs, const struct regs_entry *prev)
{
	const struct node *node = (const struct node *)prev;

	if (regs->builtins && (!prev || prev->builtin)) {
		node = next_builtin(regs, node);
		if (node)
			return &node->entry;
	}
	node = node ? TAILQ_NEXT(node, in_order) : TAILQ_FIRST(&regs->order);
	if (!node)
		return NULL;
	prefetch(TAILQ_NEXT(node, in_order));
	return &node->entry;
}

void regs_use_builtins(struct regs *regs, const struct regs *builtins, unsigned netids)
{
	regs->builtins = builtins;
	regs->builtin_netids = netids;
}

size_t regs_builtin_count(const struct regs *regs)
{
	const struct regs_entry *entry = NULL;
	size_t n = 0;

	while ((entry = regs_next(regs, entry)) && entry->builtin)
		n++;
	return n;
}

void regs_mark(struct regs *regs, const struct regs_entry *entry, bool ghost, uint64_t absent_since)
{
	struct node *node = (struct node *)(uintptr_t)entry;

	(void)regs; /* who may change it may change its entries */
	node->entry.ghost = ghost;
	node->entry.absent_since = absent_since;
}

size_t regs_count(const struct regs *regs)
{
	return regs->count + (regs->builtins ? regs_builtin_count(regs) : 0);
}

size_t regs_merge(const struct regs_entry *entry, const struct uaddr *contacted, char *text)
{
	struct uaddr merged = entry->uaddr;
	size_t len;

	if (contacted && merged.family != AF_UNIX && contacted->family == merged.family &&
		uaddr_is_wildcard(&merged)) {
		memcpy(merged.addr, contacted->addr, sizeof(merged.addr));
		return uaddr_format(&merged, text, UADDR_MAX);
	}
	len = strlen(entry->text);
	memcpy(text, entry->text, len + 1);
	return len;
}
