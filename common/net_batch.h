/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several netlink requests in one send, and what became of each of them.
 *
 * The kernel works off what one send(2) brings before that returns, so that a process that is
 * killed leaves all of a batch done or nothing. It goes on behind a request that fails: what must not
 * happen without another request belongs in a later batch.
 */
#ifndef NSAUX_NET_BATCH_H
#define NSAUX_NET_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_BATCH_MAX 48
#define NET_BATCH_TEXT 160

struct nl_msg;

struct net_result {
	int error;        /* 0 or -errno */
	unsigned ifindex; /* of the device that an RTM_GETLINK asked for; else 0 */
	int nsid;         /* that an RTM_GETNSID asked for; else -1 */
};

struct net_batch {
	int sock; /* borrowed */
	uint32_t seq;
	size_t count, len;
	struct net_result results[NET_BATCH_MAX];
	size_t text_of; /* the first that failed */
	char text[NET_BATCH_TEXT];
	size_t last; /* where the last request begins in bytes */
	_Alignas(8) unsigned char bytes[16384];
};

/* A rtnetlink socket in the namespace behind fd, which speaks with the kernel alone. Or one that
 * was made in a new namespace becomes that: 0 or -errno. */
int net_batch_socket(int ns_fd, uint64_t cookie);
int net_batch_prepare(int sock);

void net_batch_init(struct net_batch *batch, int sock);

/* Copies the message. Its number in the batch, -ENOBUFS when the batch must be sent before, -EMSGSIZE
 * when it is longer than any batch. */
int net_batch_add(struct net_batch *batch, struct nl_msg *msg);

/* Sends what there is and reads all answers into results, which stay until the next
 * net_batch_add(). The kernel answers in order, and to all that fails: so that only the last request
 * asks for an acknowledgement. 0, or -errno when it is not known what became of the requests. */
int net_batch_send(struct net_batch *batch);

/* What the kernel says besides of the first request that failed (extended ack); else "". */
const char *net_batch_text(const struct net_batch *batch, size_t i);

#endif
