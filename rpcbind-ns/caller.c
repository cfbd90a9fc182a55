/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "caller.h"

/* The loopback device is the first of every namespace. */
#define LO_IFINDEX 1

bool caller_is_loopback(const struct uaddr *uaddr)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	if (uaddr->family == AF_INET)
		return uaddr->addr[0] == 127;
	return uaddr->family == AF_INET6 && !memcmp(uaddr->addr, loopback6, 16);
}

static int packet_ifindex(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
			c->cmsg_len >= CMSG_LEN(sizeof(v4))) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			return v4.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
			(c->cmsg_type == IPV6_2292PKTINFO || c->cmsg_type == IPV6_PKTINFO) &&
			c->cmsg_len >= CMSG_LEN(sizeof(v6))) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			return (int)v6.ipi6_ifindex;
		}
	}
	return 0;
}

bool caller_tcp_on_lo(int fd, int family)
{
	union {
		struct cmsghdr align;
		char bytes[512];
	} control;
	socklen_t len = sizeof(control.bytes);
	int on = 1;
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int want = family == AF_INET ? IP_PKTINFO : IPV6_2292PKTINFO;
	int get = family == AF_INET ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS;
	struct msghdr msg = {.msg_control = control.bytes};

	if (setsockopt(fd, level, want, &on, sizeof(on)) < 0 ||
		getsockopt(fd, level, get, control.bytes, &len) < 0)
		return false;
	msg.msg_controllen = len;
	return packet_ifindex(&msg) == LO_IFINDEX;
}

struct diag_query {
	uint8_t family, protocol;
	const struct uaddr *peer, *local;
	unsigned matches;
	bool mixed; /* several uids */
	bool loose; /* one of them is bound to the port, but not connected to us */
	uid_t uid;
};

static int send_query(int fd, const struct diag_query *q)
{
	struct {
		struct nlmsghdr nh;
		struct inet_diag_req_v2 req;
	} m = {.nh = {.nlmsg_len = sizeof(m),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};

	m.req.sdiag_family = q->family;
	m.req.sdiag_protocol = q->protocol;
	m.req.idiag_states = UINT32_MAX;
	m.req.id.idiag_sport = htons(q->peer->port);
	if (q->protocol == IPPROTO_TCP)
		m.req.id.idiag_dport = htons(q->local->port);
	return send(fd, &m, sizeof(m), 0) < 0 ? -errno : 0;
}

/* Does the socket's address, of its own family, stand for this one? An IPv6 socket may carry
 * IPv4 as a mapped address. */
static bool same_address(uint8_t family, const uint32_t *words, const struct uaddr *u)
{
	uint8_t bytes[16], want[16] = {0};

	memcpy(bytes, words, sizeof(bytes));
	if (family == AF_INET)
		return u->family == AF_INET && !memcmp(bytes, u->addr, 4);
	if (u->family == AF_INET6)
		return !memcmp(bytes, u->addr, 16);
	want[10] = want[11] = 0xff;
	memcpy(want + 12, u->addr, 4);
	return !memcmp(bytes, want, 16);
}

static bool is_any(uint8_t family, const uint32_t *words)
{
	static const uint32_t zero[4];

	return !memcmp(words, zero, family == AF_INET ? 4 : 16);
}

/* A connected socket is its four numbers. A UDP socket that is bound to the port on the peer's
 * address or on all could have sent it, unless it is connected elsewhere. */
static bool could_have_sent(const struct diag_query *q, const struct inet_diag_msg *m)
{
	bool from = same_address(m->idiag_family, m->id.idiag_src, q->peer);
	bool to = same_address(m->idiag_family, m->id.idiag_dst, q->local) &&
		  m->id.idiag_dport == htons(q->local->port);

	/* What is left of a closed connection (TIME_WAIT and the like) has no inode, and a uid of 0
	 * that nobody has earned. */
	if (m->id.idiag_sport != htons(q->peer->port) || !m->idiag_inode)
		return false;
	if (q->protocol == IPPROTO_TCP)
		return from && to;
	return (from || is_any(m->idiag_family, m->id.idiag_src)) &&
	       (to || (m->id.idiag_dport == 0 && is_any(m->idiag_family, m->id.idiag_dst)));
}

/* True at the end of the dump. */
static bool read_answers(struct diag_query *q, struct nlmsghdr *nh, unsigned left, int *rc)
{
	for (; NLMSG_OK(nh, left); nh = NLMSG_NEXT(nh, left)) {
		const struct inet_diag_msg *m = NLMSG_DATA(nh);
		if (nh->nlmsg_type == NLMSG_DONE)
			return true;
		if (nh->nlmsg_type == NLMSG_ERROR || nh->nlmsg_len < NLMSG_LENGTH(sizeof(*m))) {
			*rc = -EIO;
			return true;
		}
		if (!could_have_sent(q, m))
			continue;
		if (m->id.idiag_dport == 0)
			q->loose = true;
		if (q->matches++ && q->uid != m->idiag_uid)
			q->mixed = true;
		q->uid = m->idiag_uid;
	}
	return false;
}

/* The kernel fills the socket within send() and recv(): it never has to be waited for. */
static int run_query(int fd, struct diag_query *q)
{
	union {
		struct nlmsghdr align;
		char bytes[16384];
	} in;
	int rc;

	/* What a query that failed half-way left behind. */
	for (unsigned i = 0; i < 64 && recv(fd, in.bytes, sizeof(in.bytes), MSG_DONTWAIT) > 0; i++)
		;
	rc = send_query(fd, q);
	while (!rc) {
		ssize_t n = recv(fd, in.bytes, sizeof(in.bytes), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (read_answers(q, &in.align, (unsigned)n, &rc))
			break;
	}
	return rc;
}

int caller_loopback_uid(int diag_fd, int protocol, const struct uaddr *peer,
	const struct uaddr *local, uid_t *uid, bool *sure)
{
	struct diag_query q = {.protocol = (uint8_t)protocol, .peer = peer, .local = local};
	int rc = 0;

	if (diag_fd < 0)
		return -ENOENT;
	if (peer->family == AF_INET) {
		q.family = AF_INET;
		rc = run_query(diag_fd, &q);
	}
	if (!rc) {
		q.family = AF_INET6;
		rc = run_query(diag_fd, &q);
	}
	/* Without IPv6 in the kernel there are no such sockets either. */
	if (rc == -EIO && q.matches)
		rc = 0;
	if (rc)
		return rc;
	if (!q.matches || q.mixed)
		return -ENOENT;
	*uid = q.uid;
	*sure = !q.loose || peer->port < IPPORT_RESERVED;
	return 0;
}
