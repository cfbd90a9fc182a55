/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by udp.c (batches), udp_path.c (from where, to whom), udp_share.c (whose is it, where VSs
 * share a socket) and udp_kept.c (what of a batch waits for the next turn). */
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

/* False when the kernel did not say what was asked for; then nothing is known and nothing is
 * answered. Fills all but the data. */
bool udp_read_path(const struct udp_socket *s, struct msghdr *msg, struct udp_call *call);

/* udp_share.c. Whose is this call, that came in by the socket of a carrier? NULL: it is not to be
 * answered, and was counted. */
struct vserver *udp_share_choose(const struct udp_socket *s, const struct udp_call *call);
/* Is the VS, or the carrier that stands in, to answer now? Otherwise it is kept, or dropped, and
 * this is all that becomes of it in this turn. */
bool udp_share_now(struct vserver *vs, const struct udp_socket *s, const struct udp_call *call);

#endif
