/* SPDX-License-Identifier: BSD-3-Clause */
#include <endian.h>
#include <string.h>

#include "siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* Section 2.4 of the paper. */
static inline void sip_rounds(struct state *s, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void compress(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	sip_rounds(s, 2);
	s->v0 ^= m;
}

/* The words are the paper's: "somepseudorandomlygeneratedbytes". */
static struct state begin(const struct siphash_key *key)
{
	return (struct state){key->word[0] ^ UINT64_C(0x736f6d6570736575),
		key->word[1] ^ UINT64_C(0x646f72616e646f6d),
		key->word[0] ^ UINT64_C(0x6c7967656e657261),
		key->word[1] ^ UINT64_C(0x7465646279746573)};
}

/* before: how many bytes went in already. */
static uint64_t finish(struct state s, size_t before, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t m = 0, last = (uint64_t)(before + len) << 56;
	size_t left = len;

	for (; left >= sizeof(m); left -= sizeof(m), p += sizeof(m)) {
		memcpy(&m, p, sizeof(m));
		compress(&s, le64toh(m));
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	compress(&s, last);
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len)
{
	return finish(begin(key), 0, data, len);
}

uint64_t siphash_after(const struct siphash_key *key, uint64_t first, const void *data, size_t len)
{
	struct state s = begin(key);

	compress(&s, first);
	return finish(s, sizeof(first), data, len);
}
