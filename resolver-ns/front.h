/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of resolving a name that need no network, shared by the kinds of requests. Pure but for the
 * snapshot of the configuration.
 */
#ifndef NSAUX_FRONT_H
#define NSAUX_FRONT_H

#include "netview.h"
#include "rconf.h"
#include "vsresolv.h"

/* What hints and service say, checked. */
struct front_hints {
	int flags;  /* AI_* */
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	int socktype, protocol;
	uint16_t port; /* host order */
	unsigned kinds; /* bits into the table of (socktype, protocol) pairs that a result has */
};

/* EAI_* or 0. services: of the snapshot. */
int front_hints(struct front_hints *out, const struct addrinfo *hints, const char *node,
	const char *service, const struct services *services);

/* Digits: all forms of inet_aton(3), IPv6 with a scope. 0 and the address; EAI_NONAME: digits, but not of
 * this family; EAI_ADDRFAMILY likewise; 1: it is a name. scope: a device's number or name, for
 * whose number the caller asks the VS; "" if there is none. */
int front_digits(const char *node, int family, union netview_addr *addr,
	char scope[static IF_NAMESIZE]);

/* Names that never go to a server: localhost and below (RFC 6761), .onion (RFC 7686). */
enum front_special { FRONT_ORDINARY, FRONT_LOCALHOST, FRONT_NEVER };
enum front_special front_special(const char *node);

/* The names to ask, in order, as resolv.conf(5) has it (ndots, search, a dot at the end). Returns how many
 * there are (at most RCONF_SEARCH_MAX + 1), or EAI_IDN_ENCODE, EAI_NONAME. With AI_IDN (idn) what is
 * not ASCII goes through libidn2 where that is built in. */
int front_candidates(const struct rconf *conf, const char *node, bool idn, struct dns_name *names,
	unsigned max);

/* The list that getaddrinfo returns, in one block. canonical: NULL: none. */
int front_list(const struct front_hints *hints, const union netview_addr *addrs, size_t count,
	const char *canonical, struct addrinfo **res);

#endif
