/* SPDX-License-Identifier: BSD-3-Clause */
/* A VS with more addresses than anybody wants to hear of. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define LO_IFINDEX 1

static void add_address(int netlink, uint32_t address)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
		struct rtattr local;
		uint32_t address;
	} m = {
		.head = {sizeof(m), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1, 0},
		.body = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = LO_IFINDEX},
		.local = {sizeof(struct rtattr) + 4, IFA_LOCAL},
		.address = htonl(address),
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[256];
	} answer;

	assert_int_equal(send(netlink, &m, sizeof(m), 0), sizeof(m));
	assert_true(recv(netlink, &answer, sizeof(answer), 0) > 0);
	assert_int_equal(answer.head.nlmsg_type, NLMSG_ERROR);
	assert_int_equal(answer.error.error, 0);
}

static void add_addresses(struct vs *vs, unsigned from, unsigned to)
{
	int netlink = vs_socket(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	assert_true(netlink >= 0);
	for (unsigned i = from; i < to; i++)
		add_address(netlink, 0x0a000000 + i);
	close(netlink);
}

static int count_address(const struct vs_address *address, void *arg)
{
	unsigned *count = arg;

	assert_int_equal(address->prefix, 32);
	++*count;
	return 0;
}

static void expect_count(struct vs *vs, unsigned want)
{
	unsigned count = 0;

	assert_int_equal(vs_addresses(vs, count_address, &count), 0);
	assert_int_equal(count, want);
}

static void addresses_are_limited(void **state)
{
	struct nst *t = *state;
	struct vs *vs;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	vs = nst_get(t, "a");
	add_addresses(vs, 1, 1024);
	expect_count(vs, 1023);
	add_addresses(vs, 1024, 1400);
	expect_count(vs, 1024);
	expect_count(vs, 1024);
	vs_unref(vs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {NST_BOTH(addresses_are_limited)};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("vsreg_addr", tests, NULL, NULL);
}
