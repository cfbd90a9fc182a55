/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC over UDP: batches in, batches out, each answer from the address that was asked. */
#ifndef RPCBIND_UDP_H
#define RPCBIND_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "list.h"
#include "loop.h"
#include "proc.h"

struct vserver;
struct udp_batch; /* buffers, one set for all sockets of a server */

struct udp_socket {
	struct loop_io io;
	int fd; /* -1: none */
	enum netid netid;
	struct vserver *vs;
	bool queued; /* not watched: it goes on when its VS has its turn */
	STAILQ_HEAD(, udp_kept) kept; /* read already; few */
	unsigned kept_count;
	size_t kept_bytes;
};

/* Where a datagram came from and which way its answer goes. */
struct udp_path {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	union {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
	} info;    /* for the answer: source address, and device only where it must be named */
	int family;
};

/* A call as it was received. */
struct udp_call {
	struct udp_path path;
	struct proc_caller caller;
	bool to_many; /* a broadcast or a multicast */
	const uint8_t *data;
	size_t len;
};

int udp_batch_new(struct udp_batch **batch);
void udp_batch_free(struct udp_batch *batch);

void udp_init(struct udp_socket *s, struct vserver *vs, enum netid netid);
/* Takes fd over on success. */
int udp_open(struct udp_socket *s, int fd);
void udp_close(struct udp_socket *s);
/* Of a VS that shares its sockets with others only what is kept for it is here; it answers by the
 * descriptor of the carrier. -1: there is none. */
int udp_answer_fd(const struct udp_socket *s);
/* What is kept is not answered any more. */
void udp_forget_kept(struct udp_socket *s);
/* Goes on, if it waits for a turn of its VS (turn.h). */
void udp_resume(struct udp_socket *s);

/* May the answer to this caller be so much longer than his call? Logged when it may not. */
bool udp_may_exceed(struct vserver *vs, const struct proc_caller *caller, size_t bytes);

/* One datagram out, for answers that come later. 0 or -errno. */
int udp_send(int fd, const struct udp_path *path, const void *data, size_t len);

#endif
