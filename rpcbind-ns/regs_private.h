/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables behind regs.h: regs_table.c keeps them, regs.c has the rules of who may change what,
 * regs_find.c looks things up.
 *
 * Three levels: a program has groups, one for each (version, netid), and a group has the entries
 * on the addresses of the VS. A group knows its entry on the wildcard; entries on specific
 * addresses are found through one more hash, so that no look-up walks over addresses. What it does
 * walk over, in search of another version, are the groups of one program, of which there are
 * REGS_GROUPS_MAX at most. Changes walk over the REGS_HOSTS_MAX entries of a group at most, in
 * search of the same port, or to remove them all.
 *
 * Programs, versions, addresses and uids are chosen by strangers: each table is hashed with a key.
 */
#ifndef RPCBIND_REGS_PRIVATE_H
#define RPCBIND_REGS_PRIVATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "list.h"
#include "regs.h"

struct group;
struct program;

struct host_key {
	const struct group *group;
	uint8_t addr[sizeof(((struct uaddr *)NULL)->addr)];
};

struct node {
	struct regs_entry entry; /* first: the entries given out lead back to their nodes */
	struct group *group;
	struct host_key key;
	TAILQ_ENTRY(node) in_order;
	TAILQ_ENTRY(node) in_group;
	UT_hash_handle hh; /* in regs->specifics, unless on the wildcard */
	char text[];       /* entry.text */
};

TAILQ_HEAD(node_list, node);

struct group_key {
	uint32_t prog, vers, netid;
};

struct group {
	struct group_key key;
	struct program *program;
	struct node *wildcard;
	struct node_list nodes;
	size_t node_count, superusers; /* the second: how many of them are superusers' */
	TAILQ_ENTRY(group) in_program;
	UT_hash_handle hh;
};

struct program {
	uint32_t prog;
	size_t group_count;
	TAILQ_HEAD(group_list, group) groups;
	UT_hash_handle hh;
};

/* Of an owner who is no superuser. */
struct account {
	uid_t uid;
	size_t entries;
	UT_hash_handle hh;
};

struct regs {
	struct regs_limits limits;
	struct siphash_key key;
	regs_change_fn *on_change; /* NULL: nobody is told */
	void *on_change_arg;
	const struct regs *builtins; /* shared with others; NULL: none */
	unsigned builtin_netids;     /* those of builtins that count here */
	struct program *programs;
	struct group *groups;
	struct node *specifics;
	struct account *accounts;
	struct node_list order;
	struct node *last_builtin;
	size_t count, ordinary; /* without those of builtins; the second: of no superuser */
};

/* Where the entries of a program stand: those of rpcbind itself may be in the table that is
 * shared. NULL: this netid has none of them here. */
const struct regs *regs_home(const struct regs *regs, uint32_t prog, enum netid netid);

/* NULL where there is none. */
struct program *regs_program(const struct regs *regs, uint32_t prog);
struct group *regs_group(const struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid);
/* The entry on exactly this host part; the path of AF_UNIX counts as the wildcard. */
struct node *regs_node(
	const struct regs *regs, const struct group *group, const struct uaddr *host);
/* How many entries this owner, no superuser, has. */
size_t regs_owned(const struct regs *regs, uid_t uid);

/* Adds a copy of entry, whose key must be free. NULL: no memory. */
struct node *regs_node_add(struct regs *regs, const struct regs_entry *entry);
void regs_node_remove(struct regs *regs, struct node *node);

#endif
