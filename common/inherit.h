/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors that this process was started with (sd_listen_fds(3)'s protocol): by the service
 * manager, from a socket unit or out of its store (fdstore.h), or by ourselves before an exec in
 * place. What they are is asked of the kernel, never of their names: see opener_inherit.c.
 */
#ifndef NSAUX_INHERIT_H
#define NSAUX_INHERIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inherited {
	int fd;
	bool stored;  /* its name is one that we give to what is stored */
	uint64_t key; /* under which it is, if so */
};

/*
 * Takes the descriptors that $LISTEN_FDS counts, if $LISTEN_PID is this process, and makes them
 * close-on-exec and non-blocking; those above it are left alone. Removes the variables. *list is
 * the caller's to free(), and is NULL when *count is 0. 0, -EINVAL (what the variables say cannot
 * be; nothing is taken) or -ENOMEM.
 */
int inherit_take(struct inherited **list, size_t *count);

#endif
