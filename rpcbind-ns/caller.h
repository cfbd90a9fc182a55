/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is calling, and from where? The kernel's answers as a struct proc_caller. */
#ifndef RPCBIND_CALLER_H
#define RPCBIND_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proc.h"

/* The loopback device is the first of every namespace. */
#define CALLER_LO_IFINDEX 1

/* The address of the loopback network? */
bool caller_is_loopback(const struct uaddr *uaddr);

/* Did the connection of an accepted TCP socket come in on the loopback device? Asks for the
 * device that the kernel noted at the SYN. */
bool caller_tcp_on_lo(int fd, int family);

/* Is an accepted TCP socket still connected? So long nobody else has its four numbers. After
 * a reset they are free, while what the peer had sent can still be read. */
bool caller_tcp_is_connected(int fd);

/*
 * The uid that owns the other end of a loopback connection or datagram, by sock_diag in the VS.
 * diag_fd: the VS's socket to the kernel. protocol: IPPROTO_TCP or IPPROTO_UDP. -ENOENT when
 * there is no such socket any more or, with UDP, when it is not the only one that has the port,
 * of IPv4 and IPv6 together; -EBUSY when very many have it.
 *
 * *sure is false for a datagram that only may have come from the socket that was found, because
 * that is not connected to us: its sender may be gone, and the socket be another user's, who
 * has the same port since then or shared it before, whatever its number. Whoever accepts that must
 * not let it make a superuser. What is found of a TCP connection counts when
 * caller_tcp_is_connected() says so afterwards.
 */
int caller_loopback_uid(int diag_fd, int protocol, const struct uaddr *peer,
	const struct uaddr *local, uid_t *uid, bool *sure);

/* For others who ask by diag_fd: reads what a search that was given up has left behind, and a
 * sequence number that tells one's own answers from that. */
void caller_diag_drain(int fd);
uint32_t caller_diag_sequence(void);

#endif
