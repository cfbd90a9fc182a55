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

#define SECOND UINT64_C(1000000000)

struct excess {
	uint64_t key[2];
	uint64_t full_at[EXCESS_BUCKETS];
};

static struct excess *new_table(void)
{
	struct excess *t = calloc(1, sizeof(*t));

	if (t && getrandom(t->key, sizeof(t->key), GRND_NONBLOCK) != sizeof(t->key)) {
		free(t);
		return NULL;
	}
	return t;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 of eight bytes. */
static uint64_t sip_hash(const uint64_t key[2], uint64_t word)
{
	const uint64_t block[2] = {word, (uint64_t)sizeof(word) << 56};
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};

	for (unsigned i = 0; i < 2; i++) {
		v[3] ^= block[i];
		sip_round(v);
		sip_round(v);
		v[0] ^= block[i];
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* No IPv6 address that a packet can come from begins like an IPv4 address here: ::/32 is reserved. */
static uint64_t *bucket_of(struct excess *t, const struct uaddr *source)
{
	uint64_t word = 0;

	if (source->family == AF_INET)
		memcpy((uint8_t *)&word + 4, source->addr, 4);
	else
		memcpy(&word, source->addr, sizeof(word));
	return &t->full_at[sip_hash(t->key, word) & (EXCESS_BUCKETS - 1)];
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
