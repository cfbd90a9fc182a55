/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of one or more network namespaces, as the kernel has them now. */
#ifndef NSAUX_NETVIEW_TABLE_H
#define NSAUX_NETVIEW_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one namespace and family: what is inside is its root's choice. */
#define NETVIEW_TABLE_MAX 1024

struct netview_entry {
	struct in6_addr addr; /* IPv4 as IPv4-mapped */
	unsigned ifindex;
	uint8_t prefix;       /* bits, of 128 */
	bool deprecated, home;
};

struct netview_table { /* all 0: empty */
	struct netview_entry *entries; /* sorted by netview_table_end() */
	size_t count, size;
	bool has4, has6; /* any beyond loopback and IPv6 link-local */
};

/* Adds the addresses where the netlink socket is, a fresh one, which is used up by it. -errno,
 * and the table is as it was. */
int netview_table_add(struct netview_table *table, int sock);
/* The last has been added: now they can be found. */
void netview_table_end(struct netview_table *table);
/* NULL: it is none of them. */
const struct netview_entry *netview_table_find(
	const struct netview_table *table, const struct in6_addr *addr);
void netview_table_free(struct netview_table *table); /* it is empty then */

/* An IPv4 address as IPv4-mapped. */
struct in6_addr netview_mapped(const struct in_addr *addr);

#endif
