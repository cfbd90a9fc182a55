/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of resolving a name that need no network, shared by the kinds of requests. Pure but
 * for the snapshot of the configuration. What is decided here is decided before the wire, as glibc
 * does: no server ever sees "127.1".
 */
#ifndef NSAUX_FRONT_H
#define NSAUX_FRONT_H

#include "netview.h"
#include "rconf.h"
#include "vsresolv.h"

#define FRONT_NODE_MAX 256      /* bytes of a node that can be resolved, NUL included */
#define FRONT_ADDRS_MAX 256     /* addresses in one result */
#define FRONT_KINDS_MAX 8

/* What one address becomes in a result. */
struct front_kind {
	int socktype, protocol;
	uint16_t port; /* host order */
};

/* What hints and service say, checked. */
struct front_hints {
	int flags;  /* AI_* */
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	unsigned kind_count;
	struct front_kind kinds[FRONT_KINDS_MAX];
};

/* "*" is as good as nothing, for nodes and services. */
static inline const char *front_given(const char *text)
{
	return text && text[0] == '*' && !text[1] ? NULL : text;
}

/* Is there a service by name, so that front_hints() needs the table? */
bool front_service_is_name(const char *service);
/* EAI_* or 0. node and service as front_given() has them; services: of the snapshot. */
int front_hints(struct front_hints *out, const struct addrinfo *hints, const char *node,
	const char *service, const struct services *services);

/*
 * The node in ASCII: as it is, or with AI_IDN in `flags` by way of IDNA into buf, where that is
 * built in. EAI_IDN_ENCODE; EAI_NONAME: too long for a name, or empty. What comes out may be
 * digits or a name.
 */
int front_ascii(const char *node, int flags, char buf[static FRONT_NODE_MAX], const char **ascii);
/* The reverse, for AI_CANONIDN and NI_IDN: UTF-8, or as it was if it cannot be shown so. */
const char *front_unicode(const char *name, char buf[static DNS_TEXT_MAX]);

/*
 * Digits: all forms of inet_aton(3), IPv6 with a scope. 0 and the address; EAI_ADDRFAMILY: digits,
 * but not of this family; EAI_NONAME: the scope has no meaning; 1: it is a name. device: the
 * scope, if it is not a number, for whose number the caller asks the VS; "" if there is none.
 */
int front_digits(const char *node, int family, int flags, union netview_addr *addr,
	char device[static IF_NAMESIZE]);
/* Without a node: the wildcard (AI_PASSIVE) or loopback, of each family; returns how many. */
size_t front_loopback(const struct front_hints *hints, bool wildcard, union netview_addr addrs[2]);
/* From bytes in network order; family: AF_INET or AF_INET6. */
void front_addr(union netview_addr *addr, int family, const void *bytes);
void front_map_v4(union netview_addr *addr); /* an IPv4 address becomes IPv4-mapped */

/* Names that never go to a server: localhost and below (RFC 6761), .onion (RFC 7686). */
enum front_special { FRONT_ORDINARY, FRONT_LOCALHOST, FRONT_NEVER };
enum front_special front_special(const char *node);

/* Letters, digits, hyphens, underscores, not a hyphen first: what may be asked for, or
 * believed, as the name of a host. RFC 1123, and the underscores that there are. */
bool front_is_hostlike(const struct dns_name *name);

/*
 * Nodes that need neither a file nor a server: none at all, digits, localhost and what is never
 * asked for. EAI_* or 0 and the addresses, with device as of front_digits() for the first; 1: a
 * name.
 */
int front_local(const struct front_hints *hints, const char *node, union netview_addr addrs[2],
	size_t *count, char device[static IF_NAMESIZE]);

/*
 * The names to ask, in order, as resolv.conf(5) has it (ndots, search, a dot at the end).
 * front_search_begin: EAI_NONAME: no host has such a name. front_search_next: false: there are no
 * more. front_search_last: goes on with the name as it is, if that is still to come, and no other.
 */
struct front_search {
	struct dns_name node;
	unsigned at, end; /* of the search list */
	bool as_is_first, as_is_last, as_is_done;
};
int front_search_begin(struct front_search *search, const struct rconf *conf, const char *node);
bool front_search_next(struct front_search *search, const struct rconf *conf,
	struct dns_name *name);
void front_search_last(struct front_search *search);

/* The list that getaddrinfo returns, in one block. addrs are at least one; canonical: NULL: none.
 * front_list_write: into `block` of front_list_size() bytes, aligned for any type. */
size_t front_list_size(const struct front_hints *hints, size_t count, const char *canonical);
struct addrinfo *front_list_write(const struct front_hints *hints, const union netview_addr *addrs,
	size_t count, const char *canonical, void *block);
int front_list(const struct front_hints *hints, const union netview_addr *addrs, size_t count,
	const char *canonical, struct addrinfo **res); /* 0 or EAI_MEMORY */

#endif
