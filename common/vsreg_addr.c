/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses inside a VS, by one dump: from outside, by the VS's nsid, or else by a netlink
 * socket that is made there.
 *
 * While a descriptor of the namespace is open, its nsid is no other's. The kernel marks each
 * address of such a dump with the nsid; one without it would be of the dumping socket's own
 * namespace.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink.h"
#include "vsreg_private.h"

#define TRIES_MAX 5 /* of a dump that the kernel calls interrupted by a change */
#define BUFFER_SIZE 32768
/* What is inside a VS is its root's choice. */
#define ADDRESSES_MAX 1024
#define TIME_MAX (500 * NSEC_PER_MSEC)

struct address_list {
	struct vs_address *entries;
	size_t count, size, max;
	uint64_t deadline;
	int nsid; /* of the namespace to dump; NSID_NONE: the socket's own */
	bool interrupted;
};

static int list_append(struct address_list *list, const struct vs_address *address)
{
	size_t size = list->size ? list->size * 2 : 16;
	struct vs_address *entries;

	if (list->count == list->size) {
		entries = reallocarray(list->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	list->entries[list->count++] = *address;
	return 0;
}

/* IFA_LOCAL is the own end of a point-to-point link; IPv6 mostly has IFA_ADDRESS alone. */
static const unsigned char *find_address(const unsigned char *attrs, size_t len, size_t want)
{
	const unsigned char *found = NULL;
	struct rtattr a;
	size_t step;

	while (len >= sizeof(a)) {
		memcpy(&a, attrs, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len)
			break;
		if (a.rta_len - sizeof(a) == want &&
			(a.rta_type == IFA_LOCAL || (a.rta_type == IFA_ADDRESS && !found)))
			found = attrs + sizeof(a);
		step = RTA_ALIGN((size_t)a.rta_len);
		if (step > len)
			break;
		attrs += step;
		len -= step;
	}
	return found;
}

static bool fill_address(struct vs_address *address, const struct ifaddrmsg *m,
	const unsigned char *attrs, size_t len)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const unsigned char *found;

	*address = (struct vs_address){.prefix = m->ifa_prefixlen, .ifindex = m->ifa_index};
	if (m->ifa_family == AF_INET) {
		found = find_address(attrs, len, sizeof(in.sin_addr));
		if (!found)
			return false;
		memcpy(&in.sin_addr, found, sizeof(in.sin_addr));
		memcpy(&address->addr, &in, sizeof(in));
		return true;
	}
	found = m->ifa_family == AF_INET6 ? find_address(attrs, len, sizeof(in6.sin6_addr)) : NULL;
	if (!found)
		return false;
	memcpy(&in6.sin6_addr, found, sizeof(in6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		in6.sin6_scope_id = m->ifa_index;
	memcpy(&address->addr, &in6, sizeof(in6));
	return true;
}

/* One message. 1: no more are wanted. */
static int take_message(struct address_list *list, const struct netlink_message *message)
{
	const unsigned char *attrs = message->body + NLMSG_ALIGN(sizeof(struct ifaddrmsg));
	struct vs_address address;
	struct ifaddrmsg m;
	size_t len;
	int nsid, rc;

	if (message->head.nlmsg_flags & NLM_F_DUMP_INTR)
		list->interrupted = true;
	if (message->head.nlmsg_type == NLMSG_DONE || message->head.nlmsg_type == NLMSG_ERROR) {
		rc = netlink_error(message);
		return rc < 0 ? rc : 1;
	}
	if (message->head.nlmsg_type != RTM_NEWADDR || message->len < NLMSG_ALIGN(sizeof(m)))
		return 0;
	memcpy(&m, message->body, sizeof(m));
	len = message->len - NLMSG_ALIGN(sizeof(m));
	if (list->nsid >= 0 &&
		(!nsid_attr(attrs, len, IFA_TARGET_NETNSID, &nsid) || nsid != list->nsid))
		return -EOPNOTSUPP;
	if (!fill_address(&address, &m, attrs, len))
		return 0;
	rc = list_append(list, &address);
	if (rc < 0 || list->count < list->max)
		return rc;
	list->interrupted = false; /* the rest of this dump bars another */
	return 1;
}

static int take_messages(struct address_list *list, const unsigned char *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc;

	while ((rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		rc = take_message(list, &m);
		if (rc != 0)
			return rc;
	}
	return rc;
}

static int send_request(int fd, int nsid)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
		struct rtattr nsid_head;
		int nsid;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETADDR,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.nsid_head = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = IFA_TARGET_NETNSID},
		.nsid = nsid,
	};

	if (nsid < 0)
		request.head.nlmsg_len = NLMSG_LENGTH(sizeof(request.body));
	return send(fd, &request, request.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int dump(int fd, struct address_list *list)
{
	unsigned char *bytes = malloc(BUFFER_SIZE);
	int rc = bytes ? send_request(fd, list->nsid) : -ENOMEM;

	list->count = 0;
	list->interrupted = false;
	while (rc == 0) {
		ssize_t n = netlink_receive(fd, bytes, BUFFER_SIZE);

		rc = n < 0 ? (int)n : take_messages(list, bytes, (size_t)n);
		if (rc == 0 && reg_now() >= list->deadline)
			rc = -ETIMEDOUT;
	}
	free(bytes);
	return rc < 0 ? rc : 0;
}

static int dump_whole(int fd, struct address_list *list)
{
	int rc = netlink_connect(fd);

	list->interrupted = true;
	for (int i = 0; i < TRIES_MAX && rc == 0 && list->interrupted; i++)
		rc = dump(fd, list);
	return rc;
}

/* The socket is a fresh one because any thread may be here. */
static int dump_by_nsid(const struct vs *vs, struct address_list *list)
{
	const int on = 1;
	int rc, sock = netns_socket_here(vs->index->observer, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (sock < 0)
		return sock;
	list->nsid = vs_nsid(vs);
	if (list->nsid < 0)
		rc = list->nsid;
	else if (setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
		rc = -errno;
	else
		rc = dump_whole(sock, list);
	close(sock);
	return rc;
}

static int list_from_outside(const struct vs *vs, struct address_list *list)
{
	int fd, rc, cancel_state;
	bool certain;

	if (vs->at_home || vs_nsid(vs) < 0)
		return -ENOENT;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	fd = vs_open_checked(vs, &certain);
	rc = fd < 0 ? fd : dump_by_nsid(vs, list);
	if (fd >= 0)
		close(fd);
	pthread_setcancelstate(cancel_state, &cancel_state);
	return rc == 0 && atomic_load(&vs->gone) ? -ESTALE : rc;
}

static int list_from_inside(struct vs *vs, struct address_list *list)
{
	int rc, fd = vs_socket_unmarked(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	list->nsid = NSID_NONE;
	rc = dump_whole(fd, list);
	close(fd);
	return rc;
}

/* Whatever bars the one way may leave the other open: a privilege, or where the thread is. */
static int list_addresses(struct vs *vs, struct address_list *list)
{
	int rc = list_from_outside(vs, list);

	return rc < 0 ? list_from_inside(vs, list) : rc;
}

/* Where several VSs share the namespace the limit is for what is found there, too. */
int vs_addresses(struct vs *vs, vs_address_fn *fn, void *arg)
{
	struct address_list list = {.deadline = reg_now() + TIME_MAX, .nsid = NSID_NONE};
	bool is_shared = vs_is_shared(vs);
	size_t given = 0;
	int rc;

	list.max = is_shared ? SHARED_ADDRESSES_MAX : ADDRESSES_MAX;
	rc = list_addresses(vs, &list);
	for (size_t i = 0; i < list.count && rc == 0 && given < ADDRESSES_MAX; i++) {
		const struct vs_address *a = &list.entries[i];

		if (is_shared && !vs_owns(vs, (const struct sockaddr *)&a->addr))
			continue;
		given++;
		rc = fn(a, arg);
	}
	free(list.entries);
	return rc;
}

int addr_dump(int fd, size_t max, vs_address_fn *fn, void *arg)
{
	struct address_list list = {
		.max = max + 1, .deadline = reg_now() + TIME_MAX, .nsid = NSID_NONE};
	int rc = dump_whole(fd, &list);

	for (size_t i = 0; i < list.count && i < max && rc == 0; i++)
		rc = fn(&list.entries[i], arg);
	if (rc == 0 && list.count > max)
		rc = 1;
	free(list.entries);
	return rc;
}
