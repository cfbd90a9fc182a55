/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ghosts: registrations of services that are gone without having unset them. What a socket says
 * about an entry, and what follows from looking for one again and again. Pure: the sockets come
 * from ghosts_diag.c, the time from the caller.
 */
#ifndef RPCBIND_GHOSTS_H
#define RPCBIND_GHOSTS_H

#include "regs.h"

/* A TCP socket that listens, or a UDP socket. */
struct ghosts_socket {
	int family;        /* AF_INET or AF_INET6 */
	bool v6_only;
	uint16_t port;
	uint8_t addr[16];  /* local; zero: all. 4 or 16 bytes used */
};

/* IPPROTO_TCP or IPPROTO_UDP; 0 for an entry that is not judged: rpcbind's own, and those of
 * netids whose listeners sock_diag does not show. */
int ghosts_protocol(const struct regs_entry *entry);

/*
 * May a client that is told the entry reach this socket of its protocol? An entry on the wildcard
 * is served by a socket on any address of the family: version 2 of the protocol can register
 * nothing else. A dual-stack socket serves entries of IPv4.
 */
bool ghosts_serves(const struct regs_entry *entry, const struct ghosts_socket *socket);

enum ghosts_news {
	GHOSTS_NOTHING,
	GHOSTS_GONE, /* absent twice, at least interval apart and never present in between */
	GHOSTS_BACK, /* present again */
};

/* Notes in the entry that it has been looked for. now and interval: nanoseconds, now not 0. */
enum ghosts_news ghosts_judge(struct regs *regs, const struct regs_entry *entry, bool present,
	uint64_t now, uint64_t interval);

#endif
