/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by udp.c (batches) and udp_kept.c (what of a batch waits for the next turn). */
#ifndef RPCBIND_UDP_PRIVATE_H
#define RPCBIND_UDP_PRIVATE_H

#include "udp.h"

/* A call that was read but is not served in this turn. Its bytes follow it. */
struct udp_kept {
	STAILQ_ENTRY(udp_kept) link;
	struct udp_call call;
	uint8_t data[] __attribute__((aligned(8)));
};

/* Keeps a copy. Without memory the call is lost, as in a full queue of the kernel. */
void udp_keep(struct udp_socket *s, const struct udp_call *call);
/* Takes the oldest one off; the caller frees it. NULL: there is none. */
struct udp_kept *udp_take_kept(struct udp_socket *s);
void udp_drop_kept(struct udp_socket *s);

#endif
