/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answering what was sent to ff02::202. Of a broadcast of IPv4 the kernel says which address of
 * ours it was meant for; of a multicast it does not, and the answer must both come from and tell an
 * address at which the VS can be reached. The opener tells those of each interface.
 */
#ifndef RPCBIND_MULTICAST_H
#define RPCBIND_MULTICAST_H

#include <stdbool.h>
#include <stddef.h>

#include "link.h"
#include "proc.h"
#include "udp.h"

struct multicast {
	struct link_source *sources; /* owned */
	size_t count;
};

/* Takes the place of what was told before. 0, or -ENOMEM and then there are none. */
int multicast_set(struct multicast *m, const struct link_source *sources, size_t count);

/*
 * A datagram to a multicast address came in on the interface. Puts the unicast address to answer
 * from where the contacted one belongs: of the link for a caller on the link, else a global one of
 * that interface. False: there is none.
 */
bool multicast_answer(const struct multicast *m, unsigned ifindex, struct udp_path *path,
	struct proc_caller *caller);

#endif
