/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ways to ask. That a socket is there is found by looking up the very address, which costs a
 * few microseconds whatever else there is. That none is there is believed only of a search among
 * all sockets of the VS: the look-up passes over those that are bound to a device, or to one
 * address where the registration is on the wildcard. The search walks over the tables of the
 * whole machine, so that there is one for all ports at once, filtered by the kernel.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "caller.h"
#include "ghosts_diag.h"
#include "netlink.h"

#define BUFFER_SIZE 32768
/* A search that fills more than these is given up. */
#define READS_MAX 8

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 req;
	struct nlattr attr; /* of a search: the program that selects ports */
	struct inet_diag_bc_op op[5 * GHOSTS_QUERIES_MAX];
};

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static struct request new_request(int family, int protocol, uint16_t flags)
{
	struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.req)),
				    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
				    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
				    .nlmsg_seq = caller_diag_sequence()}};

	r.req.sdiag_family = (uint8_t)family;
	r.req.sdiag_protocol = (uint8_t)protocol;
	r.req.idiag_states = protocol == IPPROTO_TCP ? 1u << TCP_LISTEN : UINT32_MAX;
	return r;
}

static int send_request(int fd, const struct request *r)
{
	return send(fd, r, r->head.nlmsg_len, 0) < 0 ? -errno : 0;
}

static bool take_socket(const struct netlink_message *m, struct ghosts_socket *s)
{
	struct inet_diag_msg d;
	const unsigned char *v6_only;
	size_t len;

	if (m->len < sizeof(d))
		return false;
	memcpy(&d, m->body, sizeof(d));
	*s = (struct ghosts_socket){.family = d.idiag_family, .port = ntohs(d.id.idiag_sport)};
	memcpy(s->addr, d.id.idiag_src, address_size(s->family));
	v6_only = netlink_attr(m, sizeof(d), INET_DIAG_SKV6ONLY, &len);
	s->v6_only = v6_only && len == 1 && *v6_only;
	return true;
}

/* With UDP the two ends of a look-up are the other way round, for udp_diag's historical reasons. */
static struct request exact_request(const struct regs_entry *e)
{
	struct request r = new_request(e->uaddr.family, ghosts_protocol(e), 0);
	struct inet_diag_sockid *id = &r.req.id;
	bool udp = r.req.sdiag_protocol == IPPROTO_UDP;

	*(udp ? &id->idiag_dport : &id->idiag_sport) = htons(e->uaddr.port);
	memcpy(udp ? id->idiag_dst : id->idiag_src, e->uaddr.addr, address_size(e->uaddr.family));
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return r;
}

static bool is_served(const struct ghosts_scope *scope, const struct ghosts_query *q,
	const struct ghosts_socket *s)
{
	return (!scope || scope->has(scope->arg, s)) && ghosts_serves(q->entry, s);
}

/* The answer is one message, an error where there is no such socket. */
static int look_up(int fd, const struct ghosts_scope *scope, struct ghosts_query *q)
{
	struct request r = exact_request(q->entry);
	unsigned char bytes[1024];
	struct netlink_message m;
	struct ghosts_socket s;
	int rc = send_request(fd, &r);
	ssize_t n = rc ? 0 : netlink_receive(fd, bytes, sizeof(bytes));
	size_t pos = 0;

	if (rc || n < 0)
		return rc ? rc : (int)n;
	if (netlink_next(bytes, (size_t)n, &pos, &m) != 1 || m.head.nlmsg_seq != r.head.nlmsg_seq)
		return -EPROTO;
	if (m.head.nlmsg_type == NLMSG_ERROR) {
		rc = netlink_error(&m);
		return rc == -ENOENT ? 0 : rc;
	}
	q->present = take_socket(&m, &s) && is_served(scope, q, &s);
	return 0;
}

/* Can a socket of this family and protocol decide it? */
static bool concerns(const struct ghosts_query *q, int family, int protocol)
{
	return !q->present && ghosts_protocol(q->entry) == protocol &&
	       (family == AF_INET6 || q->entry->uaddr.family == AF_INET);
}

/* Puts the port where it belongs in the sorted list; once. */
static size_t add_port(uint16_t *ports, size_t count, uint16_t port)
{
	size_t i = count;

	while (i > 0 && ports[i - 1] > port)
		i--;
	if (i > 0 && ports[i - 1] == port)
		return count;
	memmove(ports + i + 1, ports + i, (count - i) * sizeof(*ports));
	ports[i] = port;
	return count + 1;
}

/* Operations of the program for so many ports. */
static size_t tree_size(size_t count)
{
	return 5 * count - 2;
}

/*
 * The program is run for every socket of the VS, of which a tenant can have very many: it halves
 * the sorted ports until one is left, and compares that. An operation tells where to go on in
 * bytes, and a comparison has its port in the one behind it (inet_diag_bc_run() of the kernel).
 * What comes to the end is taken, what goes beyond it is not. behind: operations between here
 * and the end that belong to others.
 */
static void put_tree(struct inet_diag_bc_op *op, const uint16_t *ports, size_t count, size_t behind)
{
	const size_t one = sizeof(*op), left = count / 2, right = count - left;

	if (count == 1) {
		op[0] = (struct inet_diag_bc_op){INET_DIAG_BC_S_EQ, (uint8_t)(2 * one),
			(uint16_t)((3 + behind + 1) * one)};
		op[1] = (struct inet_diag_bc_op){.no = ports[0]};
		op[2] = (struct inet_diag_bc_op){INET_DIAG_BC_JMP, (uint8_t)one,
			(uint16_t)((1 + behind) * one)};
		return;
	}
	op[0] = (struct inet_diag_bc_op){INET_DIAG_BC_S_GE, (uint8_t)(2 * one),
		(uint16_t)((2 + tree_size(right)) * one)};
	op[1] = (struct inet_diag_bc_op){.no = ports[left]};
	put_tree(op + 2, ports + left, right, behind + tree_size(left));
	put_tree(op + 2 + tree_size(right), ports, left, behind);
}

/* Number of ports. */
static size_t put_ports(struct request *r, const struct ghosts_query *queries, size_t count)
{
	uint16_t ports[GHOSTS_QUERIES_MAX];
	size_t n = 0, len;

	for (size_t i = 0; i < count; i++)
		if (concerns(&queries[i], r->req.sdiag_family, r->req.sdiag_protocol))
			n = add_port(ports, n, queries[i].entry->uaddr.port);
	if (!n)
		return 0;
	put_tree(r->op, ports, n, 0);
	len = tree_size(n) * sizeof(r->op[0]);
	r->attr = (struct nlattr){(uint16_t)(sizeof(r->attr) + len), INET_DIAG_REQ_BYTECODE};
	r->head.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(r->req)) + sizeof(r->attr) + len);
	return n;
}

/* 1: that was all. */
static int take_answers(const struct request *r, const struct ghosts_scope *scope,
	struct ghosts_query *queries, size_t count, const void *bytes, size_t len)
{
	struct netlink_message m;
	struct ghosts_socket s;
	size_t pos = 0;
	int rc;

	while ((rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		if (m.head.nlmsg_seq != r->head.nlmsg_seq)
			continue;
		if (m.head.nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		if (m.head.nlmsg_type == NLMSG_DONE || m.head.nlmsg_type == NLMSG_ERROR) {
			rc = netlink_error(&m);
			return rc < 0 ? rc : 1;
		}
		if (!take_socket(&m, &s))
			return -EPROTO;
		for (size_t i = 0; i < count; i++) {
			if (concerns(&queries[i], r->req.sdiag_family, r->req.sdiag_protocol))
				queries[i].present = is_served(scope, &queries[i], &s);
		}
	}
	return rc;
}

static int search(int fd, const struct ghosts_scope *scope, struct ghosts_query *queries,
	size_t count, int family, int protocol)
{
	struct request r = new_request(family, protocol, NLM_F_DUMP);
	unsigned char bytes[BUFFER_SIZE];
	int rc;

	if (!put_ports(&r, queries, count))
		return 0;
	rc = send_request(fd, &r);
	for (unsigned i = 0; i < READS_MAX && rc == 0; i++) {
		ssize_t n = netlink_receive(fd, bytes, sizeof(bytes));

		rc = n < 0 ? (int)n : take_answers(&r, scope, queries, count, bytes, (size_t)n);
	}
	if (rc == 0)
		rc = -EBUSY;
	return rc < 0 ? rc : 0;
}

int ghosts_look(int diag_fd, const struct ghosts_scope *scope, struct ghosts_query *queries,
	size_t count)
{
	static const int families[] = {AF_INET, AF_INET6};
	static const int protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	int rc = 0;

	if (diag_fd < 0 || count > GHOSTS_QUERIES_MAX)
		return -EINVAL;
	/* Whoever asked before us may have given up. */
	caller_diag_drain(diag_fd);
	for (size_t i = 0; i < count && !rc; i++) {
		queries[i].present = false;
		rc = look_up(diag_fd, scope, &queries[i]);
	}
	for (unsigned f = 0; f < 2; f++)
		for (unsigned p = 0; p < 2 && !rc; p++)
			rc = search(diag_fd, scope, queries, count, families[f], protocols[p]);
	if (rc)
		caller_diag_drain(diag_fd);
	return rc;
}
