/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "caller.h"
#include "netlink.h"

/* Nothing that fills more belongs to one port by chance. */
#define BUFFER_SIZE 32768
#define READS_MAX 8

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
	return packet_ifindex(&msg) == CALLER_LO_IFINDEX;
}

bool caller_tcp_is_connected(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return getpeername(fd, (struct sockaddr *)&name, &len) == 0;
}

struct diag_query {
	uint8_t family, protocol;
	const struct uaddr *peer, *local;
	uint32_t sequence;
	unsigned on_port; /* sockets that have the peer's port */
	unsigned matches; /* of them, that could have sent it */
	bool loose;       /* bound to the port, but not connected to us */
	uid_t uid;
};

/* As a socket of this family has it: AF_INET6 carries IPv4 mapped. */
static void put_address(uint8_t family, const struct uaddr *u, __be32 *words)
{
	uint8_t bytes[16] = {0};

	if (family == u->family) {
		memcpy(bytes, u->addr, family == AF_INET ? 4 : 16);
	} else {
		bytes[10] = bytes[11] = 0xff;
		memcpy(bytes + 12, u->addr, 4);
	}
	memcpy(words, bytes, sizeof(bytes));
}

/* A connection is asked for by its four numbers. Who could have sent a datagram has only the
 * port for certain, and that is searched for. */
static int send_query(int fd, const struct diag_query *q)
{
	struct {
		struct nlmsghdr nh;
		struct inet_diag_req_v2 req;
	} m = {.nh = {.nlmsg_len = sizeof(m),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST,
		       .nlmsg_seq = q->sequence}};

	m.req.sdiag_family = q->family;
	m.req.sdiag_protocol = q->protocol;
	m.req.idiag_states = UINT32_MAX;
	m.req.id.idiag_sport = htons(q->peer->port);
	if (q->protocol == IPPROTO_TCP) {
		m.req.id.idiag_dport = htons(q->local->port);
		put_address(q->family, q->peer, m.req.id.idiag_src);
		put_address(q->family, q->local, m.req.id.idiag_dst);
		/* Finds sockets that are bound to the device, and those bound to none. */
		m.req.id.idiag_if = CALLER_LO_IFINDEX;
		m.req.id.idiag_cookie[0] = m.req.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	} else {
		m.nh.nlmsg_flags |= NLM_F_DUMP;
	}
	return send(fd, &m, sizeof(m), 0) < 0 ? -errno : 0;
}

static bool same_address(uint8_t family, const __be32 *words, const struct uaddr *u)
{
	__be32 want[4];

	if (family == AF_INET && u->family != AF_INET)
		return false;
	put_address(family, u, want);
	return !memcmp(words, want, family == AF_INET ? 4 : 16);
}

static bool is_any(uint8_t family, const __be32 *words)
{
	static const __be32 zero[4];

	return !memcmp(words, zero, family == AF_INET ? 4 : 16);
}

/* The kernel tells IPV6_V6ONLY of sockets that are not connected. */
static bool is_v6_only(const struct netlink_message *m)
{
	size_t len;
	const unsigned char *value =
		netlink_attr(m, sizeof(struct inet_diag_msg), INET_DIAG_SKV6ONLY, &len);

	return value && len == 1 && *value;
}

/* A connected socket is its four numbers. A UDP socket that is bound to the port on the peer's
 * address or on all could have sent it, unless it is connected elsewhere. */
static bool could_have_sent(const struct diag_query *q, const struct inet_diag_msg *m, bool v6_only)
{
	bool from = same_address(m->idiag_family, m->id.idiag_src, q->peer);
	bool to = same_address(m->idiag_family, m->id.idiag_dst, q->local) &&
		  m->id.idiag_dport == htons(q->local->port);

	/* What is left of a closed connection (TIME_WAIT and the like) has no inode, and a uid of 0
	 * that nobody has earned. */
	if (!m->idiag_inode || (m->idiag_family == AF_INET && q->peer->family != AF_INET) ||
		(v6_only && q->peer->family == AF_INET))
		return false;
	if (q->protocol == IPPROTO_TCP)
		return from && to && m->idiag_state != TCP_SYN_SENT;
	return (from || is_any(m->idiag_family, m->id.idiag_src)) &&
	       (to || (m->id.idiag_dport == 0 && is_any(m->idiag_family, m->id.idiag_dst)));
}

static void take_socket(struct diag_query *q, const struct netlink_message *m)
{
	struct inet_diag_msg d;

	memcpy(&d, m->body, sizeof(d));
	if (d.id.idiag_sport != htons(q->peer->port))
		return;
	q->on_port++;
	if (!could_have_sent(q, &d, is_v6_only(m)))
		return;
	q->matches++;
	q->loose = d.id.idiag_dport == 0;
	q->uid = d.idiag_uid;
}

/* 1: all is known. Messages of another sequence are what an earlier query left behind. */
static int read_answers(struct diag_query *q, const void *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc;

	while ((rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		if (m.head.nlmsg_seq != q->sequence)
			continue;
		if (m.head.nlmsg_type == NLMSG_DONE || m.head.nlmsg_type == NLMSG_ERROR) {
			rc = netlink_error(&m);
			return rc < 0 ? rc : 1;
		}
		if (m.len < sizeof(struct inet_diag_msg))
			return -EPROTO;
		take_socket(q, &m);
		if (q->protocol == IPPROTO_TCP || q->on_port > 1)
			return 1;
	}
	return rc;
}

/* What a search that was given up left behind. The kernel takes no other before that is read. */
void caller_diag_drain(int fd)
{
	unsigned char bytes[BUFFER_SIZE];

	for (unsigned i = 0; i < READS_MAX && netlink_receive(fd, bytes, sizeof(bytes)) >= 0; i++)
		;
}

uint32_t caller_diag_sequence(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint32_t)ts.tv_sec * 1000000000u + (uint32_t)ts.tv_nsec;
}

/* The kernel fills the socket within send() and recv(): it never has to be waited for. */
static int run_query(int fd, struct diag_query *q, uint8_t family)
{
	unsigned char bytes[BUFFER_SIZE];
	int rc;

	q->family = family;
	q->sequence = caller_diag_sequence();
	caller_diag_drain(fd);
	rc = send_query(fd, q);
	for (unsigned i = 0; i < READS_MAX && rc == 0; i++) {
		ssize_t n = netlink_receive(fd, bytes, sizeof(bytes));

		rc = n < 0 ? (int)n : read_answers(q, bytes, (size_t)n);
	}
	if (rc == 0)
		rc = -EBUSY;
	return rc < 0 ? rc : 0;
}

int caller_loopback_uid(int diag_fd, int protocol, const struct uaddr *peer,
	const struct uaddr *local, uid_t *uid, bool *sure)
{
	struct diag_query q = {.protocol = (uint8_t)protocol, .peer = peer, .local = local};
	int rc;

	if (diag_fd < 0 || peer->family != local->family ||
		(peer->family != AF_INET && peer->family != AF_INET6))
		return -ENOENT;
	if (protocol == IPPROTO_TCP) {
		/* AF_INET also finds an IPv6 socket that speaks IPv4. */
		rc = run_query(diag_fd, &q, (uint8_t)peer->family);
	} else {
		rc = run_query(diag_fd, &q, AF_INET);
		if (rc == 0 && q.on_port < 2)
			rc = run_query(diag_fd, &q, AF_INET6);
	}
	if (rc)
		return rc;
	if (!q.matches || q.on_port != 1)
		return -ENOENT;
	*uid = q.uid;
	*sure = !q.loose;
	return 0;
}
