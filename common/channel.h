/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socketpair between opener and server: whole messages (SOCK_SEQPACKET) with descriptors.
 *
 * A message that the socket does not take at once waits in a queue, in order. Descriptors of a
 * waiting message are duplicates, so that the caller may close his at any time.
 */
#ifndef NSAUX_CHANNEL_H
#define NSAUX_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "loop.h"

#define CHANNEL_MESSAGE_MAX 65536
#define CHANNEL_FDS_MAX 16

struct channel_message {
	struct buf_reader body;
	int fds[CHANNEL_FDS_MAX]; /* the handler sets to -1 what it takes; the rest is closed */
	size_t fd_count;
	bool fds_lost; /* there was no room for all of them in the table of descriptors */
};

struct channel;

struct channel_handler {
	void (*message)(struct channel_message *message, void *arg);
	/* The other end is gone, or broke the protocol (-errno). Called once; the handler may
	 * free the channel. */
	void (*closed)(int error, void *arg);
	void *arg;
};

/*
 * fd: one end, non-blocking; taken over on success.
 * throttle: read nothing while many answers wait to be sent, so that a peer that does not read
 * cannot make the queue grow. Only one of the two ends may do so, or both could wait for ever.
 */
int channel_new(struct channel **channel, struct loop *loop, int fd, bool throttle,
	const struct channel_handler *handler);
void channel_free(struct channel *channel); /* closes; NULL is allowed */

/* Sends what was written; a failed writer is -EMSGSIZE. fds stay the caller's. 0 or -errno. */
int channel_send(struct channel *channel, const struct buf_writer *message, const int *fds,
	size_t fd_count);

#endif
