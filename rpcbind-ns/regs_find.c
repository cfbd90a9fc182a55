/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "regs_private.h"

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

const struct regs_entry *regs_find(const struct regs *regs, uint32_t prog, uint32_t vers,
	enum netid netid, const struct uaddr *contacted, bool inside, bool any_version)
{
	const struct group *group = regs_group(regs, prog, vers, netid);
	const struct node *best = group ? group_choose(regs, group, contacted, inside) : NULL;
	const struct program *program;
	const struct node *node;

	if (best || !any_version)
		return best ? &best->entry : NULL;
	program = regs_program(regs, prog);
	if (!program)
		return NULL;
	TAILQ_FOREACH (group, &program->groups, in_program) {
		if (group->key.netid != (uint32_t)netid)
			continue;
		node = group_choose(regs, group, contacted, inside);
		if (node && (!best || stands_in_better(node, best)))
			best = node;
	}
	return best ? &best->entry : NULL;
}

bool regs_versions(const struct regs *regs, uint32_t prog, enum netid netid,
	const struct uaddr *contacted, bool inside, uint32_t *low, uint32_t *high)
{
	const struct program *program = regs_program(regs, prog);
	uint32_t from = UINT32_MAX, to = 0;
	const struct group *group;

	if (!program)
		return false;
	TAILQ_FOREACH (group, &program->groups, in_program) {
		if (group->key.netid != (uint32_t)netid ||
			!group_choose(regs, group, contacted, inside))
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

bool regs_has_program(const struct regs *regs, uint32_t prog)
{
	return regs_program(regs, prog) != NULL;
}

const struct regs_entry *regs_next(const struct regs *regs, const struct regs_entry *prev)
{
	const struct node *node;

	if (prev)
		node = TAILQ_NEXT((const struct node *)prev, in_order);
	else
		node = TAILQ_FIRST(&regs->order);
	return node ? &node->entry : NULL;
}

size_t regs_count(const struct regs *regs)
{
	return regs->count;
}

size_t regs_merge(const struct regs_entry *entry, const struct uaddr *contacted, char *text)
{
	struct uaddr merged = entry->uaddr;
	size_t len = strlen(entry->text);

	if (contacted && merged.family != AF_UNIX && contacted->family == merged.family &&
		uaddr_is_wildcard(&merged)) {
		memcpy(merged.addr, contacted->addr, sizeof(merged.addr));
		return uaddr_format(&merged, text, UADDR_MAX);
	}
	memcpy(text, entry->text, len + 1);
	return len;
}
