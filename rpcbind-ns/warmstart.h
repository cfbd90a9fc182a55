/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lists of registrations that stock rpcbind leaves behind when it ends (option -w), which are
 * those that it answers DUMP with: XDR, for each entry TRUE and the entry, and FALSE at the end.
 * Pure: from bytes to calls of a function.
 */
#ifndef RPCBIND_WARMSTART_H
#define RPCBIND_WARMSTART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regs.h"

enum warmstart_kind {
	WARMSTART_RPCB, /* rpcbind.xdr, and DUMP of versions 3 and 4: rpcblist of RFC 1833 */
	WARMSTART_PMAP, /* portmap.xdr, and DUMP of version 2: pmaplist */
};

struct warmstart_entry {
	uint32_t prog, vers;
	char netid[32];
	char addr[UADDR_MAX]; /* "" where only the port is told */
	char owner[REGS_OWNER_MAX]; /* "unknown" in a pmaplist, which has none */
	bool port_only; /* of a pmaplist */
	uint32_t port;  /* then */
	/* The netid or the address is longer than there is room, or not printable ASCII: what is
	 * here has been cut, and is for people to look at. */
	bool mangled;
};

/* Not 0 ends the reading. */
typedef int warmstart_fn(const struct warmstart_entry *entry, void *arg);

/*
 * Gives each entry to fn (which may be NULL) in the order of the list. 0; what fn returned; or
 * -EBADMSG, and *offset is where the entry starts that is cut or no entry at all, or what should
 * not be behind the end: the entries before it were given.
 */
int warmstart_read(enum warmstart_kind kind, const void *data, size_t len, warmstart_fn *fn,
	void *arg, size_t *offset);

/* By content, and by name where that does not tell. */
enum warmstart_kind warmstart_guess(const void *data, size_t len, const char *name);

#endif
