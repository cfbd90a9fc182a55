/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"

int netlink_connect(int fd)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

ssize_t netlink_receive(int fd, void *bytes, size_t size)
{
	struct sockaddr_nl from = {.nl_pid = UINT32_MAX};
	socklen_t len = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(
			fd, bytes, size, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (len != sizeof(from) || from.nl_pid != 0)
		return 0;
	return (size_t)n > size ? -EMSGSIZE : n;
}

/* How far to go on behind len bytes; the last padding may be missing. */
static size_t step(size_t len, size_t left)
{
	size_t aligned = NLMSG_ALIGN(len);

	return aligned < left ? aligned : left;
}

int netlink_next(const void *bytes, size_t len, size_t *pos, struct netlink_message *m)
{
	const unsigned char *at = (const unsigned char *)bytes + *pos;
	size_t left = len - *pos;
	struct nlmsghdr head;

	if (left == 0)
		return 0;
	if (left < NLMSG_HDRLEN)
		return -EPROTO;
	memcpy(&head, at, sizeof(head));
	if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > left)
		return -EPROTO;
	*m = (struct netlink_message){head, at + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN};
	*pos += step(head.nlmsg_len, left);
	return 1;
}

/* A number of int leads in both types. */
int netlink_error(const struct netlink_message *m)
{
	int error;

	if (m->len < sizeof(error))
		return m->head.nlmsg_type == NLMSG_ERROR ? -EPROTO : 0;
	memcpy(&error, m->body, sizeof(error));
	return error < 0 ? error : 0;
}

const unsigned char *netlink_attr(
	const struct netlink_message *m, size_t skip, unsigned type, size_t *len)
{
	const unsigned char *at = m->body + (skip < m->len ? skip : m->len);
	size_t n, left = m->len - (size_t)(at - m->body);
	struct nlattr a;

	for (; left >= sizeof(a); at += n, left -= n) {
		memcpy(&a, at, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > left)
			return NULL;
		if (a.nla_type == type) {
			*len = a.nla_len - sizeof(a);
			return at + sizeof(a);
		}
		n = step(a.nla_len, left);
	}
	return NULL;
}

struct netlink_attrs netlink_attrs(const struct netlink_message *m, size_t skip)
{
	size_t head = NLMSG_ALIGN(skip) < m->len ? NLMSG_ALIGN(skip) : m->len;

	return (struct netlink_attrs){m->body + head, m->len - head};
}
