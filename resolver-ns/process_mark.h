/* SPDX-License-Identifier: BSD-3-Clause */
/* Which process is this? Asked in every call of the library, and so without a system call. */
#ifndef NSAUX_PROCESS_MARK_H
#define NSAUX_PROCESS_MARK_H

#include <stdint.h>

/* A number that none of those processes has from which this one was forked. Not the one of
 * getpid(2), which is 1 in the first process of each PID namespace, and comes around. From any
 * thread. */
uint64_t process_mark(void);

#endif
