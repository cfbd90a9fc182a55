/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes out over UDP beyond what came in, limited by source: a call with a forged address
 * makes us send to somebody who has not asked, and nobody should gain by the detour.
 *
 * A source is an IPv4 address or the /64 of an IPv6 address. Each has a token bucket of
 * EXCESS_BURST seconds' worth of bytes. There are EXCESS_BUCKETS for a VS, found by a hash whose
 * key nobody outside knows; sources that meet in one share it. No I/O, no clock of its own.
 */
#ifndef RPCBIND_EXCESS_H
#define RPCBIND_EXCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uaddr.h"

#define EXCESS_BUCKETS 512 /* sources told apart, per VS; a power of two */
#define EXCESS_BURST 8     /* seconds at the rate that a quiet source may have at once */

struct excess;

/*
 * May a reply to source go out that is this many bytes longer than its call? Notes it when it may.
 * rate: bytes in a second, 0 for no limit. *table is NULL before the first use, and made then;
 * without memory the answer is no.
 */
bool excess_allow(struct excess **table, unsigned rate, const struct uaddr *source, size_t bytes,
	uint64_t now);
void excess_free(struct excess *table);

#endif
