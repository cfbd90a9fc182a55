/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses inside a VS: one dump by a netlink socket that was made there. */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsreg_private.h"

#define TRIES_MAX 5 /* of a dump that the kernel calls interrupted by a change */
#define BUFFER_SIZE 32768

struct address_list {
	struct vs_address *entries;
	size_t count, size;
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

/* One message. 1: that was the last one. */
static int take_message(struct address_list *list, const struct nlmsghdr *head,
	const unsigned char *body, size_t len)
{
	struct vs_address address;
	struct nlmsgerr error;
	struct ifaddrmsg m;

	if (head->nlmsg_flags & NLM_F_DUMP_INTR)
		list->interrupted = true;
	if (head->nlmsg_type == NLMSG_DONE)
		return 1;
	if (head->nlmsg_type == NLMSG_ERROR) {
		if (len < sizeof(error))
			return -EPROTO;
		memcpy(&error, body, sizeof(error));
		return error.error < 0 ? error.error : -EPROTO;
	}
	if (head->nlmsg_type != RTM_NEWADDR || len < NLMSG_ALIGN(sizeof(m)))
		return 0;
	memcpy(&m, body, sizeof(m));
	if (!fill_address(
		    &address, &m, body + NLMSG_ALIGN(sizeof(m)), len - NLMSG_ALIGN(sizeof(m))))
		return 0;
	return list_append(list, &address);
}

static int take_messages(struct address_list *list, const unsigned char *bytes, size_t len)
{
	struct nlmsghdr head;
	size_t step;
	int rc = 0;

	while (rc == 0 && len >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > len)
			return -EPROTO;
		rc = take_message(list, &head, bytes + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step > len)
			step = len;
		bytes += step;
		len -= step;
	}
	return rc;
}

static int send_request(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} request = {
		.head =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETADDR,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static int dump(int fd, struct address_list *list)
{
	unsigned char *bytes = malloc(BUFFER_SIZE);
	int rc = bytes ? send_request(fd) : -ENOMEM;

	list->count = 0;
	list->interrupted = false;
	while (rc == 0) {
		ssize_t n = recv(fd, bytes, BUFFER_SIZE, 0);

		if (n > 0)
			rc = take_messages(list, bytes, (size_t)n);
		else if (n == 0)
			rc = -EPROTO;
		else if (errno != EINTR)
			rc = -errno;
	}
	free(bytes);
	return rc < 0 ? rc : 0;
}

int vs_addresses(struct vs *vs, vs_address_fn *fn, void *arg)
{
	struct address_list list = {.interrupted = true};
	int rc = 0, fd = vs_socket(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	for (int i = 0; i < TRIES_MAX && rc == 0 && list.interrupted; i++)
		rc = dump(fd, &list);
	close(fd);
	for (size_t i = 0; i < list.count && rc == 0; i++)
		rc = fn(&list.entries[i], arg);
	free(list.entries);
	return rc;
}
