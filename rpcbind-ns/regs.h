/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registrations of one virtual server.
 *
 * An entry is keyed by (program, version, netid, host part of the address). The same program may
 * be registered on several addresses of one VS; a look-up chooses by the address that the
 * client contacted (regs_find). All limits are per VS. No I/O, no clock, no globals.
 */
#ifndef RPCBIND_REGS_H
#define RPCBIND_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "siphash.h"
#include "uaddr.h"

#define REGS_PROG_RPCBIND 100000 /* rpcbind itself */
#define REGS_GROUPS_MAX 256      /* distinct (version, netid) of one program */
#define REGS_HOSTS_MAX 1024      /* host parts of one (program, version, netid) */
#define REGS_OWNER_MAX 32 /* "superuser", "unknown" or a decimal uid, with its NUL */

/* Who sets or unsets. */
struct regs_owner {
	bool superuser;
	uid_t uid; /* meaningful when !superuser */
};

struct regs_entry {
	uint32_t prog, vers;
	enum netid netid;
	struct uaddr uaddr; /* host part zero: wildcard. For AF_UNIX the path is in text */
	struct regs_owner owner;
	const char *text;            /* the universal address as registered */
	bool builtin;                /* rpcbind's own; cannot be set or unset */
	bool port_listed;            /* the first of its (program, version, netid) with its port:
				      * PMAPPROC_DUMP, which knows no host parts, lists this one */
	bool ghost;                  /* nobody listens there any more (ghosts.h) */
	uint64_t absent_since;       /* when nobody did for the first time; 0: somebody did */
};

struct regs_limits {
	size_t entries;           /* in all */
	size_t entries_per_owner; /* of one uid that is not superuser */
	size_t entries_ordinary;  /* of all who are no superusers; 0: no limit of their own */
};

struct regs;

/* key: of the hash tables, secret; NULL: a known one, for tests. */
int regs_new(struct regs **regs, const struct regs_limits *limits, const struct siphash_key *key);
void regs_free(struct regs *regs); /* NULL is allowed */
void regs_clear(struct regs *regs); /* without a word to regs_on_change()'s function */

/* Adds one of rpcbind's own entries (program 100000). 0, -EINVAL, -ENOMEM. */
int regs_add_builtin(struct regs *regs, uint32_t vers, enum netid netid, const char *text);
/*
 * Makes the built-in entries of another table part of this one, of which none may be its own:
 * those with the netids of the mask are found, listed first, and not to be unset. builtins is
 * borrowed for good. Later calls change the mask.
 */
void regs_use_builtins(struct regs *regs, const struct regs *builtins, unsigned netids);
size_t regs_builtin_count(const struct regs *regs);

enum regs_change_kind {
	REGS_SET = 1,
	REGS_UNSET = 2,
};

/* What a SET or UNSET changes. */
struct regs_change {
	enum regs_change_kind kind;
	uint32_t prog, vers;
	unsigned netids;          /* NETID_BIT()s; of REGS_SET one */
	const char *text;         /* REGS_SET: the universal address */
	struct regs_owner owner;  /* REGS_SET */
	const struct uaddr *host; /* REGS_UNSET: on this address only; NULL: on all */
};

/*
 * fn is called for each SET that registers and each UNSET that removes something, when nothing
 * but fn can fail any more and before anybody sees it. An error of fn is that of the call, and
 * then nothing has changed. fn must not use regs. fn NULL: nobody is to be told.
 */
typedef int regs_change_fn(const struct regs_change *change, void *arg);
void regs_on_change(struct regs *regs, regs_change_fn *fn, void *arg);

/*
 * Does again what fn was once told, without telling it: whoever asked then was allowed to. 0, or
 * what regs_set() gives but for questions of owners: a change that the rules would never have
 * let happen is refused.
 */
int regs_apply(struct regs *regs, const struct regs_change *change);

/* "superuser", "unknown" or the uid. Returns the length; text at least REGS_OWNER_MAX. */
size_t regs_owner_text(const struct regs_owner *owner, char *text);

/*
 * RPCBPROC_SET. First come, first served:
 * 0        registered now, or registered before with the same address by anybody
 * -EEXIST  another address stands under this key; or another owner that is not the caller
 *          holds (program, version, netid) on another host part and the caller is not superuser
 *          (he would take that owner's clients)
 * -EINVAL  the address is not well-formed for the netid, or the port is 0
 * -EPERM   program 100000 is reserved
 * -ENOSPC  a limit
 * -ENOMEM
 * or what the function of regs_on_change() gave.
 */
int regs_set(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid,
	const char *text, const struct regs_owner *owner);

/*
 * RPCBPROC_UNSET. netid NETID_NONE: all of them. host NULL: on all addresses. All or nothing:
 * -EPERM and nothing removed when one of the matches belongs to another owner and the caller is not
 * superuser, or is builtin; or what the function of regs_on_change() gave. Number removed, 0
 * included.
 */
int regs_unset(struct regs *regs, uint32_t prog, uint32_t vers, enum netid netid,
	const struct uaddr *host, const struct regs_owner *owner);

/* PMAPPROC_UNSET: the same for udp and tcp together. */
int regs_unset_pmap(struct regs *regs, uint32_t prog, uint32_t vers,
	const struct regs_owner *owner);

/*
 * The entry that serves (prog, vers, netid) to a client that contacted `contacted` (NULL or
 * local: the client is inside the VS, by loopback or local socket, and any host part may be
 * told). A host part equal to the contacted address is best, then the wildcard, and only
 * for an inside client then any other. any_version: without an entry of this version fall back
 * to one of another version (superusers' first, then the highest), as RFC 1833 wants so that the
 * client sees PROG_MISMATCH from the service itself. NULL: none.
 */
const struct regs_entry *regs_find(const struct regs *regs, uint32_t prog, uint32_t vers,
	enum netid netid, const struct uaddr *contacted, bool inside, bool any_version);

/* The lowest and highest version that regs_find() would give this client; false: none. */
bool regs_versions(const struct regs *regs, uint32_t prog, enum netid netid,
	const struct uaddr *contacted, bool inside, uint32_t *low, uint32_t *high);

/* Is (prog, *) known at all? For PROG_UNAVAIL of indirect calls. */
bool regs_has_program(const struct regs *regs, uint32_t prog);

/* In order of registration, built-in entries first; NULL starts, NULL ends. */
const struct regs_entry *regs_next(const struct regs *regs, const struct regs_entry *prev);
size_t regs_count(const struct regs *regs); /* built-in entries included */

/* What is known of the service behind an entry of regs_next(). */
void regs_mark(struct regs *regs, const struct regs_entry *entry, bool ghost,
	uint64_t absent_since);

/* The universal address to tell a client: the entry's own, or, where the entry is on the
 * wildcard and contacted is not NULL and of the same family, the contacted address with the
 * entry's port. Returns the length; text at least UADDR_MAX. */
size_t regs_merge(const struct regs_entry *entry, const struct uaddr *contacted, char *text);

#endif
