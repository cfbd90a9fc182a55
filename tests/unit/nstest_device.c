/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices and addresses for tests. */
#include "config.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "nstest.h"

/* A request with room for its attributes. */
struct nst_request {
	struct nlmsghdr head;
	_Alignas(NLMSG_ALIGNTO) unsigned char room[256];
};

static void put(struct nst_request *r, const void *bytes, size_t len)
{
	assert_true(r->head.nlmsg_len + NLMSG_ALIGN(len) <= sizeof(*r));
	memcpy((unsigned char *)r + r->head.nlmsg_len, bytes, len);
	r->head.nlmsg_len += (unsigned)NLMSG_ALIGN(len);
}

static void put_attr(struct nst_request *r, unsigned short type, const void *bytes, size_t len)
{
	const struct rtattr a = {.rta_len = (unsigned short)RTA_LENGTH(len), .rta_type = type};

	put(r, &a, sizeof(a));
	put(r, bytes, len);
}

static int transact(int netlink, struct nst_request *r)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer;

	r->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	assert_int_equal(send(netlink, r, r->head.nlmsg_len, 0), r->head.nlmsg_len);
	assert_true(recv(netlink, &answer, sizeof(answer), 0) > 0);
	assert_int_equal(answer.head.nlmsg_type, NLMSG_ERROR);
	return answer.error.error;
}

static void link_request(int netlink, unsigned short type, unsigned short flags, const char *name,
	const char *to, const char *kind)
{
	const struct ifinfomsg body = {.ifi_index = (int)nst_ifindex(netlink, name)};
	struct nst_request r = {.head = {.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type,
					.nlmsg_flags = flags}};
	const struct rtattr info = {
		.rta_len = kind ? (unsigned short)RTA_LENGTH(RTA_SPACE(strlen(kind))) : 0,
		.rta_type = IFLA_LINKINFO};

	put(&r, &body, sizeof(body));
	if (to)
		put_attr(&r, IFLA_IFNAME, to, strlen(to) + 1);
	if (kind) {
		put(&r, &info, sizeof(info));
		put_attr(&r, IFLA_INFO_KIND, kind, strlen(kind));
	}
	assert_int_equal(transact(netlink, &r), 0);
}

unsigned nst_ifindex(int sock, const char *name)
{
	struct ifreq ifr = {.ifr_ifindex = 0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ioctl(sock, SIOCGIFINDEX, &ifr) == 0 ? (unsigned)ifr.ifr_ifindex : 0;
}

void nst_add_device(int netlink, const char *name)
{
	link_request(netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name, name, "bridge");
}

void nst_rename_device(int netlink, const char *name, const char *to)
{
	link_request(netlink, RTM_NEWLINK, 0, name, to, NULL);
}

void nst_del_device(int netlink, const char *name)
{
	link_request(netlink, RTM_DELLINK, 0, name, NULL, NULL);
}

static void address_request(int netlink, unsigned short type, const char *device,
	const char *address)
{
	bool v6 = strchr(address, ':');
	const struct ifaddrmsg body = {.ifa_family = v6 ? AF_INET6 : AF_INET,
		.ifa_prefixlen = v6 ? 128 : 32,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = nst_ifindex(netlink, device)};
	struct nst_request r = {.head = {.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type,
					.nlmsg_flags = type == RTM_NEWADDR ? NLM_F_CREATE : 0}};
	unsigned char bytes[16];

	assert_int_equal(inet_pton(body.ifa_family, address, bytes), 1);
	put(&r, &body, sizeof(body));
	put_attr(&r, IFA_LOCAL, bytes, v6 ? 16 : 4);
	assert_int_equal(transact(netlink, &r), 0);
}

void nst_add_address(int netlink, const char *device, const char *address)
{
	address_request(netlink, RTM_NEWADDR, device, address);
}

void nst_del_address(int netlink, const char *device, const char *address)
{
	address_request(netlink, RTM_DELADDR, device, address);
}
