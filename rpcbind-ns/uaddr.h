/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network identifiers and universal addresses (RFC 5665; RFC 1833 section 2).
 */
#ifndef RPCBIND_UADDR_H
#define RPCBIND_UADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The network identifiers that may be registered. Their order is that of the table in
 * uaddr.c; NETID_NONE is no identifier. */
enum netid {
	NETID_NONE = 0,
	NETID_UDP,
	NETID_TCP,
	NETID_UDP6,
	NETID_TCP6,
	NETID_LOCAL,
	NETID_SCTP,
	NETID_SCTP6,
	NETID_RDMA,
	NETID_RDMA6,
	NETID_COUNT,
};
#define NETID_BIT(netid) (1U << (netid))

/* What an identifier says about its addresses, as GETADDRLIST reports it. */
struct netid_info {
	const char *name;
	int family;            /* AF_INET, AF_INET6 or AF_UNIX */
	const char *protofmly; /* "inet", "inet6", "loopback" */
	const char *proto;     /* "udp", "tcp", ..., "-" */
	uint32_t semantics;    /* NC_TPI_CLTS 1, NC_TPI_COTS 2, NC_TPI_COTS_ORD 3 */
};

/* Any case, as stock compares them; "unix" is "local". NETID_NONE when unknown. */
enum netid netid_parse(const char *name);
const struct netid_info *netid_info(enum netid netid); /* netid from 1 to NETID_COUNT - 1 */

/* The longest universal address with its NUL: a pathname of AF_UNIX, or an IPv6 address of
 * INET6_ADDRSTRLEN, which has no scope here (RFC 5665), and two more numbers. */
#define UADDR_MAX 128

/* A parsed universal address. */
struct uaddr {
	int family;          /* AF_INET, AF_INET6, AF_UNIX */
	uint16_t port;       /* host order; 0 for AF_UNIX */
	uint8_t addr[16];    /* 4 or 16 bytes used, network order; all zero for the wildcard */
};

/* Well-formed for the family? The path of AF_UNIX must be non-empty and printable. -EINVAL. IPv4
 * numbers must be decimal without sign, 0..255, and so must both port bytes. */
int uaddr_parse(int family, const char *text, struct uaddr *uaddr);
/* AF_INET and AF_INET6 only. Returns the length. size at least UADDR_MAX. */
size_t uaddr_format(const struct uaddr *uaddr, char *text, size_t size);

bool uaddr_is_wildcard(const struct uaddr *uaddr); /* IP families: all-zero address */
bool uaddr_same_host(const struct uaddr *a, const struct uaddr *b);

/* From and to a socket address. An IPv4-mapped IPv6 address becomes AF_INET. -EAFNOSUPPORT. */
int uaddr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct uaddr *uaddr);
socklen_t uaddr_to_sockaddr(const struct uaddr *uaddr, struct sockaddr_storage *sa);

#endif
