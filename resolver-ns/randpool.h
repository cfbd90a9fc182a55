/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes of the kernel, fetched some hundred at a time, each given out once. */
#ifndef NSAUX_RANDPOOL_H
#define NSAUX_RANDPOOL_H

#include <stddef.h>
#include <stdint.h>

struct randpool { /* zero is a beginning */
	size_t left;
	uint8_t bytes[256];
};

/* 0 or -errno. len: at most 256. */
int randpool_get(struct randpool *pool, void *out, size_t len);

#endif
