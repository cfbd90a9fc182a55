/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket is one word: the time at which it will be full again. Bytes that go out put that
 * off by the time that they take at the rate, and it may not be further off than EXCESS_BURST.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "excess.h"
#include "siphash.h"

#define SECOND UINT64_C(1000000000)

struct excess {
	struct siphash_key key;
	uint64_t full_at[EXCESS_BUCKETS];
};

static struct excess *new_table(void)
{
	struct excess *t = calloc(1, sizeof(*t));

	if (t && getrandom(&t->key, sizeof(t->key), GRND_NONBLOCK) != sizeof(t->key)) {
		free(t);
		return NULL;
	}
	return t;
}

/* No IPv6 address that a packet can come from begins like an IPv4 address here: ::/32 is
 * reserved. */
static uint64_t *bucket_of(struct excess *t, const struct uaddr *source)
{
	uint64_t word = 0;

	if (source->family == AF_INET)
		memcpy((uint8_t *)&word + 4, source->addr, 4);
	else
		memcpy(&word, source->addr, sizeof(word));
	return &t->full_at[siphash(&t->key, &word, sizeof(word)) & (EXCESS_BUCKETS - 1)];
}

bool excess_allow(struct excess **table, unsigned rate, const struct uaddr *source, size_t bytes,
	uint64_t now)
{
	uint64_t *full_at, begin, cost;

	if (!rate)
		return true;
	assert(bytes < SECOND);
	if (!*table)
		*table = new_table();
	if (!*table)
		return false;
	full_at = bucket_of(*table, source);
	begin = *full_at > now ? *full_at : now;
	cost = bytes * SECOND / rate;
	if (begin - now + cost > EXCESS_BURST * SECOND)
		return false;
	*full_at = begin + cost;
	return true;
}

void excess_free(struct excess *table)
{
	free(table);
}
