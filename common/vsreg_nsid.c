/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nsids: the numbers by which rtnetlink in one namespace speaks of others. With one for each VS, a
 * single socket in the registry's own namespace hears of every address that comes or goes inside a
 * VS, and of the true end of its namespace. An nsid pins nothing.
 *
 * An nsid stays the same while its namespace lives and is handed out again afterwards, at once. So
 * it is believed only of a namespace that is known to be alive: asked for through a descriptor
 * of it, or used while one is open.
 *
 * A namespace with an nsid in ours may hold anybody, and is heard by the same socket: root in there
 * sends to the groups what he likes (that has his port number; the kernel's is 0), and what
 * the kernel says of the nsids that count in there is not about ours.
 */
#include "config.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vsreg_private.h"

/* Enough for a burst of a thousand VSs between two dispatches. */
#define EVENTS_ROOM (4 * 1024 * 1024)
/* So that a flood in one VS does not keep the caller here. */
#define READS_MAX 256
/* After a loss everything is looked at, but no more often: a flood is cheaper to make. */
#define LOST_PAUSE NSEC_PER_SEC
#define MESSAGE_MAX 8192

void nsid_init(struct reg_nsid *nsid)
{
	nsid->events = nsid->ask = nsid->home = -1;
	nsid->self = NSID_NONE;
	TAILQ_INIT(&nsid->readdressed);
	TAILQ_INIT(&nsid->waiting);
	TAILQ_INIT(&nsid->held);
	TAILQ_INIT(&nsid->released);
}

/* ---- asking */

bool nsid_attr(const unsigned char *attrs, size_t len, unsigned type, int *value)
{
	struct rtattr a;
	size_t step;

	while (len >= sizeof(a)) {
		memcpy(&a, attrs, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len)
			return false;
		if (a.rta_type == type && a.rta_len == RTA_LENGTH(sizeof(*value))) {
			memcpy(value, attrs + sizeof(a), sizeof(*value));
			return true;
		}
		step = RTA_ALIGN((size_t)a.rta_len);
		if (step > len)
			return false;
		attrs += step;
		len -= step;
	}
	return false;
}

/* The answer is there when the request has been taken: the kernel gives it on the spot. */
static int get_answer(int sock, int *nsid)
{
	const size_t attrs = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct rtgenmsg));
	unsigned char bytes[MESSAGE_MAX];
	struct nlmsghdr head;
	struct nlmsgerr error;
	ssize_t n = recv(sock, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(head))
		return -EPROTO;
	memcpy(&head, bytes, sizeof(head));
	if (head.nlmsg_len > (size_t)n)
		return -EPROTO;
	if (head.nlmsg_type == NLMSG_ERROR && head.nlmsg_len >= NLMSG_LENGTH(sizeof(error))) {
		memcpy(&error, bytes + NLMSG_HDRLEN, sizeof(error));
		return error.error;
	}
	if (head.nlmsg_type != RTM_NEWNSID || head.nlmsg_len < attrs ||
		!nsid_attr(bytes + attrs, head.nlmsg_len - attrs, NETNSA_NSID, nsid))
		return -EPROTO;
	return 0;
}

/* fd: of a namespace, or -1 to ask about *nsid itself. */
static int request(int sock, unsigned short type, int fd, int *nsid)
{
	struct {
		struct nlmsghdr head;
		_Alignas(NLMSG_ALIGNTO) struct rtgenmsg body;
		_Alignas(NLMSG_ALIGNTO) struct rtattr nsid_head;
		int nsid;
		struct rtattr fd_head;
		int fd;
	} r = {
		/* A new one is echoed; errors are always answered. */
		.head = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ECHO},
		.nsid_head = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = NETNSA_NSID},
		.nsid = fd < 0 ? *nsid : NSID_NONE,
		.fd_head = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = NETNSA_FD},
		.fd = fd,
	};

	if (type == RTM_GETNSID)
		r.head.nlmsg_flags = NLM_F_REQUEST;
	r.head.nlmsg_len = (unsigned)(fd < 0 ? sizeof(r) - RTA_LENGTH(sizeof(int)) : sizeof(r));
	if (send(sock, &r, r.head.nlmsg_len, 0) < 0)
		return -errno;
	return get_answer(sock, nsid);
}

/* The nsid of the namespace behind fd; it is given one when it has none. */
static int get_nsid(int sock, int fd, int *nsid)
{
	int found = NSID_NONE, rc = request(sock, RTM_GETNSID, fd, &found);

	if (rc == 0 && found < 0) {
		rc = request(sock, RTM_NEWNSID, fd, &found);
		if (rc == -EEXIST) /* somebody else was faster */
			rc = request(sock, RTM_GETNSID, fd, &found);
	}
	if (rc == 0 && found < 0)
		rc = -ENOENT;
	if (rc == 0)
		*nsid = found;
	return rc;
}

/* ---- the feature as a whole */

static int set_option(int sock, int option, int value)
{
	return setsockopt(sock, SOL_NETLINK, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int new_socket(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return sock < 0 ? -errno : sock;
}

static int open_events(void)
{
	static const int groups[] = {RTNLGRP_NSID, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	const int room = EVENTS_ROOM;
	int rc, sock = new_socket();

	if (sock < 0)
		return sock;
	/* With less room more is lost, and looked for again. */
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	/* Without a port number of its own it would be passed over as the kernel's own. */
	rc = bind(sock, (const struct sockaddr *)&any, sizeof(any)) < 0 ? -errno : 0;
	if (rc == 0)
		rc = set_option(sock, NETLINK_LISTEN_ALL_NSID, 1);
	for (size_t i = 0; rc == 0 && i < sizeof(groups) / sizeof(groups[0]); i++)
		rc = set_option(sock, NETLINK_ADD_MEMBERSHIP, groups[i]);
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

/* With an nsid in itself, this namespace is heard of in the same way as the others. */
static int open_sockets(int home, struct reg_nsid *nsid)
{
	int ask = -1, rc, self = NSID_NONE, events = open_events();

	rc = events < 0 ? events : 0;
	if (rc == 0)
		rc = ask = new_socket();
	if (rc >= 0)
		rc = get_nsid(ask, home, &self);
	if (rc < 0) {
		if (events >= 0)
			close(events);
		if (ask >= 0)
			close(ask);
		return rc;
	}
	nsid->events = events;
	nsid->ask = ask;
	nsid->self = self;
	return 0;
}

/* These say nothing about the kernel, only about this moment. */
static bool is_shortage(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
}

int nsid_open(struct vs_reg *reg)
{
	int rc = open_sockets(reg->home, &reg->nsid);

	if (rc == 0)
		return watch_add(&reg->watch, reg->nsid.events);
	if (is_shortage(rc))
		return rc;
	reg_log(reg, LOG_INFO, NULL,
		"changes of addresses and ends of namespaces will not be told of: %s",
		strerror(-rc));
	return 0;
}

bool nsid_hears(const struct vs_reg *reg, const struct vs *vs)
{
	return vs->of_nsid ? reg->nsid.hears_links : vs->at_home && reg->nsid.home >= 0;
}

void nsid_hear_links(struct vs_reg *reg, bool wanted)
{
	int option = wanted ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;

	if (reg->nsid.events < 0) {
		nsid_want_home(reg, wanted);
		return;
	}
	if (reg->nsid.hears_links == wanted)
		return;
	if (set_option(reg->nsid.events, option, RTNLGRP_LINK) == 0)
		reg->nsid.hears_links = wanted;
}

void nsid_close(struct vs_reg *reg)
{
	struct reg_nsid *nsid = &reg->nsid;
	struct vs *vs;

	while ((vs = TAILQ_FIRST(&nsid->waiting)) || (vs = TAILQ_FIRST(&nsid->held)))
		held_drop(reg, vs);
	if (nsid->events >= 0)
		close(nsid->events);
	if (nsid->ask >= 0)
		close(nsid->ask);
	if (nsid->home >= 0)
		close(nsid->home);
	nsid->events = nsid->ask = nsid->home = -1;
}

/* ---- the VSs */

static int add(struct vs_reg *reg, struct vs *vs)
{
	bool certain;
	int nsid, rc, fd = vs_open_checked(vs, &certain);
	struct stat st;

	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) < 0 ? -errno : get_nsid(reg->nsid.ask, fd, &nsid);
	close(fd);
	if (rc < 0)
		return rc;
	vs->by_handle = certain;
	vs->dev = st.st_dev;
	vs->ino = st.st_ino;
	return nsid_insert(reg, vs, nsid);
}

void nsid_add(struct vs_reg *reg, struct vs *vs)
{
	int rc;

	if (reg->nsid.events < 0 || vs->of_nsid)
		return;
	rc = add(reg, vs);
	if (rc == -ESTALE || rc == 0)
		return;
	if (is_shortage(rc)) {
		reg->nsid.missing = true;
		reg->nsid.lost_after = reg_now() + LOST_PAUSE;
	}
	if (!reg->nsid.told)
		reg_log(reg, LOG_WARNING, vs_name(vs),
			"changes of its addresses are not told of%s: %s",
			is_shortage(rc) ? ", trying again" : "", strerror(-rc));
	reg->nsid.told = true;
}

/* 1: there, 0: ended, or -errno: there is no telling. That a place leads elsewhere by now
 * says nothing of the namespace. */
static int look_at_namespace(struct vs_reg *reg, const struct vs *vs)
{
	bool certain = vs->by_handle;
	int fd, nsid = vs->of_nsid->nsid;
	int rc = request(reg->nsid.ask, RTM_GETNSID, -1, &nsid);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (vs->by_handle && !vs->at_home)
		fd = netns_handle_open(&vs->handle);
	else
		fd = vs_open_checked(vs, &certain);
	if (fd < 0)
		return fd == -ESTALE && vs->by_handle ? 0 : fd;
	close(fd);
	return 1;
}

bool nsid_is_over(struct vs_reg *reg, const struct vs *vs)
{
	return look_at_namespace(reg, vs) == 0;
}

/* ---- hearing */

void nsid_readdress(struct vs_reg *reg, struct vs *vs)
{
	if (reg->nsid.events < 0 || vs->readdressed)
		return;
	vs->readdressed = true;
	vs_ref(vs);
	TAILQ_INSERT_TAIL(&reg->nsid.readdressed, vs, of_addresses);
}

/* Without file handles a namespace is opened by the place of a VS that is there. */
static const struct vs *best_witness(const struct nsid_entry *entry)
{
	const struct vs *vs;

	TAILQ_FOREACH(vs, &entry->members, same_nsid) {
		if (!atomic_load(&vs->gone))
			return vs;
	}
	return TAILQ_FIRST(&entry->members);
}

/* It may be about an earlier owner of the nsid: a VS that is seen to be alive has not ended. */
static void hear_end(struct vs_reg *reg, const unsigned char *body, size_t len)
{
	const size_t attrs = NLMSG_ALIGN(sizeof(struct rtgenmsg));
	struct nsid_entry *entry;
	int nsid;

	if (len < attrs || !nsid_attr(body + attrs, len - attrs, NETNSA_NSID, &nsid))
		return;
	reg->nsid.last_end = reg_now();
	entry = nsid_find(reg, nsid);
	if (entry && look_at_namespace(reg, best_witness(entry)) != 1)
		nsid_end(reg, nsid);
}

static void hear_change(struct vs_reg *reg, int nsid, unsigned type)
{
	struct nsid_entry *entry = nsid_find(reg, nsid);
	struct vs *vs;

	if (!entry)
		return;
	mark_note_address(reg, TAILQ_FIRST(&entry->members)->cookie);
	if (type != RTM_NEWADDR && type != RTM_DELADDR)
		return;
	TAILQ_FOREACH(vs, &entry->members, same_nsid) {
		if (!atomic_load(&vs->gone))
			nsid_readdress(reg, vs);
	}
}

/* nsid: the namespace that the message comes from. */
static void hear_message(struct vs_reg *reg, int nsid, const unsigned char *bytes, size_t len)
{
	struct nlmsghdr head;

	if (len < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	/* What is said of a device may be long, and is not read here. */
	if (head.nlmsg_type == RTM_NEWLINK || head.nlmsg_type == RTM_DELLINK)
		hear_change(reg, nsid, head.nlmsg_type);
	if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > len)
		return;
	if (head.nlmsg_type == RTM_DELNSID && nsid == reg->nsid.self)
		hear_end(reg, bytes + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
	if (head.nlmsg_type == RTM_NEWADDR || head.nlmsg_type == RTM_DELADDR)
		hear_change(reg, nsid, head.nlmsg_type);
}

static int source_of(struct msghdr *msg, int self)
{
	int nsid = self;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID &&
			c->cmsg_len == CMSG_LEN(sizeof(nsid)))
			memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	}
	return nsid;
}

/* False: nothing (more) to read. The kernel's notifications come one at a time. */
static bool hear_one(struct vs_reg *reg)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct nl_pktinfo))];
	} control;
	unsigned char bytes[MESSAGE_MAX];
	struct sockaddr_nl from = {.nl_pid = 1};
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr msg = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(reg->nsid.events, &msg, 0);

	if (n < 0 && errno == ENOBUFS) {
		reg->nsid.lost = true;
		mark_note_all_addresses(reg);
	}
	if (n < 0)
		return errno == ENOBUFS || errno == EINTR;
	if (from.nl_pid == 0)
		hear_message(reg, source_of(&msg, reg->nsid.self), bytes, (size_t)n);
	return true;
}

/* An nsid that is known is still right; only ends and addresses can have been missed. The kernel
 * goes on losing in silence until its queue is empty, so that must come first. */
static void look_again(struct vs_reg *reg)
{
	bool lost = reg->nsid.lost;

	reg->nsid.lost = reg->nsid.missing = false;
	reg->nsid.lost_after = reg_now() + LOST_PAUSE;
	for (size_t i = 0; i < reg->order_len; i++) {
		nsid_add(reg, reg->order[i]);
		if (lost)
			nsid_readdress(reg, reg->order[i]);
	}
	if (!reg->nsid.missing)
		reg->nsid.told = false;
	mark_note_all_addresses(reg);
	if (lost)
		held_check(reg);
}

void nsid_hear(struct vs_reg *reg)
{
	bool more = true;

	if (reg->nsid.home >= 0)
		nsid_hear_home(reg);
	if (reg->nsid.events < 0)
		return;
	for (int i = 0; i < READS_MAX && more; i++)
		more = hear_one(reg);
	if (!more && (reg->nsid.lost || reg->nsid.missing) && reg_now() >= reg->nsid.lost_after)
		look_again(reg);
}
