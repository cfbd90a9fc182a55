/* SPDX-License-Identifier: BSD-3-Clause */
/* From a watcher or timer back to the object that it stands in. */
#ifndef NSAUX_CONTAINER_H
#define NSAUX_CONTAINER_H

#include <stddef.h>

#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#endif
