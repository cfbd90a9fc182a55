/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 6724: destination address selection, on facts alone. */
#ifndef NSAUX_SORT6724_H
#define NSAUX_SORT6724_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both as IPv6 addresses; those of IPv4 are IPv4-mapped (RFC 6724 section 3.2). */
struct sort6724_item {
	struct in6_addr dst, src;
	bool has_source;     /* rule 1 */
	bool deprecated;     /* the source is; rule 3 */
	bool home;           /* rule 4 */
	bool encapsulated;   /* reached by a tunnel; rule 7 */
	unsigned src_prefix; /* bits of the source's prefix (96 and more for IPv4); rule 9 looks no
			      * further */
	unsigned order;      /* the place in the list that came in, below 65536; rule 10 */
};

/* Longer lists are sorted up to here, and the rest stays behind. */
#define SORT6724_MAX 256

/* Without a source only rules 6, 8 and 10 tell anything. Rule 9 counts for an IPv4 destination on
 * the source's own subnet alone: beyond it the bits in common mean nothing, and would undo the
 * round robin of the DNS. */
void sort6724(struct sort6724_item *items, size_t count);
/* The parts, for tests: RFC 6724 sections 2.1 and 3.1. */
unsigned sort6724_precedence(const struct in6_addr *addr);
unsigned sort6724_label(const struct in6_addr *addr);
unsigned sort6724_scope(const struct in6_addr *addr);

#endif
