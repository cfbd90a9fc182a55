/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that can be told apart: what comes back must be what was put under that key, to the
 * byte. */
#ifndef NSAUX_TESTS_CACHE_RIG_H
#define NSAUX_TESTS_CACHE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"

struct rig_key {
	struct cache_key key;
	char text[64];
};

static inline uint32_t rig_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* Some of them differ in the space alone. */
static inline struct cache_key *rig_key(struct rig_key *key, unsigned number)
{
	int len = snprintf(key->text, sizeof(key->text), "name%u.%.*s", number / 2,
		(int)(number / 2 % 40), "a-label-that-makes-names-of-many-lengths");

	key->key.space = number % 2 ? 28 : 1;
	key->key.len = (uint16_t)len;
	key->key.bytes = (const uint8_t *)key->text;
	return &key->key;
}

/* Number and version at the beginning, and all that follows depends on both. */
static inline void rig_fill(uint8_t *value, size_t len, unsigned number, unsigned version)
{
	uint64_t state = (uint64_t)number << 32 | version;
	uint32_t head[2] = {number, version};

	for (size_t i = 0; i < len; i++)
		value[i] = (uint8_t)rig_random(&state);
	if (len >= sizeof(head))
		memcpy(value, head, sizeof(head));
}

/* -1: it is none that was made for this number. */
static inline long rig_version(const uint8_t *value, size_t len, unsigned number)
{
	uint8_t *wanted = malloc(len + 1);
	uint32_t head[2];
	long version = -1;

	if (wanted && len >= sizeof(head)) {
		memcpy(head, value, sizeof(head));
		rig_fill(wanted, len, number, head[1]);
		if (!memcmp(wanted, value, len))
			version = head[1];
	}
	free(wanted);
	return version;
}

#endif
