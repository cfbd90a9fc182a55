/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading what the kernel answers over netlink, and nothing else. Inside a tenant's namespace its
 * root may send to any netlink socket that is not connected, with any bytes.
 */
#ifndef NSAUX_NETLINK_H
#define NSAUX_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <sys/types.h>

struct netlink_message {
	struct nlmsghdr head;
	const unsigned char *body; /* in the caller's buffer, with the alignment of that */
	size_t len;                /* of the body */
};

/* Connects a new socket to the kernel: it takes nothing from anybody else from now on. */
int netlink_connect(int fd);

/*
 * Receives what is there and never waits: the kernel has its answer ready when a call to the
 * socket returns. Number of bytes; 0 when they are not the kernel's (somebody may have been faster
 * than netlink_connect()); -EAGAIN at the end; -EMSGSIZE when bytes was too small.
 */
ssize_t netlink_receive(int fd, void *bytes, size_t size);

/* The message at *pos, which then is behind it. 1, 0 at the end, -EPROTO when its length is wrong.
 * Starts at 0; no message may be asked for after -EPROTO. */
int netlink_next(const void *bytes, size_t len, size_t *pos, struct netlink_message *m);

/* The error that a message of type NLMSG_ERROR or NLMSG_DONE tells, as -errno, or 0. */
int netlink_error(const struct netlink_message *m);

/* The first attribute of this type behind the first `skip` bytes of the body, or NULL. */
const unsigned char *netlink_attr(
	const struct netlink_message *m, size_t skip, unsigned type, size_t *len);

#endif
