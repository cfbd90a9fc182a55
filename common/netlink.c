/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "netlink.h"

#define DUMP_BUFFER ((size_t)32 << 10) /* the kernel makes no larger piece of a dump */

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

/* 1: the answer has ended. */
static int take_messages(const unsigned char *bytes, size_t len, netlink_message_fn *fn, void *arg,
	int *result)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc;

	while ((rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		if (m.head.nlmsg_type == NLMSG_DONE || m.head.nlmsg_type == NLMSG_ERROR) {
			*result = netlink_error(&m);
			return 1;
		}
		*result = fn(&m, arg);
		if (*result != 0)
			return 1;
	}
	return rc;
}

int netlink_dump(int fd, const void *request, size_t len, netlink_message_fn *fn, void *arg)
{
	const time_t end = time(NULL) + NETLINK_DUMP_SECONDS;
	unsigned char *bytes = malloc(DUMP_BUFFER);
	int result = 0, rc = 0;

	if (!bytes)
		return -ENOMEM;
	if (send(fd, request, len, 0) < 0)
		rc = -errno;
	while (rc == 0) {
		ssize_t n = netlink_receive(fd, bytes, DUMP_BUFFER);

		rc = n < 0 ? (int)n : take_messages(bytes, (size_t)n, fn, arg, &result);
		if (rc == 0 && time(NULL) > end)
			rc = -ETIMEDOUT;
	}
	free(bytes);
	return rc < 0 ? rc : result;
}

struct netlink_attrs netlink_attrs(const struct netlink_message *m, size_t skip)
{
	size_t head = NLMSG_ALIGN(skip) < m->len ? NLMSG_ALIGN(skip) : m->len;

	return (struct netlink_attrs){m->body + head, m->len - head};
}
