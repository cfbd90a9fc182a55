/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark VSs whose addresses come, change and move to others. */
#include "config.h"

#include "net_change.h"

static const struct net_change changes[] = {
	{
		"first_address",
		{NULL},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		"add rule fwmark 0x1 unreachable\n"
		"add route unreachable default table 10 metric 4278198272\n"
		"add route unreachable default (IPv6) table 10 metric 4278198272\n"
		"add route 10.0.0.0/24 dev d0 table 10\n"
		"add route default via 10.0.0.254 dev d0 table 10\n"
		"add rule from 10.0.0.5 lookup 10\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n"
		"add address 10.0.0.5 dev d0\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10 (late)\n"
		"change route default via 10.0.0.254 dev d0 src 10.0.0.5 table 10 (late)\n"
		"add rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x1 unreachable\n",
	},
	{
		"first_ipv6_address",
		{NULL},
		{"a 1\nAddress=2001:db8::5/64 dev d0\nGateway=2001:db8::1"},
		"add rule fwmark 0x1 unreachable (IPv6)\n"
		"add route unreachable default table 10 metric 4278198272\n"
		"add route unreachable default (IPv6) table 10 metric 4278198272\n"
		"add route 2001:db8::/64 dev d0 table 10 metric 1024\n"
		"add route default (IPv6) via 2001:db8::1 dev d0 table 10 metric 1024\n"
		"add rule from 2001:db8::5 lookup 10 (IPv6)\n"
		"add rule fwmark 0x1 lookup 10\n"
		"add address 2001:db8::5/64 dev d0\n"
		"change route 2001:db8::/64 dev d0 src 2001:db8::5 table 10 metric 1024 (late)\n"
		"change route default (IPv6) via 2001:db8::1 dev d0 src 2001:db8::5"
		" table 10 metric 1024 (late)\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove rule fwmark 0x1 unreachable (IPv6)\n",
	},
	{
		"no_address",
		{NULL},
		{"a 1"},
		"add route unreachable default table 10 metric 4278198272\n"
		"add route unreachable default (IPv6) table 10 metric 4278198272\n"
		"add rule fwmark 0x1 lookup 10\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n",
	},
	{
		"pool_alone",
		{NULL},
		{"a 1\nPool=10.0.2.0/28"},
		"add route unreachable default table 10 metric 4278198272\n"
		"add route unreachable default (IPv6) table 10 metric 4278198272\n"
		"add rule from 10.0.2.0/28 lookup 10\n"
		"add rule fwmark 0x1 lookup 10\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n",
	},
	{
		"gateway_without_source",
		{NULL},
		{"a 1\nDevice=d0\nPool=10.0.2.0/28\nGateway=10.0.2.1 dev d0 onlink"},
		"add route unreachable default table 10 metric 4278198272\n"
		"add route unreachable default (IPv6) table 10 metric 4278198272\n"
		"add rule from 10.0.2.0/28 lookup 10\n"
		"add rule fwmark 0x1 lookup 10\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n",
	},
	{
		"second_address_of_the_network",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nAddress=10.0.0.6/24 dev d0"},
		"add rule from 10.0.0.6 lookup 10\n"
		"add address 10.0.0.6 dev d0\n",
	},
	{
		"second_address_of_another_network",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nAddress=10.0.1.5/24 dev d1"},
		"add route 10.0.1.0/24 dev d1 src 10.0.0.5 table 10\n"
		"add rule from 10.0.1.5 lookup 10\n"
		"add address 10.0.1.5 dev d1\n"
		"change route 10.0.1.0/24 dev d1 src 10.0.1.5 table 10 (late)\n",
	},
	{
		"same_network_on_two_devices",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nAddress=10.0.0.6/24 dev d1"},
		"add route 10.0.0.0/24 dev d1 src 10.0.0.5 table 10 metric 1\n"
		"add rule from 10.0.0.6 lookup 10\n"
		"add address 10.0.0.6 dev d1\n"
		"change route 10.0.0.0/24 dev d1 src 10.0.0.6 table 10 metric 1 (late)\n",
	},
	{
		"address_gets_a_gateway_of_its_own",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.1.5/24 dev d1\n"
			"Gateway=10.0.0.254\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.1.5/24 dev d1 gateway 10.0.1.254\n"
			"Gateway=10.0.0.254\n",
		},
		"remove address 10.0.1.5 dev d1\n"
		"add route unreachable default table 11 metric 4278198272\n"
		"add route unreachable default (IPv6) table 11 metric 4278198272\n"
		"add route 10.0.1.0/24 dev d1 src 10.0.0.5 table 11\n"
		"add route 10.0.1.0/24 dev d1 src 10.0.0.5 table 10\n"
		"add route default via 10.0.1.254 dev d1 src 10.0.0.5 table 11\n"
		"add rule from 10.0.1.5 lookup 11\n"
		"add rule from 10.0.1.5 fwmark 0x1 lookup 11\n"
		"remove rule from 10.0.1.5 lookup 10\n"
		"add address 10.0.1.5 dev d1\n"
		"change route 10.0.1.0/24 dev d1 src 10.0.1.5 table 11 (late)\n"
		"change route 10.0.1.0/24 dev d1 src 10.0.1.5 table 10 (late)\n"
		"change route default via 10.0.1.254 dev d1 src 10.0.1.5 table 11 (late)\n",
	},
	{
		"gateway_comes",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		"add route default via 10.0.0.254 dev d0 src 10.0.0.5 table 10\n",
	},
	{
		"gateway_changes",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.1"},
		"change route default via 10.0.0.1 dev d0 src 10.0.0.5 table 10\n",
	},
	{
		"gateway_goes",
		{"a 1\nAddress=10.0.0.5/24 dev d0\nGateway=10.0.0.254"},
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		"remove route default via 10.0.0.254 dev d0 src 10.0.0.5 table 10\n",
	},
	{
		"length_changes",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/25 dev d0"},
		"add route 10.0.0.0/25 dev d0 src 10.0.0.5 table 10\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n",
	},
	{
		"length_changes_ipv6",
		{"a 1\nAddress=2001:db8::5/64 dev d0"},
		{"a 1\nAddress=2001:db8::5/80 dev d0"},
		"add rule fwmark 0x1 unreachable (IPv6)\n"
		"remove rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove route 2001:db8::/64 dev d0 src 2001:db8::5 table 10 metric 1024\n"
		"remove address 2001:db8::5/64 dev d0\n"
		"add route 2001:db8::/80 dev d0 table 10 metric 1024\n"
		"add address 2001:db8::5/80 dev d0\n"
		"change route 2001:db8::/80 dev d0 src 2001:db8::5 table 10 metric 1024 (late)\n"
		"add rule fwmark 0x1 lookup 10 (IPv6)\n"
		"remove rule fwmark 0x1 unreachable (IPv6)\n",
	},
	{
		"device_changes",
		{"a 1\nAddress=10.0.0.5/24 dev d0"},
		{"a 1\nAddress=10.0.0.5/24 dev d1"},
		"add rule fwmark 0x1 unreachable\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"add route 10.0.0.0/24 dev d1 table 10\n"
		"add address 10.0.0.5 dev d1\n"
		"change route 10.0.0.0/24 dev d1 src 10.0.0.5 table 10 (late)\n"
		"add rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x1 unreachable\n",
	},
	{
		"address_moves_to_another_vs",
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n"
			"Address=10.0.0.6/24 dev d0\n",
			"b 2\n"
			"Address=10.0.0.7/24 dev d0\n",
		},
		{
			"a 1\n"
			"Address=10.0.0.5/24 dev d0\n",
			"b 2\n"
			"Address=10.0.0.7/24 dev d0\n"
			"Address=10.0.0.6/24 dev d0\n",
		},
		"remove address 10.0.0.6 dev d0\n"
		"add rule from 10.0.0.6 lookup 20\n"
		"remove rule from 10.0.0.6 lookup 10\n"
		"add address 10.0.0.6 dev d0\n",
	},
	{
		"only_address_moves_to_another_vs",
		{"a 1\nAddress=10.0.0.5/24 dev d0", "b 2"},
		{"a 1", "b 2\nAddress=10.0.0.5/24 dev d0"},
		"add rule fwmark 0x2 unreachable\n"
		"remove rule fwmark 0x2 lookup 20\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove address 10.0.0.5 dev d0\n"
		"add route 10.0.0.0/24 dev d0 table 20\n"
		"add rule from 10.0.0.5 lookup 20\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"add address 10.0.0.5 dev d0\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 20 (late)\n"
		"add rule fwmark 0x2 lookup 20\n"
		"remove rule fwmark 0x2 unreachable\n",
	},
	{
		"addresses_change_places",
		{"a 1\nAddress=10.0.0.5/24 dev d0", "b 2\nAddress=10.0.0.6/24 dev d0"},
		{"a 1\nAddress=10.0.0.6/24 dev d0", "b 2\nAddress=10.0.0.5/24 dev d0"},
		"add rule fwmark 0x1 unreachable\n"
		"remove rule fwmark 0x1 lookup 10\n"
		"add rule fwmark 0x2 unreachable\n"
		"remove rule fwmark 0x2 lookup 20\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.5 table 10\n"
		"remove route 10.0.0.0/24 dev d0 src 10.0.0.6 table 20\n"
		"remove address 10.0.0.5 dev d0\n"
		"remove address 10.0.0.6 dev d0\n"
		"add route 10.0.0.0/24 dev d0 table 10\n"
		"add route 10.0.0.0/24 dev d0 table 20\n"
		"add rule from 10.0.0.5 lookup 20\n"
		"add rule from 10.0.0.6 lookup 10\n"
		"remove rule from 10.0.0.5 lookup 10\n"
		"remove rule from 10.0.0.6 lookup 20\n"
		"add address 10.0.0.6 dev d0\n"
		"add address 10.0.0.5 dev d0\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.0.6 table 10 (late)\n"
		"change route 10.0.0.0/24 dev d0 src 10.0.0.5 table 20 (late)\n"
		"add rule fwmark 0x1 lookup 10\n"
		"remove rule fwmark 0x1 unreachable\n"
		"add rule fwmark 0x2 lookup 20\n"
		"remove rule fwmark 0x2 unreachable\n",
	},
};

int main(void)
{
	return net_changes_run(changes, sizeof(changes) / sizeof(changes[0]));
}
