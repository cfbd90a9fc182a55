/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files in which servers keep what must outlive them: one for each VS, DIR/COOKIE.state, and
 * while it is written anew also DIR/COOKIE.new. Where mark VSs share a namespace theirs are
 * DIR/COOKIE@NAME.state: name is "" for the VS that is the namespace. The directory is of mode
 * 0700, the files of 0600, all are the opener's own.
 */
#ifndef NSAUX_OPENER_STATE_H
#define NSAUX_OPENER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "opener_socket.h"

/*
 * Opens those of OPENER_STATES that are in the mask, for reading and appending: the state is made
 * when there is none, a new one always afresh. A file is locked for as long as its descriptor is
 * open anywhere: EBUSY while a server that was not told of its end is still about. dir NULL or "":
 * EOPNOTSUPP. The descriptors are the caller's.
 */
void opener_state_open(const char *dir, uint64_t cookie, const char *name, uint32_t mask,
	struct opener_socket *result);

/* The new file takes the place of the state. 0 or -errno. */
int opener_state_commit(const char *dir, uint64_t cookie, const char *name);

/* Which file is the state now. 0: none, or it cannot be told. */
uint64_t opener_state_inode(const char *dir, uint64_t cookie, const char *name);

/* The namespace, or the VS of that name, is no more. */
void opener_state_remove(const char *dir, uint64_t cookie, const char *name);

/* At the start: removes what is of another boot, of a VS that is_known() denies, and what was being
 * written. Tells how much. */
typedef bool opener_state_known_fn(uint64_t cookie, const char *name, void *arg);
void opener_state_sweep(const char *dir, opener_state_known_fn *is_known, void *arg);

#endif
