/* SPDX-License-Identifier: BSD-3-Clause */
/* Which process is this? Asked in every call of the library, and so without a system call. */
#ifndef NSAUX_CACHED_PID_H
#define NSAUX_CACHED_PID_H

#include <sys/types.h>

/* getpid(2), in a child after any kind of fork, too. From any thread. */
pid_t cached_pid(void);

#endif
