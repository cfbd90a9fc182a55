/* SPDX-License-Identifier: BSD-3-Clause */
/* sys/queue.h, and the one thing that glibc's lacks: a walk during which the current element may
 * be removed and freed. */
#ifndef NSAUX_LIST_H
#define NSAUX_LIST_H

#include <sys/queue.h>

#define TAILQ_FOREACH_MUT(var, head, field, next)                                                  \
	for ((var) = TAILQ_FIRST(head); (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))

#endif
