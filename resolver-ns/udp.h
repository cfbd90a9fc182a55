/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams to name servers and back, each query from a port of its own.
 *
 * Sockets are kept for a while, registered with the loop. For an exchange one is connected, which
 * gives it a random port of the kernel's choice; as soon as the exchange is over it is disconnected
 * (AF_UNSPEC), which gives the port up, and emptied of what came too late.
 */
#ifndef NSAUX_UDP_H
#define NSAUX_UDP_H

#include <stdbool.h>

#include "answer.h"
#include "counters.h"
#include "loop.h"
#include "place.h"

struct udp;
struct udp_socket;

#define UDP_MESSAGE_MAX 4096 /* longer replies than we asked for are taken up to this */
#define UDP_IGNORED_MAX 1000 /* of an exchange; then it is over with -EBADMSG */

struct udp_exchange {              /* embedded in the query; zero but for the functions */
	struct udp_socket *socket; /* NULL: nothing under way */
	unsigned ignored;
	union answer_server peer;
	/* A datagram from the peer. False: it is not the reply, is counted as ignored, and the
	 * exchange goes on. True: udp_end() has been called, and the exchange may be freed. */
	bool (*reply)(struct udp_exchange *x, const uint8_t *message, size_t len);
	/* An error that the network reported (ICMP): -ECONNREFUSED and the like, or -EBADMSG. As
	 * with true. */
	void (*error)(struct udp_exchange *x, int error);
};

int udp_new(struct udp **udp, struct loop *loop, struct place *place, struct counters *counters);
void udp_free(struct udp *udp); /* no exchange is under way; NULL is allowed */

/* A socket for an exchange with that family. Errors as of place_socket(), and of epoll_ctl(2). */
int udp_open(struct udp *udp, struct udp_exchange *x, int family);
/* From a new port to x->peer. -errno of connect(2) or send(2); the socket stays x's. */
int udp_send(struct udp_exchange *x, const void *message, size_t len);
/* The socket goes back. Harmless when nothing is under way. */
void udp_end(struct udp_exchange *x);

/* Closes the sockets that have been idle for VSRESOLV_LINGER_MS; when that is due for the next,
 * UINT64_MAX: for none. */
uint64_t udp_sweep(struct udp *udp, uint64_t now);
void udp_rest(struct udp *udp); /* closes all idle ones */
/* For a child after fork, whose sockets are the parent's, too: what ends from now on is closed,
 * and the parent's stays connected. */
void udp_forsake(struct udp *udp);
bool udp_has_sockets(const struct udp *udp); /* idle or not */

#endif
