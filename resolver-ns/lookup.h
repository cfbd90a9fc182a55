/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What requests have in common that look up several names: SRV targets, names to be confirmed.
 * Under the lock of the engine.
 */
#ifndef NSAUX_LOOKUP_H
#define NSAUX_LOOKUP_H

#include "netview.h"
#include "request.h"

/* request_ask(), or when the time is over (is_late) only what is at hand, stale if that is
 * allowed. */
int lookup_ask(struct request *r, bool is_late, const struct dns_question *question,
	struct query_waiter *w, struct answer **answer);

/* As request_status(), but r->info stays that of the answer that decided; a positive answer makes
 * it weaker by what it says: its source, TTL, and AD bit. */
int lookup_status(struct request *r, int status, const struct answer *answer);

/* The addresses of a positive answer that the guard lets through; at most max are looked at, never
 * more than LOOKUP_ADDRS_MAX. */
#define LOOKUP_ADDRS_MAX 256
size_t lookup_addresses(struct request *r, const struct dns_question *question,
	const struct answer *answer, union netview_addr *addrs, size_t max);
/* The same for addresses at hand: moves those that are let through to the front; how many. */
size_t lookup_guard(struct request *r, union netview_addr *addrs, size_t number);

/* Of two statuses the one to tell when both brought no address. */
int lookup_worse(int a, int b);

#endif
