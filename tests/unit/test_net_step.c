/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/msg.h>
#include <string.h>

#include "t.h"

#include "net_batch.h"
#include "net_step.h"

#define REQUESTS 8

/* The requests of a step. */
struct seen {
	struct nl_msg *msg[REQUESTS];
	enum net_role role[REQUESTS];
	bool is_parent[REQUESTS];
	size_t count;
};

static int see(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg)
{
	struct seen *s = arg;

	assert_true(s->count < REQUESTS);
	s->msg[s->count] = msg;
	s->role[s->count] = role;
	s->is_parent[s->count++] = is_parent;
	return 0;
}

static void forget(struct seen *s)
{
	for (size_t i = 0; i < s->count; i++)
		nlmsg_free(s->msg[i]);
	s->count = 0;
}

static const struct nlattr *attr(const struct seen *s, size_t i, size_t head, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(s->msg[i]), (int)head, type);
}

static void check_u32(const struct nlattr *a, uint32_t want)
{
	assert_non_null(a);
	assert_int_equal(nla_len(a), 4);
	assert_int_equal(nla_get_u32(a), want);
}

static void check_text(const struct nlattr *a, const char *want)
{
	assert_non_null(a);
	assert_string_equal(nla_get_string(a), want);
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

/* What is there: lo and eth1 in the namespace; low (7), br0 (8), phys (9) in the parent. */
static struct net_link have_links[] = {{.index = 1, .name = "lo"}, {.index = 4, .name = "eth1"}};
static struct net_link parent_links[] = {{.index = 7, .name = "low"}, {.index = 8, .name = "br0"},
	{.index = 9, .name = "phys", .is_ours = true, .altname = "nsaux:from:old:phys"}};
static struct net_state have = {.links = have_links, .link_count = 2};
static struct net_state parent = {.links = parent_links, .link_count = 3};
static struct net_made made[] = {{.name = "eth0", .index = 12, .old_index = 3}};
static struct net_site site = {.ns_fd = 50, .parent_fd = 51, .parent_nsid = 6, .parent = &parent,
	.have = &have, .made = made, .made_count = 1};

static void see_step(struct seen *s, const struct net_step *step)
{
	assert_int_equal(net_step_requests(step, &site, see, s), 0);
}

/* Byte for byte, on a little-endian machine. */
static void test_addr_bytes(void **state)
{
	static const uint8_t want[] = {
		56, 0, 0, 0, 20, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, /* RTM_NEWADDR, create, excl */
		2, 24, 0, 0, 12, 0, 0, 0,                         /* AF_INET, /24, device 12 */
		8, 0, 2, 0, 10, 1, 1, 5,                          /* IFA_LOCAL */
		8, 0, 1, 0, 10, 1, 1, 5,                          /* IFA_ADDRESS */
		8, 0, 8, 0, 0, 2, 0, 0,                           /* IFA_FLAGS: noprefixroute */
		5, 0, 11, 0, 86, 0, 0, 0,                         /* IFA_PROTO */
	};
	struct net_addr addr = {.prefix = prefix("10.1.1.5/24"), .dev = "eth0", .is_noprefixroute = true};
	const struct net_step step = {.kind = NET_ADDR_ADD, .addr = &addr};
	struct seen s = {0};

	(void)state;
	if (htons(1) == 1)
		return;
	see_step(&s, &step);
	assert_int_equal(s.count, 1);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_len, sizeof(want));
	nlmsg_hdr(s.msg[0])->nlmsg_flags &= 0xff00;
	nlmsg_hdr(s.msg[0])->nlmsg_pid = 0;
	nlmsg_hdr(s.msg[0])->nlmsg_seq = 0;
	assert_memory_equal(nlmsg_hdr(s.msg[0]), want, sizeof(want));
	forget(&s);
}

static void test_addr(void **state)
{
	struct net_addr addr = {.prefix = prefix("fd00::5/64"), .ifindex = 3, .is_nodad = true};
	struct net_step step = {.kind = NET_ADDR_ADD, .addr = &addr};
	const struct ifaddrmsg *head;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->ifa_index, 12); /* 3 was made again, as 12 */
	assert_int_equal(head->ifa_family, AF_INET6);
	check_u32(attr(&s, 0, sizeof(*head), IFA_FLAGS), IFA_F_NODAD);
	forget(&s);
	step.kind = NET_ADDR_DEL;
	see_step(&s, &step);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_type, RTM_DELADDR);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL), 0);
	assert_null(attr(&s, 0, sizeof(*head), IFA_FLAGS));
	forget(&s);
	addr.ifindex = 0;
	snprintf(addr.dev, sizeof(addr.dev), "eth1");
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->ifa_index, 4); /* is there */
	forget(&s);
	snprintf(addr.dev, sizeof(addr.dev), "eth9");
	assert_int_equal(net_step_requests(&step, &site, see, &s), -ENODEV);
	assert_int_equal(s.count, 0);
}

static void test_route(void **state)
{
	struct net_route route = {.table = 1016, .metric = 77, .mtu = 1400, .kind = NETWORK_UNICAST,
		.dst = prefix("10.9.0.0/16"), .via = prefix("10.1.1.1"), .src = prefix("10.1.1.5"),
		.dev = "eth0", .onlink = true};
	struct net_step step = {.kind = NET_ROUTE_ADD, .route = &route};
	const struct nlattr *metrics;
	const struct rtmsg *head;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->rtm_table, RT_TABLE_UNSPEC);
	assert_int_equal(head->rtm_protocol, 86);
	assert_int_equal(head->rtm_type, RTN_UNICAST);
	assert_int_equal(head->rtm_scope, RT_SCOPE_UNIVERSE);
	assert_int_equal(head->rtm_dst_len, 16);
	assert_int_equal(head->rtm_flags, RTNH_F_ONLINK);
	check_u32(attr(&s, 0, sizeof(*head), RTA_TABLE), 1016);
	check_u32(attr(&s, 0, sizeof(*head), RTA_OIF), 12);
	check_u32(attr(&s, 0, sizeof(*head), RTA_PRIORITY), 77);
	check_u32(attr(&s, 0, sizeof(*head), RTA_GATEWAY), htonl(0x0a010101));
	check_u32(attr(&s, 0, sizeof(*head), RTA_PREFSRC), htonl(0x0a010105));
	metrics = attr(&s, 0, sizeof(*head), RTA_METRICS);
	assert_non_null(metrics);
	check_u32(nla_find(nla_data(metrics), nla_len(metrics), RTAX_MTU), 1400);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_flags & 0xf00, NLM_F_CREATE | NLM_F_EXCL);
	forget(&s);
	step.kind = NET_ROUTE_SET;
	see_step(&s, &step);
	assert_true(nlmsg_hdr(s.msg[0])->nlmsg_flags & NLM_F_REPLACE);
	forget(&s);
}

static void test_route_kinds(void **state)
{
	struct net_route link = {.table = 254, .kind = NETWORK_UNICAST, .dst = prefix("10.1.1.0/24"),
		.dev = "eth0"};
	struct net_route end = {.table = 12, .metric = NETWORK_METRIC_LAST, .kind = NETWORK_UNREACHABLE,
		.dst = {.family = AF_INET6}};
	struct net_step step = {.kind = NET_ROUTE_DEL, .route = &link};
	const struct rtmsg *head;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_type, RTM_DELROUTE);
	assert_int_equal(head->rtm_scope, RT_SCOPE_LINK);
	assert_int_equal(head->rtm_table, 254);
	forget(&s);
	step = (struct net_step){.kind = NET_ROUTE_ADD, .route = &end};
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->rtm_type, RTN_UNREACHABLE);
	assert_int_equal(head->rtm_family, AF_INET6);
	assert_null(attr(&s, 0, sizeof(*head), RTA_OIF));
	assert_null(attr(&s, 0, sizeof(*head), RTA_DST));
	forget(&s);
}

static void test_rule(void **state)
{
	struct net_rule rule = {.family = AF_INET, .priority = 8600, .table = 1016,
		.from = prefix("10.7.0.0/16")};
	struct net_step step = {.kind = NET_RULE_ADD, .rule = &rule};
	const struct fib_rule_hdr *head;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->src_len, 16);
	assert_int_equal(head->action, FR_ACT_TO_TBL);
	check_u32(attr(&s, 0, sizeof(*head), FRA_TABLE), 1016);
	check_u32(attr(&s, 0, sizeof(*head), FRA_PRIORITY), 8600);
	check_u32(attr(&s, 0, sizeof(*head), FRA_SRC), htonl(0x0a070000));
	assert_int_equal(nla_get_u8(attr(&s, 0, sizeof(*head), FRA_PROTOCOL)), 86);
	assert_null(attr(&s, 0, sizeof(*head), FRA_FWMARK));
	forget(&s);
	rule = (struct net_rule){.family = AF_INET6, .priority = 8601, .mark = 12, .mask = UINT32_MAX,
		.is_unreachable = true};
	step.kind = NET_RULE_DEL;
	see_step(&s, &step);
	head = nlmsg_data(nlmsg_hdr(s.msg[0]));
	assert_int_equal(head->action, FR_ACT_UNREACHABLE);
	check_u32(attr(&s, 0, sizeof(*head), FRA_FWMARK), 12);
	check_u32(attr(&s, 0, sizeof(*head), FRA_FWMASK), UINT32_MAX);
	assert_null(attr(&s, 0, sizeof(*head), FRA_TABLE));
	assert_int_equal(nla_get_u8(attr(&s, 0, sizeof(*head), FRA_PROTOCOL)), 86);
	forget(&s);
}

static const struct nlattr *nested(const struct nlattr *a, int type)
{
	assert_non_null(a);
	return nla_find(nla_data(a), nla_len(a), type);
}

#define LINK sizeof(struct ifinfomsg)

/* In one side's order: made, named as ours, looked at. The peer is made in the parent at once. */
static void test_veth(void **state)
{
	const struct network_device device = {.name = "veth0", .kind = NETWORK_VETH, .peer = "p0",
		.master = "br0", .mtu = 1400, .has_mac = true, .mac = {2, 0, 0, 0, 0, 5}};
	const struct net_link link = {.name = "veth0", .altname = "nsaux:made:a:veth0", .device = &device};
	const struct net_step step = {.kind = NET_LINK_ADD, .link = &link};
	const struct nlattr *peer, *list;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.role[0], NET_ROLE_CREATE);
	assert_int_equal(s.role[1], NET_ROLE_ALTNAME);
	assert_int_equal(s.role[2], NET_ROLE_LOOK);
	assert_int_equal(s.role[3], NET_ROLE_PEER);
	assert_true(!s.is_parent[0] && !s.is_parent[1] && !s.is_parent[2] && s.is_parent[3]);
	check_text(attr(&s, 0, LINK, IFLA_IFNAME), "veth0");
	check_u32(attr(&s, 0, LINK, IFLA_MTU), 1400);
	check_text(nested(attr(&s, 0, LINK, IFLA_LINKINFO), IFLA_INFO_KIND), "veth");
	peer = nested(nested(attr(&s, 0, LINK, IFLA_LINKINFO), IFLA_INFO_DATA), VETH_INFO_PEER);
	assert_non_null(peer);
	check_text(nla_find((struct nlattr *)((char *)nla_data(peer) + LINK), nla_len(peer) - (int)LINK,
			   IFLA_IFNAME), "p0");
	check_u32(nla_find((struct nlattr *)((char *)nla_data(peer) + LINK), nla_len(peer) - (int)LINK,
			  IFLA_NET_NS_FD), 51);
	assert_int_equal(nlmsg_hdr(s.msg[1])->nlmsg_type, RTM_NEWLINKPROP);
	list = attr(&s, 1, LINK, IFLA_PROP_LIST);
	check_text(nested(list, IFLA_ALT_IFNAME), "nsaux:made:a:veth0");
	check_u32(attr(&s, 3, LINK, IFLA_MASTER), 8);
	assert_true(((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(s.msg[3])))->ifi_flags & IFF_UP);
	forget(&s);
}

/* On top of a device of the parent, made in the namespace all the same. */
static void test_macvlan_vlan(void **state)
{
	struct network_device device = {.name = "m0", .kind = NETWORK_MACVLAN, .link = "low",
		.macvlan_mode = MACVLAN_MODE_BRIDGE};
	const struct net_link link = {.name = "m0", .altname = "nsaux:made:a:m0", .device = &device};
	const struct net_step step = {.kind = NET_LINK_ADD, .link = &link};
	const struct nlattr *data;
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	assert_int_equal(s.count, 3);
	assert_true(!s.is_parent[0]);
	check_u32(attr(&s, 0, LINK, IFLA_LINK), 7);
	check_u32(attr(&s, 0, LINK, IFLA_LINK_NETNSID), 6);
	check_u32(nested(nested(attr(&s, 0, LINK, IFLA_LINKINFO), IFLA_INFO_DATA), IFLA_MACVLAN_MODE),
		MACVLAN_MODE_BRIDGE);
	forget(&s);
	device = (struct network_device){.name = "m0", .kind = NETWORK_VLAN, .link = "eth0",
		.link_is_own = true, .vlan_id = 100, .vlan_protocol = ETH_P_8021AD};
	see_step(&s, &step);
	check_u32(attr(&s, 0, LINK, IFLA_LINK), 12);
	assert_null(attr(&s, 0, LINK, IFLA_LINK_NETNSID));
	data = nested(attr(&s, 0, LINK, IFLA_LINKINFO), IFLA_INFO_DATA);
	assert_int_equal(nla_get_u16(nested(data, IFLA_VLAN_ID)), 100);
	assert_int_equal(nla_get_u16(nested(data, IFLA_VLAN_PROTOCOL)), htons(ETH_P_8021AD));
	forget(&s);
	snprintf(device.link, sizeof(device.link), "eth9");
	assert_int_equal(net_step_requests(&step, &site, see, &s), -ENODEV);
	assert_int_equal(s.count, 0);
}

static void test_move(void **state)
{
	const struct network_device device = {.name = "eth7", .kind = NETWORK_MOVE, .link = "phys"};
	struct net_link link = {.name = "eth7", .altname = "nsaux:from:a:phys", .device = &device};
	struct net_step step = {.kind = NET_LINK_MOVE, .link = &link};
	struct seen s = {0};

	(void)state;
	/* With the name that somebody else's end has left taken away. */
	see_step(&s, &step);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.role[0], NET_ROLE_OLD_NAME);
	check_text(nested(attr(&s, 0, LINK, IFLA_PROP_LIST), IFLA_ALT_IFNAME), "nsaux:from:old:phys");
	assert_int_equal(s.role[1], NET_ROLE_ALTNAME);
	assert_int_equal(s.role[2], NET_ROLE_CREATE);
	assert_true(s.is_parent[0] && s.is_parent[1] && s.is_parent[2] && !s.is_parent[3]);
	assert_int_equal(((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(s.msg[2])))->ifi_index, 9);
	check_u32(attr(&s, 2, LINK, IFLA_NET_NS_FD), 50);
	check_text(attr(&s, 2, LINK, IFLA_IFNAME), "eth7");
	forget(&s);
	/* And back: without its name first, since then it is gone. */
	step.kind = NET_LINK_RETURN;
	link.index = 4;
	see_step(&s, &step);
	assert_int_equal(s.count, 2);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_type, RTM_DELLINKPROP);
	check_u32(attr(&s, 1, LINK, IFLA_NET_NS_FD), 51);
	check_text(attr(&s, 1, LINK, IFLA_IFNAME), "phys");
	forget(&s);
}

static void test_set(void **state)
{
	struct net_link old = {.index = 4, .name = "eth1", .mtu = 1500, .has_mac = true};
	struct net_link link = {.name = "eth5", .mtu = 1400};
	struct net_step step = {.kind = NET_LINK_SET, .link = &link, .old.link = &old};
	struct seen s = {0};

	(void)state;
	see_step(&s, &step);
	check_text(attr(&s, 0, LINK, IFLA_IFNAME), "eth5");
	check_u32(attr(&s, 0, LINK, IFLA_MTU), 1400);
	assert_null(attr(&s, 0, LINK, IFLA_ADDRESS));
	assert_int_equal(((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(s.msg[0])))->ifi_index, 4);
	forget(&s);
	step = (struct net_step){.kind = NET_LINK_DEL, .link = &old};
	see_step(&s, &step);
	assert_int_equal(nlmsg_hdr(s.msg[0])->nlmsg_type, RTM_DELLINK);
	forget(&s);
	step.kind = NET_SYSCTL;
	assert_int_equal(net_step_requests(&step, &site, see, &s), -EINVAL);
}

/* All requests are longest with the longest names. */
static void test_room(void **state)
{
	const struct network_device device = {.name = "fifteen-letters", .kind = NETWORK_VETH,
		.peer = "fifteen-letterz", .master = "br0", .mtu = 1400, .has_mac = true};
	struct net_link link = {.name = "fifteen-letters", .device = &device};
	const struct net_step step = {.kind = NET_LINK_ADD, .link = &link};
	struct net_batch batch;
	struct seen s = {0};
	int rc = 0;

	(void)state;
	memset(link.altname, 'x', NET_ALTNAME_MAX);
	see_step(&s, &step);
	net_batch_init(&batch, -1);
	for (size_t i = 0; i < s.count; i++)
		assert_int_equal(net_batch_add(&batch, s.msg[i]), i);
	while (rc >= 0)
		rc = net_batch_add(&batch, s.msg[0]);
	assert_int_equal(rc, -ENOBUFS);
	assert_true(batch.count <= NET_BATCH_MAX);
	forget(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_bytes),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_route_kinds),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_veth),
		cmocka_unit_test(test_macvlan_vlan),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
