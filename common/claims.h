/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose is a local address, among the VSs that share a network namespace: the one rule, for the
 * registry and for servers, which are told the claims by the opener. Pure.
 *
 * An address that is claimed by itself (Address=) goes to its owner; else one in a pool (Pool=),
 * the longest that has it; else one that was found, on a device of its owner (Device=) or as the
 * namespace VS's own. Loopback and the wildcard tell nobody apart: they are claimed by none, and
 * belong to the default VS. What two owners claim in the same way is nobody's.
 */
#ifndef NSAUX_CLAIMS_H
#define NSAUX_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network.h"

enum claim_kind {
	CLAIM_ADDRESS = 1,
	CLAIM_POOL,
	CLAIM_FOUND,
};

struct claim {
	struct ip_prefix prefix; /* the length counts for CLAIM_POOL alone */
	uint8_t kind;
	unsigned ifindex; /* counts for CLAIM_FOUND of a link-local address of IPv6 alone */
	uint64_t owner;   /* a number of the caller's; not 0 */
};

struct claims; /* never changed once it is made */

/* list is copied. 0, -EINVAL (a family, kind, length or owner that cannot be) or -ENOMEM. */
int claims_new(struct claims **claims, const struct claim *list, size_t count);
void claims_free(struct claims *claims); /* NULL is allowed */

/* Whether every address has the same owner in both. NULL: there are none. */
bool claims_same(const struct claims *a, const struct claims *b);

/*
 * The owner of an address, 0 when it is nobody's; addr: 4 or 16 bytes. An IPv4-mapped address is
 * one of IPv4. ifindex: where a link-local address is meant; with 0 it has an owner only if it is
 * the same on every interface. claims may be NULL: there are none.
 */
uint64_t claims_owner(const struct claims *claims, int family, const uint8_t *addr,
	unsigned ifindex);

/* Is it loopback, or the wildcard? */
bool claims_is_common(int family, const uint8_t *addr);

#endif
