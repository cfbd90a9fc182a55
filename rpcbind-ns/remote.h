/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls passed on to a service of the same VS (CALLIT, BCAST, INDIRECT), over UDP.
 *
 * The call leaves from a socket of its own in the VS, to the service's address there, under an
 * xid of ours; the answer is matched by xid and address, and goes to the caller from the address
 * that he asked. At most REMOTE_MAX calls wait per VS; one that is not answered is forgotten.
 */
#ifndef RPCBIND_REMOTE_H
#define RPCBIND_REMOTE_H

#include "loop.h"
#include "proc.h"
#include "udp.h"

#define REMOTE_MAX 128

struct vserver;
struct remote_call;

struct remote_socket {
	struct loop_io io;
	int fd; /* -1: none */
	struct remote *remote;
};

struct remote {
	struct vserver *vs;
	struct remote_socket call4, call6;
	struct remote_call *calls; /* REMOTE_MAX of them, made at the first use */
};

void remote_init(struct remote *remote, struct vserver *vs);
/* socket: &remote->call4 or call6. Takes fd over on success. */
int remote_open(struct remote *remote, struct remote_socket *socket, int fd);
void remote_close(struct remote *remote);

/* A call that came in on s. Silent when it cannot be passed on. */
void remote_forward(struct remote *remote, const struct udp_socket *s, const struct udp_call *call,
	const struct proc_forward *forward);

#endif
