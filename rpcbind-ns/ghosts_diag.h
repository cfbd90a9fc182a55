/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether somebody listens where registrations say: asked of the kernel, by sock_diag. */
#ifndef RPCBIND_GHOSTS_DIAG_H
#define RPCBIND_GHOSTS_DIAG_H

#include "ghosts.h"

#define GHOSTS_QUERIES_MAX 64 /* in one look */

struct ghosts_query {
	const struct regs_entry *entry; /* one with a ghosts_protocol() */
	bool present;                   /* the answer */
};

/* Whose sockets count, where VSs share a namespace. */
struct ghosts_scope {
	bool (*has)(void *arg, const struct ghosts_socket *socket);
	void *arg;
};

/*
 * Looks for all of them. scope NULL: all sockets of the namespace count. diag_fd: the VS's socket
 * to the kernel, on which nothing is left behind for who asks next (caller.h). 0, or -errno: the
 * kernel did not tell all, and nothing is known.
 */
int ghosts_look(int diag_fd, const struct ghosts_scope *scope, struct ghosts_query *queries,
	size_t count);

#endif
