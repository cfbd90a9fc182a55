/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "netlink.h"
#include "rawnl.h"

#define OBJECT_MAX 1024

void rawnl_open(struct rawnl *nl)
{
	int one = 1;

	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl->fd < 0)
		bench_die("rtnetlink", errno);
	/* An answer need not bring back the request. */
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl->len = 0;
	nl->last = 0;
}

void rawnl_close(struct rawnl *nl)
{
	close(nl->fd);
}

static void *room_for(struct rawnl *nl, size_t len)
{
	uint8_t *p = nl->buffer + nl->len;

	len = NLMSG_ALIGN(len);
	if (len > sizeof(nl->buffer) - nl->len)
		bench_die("rtnetlink", EMSGSIZE);
	memset(p, 0, len);
	nl->len += len;
	return p;
}

static struct nlmsghdr *last(struct rawnl *nl)
{
	return (struct nlmsghdr *)(void *)(nl->buffer + nl->last);
}

void rawnl_message(struct rawnl *nl, uint16_t type, uint16_t flags, const void *fixed, size_t len)
{
	struct nlmsghdr *m;

	nl->last = nl->len;
	m = room_for(nl, sizeof(*m));
	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(room_for(nl, len), fixed, len);
	m->nlmsg_len = (uint32_t)(nl->len - nl->last);
}

void rawnl_put(struct rawnl *nl, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = room_for(nl, sizeof(*a) + len);

	a->nla_type = type;
	a->nla_len = (uint16_t)(sizeof(*a) + len);
	if (len)
		memcpy(a + 1, data, len);
	last(nl)->nlmsg_len = (uint32_t)(nl->len - nl->last);
}

void rawnl_put_u32(struct rawnl *nl, uint16_t type, uint32_t value)
{
	rawnl_put(nl, type, &value, sizeof(value));
}

void rawnl_put_text(struct rawnl *nl, uint16_t type, const char *text)
{
	rawnl_put(nl, type, text, strlen(text) + 1);
}

size_t rawnl_nest(struct rawnl *nl, uint16_t type, const void *fixed, size_t len)
{
	size_t nest = nl->len;

	rawnl_put(nl, type, fixed, len);
	return nest;
}

void rawnl_end(struct rawnl *nl, size_t nest)
{
	struct nlattr *a = (struct nlattr *)(void *)(nl->buffer + nest);

	a->nla_len = (uint16_t)(nl->len - nest);
}

int rawnl_is_full(const struct rawnl *nl)
{
	/* The kernel's limit for one send is that of the socket's buffer, 208 kB by default. */
	return sizeof(nl->buffer) - nl->len < OBJECT_MAX;
}

void rawnl_send(struct rawnl *nl, const char *what)
{
	rawnl_try(nl, what, 0);
}

void rawnl_try(struct rawnl *nl, const char *what, int allowed)
{
	_Alignas(struct nlmsghdr) uint8_t answer[8192];
	struct netlink_message m;
	size_t pos = 0;
	ssize_t n;

	if (!nl->len)
		return;
	last(nl)->nlmsg_flags |= NLM_F_ACK;
	if (send(nl->fd, nl->buffer, nl->len, 0) != (ssize_t)nl->len)
		bench_die(what, errno);
	nl->len = 0;
	/* The kernel has answered when send(2) returns: one error, or the one that is 0. */
	n = netlink_receive(nl->fd, answer, sizeof(answer));
	if (n <= 0)
		bench_die(what, n ? (int)n : EPROTO);
	while (netlink_next(answer, (size_t)n, &pos, &m) > 0)
		if (netlink_error(&m) && netlink_error(&m) != -allowed)
			bench_die(what, netlink_error(&m));
}
