/* SPDX-License-Identifier: BSD-3-Clause */
/* Who holds the socket that we could not have? */
#ifndef NSAUX_OPENER_HOLDER_H
#define NSAUX_OPENER_HOLDER_H

#include <stddef.h>
#include <sys/types.h>

#include "opener_socket.h"

/*
 * Writes a word for people such as "rpcbind[1234]", "a process of uid 32" or, when nothing can
 * be found out, "another process", about the socket of kind that exists in vs.
 */
void opener_find_holder(struct vs *vs, const struct opener_policy *policy, enum opener_kind kind,
	char *text, size_t size);

/* Writes "rpcbind[1234]", or "process 1234" when its name cannot be read. */
void opener_describe_process(pid_t pid, char *text, size_t size);

#endif
