/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "randpool.h"

/* Up to 256 bytes come whole, whatever signals there are: random(7). */
static int fill(struct randpool *pool)
{
	ssize_t n = getrandom(pool->bytes, sizeof(pool->bytes), 0);

	if (n != (ssize_t)sizeof(pool->bytes))
		return n < 0 ? -errno : -EIO;
	pool->left = sizeof(pool->bytes);
	return 0;
}

int randpool_get(struct randpool *pool, void *out, size_t len)
{
	uint8_t *from;

	assert(len <= sizeof(pool->bytes));
	if (pool->left < len) {
		int rc = fill(pool);

		if (rc < 0)
			return rc;
	}
	pool->left -= len;
	from = pool->bytes + pool->left;
	memcpy(out, from, len);
	/* What was given out is not there to be read any more. */
	memset(from, 0, len);
	return 0;
}
