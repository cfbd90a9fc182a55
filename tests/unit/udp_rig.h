/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP over lo inside a VS: clients that ask, a shared socket, and who answered with which mark. */
#ifndef NSAUX_TESTS_UDP_RIG_H
#define NSAUX_TESTS_UDP_RIG_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "nstest.h"

#define UDP_TEXT "who is it?"

union udp_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage room;
};

/* A datagram, with the room that vs_recvmsg() wants. */
struct udp_datagram {
	union udp_address from;
	char text[64];
	struct iovec iov;
	struct msghdr msg;
	struct vs *vs;
	struct vs_path path;
};

/* port: in network order. */
socklen_t udp_address_of(union udp_address *a, const char *text, uint16_t port);
const char *udp_text_of(const union udp_address *a);
uint16_t udp_port_of(int fd); /* in network order */

/* Brings lo up, with these addresses besides its own; a list up to NULL. */
void udp_lo_up(struct vs *vs, const char *const *addresses);
/* Prepared for vs_recvmsg(), and bound to the wildcard. */
int udp_shared(struct vs *vs, int family);
/* Bound to the address; sees the mark of what it receives. */
int udp_client(struct vs *vs, const char *from);
void udp_ask(int client, const char *to, uint16_t port);
/* Who answered? "": nobody. */
const char *udp_answered_from(int client);
/* With the mark of the answer: "10.0.0.5 mark 16". */
const char *udp_answered(int client);

void udp_prepare(struct udp_datagram *d);
/* By vs_recvmsg(); the same can then be sent back. */
void udp_receive(struct nst *t, int fd, struct udp_datagram *d);

#endif
