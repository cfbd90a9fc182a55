/* SPDX-License-Identifier: BSD-3-Clause */
/* What somebody else made: it counts, or is in the way, and is never touched. And whose leftovers
 * go; what the keeper leaves alone. */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_private.h"
#include "net_rig.h"

static int setup(void **state)
{
	struct rig *rig = malloc(sizeof(*rig));

	if (!rig)
		return -1;
	rig_init(rig);
	rig_link(rig, "d0");
	rig_link(rig, "d1");
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	free(*state);
	return 0;
}

static void refused(struct rig *rig, int error, const char *told)
{
	assert_int_equal(rig_diff(rig), error);
	rig_expect_told(rig, told);
	rig_expect(rig, "");
}

/* ---- devices */

static void no_such_device(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev nope\n");
	refused(rig, -ENODEV, "error a:5: there is no device 'nope'\n");
}

static void no_such_claimed_device(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Device=nope\n");
	refused(rig, -ENODEV, "error a:5: there is no device 'nope'\n");
}

static void no_lower_device(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "e0");
	rig_namespace(rig, "t", "Device=v vlan id 5 link e1\n");
	refused(rig, -ENODEV, "error t:2: there is no device 'e1'\n");
}

static void no_master(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "e0");
	rig_namespace(rig, "t", "Device=eth0 veth peer p0 master br0\n");
	refused(rig, -ENODEV, "error t:2: there is no device 'br0'\n");
}

static void no_device_to_bring_in(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "e0");
	rig_namespace(rig, "t", "Device=e1\n");
	refused(rig, -ENODEV, "error t:2: there is no device 'e1'\n");
}

static void peer_name_is_taken(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "p0");
	rig_namespace(rig, "t", "Device=eth0 veth peer p0\n");
	refused(rig, -EEXIST,
		"error t:2: there is a device 'p0' already, which is not the peer of 'eth0'\n");
}

static void device_of_another_kind(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "e0");
	rig_namespace(rig, "t", "Device=d0 macvlan link e0\n");
	refused(rig, -EEXIST,
		"error t:2: there is a device 'd0' already, which is of another kind and somebody "
		"else's\n");
}

static void device_of_the_same_kind_counts(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "e0");
	rig_link(rig, "eth0")->kind = NETWORK_VETH;
	rig_namespace(rig, "t", "Device=eth0 veth peer p0 mtu 1400\nAddress=10.0.0.5/24\n");
	rig_apply(rig);
	rig_expect(rig, "add route 10.0.0.0/24 dev eth0 table 254\n"
			"add address 10.0.0.5/24 dev eth0\n");
	rig_forget(rig);
	rig_apply(rig);
	rig_expect(rig, "remove address 10.0.0.5/24 dev eth0\n"
			"remove route 10.0.0.0/24 dev eth0 table 254\n");
}

static void renamed_device_gets_its_name_back(void **state)
{
	struct rig *rig = *state;

	rig->has_parent = true;
	rig_namespace(rig, "t", "Device=eth0 veth peer p0\nAddress=10.0.0.5/24\n");
	rig_apply(rig);
	memcpy(rig->have.links[rig->have.link_count - 1].name, "other", 6);
	rig_apply(rig);
	rig_expect(rig, "change device eth0\n");
}

/* The peer was moved to a client's namespace; another device has its index now. */
static void peer_that_moved_is_left_alone(void **state)
{
	struct rig *rig = *state;

	rig_parent_link(rig, "br0");
	rig_namespace(rig, "t", "Device=eth0 veth peer p0 master br0\n");
	rig_apply(rig);
	memcpy(rig->parent.links[1].name, "xx", 3);
	rig->parent.links[1].is_up = false;
	rig_apply(rig);
	rig_expect(rig, "");
}

static void device_that_is_down(void **state)
{
	struct rig *rig = *state;

	rig->have.links[1].is_up = false;
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	assert_int_equal(rig_diff(rig), 0);
	rig_expect_told(rig,
		"warning a:5: the device 'd0' is not up, and is not ours to set up\n");
	rig_expect(rig, "add route unreachable default table 10 metric 4278198272\n"
			"add route unreachable default (IPv6) table 10 metric 4278198272\n"
			"add rule from 10.0.0.5 lookup 10\n"
			"add rule fwmark 0x1 lookup 10\n"
			"add rule fwmark 0x1 lookup 10 (IPv6)\n");
}

/* ---- addresses, routes, rules */

static void address_counts(void **state)
{
	struct rig *rig = *state;

	rig_addr(rig, "10.0.0.5/24", "d0");
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	rig_apply(rig);
	rig_expect(rig, "add route unreachable default table 10 metric 4278198272\n"
			"add route unreachable default (IPv6) table 10 metric 4278198272\n"
			"add route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
			"add rule from 10.0.0.5 lookup 10\n"
			"add rule fwmark 0x1 lookup 10\n"
			"add rule fwmark 0x1 lookup 10 (IPv6)\n");
	rig_forget(rig);
	rig_apply(rig);
	assert_int_equal(rig->have.addr_count, 1);
}

static void address_on_another_device(void **state)
{
	struct rig *rig = *state;

	rig_addr(rig, "10.0.0.5/24", "d1");
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	refused(rig, -EEXIST,
		"error a:5: somebody else has configured the address 10.0.0.5/24 on the device "
		"'d1' already\n");
}

static void address_of_another_length(void **state)
{
	struct rig *rig = *state;

	rig->has_parent = true;
	rig_addr(rig, "10.0.0.5/16", "d0");
	rig_namespace(rig, "t", "Device=d0 present\nAddress=10.0.0.5/24\n");
	refused(rig, -EEXIST,
		"error t:3: somebody else has configured the address 10.0.0.5/16 on the device "
		"'d0' already\n");
}

static void link_local_address_on_two_devices(void **state)
{
	struct rig *rig = *state;

	rig_addr(rig, "fe80::1/64", "d1");
	rig_mark(rig, "a", 1, "Address=fe80::1/64 dev d0\n");
	rig_apply(rig);
	assert_non_null(strstr(rig->steps, "add address fe80::1/64 dev d0\n"));
}

static void others_address_is_not_taken_along(void **state)
{
	struct rig *rig = *state;
	struct net_addr *second;

	rig->has_parent = true;
	rig_namespace(rig, "t", "Device=eth0 veth peer p0\nAddress=10.0.0.5/24\n");
	rig_apply(rig);
	second = rig_addr(rig, "10.0.0.77/24", "eth0");
	second->is_secondary = true;
	rig_forget(rig);
	rig_namespace(rig, "t", "Device=eth0 veth peer p0\n");
	assert_int_equal(rig_diff(rig), 0);
	rig_expect_told(rig, "warning -:0: 10.0.0.5/24 stays, since Linux would remove others' "
			     "addresses with it\n");
	rig_expect(rig, "remove route 10.0.0.0/24 dev eth0 table 254\n");
}

static void rule_counts(void **state)
{
	struct rig *rig = *state;

	rig_rule(rig, NETWORK_RULE_FROM, "10.0.2.0/28", 10);
	rig_mark(rig, "a", 1, "Pool=10.0.2.0/28\n");
	rig_apply(rig);
	assert_null(strstr(rig->steps, "from"));
}

static void rule_is_in_the_way(void **state)
{
	struct rig *rig = *state;
	struct net_rule *rule = rig_rule(rig, NETWORK_RULE_FROM, "10.0.2.0/28", 99);
	char told[256];

	snprintf(told, sizeof(told),
		"error a:5: there is a rule of somebody else already: %u: from 10.0.2.0/28 "
		"fwmark 0 lookup 99\n",
		rule->priority);
	rig_mark(rig, "a", 1, "Pool=10.0.2.0/28\n");
	refused(rig, -EEXIST, told);
}

static void odd_rule_does_not_count(void **state)
{
	struct rig *rig = *state;

	rig_rule(rig, NETWORK_RULE_FROM, "10.0.2.0/28", 10)->is_odd = true;
	rig_mark(rig, "a", 1, "Pool=10.0.2.0/28\n");
	assert_int_equal(rig_diff(rig), 0);
	assert_non_null(strstr(rig->steps, "add rule from 10.0.2.0/28 lookup 10\n"));
}

static void route_of_the_kernel_counts(void **state)
{
	struct rig *rig = *state;

	rig->has_parent = true;
	rig_addr(rig, "10.0.0.1/24", "d0");
	rig_route(rig, RT_TABLE_MAIN, "10.0.0.0/24", "d0")->src = rig_prefix("10.0.0.1");
	rig_namespace(rig, "t", "Device=d0 present\nAddress=10.0.0.5/24\n");
	rig_apply(rig);
	rig_expect(rig, "add address 10.0.0.5/24 dev d0\n");
}

static void route_is_in_the_way(void **state)
{
	struct rig *rig = *state;

	rig_route(rig, 10, "10.0.0.0/24", "d1");
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	refused(rig, -EEXIST,
		"error a:5: table 10 has a route of somebody else to 10.0.0.0/24 already\n");
}

static void route_with_several_hops_is_in_the_way(void **state)
{
	struct rig *rig = *state;

	rig_route(rig, 10, "10.0.0.0/24", "d0")->is_odd = true;
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	refused(rig, -EEXIST,
		"error a:5: table 10 has a route of somebody else to 10.0.0.0/24 already\n");
}

static void without_ipv6(void **state)
{
	struct rig *rig = *state;

	rig->have.has_ipv6 = false;
	rig_mark(rig, "a", 1, "");
	rig_apply(rig);
	rig_expect(rig, "add route unreachable default table 10 metric 4278198272\n"
			"add rule fwmark 0x1 lookup 10\n");
	rig_mark(rig, "b", 2, "Address=2001:db8::5/64 dev d0\n");
	refused(rig, -EAFNOSUPPORT, "error b:5: the kernel has no IPv6\n");
}

/* ---- some VSs of several */

static void two_vss(struct rig *rig, const char *a, const char *b)
{
	rig_forget(rig);
	rig_mark(rig, "a", 1, a);
	rig_mark(rig, "b", 2, b);
}

static void unnamed_vs_is_left_alone(void **state)
{
	struct rig *rig = *state;

	two_vss(rig, "Address=10.0.0.5/24 dev d0\n", "Address=10.0.1.5/24 dev d0\nPool=10.2.0.0/16\n");
	rig_apply(rig);
	two_vss(rig, "", "Address=10.0.1.6/24 dev d1\n");
	rig->group.is_full = false;
	rig->members[1].wish = NET_LEAVE;
	rig_apply(rig);
	rig_expect(rig, "remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
			"remove address 10.0.0.5 dev d0\n"
			"remove rule from 10.0.0.5 lookup 10\n");
}

static void one_vs_down(void **state)
{
	struct rig *rig = *state;

	two_vss(rig, "Address=10.0.0.5/24 dev d0\n", "Address=10.0.1.5/24 dev d0\n");
	rig_apply(rig);
	rig->group.is_full = false;
	rig->members[0].wish = NET_ABSENT;
	rig->members[1].wish = NET_LEAVE;
	rig_apply(rig);
	rig_expect(rig, "remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
			"remove address 10.0.0.5 dev d0\n"
			"remove rule fwmark 0x1 lookup 10\n"
			"remove rule from 10.0.0.5 lookup 10\n"
			"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
			"remove route unreachable default table 10 metric 4278198272\n"
			"remove route unreachable default (IPv6) table 10 metric 4278198272\n");
}

static void former_table_of_a_named_vs_goes(void **state)
{
	struct rig *rig = *state;

	rig_vs(rig, "a", "Flavour=mark\nMark=1\nTable=70\n");
	rig_apply(rig);
	two_vss(rig, "", "");
	rig->group.is_full = false;
	rig->members[1].wish = NET_LEAVE;
	rig_apply(rig);
	assert_non_null(strstr(rig->steps, "remove route unreachable default table 70"));
	assert_null(strstr(rig->steps, "table 20"));
}

static void address_is_taken_over_from_an_unnamed_vs(void **state)
{
	struct rig *rig = *state;

	two_vss(rig, "", "Address=10.0.0.5/24 dev d0\nAddress=10.0.0.6/24 dev d0\n");
	rig_apply(rig);
	two_vss(rig, "Address=10.0.0.5/24 dev d0\n", "Address=10.0.0.6/24 dev d0\n");
	rig->group.is_full = false;
	rig->members[1].wish = NET_LEAVE;
	rig_apply(rig);
	rig_expect(rig, "add rule fwmark 0x1 unreachable\n"
			"remove rule fwmark 0x1 lookup 10\n"
			"change route 10.0.0.0/24 dev d0 src 10.0.0.6 table 20\n"
			"remove address 10.0.0.5 dev d0\n"
			"add route 10.0.0.0/24 dev d0 table 10\n"
			"add rule from 10.0.0.5 lookup 10\n"
			"remove rule from 10.0.0.5 lookup 20\n"
			"add address 10.0.0.5 dev d0\n"
			"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10 (late)\n"
			"add rule fwmark 0x1 lookup 10\n"
			"remove rule fwmark 0x1 unreachable\n");
}

static void others_leftovers_stay_unless_all_are_compared(void **state)
{
	struct rig *rig = *state;

	rig_rule(rig, NETWORK_RULE_FROM, "10.77.0.0/16", 77)->is_ours = true;
	rig_route(rig, 77, "10.77.0.0/16", "d0")->is_ours = true;
	rig_addr(rig, "10.77.0.1", "d0")->is_ours = true;
	rig_mark(rig, "a", 1, "");
	rig->group.is_full = false;
	rig_apply(rig);
	assert_null(strstr(rig->steps, "77"));
	rig->group.is_full = true;
	rig_apply(rig);
	rig_expect(rig, "remove address 10.77.0.1 dev 2\n"
			"remove rule from 10.77.0.0/16 lookup 77\n"
			"remove route 10.77.0.0/16 dev 2 table 77\n");
}

/* ---- the keeper */

static void keeper_makes_no_address(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\nGateway=10.0.0.1\n");
	rig->group.is_keeper = true;
	rig_apply(rig);
	rig_expect(rig, "add route unreachable default table 10 metric 4278198272\n"
			"add route unreachable default (IPv6) table 10 metric 4278198272\n"
			"add rule from 10.0.0.5 lookup 10\n"
			"add rule fwmark 0x1 lookup 10\n"
			"add rule fwmark 0x1 lookup 10 (IPv6)\n");
	rig_addr(rig, "10.0.0.5", "d0")->is_ours = true;
	rig_apply(rig);
	rig_expect(rig, "add route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
			"add route default via 10.0.0.1 dev d0 src 10.0.0.5 table 10\n");
}

static void keeper_replaces_a_source_that_went(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\nAddress=10.0.0.6/24 dev d0\n");
	rig_apply(rig);
	rig->group.is_keeper = true;
	assert_int_equal(rig->have.addrs[0].prefix.bytes[3], 5);
	rig->have.addrs[0] = rig->have.addrs[1];
	rig->have.addr_count = 1;
	rig_apply(rig);
	rig_expect(rig, "change route 10.0.0.0/24 dev d0 src 10.0.0.6 table 10\n");
	rig->have.addr_count = 0;
	rig_apply(rig);
	rig_expect(rig, "remove route 10.0.0.0/24 dev d0 src 10.0.0.6 table 10\n");
}

static void keeper_leaves_what_an_address_needs(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	rig_apply(rig);
	rig_forget(rig);
	rig->group.is_keeper = true;
	rig_apply(rig);
	rig_expect(rig, "remove rule fwmark 0x1 lookup 10\n"
			"remove rule fwmark 0x1 lookup 10 (IPv6)\n");
	rig->have.addr_count = 0;
	rig_apply(rig);
	rig_expect(rig, "remove rule from 10.0.0.5 lookup 10\n"
			"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
			"remove route unreachable default table 10 metric 4278198272\n"
			"remove route unreachable default (IPv6) table 10 metric 4278198272\n");
}

static void keeper_passes_over_what_is_in_the_way(void **state)
{
	struct rig *rig = *state;

	rig_addr(rig, "10.0.0.5/24", "d0");
	rig_route(rig, 10, "10.0.0.0/24", "d1");
	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\nDevice=nope\n");
	rig->group.is_keeper = true;
	rig_apply(rig);
	rig_expect_told(rig, "warning a:5: table 10 has a route of somebody else to 10.0.0.0/24 "
			     "already\n");
}

static void keeper_leaves_the_main_table(void **state)
{
	struct rig *rig = *state;

	rig_route(rig, RT_TABLE_MAIN, "10.9.0.0/16", "d0")->is_ours = true;
	rig->group.is_keeper = true;
	rig_apply(rig);
	rig_expect(rig, "");
}

static void keeper_waits_for_an_address_that_is_tentative(void **state)
{
	struct rig *rig = *state;
	struct net_addr *addr = rig_addr(rig, "2001:db8::5/64", "d0");

	addr->is_tentative = true;
	rig_mark(rig, "a", 1, "Device=d0\n");
	rig->group.is_keeper = true;
	rig_apply(rig);
	assert_non_null(strstr(rig->steps, "add rule from 2001:db8::5 lookup 10 (IPv6)\n"));
	assert_null(strstr(rig->steps, "2001:db8::/64"));
	rig->have.addrs[0].is_tentative = false;
	rig_apply(rig);
	rig_expect(rig, "add route 2001:db8::/64 dev d0 src 2001:db8::5 table 10 metric 1024\n");
}

/* ---- interrupted */

static void closed_rule_of_a_crash_goes(void **state)
{
	struct rig *rig = *state;

	rig_mark(rig, "a", 1, "Address=10.0.0.5/24 dev d0\n");
	assert_int_equal(rig_diff(rig), 0);
	rig->plan.count = 6;
	rig_run(rig);
	rig_apply(rig);
	rig_expect(rig, "add address 10.0.0.5 dev d0\n"
			"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10 (late)\n"
			"add rule fwmark 0x1 lookup 10\n"
			"remove rule fwmark 0x1 unreachable\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_such_device),
		T(no_such_claimed_device),
		T(no_lower_device),
		T(no_master),
		T(no_device_to_bring_in),
		T(peer_name_is_taken),
		T(device_of_another_kind),
		T(device_of_the_same_kind_counts),
		T(renamed_device_gets_its_name_back),
		T(peer_that_moved_is_left_alone),
		T(device_that_is_down),
		T(address_counts),
		T(address_on_another_device),
		T(address_of_another_length),
		T(link_local_address_on_two_devices),
		T(others_address_is_not_taken_along),
		T(rule_counts),
		T(rule_is_in_the_way),
		T(odd_rule_does_not_count),
		T(route_of_the_kernel_counts),
		T(route_is_in_the_way),
		T(route_with_several_hops_is_in_the_way),
		T(without_ipv6),
		T(unnamed_vs_is_left_alone),
		T(one_vs_down),
		T(former_table_of_a_named_vs_goes),
		T(address_is_taken_over_from_an_unnamed_vs),
		T(others_leftovers_stay_unless_all_are_compared),
		T(keeper_makes_no_address),
		T(keeper_replaces_a_source_that_went),
		T(keeper_leaves_what_an_address_needs),
		T(keeper_passes_over_what_is_in_the_way),
		T(keeper_leaves_the_main_table),
		T(keeper_waits_for_an_address_that_is_tentative),
		T(closed_rule_of_a_crash_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
