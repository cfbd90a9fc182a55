/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Membership of ff02::202, which IANA keeps for the CALLIT of rpcbind, for the UDP6 sockets of
 * those VSs that answer to it. The server cannot join: it may set no such option of a socket.
 *
 * Every interface with an IPv6 address is joined; one without could not answer. What the socket
 * is a member of goes with it, so that a socket that is new, or was inherited, starts over.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "container.h"
#include "log.h"
#include "opener_private.h"

/* What is inside a VS is its root's choice: how many interfaces, and how often they change. */
#define INTERFACES_MAX (OPENER_SOURCES_MAX / 2)
#define EVENT_DELAY (200 * LOOP_MSEC)
/* More memberships than a socket can have (net.core.optmem_max). */
#define LEAVES_MAX 65536

static const struct in6_addr group = {{{0xff, 0x02, [14] = 0x02, [15] = 0x02}}};

/* An interface and the addresses to answer from: to whom is on the link, and to all others. */
struct interface {
	unsigned index;
	struct in6_addr link_local, global; /* all zero: none */
};

struct scan {
	struct opener *opener;
	const struct opener_entry *carrier; /* of a namespace that VSs share: only its default's */
	struct interface interface[INTERFACES_MAX];
	unsigned count;
	bool full;
};

static int membership(int fd, int option, unsigned ifindex)
{
	const struct ipv6_mreq mreq = {group, ifindex};

	return setsockopt(fd, IPPROTO_IPV6, option, &mreq, sizeof(mreq)) < 0 ? -errno : 0;
}

static struct interface *get_interface(struct scan *scan, unsigned ifindex)
{
	for (unsigned i = 0; i < scan->count; i++)
		if (scan->interface[i].index == ifindex)
			return &scan->interface[i];
	if (scan->count == INTERFACES_MAX) {
		scan->full = true;
		return NULL;
	}
	scan->interface[scan->count] = (struct interface){.index = ifindex};
	return &scan->interface[scan->count++];
}

/* Where VSs share a namespace the answer is the default VS's, and comes from an address of its
 * own. */
static bool may_answer_from(const struct scan *scan, const struct vs_address *a)
{
	struct vs *vs = scan->carrier ? vs_by_address(scan->opener->reg, scan->carrier->cookie,
						(const struct sockaddr *)&a->addr)
				      : NULL;
	bool may = !scan->carrier ||
		   (vs && opener_entry_of(scan->opener, vs) ==
				   opener_default_of(scan->opener, scan->carrier));

	vs_unref(vs);
	return may;
}

static int add_address(const struct vs_address *a, void *arg)
{
	struct interface *i;
	struct in6_addr *slot;
	struct sockaddr_in6 in6;

	if (a->addr.ss_family != AF_INET6)
		return 0;
	memcpy(&in6, &a->addr, sizeof(in6));
	if (IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) || !may_answer_from(arg, a))
		return 0;
	i = get_interface(arg, a->ifindex);
	if (!i)
		return 1;
	slot = IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) ? &i->link_local : &i->global;
	if (IN6_IS_ADDR_UNSPECIFIED(slot))
		*slot = in6.sin6_addr;
	return 0;
}

static bool is_member(const struct opener_multicast *m, unsigned ifindex)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->members[i] == ifindex)
			return true;
	return false;
}

static bool is_present(const struct scan *scan, unsigned ifindex)
{
	for (unsigned i = 0; i < scan->count; i++)
		if (scan->interface[i].index == ifindex)
			return true;
	return false;
}

/* -EINVAL and -ENODEV: the interface went meanwhile, or IPv6 did. */
static int join(int fd, unsigned ifindex, bool *joined)
{
	int rc = membership(fd, IPV6_JOIN_GROUP, ifindex);

	*joined = rc == 0 || rc == -EADDRINUSE;
	return *joined || rc == -EINVAL || rc == -ENODEV ? 0 : rc;
}

/* Also of interfaces that are no more: their memberships take the socket's memory for options. */
static void leave_absent(int fd, const struct opener_multicast *m, const struct scan *scan)
{
	for (unsigned i = 0; i < m->count; i++)
		if (!is_present(scan, m->members[i]))
			membership(fd, IPV6_LEAVE_GROUP, m->members[i]);
}

/* The first error of those to be told. */
static int follow(int fd, struct opener_multicast *m, const struct scan *scan)
{
	unsigned *members = scan->count ? calloc(scan->count, sizeof(*members)) : NULL;
	unsigned count = 0;
	int first = scan->full ? -E2BIG : 0;

	if (scan->count && !members)
		return -ENOMEM;
	leave_absent(fd, m, scan);
	for (unsigned i = 0; i < scan->count; i++) {
		unsigned ifindex = scan->interface[i].index;
		bool joined = is_member(m, ifindex);
		int rc = joined ? 0 : join(fd, ifindex, &joined);
		if (joined)
			members[count++] = ifindex;
		first = first ? first : rc;
	}
	free(m->members);
	m->members = members;
	m->count = count;
	return first;
}

static uint64_t socket_id(int fd)
{
	uint64_t id = 0;
	socklen_t len = sizeof(id);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_COOKIE, &id, &len) == 0 ? id : 0;
}

/* A socket that we know nothing of leaves all groups, and hears of those only that it joins itself:
 * without that also of what is sent to ff02::1, or to a group that another process joined. */
static void start_over(int fd, struct opener_multicast *m, uint64_t id)
{
	const int off = 0;

	free(m->members);
	*m = (struct opener_multicast){.socket = id, .stale = m->stale};
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof(off)) < 0)
		log_warn(NULL, "IPV6_MULTICAST_ALL: %s", strerror(errno));
	for (unsigned i = 0; i < LEAVES_MAX && membership(fd, IPV6_LEAVE_GROUP, 0) == 0;)
		i++;
}

static uint32_t count_sources(const struct scan *scan)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < scan->count; i++) {
		count += !IN6_IS_ADDR_UNSPECIFIED(&scan->interface[i].link_local);
		count += !IN6_IS_ADDR_UNSPECIFIED(&scan->interface[i].global);
	}
	return count;
}

static void put_source(struct buf_writer *w, unsigned ifindex, const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (IN6_IS_ADDR_UNSPECIFIED(addr))
		return;
	inet_ntop(AF_INET6, addr, text, sizeof(text));
	buf_put_u32(w, ifindex);
	buf_put_str(w, text);
}

static void tell_sources(struct opener *opener, const struct opener_entry *e,
	const struct scan *scan)
{
	struct buf_writer w;
	int rc;

	if (!e->told)
		return;
	opener_begin(opener, &w, OPENER_SOURCES);
	buf_put_u64(&w, e->id);
	buf_put_u32(&w, count_sources(scan));
	for (unsigned i = 0; i < scan->count; i++) {
		put_source(&w, scan->interface[i].index, &scan->interface[i].link_local);
		put_source(&w, scan->interface[i].index, &scan->interface[i].global);
	}
	rc = opener_send(opener, &w, NULL, 0);
	if (rc)
		log_err(vs_name(e->vs), "cannot tell the addresses to answer from: %s",
			strerror(-rc));
}

static void tell_failed(struct opener_entry *e, int error)
{
	/* The VS has gone, and that is told elsewhere. */
	if (error == -ESTALE)
		return;
	if (error && !e->multicast.failed)
		log_warn(vs_name(e->vs), "not on every interface a member of ff02::202: %s",
			error == -E2BIG ? "there are too many" : strerror(-error));
	e->multicast.failed = error != 0;
}

/* Whose settings and addresses count; NULL: nobody's. */
static struct opener_entry *answerer(const struct opener *opener, struct opener_entry *e)
{
	return e->share ? opener_default_of(opener, e) : e;
}

static bool is_wanted(const struct opener *opener, struct opener_entry *e)
{
	const struct opener_entry *a = answerer(opener, e);

	return a && (e->share || !opener_shares(opener, e)) && a->policy.multicast &&
	       !opener_filter_restricts(&a->policy, AF_INET6);
}

void opener_multicast_now(struct opener *opener, struct opener_entry *e)
{
	struct opener_multicast *m = &e->multicast;
	int rc, fd = e->kept[OPENER_UDP6];
	uint64_t id = socket_id(fd);
	struct scan *scan;

	m->stale = false;
	if (!id)
		return;
	if (m->socket != id)
		start_over(fd, m, id);
	if (!is_wanted(opener, e) && !m->count)
		return;
	scan = calloc(1, sizeof(*scan));
	rc = scan ? 0 : -ENOMEM;
	if (!rc) {
		scan->opener = opener;
		scan->carrier = e->share ? e : NULL;
	}
	if (!rc && is_wanted(opener, e))
		rc = vs_addresses(answerer(opener, e)->vs, add_address, scan);
	if (rc >= 0) {
		rc = follow(fd, m, scan);
		tell_sources(opener, e, scan);
	}
	tell_failed(e, rc);
	free(scan);
}

void opener_multicast_soon(struct opener *opener, struct opener_entry *e)
{
	if (opener_carrier(opener, e->cookie))
		e = opener_carrier(opener, e->cookie);
	if (!is_wanted(opener, e))
		return;
	e->multicast.stale = true;
	if (!loop_timer_set(&opener->multicast_timer))
		loop_timer_in(opener->loop, &opener->multicast_timer, EVENT_DELAY);
}

void opener_on_multicast_timer(struct loop_timer *timer)
{
	struct opener *opener = container_of(timer, struct opener, multicast_timer);
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (e->multicast.stale)
			opener_multicast_now(opener, e);
}

void opener_multicast_check(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (is_wanted(opener, e) && (vs_nsid(e->vs) < 0 || e->multicast.failed))
			opener_multicast_now(opener, e);
}

void opener_multicast_clear(struct opener_entry *e)
{
	free(e->multicast.members);
	e->multicast = (struct opener_multicast){0};
}
