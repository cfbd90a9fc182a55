/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading what the kernel answers over netlink, and nothing else. Inside a tenant's namespace its
 * root may send to any netlink socket that is not connected, with any bytes.
 */
#ifndef NSAUX_NETLINK_H
#define NSAUX_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
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

/*
 * Sends a request with NLM_F_DUMP and calls fn for each message of the answer but the last, until
 * it returns non-zero, which is then returned; the rest of the answer stays in the socket then. fd:
 * connected to the kernel. 0, what the kernel gave, -ETIMEDOUT after NETLINK_DUMP_SECONDS.
 */
#define NETLINK_DUMP_SECONDS 5
typedef int netlink_message_fn(const struct netlink_message *m, void *arg);
int netlink_dump(int fd, const void *request, size_t len, netlink_message_fn *fn, void *arg);

/* The error that a message of type NLMSG_ERROR or NLMSG_DONE tells, as -errno, or 0. */
int netlink_error(const struct netlink_message *m);

/* The first attribute of this type behind the first `skip` bytes of the body, or NULL. */
const unsigned char *netlink_attr(
	const struct netlink_message *m, size_t skip, unsigned type, size_t *len);

/* A walk over attributes: begin with all bytes that hold them. */
struct netlink_attrs {
	const unsigned char *at;
	size_t left;
};

struct netlink_value {
	unsigned type; /* without its flags */
	const unsigned char *bytes;
	size_t len;
};

/* The bytes of a message behind its head of `skip` bytes. */
struct netlink_attrs netlink_attrs(const struct netlink_message *m, size_t skip);
/* The attributes in a nested one. */
static inline struct netlink_attrs netlink_nested(const struct netlink_value *v)
{
	return (struct netlink_attrs){v->bytes, v->len};
}

/* False at the end, or at what is no attribute. Inline, because it is all that reading costs. */
static inline bool netlink_attr_next(struct netlink_attrs *attrs, struct netlink_value *v)
{
	struct nlattr a;
	size_t step;

	if (attrs->left < sizeof(a))
		return false;
	memcpy(&a, attrs->at, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > attrs->left)
		return false;
	v->type = a.nla_type & ~(unsigned)(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
	v->bytes = attrs->at + sizeof(a);
	v->len = a.nla_len - sizeof(a);
	step = NLMSG_ALIGN((size_t)a.nla_len); /* attributes have the same alignment */
	if (step > attrs->left)
		step = attrs->left;
	attrs->at += step;
	attrs->left -= step;
	return true;
}

#endif
