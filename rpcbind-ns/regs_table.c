/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "regs_private.h"

/* uthash takes as many bits. */
static unsigned hash(const struct regs *regs, const void *key, size_t len)
{
	return (unsigned)siphash(&regs->key, key, len);
}

struct program *regs_program(const struct regs *regs, uint32_t prog)
{
	unsigned h = hash(regs, &prog, sizeof(prog));
	struct program *program;

	HASH_FIND_BYHASHVALUE(hh, regs->programs, &prog, sizeof(prog), h, program);
	return program;
}

struct group *regs_group(const struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid)
{
	struct group_key key = {prog, vers, (uint32_t)netid};
	unsigned h = hash(regs, &key, sizeof(key));
	struct group *group;

	HASH_FIND_BYHASHVALUE(hh, regs->groups, &key, sizeof(key), h, group);
	return group;
}

static struct account *account_find(const struct regs *regs, uid_t uid)
{
	unsigned h = hash(regs, &uid, sizeof(uid));
	struct account *account;

	HASH_FIND_BYHASHVALUE(hh, regs->accounts, &uid, sizeof(uid), h, account);
	return account;
}

size_t regs_owned(const struct regs *regs, uid_t uid)
{
	const struct account *account = account_find(regs, uid);

	return account ? account->entries : 0;
}

static struct host_key host_key(const struct group *group, const struct uaddr *host)
{
	struct host_key key = {.group = group};

	memcpy(key.addr, host->addr, host->family == AF_INET ? 4 : sizeof(key.addr));
	return key;
}

struct node *regs_node(const struct regs *regs, const struct group *group, const struct uaddr *host)
{
	struct host_key key;
	struct node *node;
	unsigned h;

	if (host->family != netid_info((enum netid)group->key.netid)->family)
		return NULL;
	if (uaddr_is_wildcard(host))
		return group->wildcard;
	if (group->wildcard && group->node_count == 1)
		return NULL;
	key = host_key(group, host);
	h = hash(regs, &key, sizeof(key));
	HASH_FIND_BYHASHVALUE(hh, regs->specifics, &key, sizeof(key), h, node);
	return node;
}

static struct program *program_get(struct regs *regs, uint32_t prog)
{
	struct program *program = regs_program(regs, prog);
	unsigned h = hash(regs, &prog, sizeof(prog));

	if (program)
		return program;
	program = calloc(1, sizeof(*program));
	if (!program)
		return NULL;
	program->prog = prog;
	TAILQ_INIT(&program->groups);
	HASH_ADD_BYHASHVALUE(hh, regs->programs, prog, sizeof(prog), h, program);
	if (!program->hh.tbl) {
		free(program);
		return NULL;
	}
	return program;
}

static void program_put(struct regs *regs, struct program *program)
{
	if (!TAILQ_EMPTY(&program->groups))
		return;
	HASH_DELETE(hh, regs->programs, program);
	free(program);
}

static struct group *group_get(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid)
{
	struct group_key key = {prog, vers, (uint32_t)netid};
	struct group *group = regs_group(regs, prog, vers, netid);
	unsigned h = hash(regs, &key, sizeof(key));
	struct program *program;

	if (group)
		return group;
	program = program_get(regs, prog);
	if (!program)
		return NULL;
	group = calloc(1, sizeof(*group));
	if (group) {
		group->key = key;
		HASH_ADD_BYHASHVALUE(hh, regs->groups, key, sizeof(key), h, group);
	}
	if (!group || !group->hh.tbl) {
		free(group);
		program_put(regs, program);
		return NULL;
	}
	group->program = program;
	TAILQ_INIT(&group->nodes);
	TAILQ_INSERT_TAIL(&program->groups, group, in_program);
	program->group_count++;
	return group;
}

static void group_put(struct regs *regs, struct group *group)
{
	struct program *program = group->program;

	if (!TAILQ_EMPTY(&group->nodes))
		return;
	HASH_DELETE(hh, regs->groups, group);
	TAILQ_REMOVE(&program->groups, group, in_program);
	program->group_count--;
	free(group);
	program_put(regs, program);
}

/* Counts one more entry of uid. */
static int account_add(struct regs *regs, uid_t uid)
{
	struct account *account = account_find(regs, uid);
	unsigned h = hash(regs, &uid, sizeof(uid));

	if (!account) {
		account = calloc(1, sizeof(*account));
		if (!account)
			return -ENOMEM;
		account->uid = uid;
		HASH_ADD_BYHASHVALUE(hh, regs->accounts, uid, sizeof(uid), h, account);
		if (!account->hh.tbl) {
			free(account);
			return -ENOMEM;
		}
	}
	account->entries++;
	return 0;
}

static void account_sub(struct regs *regs, uid_t uid)
{
	struct account *account = account_find(regs, uid);

	if (account && --account->entries == 0) {
		HASH_DELETE(hh, regs->accounts, account);
		free(account);
	}
}

/* The group's first entry with this port. */
static struct node *group_port(const struct group *group, uint16_t port)
{
	struct node *node;

	TAILQ_FOREACH (node, &group->nodes, in_group) {
		if (node->entry.uaddr.port == port)
			return node;
	}
	return NULL;
}

static void node_unlink(struct regs *regs, struct node *node)
{
	struct group *group = node->group;

	if (group->wildcard == node)
		group->wildcard = NULL;
	else
		HASH_DELETE(hh, regs->specifics, node);
	TAILQ_REMOVE(&group->nodes, node, in_group);
	group->node_count--;
	group->superusers -= node->entry.owner.superuser;
	TAILQ_REMOVE(&regs->order, node, in_order);
	regs->count--;
	regs->ordinary -= !node->entry.owner.superuser;
}

void regs_node_remove(struct regs *regs, struct node *node)
{
	struct group *group = node->group;
	struct node *heir;

	node_unlink(regs, node);
	heir = node->entry.port_listed ? group_port(group, node->entry.uaddr.port) : NULL;
	if (heir)
		heir->entry.port_listed = true;
	if (!node->entry.owner.superuser)
		account_sub(regs, node->entry.owner.uid);
	free(node);
	group_put(regs, group);
}

/* Takes node over into its group's tables. */
static int node_link(struct regs *regs, struct node *node, struct group *group)
{
	unsigned h;

	node->group = group;
	node->entry.port_listed = !group_port(group, node->entry.uaddr.port);
	if (uaddr_is_wildcard(&node->entry.uaddr)) {
		group->wildcard = node;
	} else {
		node->key = host_key(group, &node->entry.uaddr);
		h = hash(regs, &node->key, sizeof(node->key));
		HASH_ADD_BYHASHVALUE(hh, regs->specifics, key, sizeof(node->key), h, node);
		if (!node->hh.tbl)
			return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&group->nodes, node, in_group);
	group->node_count++;
	group->superusers += node->entry.owner.superuser;
	if (!node->entry.builtin)
		TAILQ_INSERT_TAIL(&regs->order, node, in_order);
	else if (regs->last_builtin)
		TAILQ_INSERT_AFTER(&regs->order, regs->last_builtin, node, in_order);
	else
		TAILQ_INSERT_HEAD(&regs->order, node, in_order);
	if (node->entry.builtin)
		regs->last_builtin = node;
	regs->count++;
	regs->ordinary += !node->entry.owner.superuser;
	return 0;
}

struct node *regs_node_add(struct regs *regs, const struct regs_entry *entry)
{
	size_t size = strlen(entry->text) + 1;
	struct node *node = calloc(1, sizeof(*node) + size);
	struct group *group;

	if (!node)
		return NULL;
	node->entry = *entry;
	memcpy(node->text, entry->text, size);
	node->entry.text = node->text;
	group = group_get(regs, entry->prog, entry->vers, entry->netid);
	if (!group)
		goto no_group;
	if (!entry->owner.superuser && account_add(regs, entry->owner.uid) < 0)
		goto no_account;
	if (node_link(regs, node, group) < 0)
		goto no_link;
	return node;
no_link:
	if (!entry->owner.superuser)
		account_sub(regs, entry->owner.uid);
no_account:
	group_put(regs, group);
no_group:
	free(node);
	return NULL;
}
