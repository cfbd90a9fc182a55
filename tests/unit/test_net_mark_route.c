/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark VSs whose marks, tables, pools, routes and claims change, and those that go. */
#include "config.h"

#include "net_change.h"

static const struct net_change changes[] = {
	{
		"mark_changes",
		{"a 1 10\nAddress=10.0.0.5/24 dev d0"},
		{"a 3 10\nAddress=10.0.0.5/24 dev d0"},
		"add rule fwmark 0x3 lookup 10\n"
		"add rule fwmark 0x3 lookup 10 (IPv6)\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n",
	},
	{
		"marks_change_places",
		{"a 1 10", "b 2 20"},
		{"a 2 10", "b 1 20"},
		"add rule fwmark 0x1 lookup 20\n"
		"add rule fwmark 0x2 lookup 10\n"
		"add rule fwmark 0x1 lookup 20 (IPv6)\n"
		"add rule fwmark 0x2 lookup 10 (IPv6)\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x2 lookup 20\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove rule fwmark 0x2 lookup 20 (IPv6)\n",
	},
	{
		"table_changes",
		{"a 1 10\nAddress=10.0.0.5/24 dev d0"},
		{"a 1 30\nAddress=10.0.0.5/24 dev d0"},
		"add rule fwmark 0x1 unreachable\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"add route unreachable default table 30 metric 4278198272\n"
		"add route unreachable default (IPv6) table 30 metric 4278198272\n"
		"add route 10.0.0.0/24 dev d0 table 30\n"
		"add rule from 10.0.0.5 lookup 30\n"
		"add rule fwmark 0x1 lookup 30 (IPv6)\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
		"add address 10.0.0.5 dev d0\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 30 (late)\n"
		"add rule fwmark 0x1 lookup 30\n"
		"remove rule fwmark 0x1 unreachable\n"
		"remove route unreachable default table 10 metric 4278198272\n"
		"remove route unreachable default (IPv6) table 10 metric 4278198272\n",
	},
	{
		"vs_goes",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		{NULL},
		"remove route default via 10.0.0.254 dev d0 src 10.0.0.5 table 10\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove route unreachable default table 10 metric 4278198272\n"
		"remove route unreachable default (IPv6) table 10 metric 4278198272\n",
	},
	{
		"one_of_two_goes",
		{"a 1\nAddress=10.0.0.5/24 dev d0", "b 2\nAddress=10.0.0.6/24 dev d0"},
		{"b 2\nAddress=10.0.0.6/24 dev d0"},
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove route unreachable default table 10 metric 4278198272\n"
		"remove route unreachable default (IPv6) table 10 metric 4278198272\n",
	},
	{
		"source_of_routes_goes",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.0.6/24 dev d0\n"
			"Gateway=10.0.0.254\n",
		},
		{"a 1\nAddress=10.0.0.6/24 dev d0\nGateway=10.0.0.254"},
		"change route 10.0.0.0/24 dev d0 src 10.0.0.6 table 10\n"
		"change route default via 10.0.0.254 dev d0 src 10.0.0.6 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove rule from 10.0.0.5 lookup 10\n",
	},
	{
		"last_address_goes",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1"},
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove rule from 10.0.0.5 lookup 10\n",
	},
	{
		"network_goes_with_its_address",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nAddress=10.0.1.5/24 dev d1"},
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		"change route 10.0.1.0/24 dev d1 src 10.0.0.5 table 10\n"
		"remove address 10.0.1.5 dev d1\n"
		"remove rule from 10.0.1.5 lookup 10\n"
		"remove route 10.0.1.0/24 dev d1 src 10.0.0.5 table 10\n",
	},
	{
		"renumbered",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		{"a 1\nAddress=10.0.1.5/24 dev d0\nGateway=10.0.1.254"},
		"add route 10.0.1.0/24 dev d0 src 10.0.0.5 table 10\n"
		"change route default via 10.0.1.254 dev d0 src 10.0.0.5 table 10\n"
		"add rule from 10.0.1.5 lookup 10\n"
		"add address 10.0.1.5 dev d0\n"
		"change route 10.0.1.0/24 dev d0 src 10.0.1.5 table 10 (late)\n"
		"change route default via 10.0.1.254 dev d0 src 10.0.1.5 table 10 (late)\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.1.5 table 10 (late)\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.1.5 table 10\n",
	},
	{
		"renumbered_ipv6",
		{"a 1\nAddress=2001:db8::5/64 dev d0\nGateway=2001:db8::1"},
		{"a 1\nAddress=2001:db8:1::5/64 dev d0\nGateway=2001:db8:1::1"},
		"add route 2001:db8:1::/64 dev d0 src 2001:db8::5 table 10 metric 1024\n"
		"change route default (IPv6) via 2001:db8:1::1 dev d0 src 2001:db8::5"
		" table 10 metric 1024\n"
		"add rule from 2001:db8:1::5 lookup 10 (IPv6)\n"
		"add address 2001:db8:1::5/64 dev d0\n"
		"change route 2001:db8:1::/64 dev d0 src 2001:db8:1::5 table 10 metric"
		" 1024 (late)\n"
		"change route default (IPv6) via 2001:db8:1::1 dev d0 src"
		" 2001:db8:1::5 table 10 metric 1024 (late)\n"
		"change route 2001:db8::/64 dev d0 src 2001:db8:1::5 table 10 metric 1024 (late)\n"
		"remove address 2001:db8::5/64 dev d0\n"
		"remove rule from 2001:db8::5 lookup 10 (IPv6)\n"
		"remove route 2001:db8::/64 dev d0 src 2001:db8:1::5 table 10 metric 1024\n",
	},
	{
		"pool_takes_the_place_of_addresses",
		{"a 1\nAddress=10.0.2.5/28 dev d0"},
		{"a 1\nAddress=10.0.2.5/28 dev d0\nPool=10.0.2.0/28"},
		"add rule from 10.0.2.0/28 lookup 10\n"
		"remove rule from 10.0.2.5 lookup 10\n",
	},
	{
		"addresses_take_the_place_of_a_pool",
		{"a 1\nAddress=10.0.2.5/28 dev d0\nPool=10.0.2.0/28"},
		{"a 1\nAddress=10.0.2.5/28 dev d0"},
		"add rule from 10.0.2.5 lookup 10\n"
		"remove rule from 10.0.2.0/28 lookup 10\n",
	},
	{
		"pool_moves_to_another_vs",
		{"a 1\nPool=10.0.2.0/28", "b 2"},
		{"a 1", "b 2\nPool=10.0.2.0/28"},
		"add rule from 10.0.2.0/28 lookup 20\n"
		"remove rule from 10.0.2.0/28 lookup 10\n",
	},
	{
		"own_table_within_a_pool",
		{"a 1\nPool=10.0.2.0/28"},
		{"a 1\nPool=10.0.2.0/28\nAddress=10.0.2.5/28 dev d0 gateway 10.0.2.1"},
		"add rule fwmark 0x1 unreachable\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"add route unreachable default table 11 metric 4278198272\n"
		"add route unreachable default (IPv6) table 11 metric 4278198272\n"
		"add route 10.0.2.0/28 dev d0 table 11\n"
		"add route 10.0.2.0/28 dev d0 table 10\n"
		"add route default via 10.0.2.1 dev d0 table 11\n"
		"add rule from 10.0.2.5 lookup 11 before pools\n"
		"add rule from 10.0.2.5 fwmark 0x1 lookup 11\n"
		"add address 10.0.2.5 dev d0\n"
		"change route 10.0.2.0/28 dev d0 src 10.0.2.5 table 11 (late)\n"
		"change route 10.0.2.0/28 dev d0 src 10.0.2.5 table 10 (late)\n"
		"change route default via 10.0.2.1 dev d0 src 10.0.2.5 table 11 (late)\n"
		"add rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x1 unreachable\n",
	},
	{
		"route_comes",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 metric 5 mtu 1400\n",
		},
		"add route 10.9.0.0/16 via 10.0.0.1 dev d0 src 10.0.0.5 table 10"
		" metric 5 mtu 1400\n",
	},
	{
		"route_gets_another_mtu",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 mtu 1400\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 mtu 1300\n",
		},
		"change route 10.9.0.0/16 via 10.0.0.1 dev d0 src 10.0.0.5 table 10 mtu 1300\n",
	},
	{
		"route_gets_another_metric",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 metric 5\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 metric 6\n",
		},
		"add route 10.9.0.0/16 via 10.0.0.1 dev d0 src 10.0.0.5 table 10 metric 6\n"
		"remove route 10.9.0.0/16 via 10.0.0.1 dev d0 src 10.0.0.5 table 10 metric 5\n",
	},
	{
		"route_becomes_unreachable",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nRoute=10.9.0.0/16 via 10.0.0.1"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nRoute=unreachable 10.9.0.0/16"},
		"change route unreachable 10.9.0.0/16 table 10\n",
	},
	{
		"route_names_a_source",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.0.6/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.0.6/24 dev d0\n"
			"Route=10.9.0.0/16 via 10.0.0.1 src 10.0.0.6\n",
		},
		"change route 10.9.0.0/16 via 10.0.0.1 dev d0 src 10.0.0.6 table 10\n",
	},
	{
		"device_claims_what_is_on_it",
		{"a 1"},
		{"a 1\nDevice=d2"},
		"add route 10.0.9.0/24 dev d2 src 10.0.9.9 table 10\n"
		"add rule from 10.0.9.9 lookup 10\n",
	},
	{
		"claim_ends",
		{"a 1\nDevice=d2"},
		{"a 1"},
		"remove rule from 10.0.9.9 lookup 10\n"
		"remove route 10.0.9.0/24 dev d2 src 10.0.9.9 table 10\n",
	},
	{
		"shared_device_claims_nothing",
		{"a 1", "b 2"},
		{"a 1\nDevice=d2", "b 2\nDevice=d2"},
		"",
	},
	{
		"pool_claims_before_a_device",
		{"a 1\nDevice=d2", "b 2"},
		{"a 1\nDevice=d2", "b 2\nPool=10.0.9.0/24"},
		"add route 10.0.9.0/24 dev d2 src 10.0.9.9 table 20\n"
		"add rule from 10.0.9.0/24 lookup 20\n"
		"remove rule from 10.0.9.9 lookup 10\n"
		"remove route 10.0.9.0/24 dev d2 src 10.0.9.9 table 10\n",
	},
	{
		"claimed_address_is_configured",
		{"a 1\nDevice=d2"},
		{"a 1\nDevice=d2\nAddress=10.0.9.9/24 dev d2"},
		"",
	},
	{
		"device_loses_its_last_ipv4_address",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.7.0.0/16 via 10.0.1.1 dev d1 onlink\n",
			"b 2\n"
			"Address=10.0.1.5/24 dev d1\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Route=10.7.0.0/16 via 10.0.1.1 dev d1 onlink\n",
		},
		"remove route 10.0.1.0/24 dev d1 src 10.0.1.5 table 20\n"
		"remove address 10.0.1.5 dev d1\n"
		"change route 10.7.0.0/16 via 10.0.1.1 dev d1 src 10.0.0.5 table 10 onlink\n"
		"remove rule fwmark 0x2 lookup 20\n"
		"remove rule from 10.0.1.5 lookup 20\n"
		"remove rule fwmark 0x2 lookup 20 (IPv6)\n"
		"remove route unreachable default table 20 metric 4278198272\n"
		"remove route unreachable default (IPv6) table 20 metric 4278198272\n",
	},
};

int main(void)
{
	return net_changes_run(changes, sizeof(changes) / sizeof(changes[0]));
}
