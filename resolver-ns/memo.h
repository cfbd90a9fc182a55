/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the front end has found for a node, in the cache of its context: addresses in their order,
 * so that asking again is one look-up and a copy. For a second at most, not longer than the
 * answers it is made of, and only while nothing has changed that it depends on: the configuration
 * (generation of the snapshot), what was flushed, the network (both: epoch).
 */
#ifndef NSAUX_MEMO_H
#define NSAUX_MEMO_H

#include "context.h"
#include "front.h"

#define MEMO_KEEP LOOP_SEC

/* As it is kept: `data` is the addresses, and behind them the canonical name with its NUL. */
struct memo {
	uint64_t expires; /* when the TTL is over; 0: there is none */
	uint32_t epoch, generation;
	int32_t status; /* 0, EAI_NODATA, EAI_NONAME */
	int32_t rcode;
	uint16_t count, canonical; /* bytes; 0: there is none */
	uint8_t source;            /* enum vsresolv_source, at first hand */
	bool ad;
	union answer_server server;
	union {
		union netview_addr addrs[FRONT_ADDRS_MAX];
		char bytes[FRONT_ADDRS_MAX * sizeof(union netview_addr) + DNS_TEXT_MAX];
	} data;
};

/* Sets all but data and what memo_canonical() sets. */
void memo_init(struct memo *memo, int status, const struct vsresolv_info *info);
/* After the addresses: memo->count is set. */
void memo_set_canonical(struct memo *memo, const char *name);
const char *memo_canonical(const struct memo *memo); /* NULL: none */
/* Where it came from, for who asks again at `now`. */
void memo_info(const struct memo *memo, uint64_t now, struct vsresolv_info *info);

/* node: as the user typed it, AI_IDN or not. Needs no lock. */
bool memo_find(struct vsresolv *ctx, const char *node, const struct front_hints *hints,
	uint64_t now, struct memo *memo);
/* Until then at the latest. memo->epoch is as it was before what the memo is made of was looked
 * at. */
void memo_keep(struct vsresolv *ctx, const char *node, const struct front_hints *hints,
	uint64_t now, uint64_t until, const struct memo *memo);

#endif
