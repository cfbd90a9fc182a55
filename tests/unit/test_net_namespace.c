/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A namespace VS: from one configuration to another, which steps in which order. The parent has
 * bridges br0 and br1 and devices e0 and e1; down0 is in the VS's namespace, and down. The model
 * does the steps.
 */
#include "config.h"

#include "net_rig.h"

/* The lines of [Network]; none: there is no such VS. */
struct change {
	const char *name;
	const char *before[1], *after[1], *steps;
};

static const struct change changes[] = {
	{
		"everything_at_once",
		{NULL},
		{
			"Device=eth0 veth peer p0 master br0 mtu 9000 mac 02:00:00:00:00:01\n"
			"Address=10.0.0.5/24\n"
			"Address=2001:db8::5/64 nodad\n"
			"Gateway=10.0.0.1\n"
			"Sysctl=net.ipv4.ip_forward = 1\n"
			"NftFile=/x.nft\n",
		},
		"add device eth0\n"
		"set net/ipv4/ip_forward = 1\n"
		"load /x.nft\n"
		"set up device eth0\n"
		"set up device lo\n"
		"add route 10.0.0.0/24 dev eth0 table 254\n"
		"add route 2001:db8::/64 dev eth0 table 254 metric 1024\n"
		"add route default via 10.0.0.1 dev eth0 table 254\n"
		"add address 10.0.0.5/24 dev eth0\n"
		"add address 2001:db8::5/64 dev eth0\n",
	},
	{
		"mtu_changes",
		{"Device=eth0 veth peer p0"},
		{"Device=eth0 veth peer p0 mtu 1400"},
		"change device eth0\n",
	},
	{
		"mac_changes",
		{"Device=eth0 veth peer p0 mac 02:00:00:00:00:01"},
		{"Device=eth0 veth peer p0 mac 02:00:00:00:00:02"},
		"change device eth0\n",
	},
	{
		"master_changes",
		{"Device=eth0 veth peer p0 master br0"},
		{"Device=eth0 veth peer p0 master br1"},
		"change peer of device eth0\n",
	},
	{
		"peer_changes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24"},
		{"Device=eth0 veth peer p1\nAddress=10.0.0.5/24"},
		"",
	},
	{
		"kind_changes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nGateway=10.0.0.1"},
		{"Device=eth0 macvlan link e0\nAddress=10.0.0.5/24\nGateway=10.0.0.1"},
		"remove address 10.0.0.5/24 dev eth0\n"
		"remove device eth0\n"
		"add device eth0\n"
		"set up device eth0\n"
		"add route 10.0.0.0/24 dev eth0 table 254\n"
		"add route default via 10.0.0.1 dev eth0 table 254\n"
		"add address 10.0.0.5/24 dev eth0\n",
	},
	{
		"vlan_id_changes",
		{"Device=v vlan id 5 link e0"},
		{"Device=v vlan id 6 link e0"},
		"remove device v\n"
		"add device v\n"
		"set up device v\n",
	},
	{
		"lower_device_changes",
		{"Device=v vlan id 5 link e0"},
		{"Device=v vlan id 5 link e1"},
		"remove device v\n"
		"add device v\n"
		"set up device v\n",
	},
	{
		"macvlan_mode_changes",
		{"Device=v macvlan link e0 mode bridge"},
		{"Device=v macvlan link e0 mode private"},
		"remove device v\n"
		"add device v\n"
		"set up device v\n",
	},
	{
		"vlan_on_own_device",
		{NULL},
		{"Device=v vlan id 5 link eth0\nDevice=eth0 veth peer p0"},
		"add device eth0\n"
		"add device v\n"
		"set up device eth0\n"
		"set up device lo\n"
		"set up device v\n",
	},
	{
		"lower_device_is_made_again",
		{
			"Device=v vlan id 5 link eth0\n"
			"Device=eth0 veth peer p0\n"
			"Address=10.0.0.5/24 dev v\n",
		},
		{
			"Device=v vlan id 5 link eth0\n"
			"Device=eth0 macvlan link e0\n"
			"Address=10.0.0.5/24 dev v\n",
		},
		"remove address 10.0.0.5/24 dev v\n"
		"remove device v\n"
		"remove device eth0\n"
		"add device eth0\n"
		"add device v\n"
		"set up device eth0\n"
		"set up device v\n"
		"add route 10.0.0.0/24 dev v table 254\n"
		"add address 10.0.0.5/24 dev v\n",
	},
	{
		"device_goes",
		{
			"Device=eth0 veth peer p0\n"
			"Device=eth1 veth peer p1\n"
			"Address=10.0.0.5/24 dev eth0\n"
			"Address=10.0.1.5/24 dev eth1\n",
		},
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24 dev eth0"},
		"remove address 10.0.1.5/24 dev eth1\n"
		"remove route 10.0.1.0/24 dev eth1 table 254\n"
		"remove device eth1\n",
	},
	{
		"device_of_another_name",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24"},
		{"Device=eth1 veth peer p0\nAddress=10.0.0.5/24"},
		"remove address 10.0.0.5/24 dev eth0\n"
		"remove device eth0\n"
		"add device eth1\n"
		"set up device eth1\n"
		"add route 10.0.0.0/24 dev eth1 table 254\n"
		"add address 10.0.0.5/24 dev eth1\n",
	},
	{
		"device_brought_in",
		{NULL},
		{"Device=lan0 move link e0\nAddress=10.0.0.5/24"},
		"move device lan0\n"
		"set up device lan0\n"
		"set up device lo\n"
		"add route 10.0.0.0/24 dev lan0 table 254\n"
		"add address 10.0.0.5/24 dev lan0\n",
	},
	{
		"device_given_back",
		{"Device=lan0 move link e0\nAddress=10.0.0.5/24"},
		{NULL},
		"remove address 10.0.0.5/24 dev lan0\n"
		"remove route 10.0.0.0/24 dev lan0 table 254\n"
		"give back device lan0\n",
	},
	{
		"present_device_set_up",
		{NULL},
		{"Device=down0 present\nAddress=10.0.0.5/24"},
		"set up device down0\n"
		"set up device lo\n"
		"add route 10.0.0.0/24 dev down0 table 254\n"
		"add address 10.0.0.5/24 dev down0\n",
	},
	{
		"first_address_of_a_network_goes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nAddress=10.0.0.6/24"},
		{"Device=eth0 veth peer p0\nAddress=10.0.0.6/24"},
		"remove address 10.0.0.6/24 dev eth0\n"
		"remove address 10.0.0.5/24 dev eth0\n"
		"add route 10.0.0.0/24 dev eth0 table 254\n"
		"add address 10.0.0.6/24 dev eth0\n",
	},
	{
		"second_address_of_a_network_goes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nAddress=10.0.0.6/24"},
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24"},
		"remove address 10.0.0.6/24 dev eth0\n",
	},
	{
		"length_changes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24"},
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/25"},
		"add route 10.0.0.0/25 dev eth0 table 254\n"
		"add address 10.0.0.5/25 dev eth0\n"
		"remove address 10.0.0.5/24 dev eth0\n"
		"remove route 10.0.0.0/24 dev eth0 table 254\n",
	},
	{
		"length_changes_ipv6",
		{"Device=eth0 veth peer p0\nAddress=2001:db8::5/64"},
		{"Device=eth0 veth peer p0\nAddress=2001:db8::5/80"},
		"remove address 2001:db8::5/64 dev eth0\n"
		"add route 2001:db8::/80 dev eth0 table 254 metric 1024\n"
		"add address 2001:db8::5/80 dev eth0\n"
		"remove route 2001:db8::/64 dev eth0 table 254 metric 1024\n",
	},
	{
		"renumbered",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nGateway=10.0.0.1"},
		{"Device=eth0 veth peer p0\nAddress=10.0.1.5/24\nGateway=10.0.1.1"},
		"add route 10.0.1.0/24 dev eth0 table 254\n"
		"change route default via 10.0.1.1 dev eth0 table 254\n"
		"add address 10.0.1.5/24 dev eth0\n"
		"remove address 10.0.0.5/24 dev eth0\n"
		"remove route 10.0.0.0/24 dev eth0 table 254\n",
	},
	{
		"gateway_changes",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nGateway=10.0.0.1"},
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24\nGateway=10.0.0.2"},
		"change route default via 10.0.0.2 dev eth0 table 254\n",
	},
	{
		"route_names_a_source",
		{"Device=eth0 veth peer p0\nAddress=10.0.0.5/24"},
		{
			"Device=eth0 veth peer p0\n"
			"Address=10.0.0.5/24\n"
			"Address=10.0.0.6/24\n"
			"Route=10.9.0.0/16 via 10.0.0.1 src 10.0.0.6\n",
		},
		"add route 10.9.0.0/16 via 10.0.0.1 dev eth0 table 254\n"
		"add address 10.0.0.6/24 dev eth0\n"
		"change route 10.9.0.0/16 via 10.0.0.1 dev eth0 src 10.0.0.6 table 254 (late)\n",
	},
	{
		"sysctl_alone",
		{NULL},
		{"Device=lo\nSysctl=net.ipv4.ip_forward = 1"},
		"set net/ipv4/ip_forward = 1\n"
		"set up device lo\n",
	},
};
#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static void make_vs(struct rig *rig, const char *const *vs)
{
	rig_forget(rig);
	if (vs[0])
		rig_namespace(rig, "t", vs[0]);
}

static void change(void **state)
{
	static const char *const outside[] = {"br0", "br1", "e0", "e1"};
	const struct change *c = *state;
	struct rig rig;

	rig_init(&rig);
	rig.have.links[0].is_up = false;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		rig_parent_link(&rig, outside[i]);
	rig_link(&rig, "down0")->is_up = false;
	make_vs(&rig, c->before);
	rig_apply(&rig);
	make_vs(&rig, c->after);
	rig_apply(&rig);
	rig_expect(&rig, c->steps);
	rig_expect_told(&rig, "");
	rig_free(&rig);
}

int main(void)
{
	struct CMUnitTest tests[CHANGES];

	for (size_t i = 0; i < CHANGES; i++) {
		void *c = (void *)(uintptr_t)&changes[i];

		tests[i] = (struct CMUnitTest){changes[i].name, change, NULL, NULL, c};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
