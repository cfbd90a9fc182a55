/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "vsreg_pktinfo.h"

_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)) <=
		PKTINFO_SEND_ROOM, "room for both");
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) <=
		PKTINFO_ROOM, "room for both");

/* The payload of the first control message of that kind, if it has exactly this size. is_there:
 * also of another size. */
static bool find(
	const struct msghdr *msg, int level, int type, void *to, size_t size, bool *is_there)
{
	const unsigned char *p = msg->msg_control;
	size_t left = p ? msg->msg_controllen : 0, step;
	struct cmsghdr head;

	*is_there = false;
	while (left >= sizeof(head)) {
		memcpy(&head, p, sizeof(head));
		if (head.cmsg_len < CMSG_LEN(0) || head.cmsg_len > left)
			return false;
		*is_there = head.cmsg_level == level && head.cmsg_type == type;
		if (*is_there && head.cmsg_len != CMSG_LEN(size))
			return false;
		if (*is_there) {
			memcpy(to, p + CMSG_LEN(0), size);
			return true;
		}
		step = CMSG_ALIGN(head.cmsg_len);
		if (step > left)
			return false;
		p += step;
		left -= step;
	}
	return false;
}

/* The destination in the packet is the address it was taken in by, unless that was a group or a
 * broadcast address, or the datagram is older than the socket's IP_PKTINFO. */
static bool read_v4(const struct msghdr *msg, struct in_addr *local, struct pktinfo *info)
{
	struct in_pktinfo v4;
	bool is_there;

	if (!find(msg, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4), &is_there) ||
		v4.ipi_ifindex <= 0 || v4.ipi_spec_dst.s_addr == htonl(INADDR_ANY))
		return false;
	info->ifindex = (unsigned)v4.ipi_ifindex;
	info->is_group = v4.ipi_addr.s_addr != v4.ipi_spec_dst.s_addr;
	*local = v4.ipi_spec_dst;
	return true;
}

static void map(const struct in_addr *v4, struct in6_addr *v6)
{
	*v6 = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(v6->s6_addr + 12, v4, sizeof(*v4));
}

static bool take_v6(
	const struct msghdr *msg, const struct in6_pktinfo *v6, struct pktinfo *info)
{
	struct sockaddr_in6 *to = &info->local.room;
	struct in_addr v4;

	if (v6->ipi6_ifindex == 0)
		return false;
	*to = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = v6->ipi6_addr};
	info->local_len = sizeof(*to);
	info->ifindex = v6->ipi6_ifindex;
	if (IN6_IS_ADDR_V4MAPPED(&v6->ipi6_addr)) {
		if (!read_v4(msg, &v4, info))
			return false;
		map(&v4, &to->sin6_addr);
		return true;
	}
	info->is_group = IN6_IS_ADDR_MULTICAST(&v6->ipi6_addr);
	if (info->is_group)
		to->sin6_addr = in6addr_any;
	else if (IN6_IS_ADDR_LINKLOCAL(&v6->ipi6_addr))
		to->sin6_scope_id = v6->ipi6_ifindex;
	return true;
}

bool pktinfo_read(const struct msghdr *msg, struct pktinfo *info)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct in6_pktinfo v6;
	bool is_there;

	if (msg->msg_flags & MSG_CTRUNC)
		return false;
	if (find(msg, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6), &is_there))
		return take_v6(msg, &v6, info);
	if (is_there || !read_v4(msg, &in.sin_addr, info))
		return false;
	memcpy(&info->local, &in, sizeof(in));
	info->local_len = sizeof(in);
	return true;
}

bool pktinfo_unmap(const struct sockaddr *addr, struct sockaddr_in *in)
{
	struct sockaddr_in6 in6;

	if (addr->sa_family != AF_INET6)
		return false;
	memcpy(&in6, addr, sizeof(in6));
	if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return false;
	*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = in6.sin6_port};
	memcpy(&in->sin_addr, in6.sin6_addr.s6_addr + 12, sizeof(in->sin_addr));
	return true;
}

static bool is_v4(const struct sockaddr *addr, struct sockaddr_in *in)
{
	if (addr->sa_family != AF_INET)
		return pktinfo_unmap(addr, in);
	memcpy(in, addr, sizeof(*in));
	return true;
}

bool pktinfo_is_wildcard(const struct sockaddr *addr)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (is_v4(addr, &in))
		return in.sin_addr.s_addr == htonl(INADDR_ANY);
	if (addr->sa_family != AF_INET6)
		return false;
	memcpy(&in6, addr, sizeof(in6));
	return IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
}

bool pktinfo_is_group(const struct sockaddr *addr)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (is_v4(addr, &in))
		return IN_MULTICAST(ntohl(in.sin_addr.s_addr)) ||
		       in.sin_addr.s_addr == htonl(INADDR_BROADCAST);
	if (addr->sa_family != AF_INET6)
		return false;
	memcpy(&in6, addr, sizeof(in6));
	return IN6_IS_ADDR_MULTICAST(&in6.sin6_addr);
}

static size_t put(unsigned char *to, int level, int type, const void *data, size_t size)
{
	struct cmsghdr head = {.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};

	memset(to, 0, CMSG_SPACE(size));
	memcpy(to, &head, sizeof(head));
	memcpy(to + CMSG_LEN(0), data, size);
	return CMSG_SPACE(size);
}

/* No interface with the source, or the kernel takes a peer without a route for one on the link. */
static size_t put_source(unsigned char *to, const struct sockaddr *local, unsigned ifindex)
{
	struct in_pktinfo v4 = {.ipi_ifindex = 0};
	struct in6_pktinfo v6 = {.ipi6_ifindex = 0};
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (local->sa_family == AF_INET) {
		memcpy(&in, local, sizeof(in));
		v4.ipi_spec_dst = in.sin_addr;
		return put(to, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	}
	memcpy(&in6, local, sizeof(in6));
	v6.ipi6_addr = in6.sin6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		v6.ipi6_ifindex = in6.sin6_scope_id ? in6.sin6_scope_id : ifindex;
	return put(to, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
}

size_t pktinfo_write(union pktinfo_send_control *control, const struct sockaddr *local,
	unsigned ifindex, uint32_t mark)
{
	size_t len = 0;

	if (!pktinfo_is_wildcard(local))
		len = put_source(control->bytes, local, ifindex);
	if (mark != 0)
		len += put(control->bytes + len, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	return len;
}
