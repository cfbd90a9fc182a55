/* SPDX-License-Identifier: BSD-3-Clause */
/* One vsctl at a time changes virtual servers. */
#ifndef NSAUX_VS_LOCK_H
#define NSAUX_VS_LOCK_H

#include <sys/types.h>

/*
 * Waits at most wait_ms for the lock that the file is, which is made where it is missing. Returns a
 * descriptor, and the lock lasts until that and its copies in other processes are closed; -EBUSY, and
 * *holder is the process that has it (0: unknown); or -errno.
 */
int vs_lock(const char *path, int wait_ms, pid_t *holder);

#endif
