/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a hash for
 * tables whose keys a stranger chooses. Without the key he cannot make them fall together.
 */
#ifndef NSAUX_SIPHASH_H
#define NSAUX_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t word[2]; /* the 16 bytes of the paper's k, little-endian */
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);
/* The same of what has the eight bytes of `first` (little-endian) before data. */
uint64_t siphash_after(const struct siphash_key *key, uint64_t first, const void *data, size_t len);

#endif
