/* SPDX-License-Identifier: BSD-3-Clause */
/* What a file says of its virtual server's network, and what is wrong with it. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "t.h"
#include "network_text.h"

static void expect_errors(const char *text, const char *errors)
{
	struct ini_doc *doc = doc_of(text);
	struct network *network = NULL;
	struct told told = {""};

	assert_int_equal(network_parse(&network, doc, note, &told), -EINVAL);
	assert_null(network);
	assert_string_equal(told.text, errors);
	ini_doc_free(doc);
}

static void expect_prefix(const struct ip_prefix *p, const char *text)
{
	char buf[IP_PREFIX_TEXT];

	ip_prefix_print(p, buf);
	assert_string_equal(buf, text);
}

static void test_prefix(void **state)
{
	static const char *const bad[] = {"", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "::1/129",
		"10.0.0.1/-1", "10.0.0.1/1/1", " 10.0.0.1", "10.0.0.1 ", "::g", "fe80::1%eth0",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct ip_prefix a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ip_prefix_parse(bad[i], &a), -EINVAL);
	assert_int_equal(ip_prefix_parse("10.0.0.5/24", &a), 0);
	expect_prefix(&a, "10.0.0.5/24");
	assert_int_equal(ip_prefix_parse("10.0.0.5/32", &b), 0);
	expect_prefix(&b, "10.0.0.5");
	assert_true(ip_prefix_contains(&a, &b));
	assert_true(ip_prefix_overlap(&b, &a));
	assert_int_equal(ip_prefix_parse("10.0.1.5", &b), 0);
	assert_false(ip_prefix_overlap(&b, &a));
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &a), 0);
	assert_true(ip_prefix_contains(&a, &b));
	assert_int_equal(ip_prefix_parse("::/0", &b), 0);
	assert_false(ip_prefix_overlap(&a, &b));
	assert_int_equal(ip_prefix_parse("2001:db8::5/61", &a), 0);
	expect_prefix(&a, "2001:db8::5/61");
	assert_int_equal(ip_prefix_parse("2001:db8:0:7::", &b), 0);
	assert_true(ip_prefix_contains(&a, &b));
	assert_int_equal(ip_prefix_parse("2001:db8:0:8::", &b), 0);
	assert_false(ip_prefix_contains(&a, &b));
	a = (struct ip_prefix){0};
	assert_false(ip_prefix_contains(&a, &a));
	expect_prefix(&a, "none");
}

static void test_nothing(void **state)
{
	struct parsed p = parse("[Rpcbind]\nServe=no\n");

	(void)state;
	assert_false(p.network->is_mark);
	assert_false(p.network->is_wanted);
	assert_int_equal(p.network->table, 254);
	assert_int_equal(p.network->mark, 0);
	drop(p);
}

static void test_namespace(void **state)
{
	struct parsed p = parse("[VirtualServer]\nNamespace=x\nDefault=yes\n" NS
		"Device=lo\n"
		"Device=eth0\n"
		"Device=eth1 move link ens3 mtu 9000\n"
		"Device=v0 veth peer v0p master br0 mac 02:00:5e:10:00:Ff\n"
		"Device=m0 macvlan link eth7\n"
		"Device=m1 macvlan link m0 mode passthru\n"
		"Device=v9 vlan link eth1 id 4094 protocol 802.1ad\n"
		"Device=eth8 vlan link eth8 id 1\n"
		"Device=old present\n"
		"Address=10.0.0.5/24 dev eth0\n"
		"Address=2001:db8::5/64 dev v0 nodad\n"
		"Address=127.0.0.53 dev lo\n"
		"Gateway=10.0.0.1\n"
		"Gateway=fe80::1 dev v0\n"
		"Route=10.9.0.0/16 via 10.0.0.2 src 10.0.0.5 metric 5 mtu 1400\n"
		"Route=default via 192.0.2.1 dev eth1 onlink metric 9\n"
		"Route=unreachable 10.8.0.0/16\n"
		"Route=blackhole 2001:db8:8::/48\n"
		"Route=198.51.100.0/24 dev eth1\n"
		"Sysctl=net.ipv4.conf.eth0/100.rp_filter = 2\n"
		"Sysctl=net/ipv4/ip_local_port_range=1024 65535\n"
		"NftFile=/etc/nft/x.nft\n");
	const struct network *n = p.network;
	static const uint8_t mac[6] = {2, 0, 0x5e, 0x10, 0, 0xff};

	(void)state;
	assert_true(n->is_wanted && n->is_default && !n->is_mark);
	assert_int_equal(n->device_count, 9);
	assert_int_equal(n->devices[0].kind, NETWORK_PRESENT);
	assert_int_equal(n->devices[1].kind, NETWORK_MOVE);
	assert_string_equal(n->devices[1].link, "eth0");
	assert_int_equal(n->devices[1].place.line, 6);
	assert_string_equal(n->devices[1].place.file, "t.conf");
	assert_string_equal(n->devices[2].link, "ens3");
	assert_int_equal(n->devices[2].mtu, 9000);
	assert_int_equal(n->devices[3].kind, NETWORK_VETH);
	assert_string_equal(n->devices[3].peer, "v0p");
	assert_string_equal(n->devices[3].master, "br0");
	assert_memory_equal(n->devices[3].mac, mac, 6);
	assert_true(n->devices[3].has_mac);
	assert_int_equal(n->devices[4].macvlan_mode, MACVLAN_MODE_BRIDGE);
	assert_false(n->devices[4].link_is_own);
	assert_true(n->devices[5].link_is_own);
	assert_int_equal(n->devices[5].macvlan_mode, MACVLAN_MODE_PASSTHRU);
	assert_int_equal(n->devices[6].vlan_id, 4094);
	assert_int_equal(n->devices[6].vlan_protocol, ETH_P_8021AD);
	assert_true(n->devices[6].link_is_own);
	assert_int_equal(n->devices[7].vlan_protocol, ETH_P_8021Q);
	assert_false(n->devices[7].link_is_own);
	assert_int_equal(n->devices[8].kind, NETWORK_PRESENT);
	assert_int_equal(n->address_count, 3);
	expect_prefix(&n->addresses[1].prefix, "2001:db8::5/64");
	assert_true(n->addresses[1].nodad);
	assert_int_equal(n->addresses[1].table, 254);
	assert_int_equal(n->route_count, 7);
	assert_string_equal(n->routes[0].dev, "eth0");
	assert_true(n->routes[0].is_gateway);
	assert_int_equal(n->routes[0].dst.family, AF_INET);
	assert_int_equal(n->routes[0].dst.length, 0);
	assert_int_equal(n->routes[1].dst.family, AF_INET6);
	assert_string_equal(n->routes[2].dev, "eth0");
	assert_int_equal(n->routes[2].metric, 5);
	assert_int_equal(n->routes[2].mtu, 1400);
	expect_prefix(&n->routes[2].src, "10.0.0.5");
	assert_true(n->routes[3].onlink);
	assert_int_equal(n->routes[4].kind, NETWORK_UNREACHABLE);
	assert_int_equal(n->routes[5].kind, NETWORK_BLACKHOLE);
	assert_int_equal(n->sysctl_count, 2);
	assert_string_equal(n->sysctls[0].key, "net/ipv4/conf/eth0.100/rp_filter");
	assert_string_equal(n->sysctls[0].value, "2");
	assert_string_equal(n->sysctls[1].key, "net/ipv4/ip_local_port_range");
	assert_string_equal(n->sysctls[1].value, "1024 65535");
	assert_string_equal(n->nft_file, "/etc/nft/x.nft");
	drop(p);
}

static void test_mark(void **state)
{
	struct parsed p = parse("[VirtualServer]\nFlavour=mark\nMark=0xc\n" NS "Device=eth1\n"
				"Address=10.0.0.5/24\n"
				"Address=10.0.1.5/24 gateway 10.0.1.1\n"
				"Address=10.0.1.6/24 gateway 10.0.1.1\n"
				"Address=10.0.0.6/24 gateway 10.0.0.1\n"
				"Address=10.0.2.5/24 dev eth2 gateway 10.0.2.1\n"
				"Pool=10.7.0.0/16\n"
				"Gateway=10.0.0.1\n"
				"Route=10.5.0.0/16 dev eth9 src 10.7.7.7\n");
	const struct network *n = p.network;

	(void)state;
	assert_true(n->is_mark);
	assert_int_equal(n->mark, 12);
	assert_int_equal(n->table, 12);
	assert_int_equal(n->table_count, 3);
	assert_int_equal(n->mark_place.line, 3);
	assert_null(n->table_place.file);
	assert_int_equal(n->devices[0].kind, NETWORK_PRESENT);
	assert_string_equal(n->addresses[0].dev, "eth1");
	assert_int_equal(n->addresses[0].table, 12);
	assert_int_equal(n->addresses[1].table, 13);
	assert_int_equal(n->addresses[2].table, 13);
	assert_int_equal(n->addresses[3].table, 12);
	assert_int_equal(n->addresses[4].table, 14);
	assert_int_equal(n->route_count, 4);
	assert_int_equal(n->routes[0].table, 12);
	assert_int_equal(n->routes[2].table, 13);
	assert_true(n->routes[2].is_gateway);
	assert_string_equal(n->routes[3].dev, "eth2");
	assert_int_equal(n->routes[3].table, 14);
	assert_int_equal(n->pool_count, 1);
	drop(p);
	p = parse("[VirtualServer]\nFlavour=mark\nMark=4294967295\nTable=100\n");
	assert_int_equal(p.network->mark, UINT32_MAX);
	assert_int_equal(p.network->table, 100);
	assert_false(p.network->is_wanted);
	drop(p);
}

/* An empty value drops what stood before, for each key alone. */
static void test_lists_start_again(void **state)
{
	struct parsed p = parse(NS "Device=a\nDevice=\nDevice=b\nAddress=10.0.0.1/8\nAddress=\n"
				   "Address=10.0.0.2/8\nGateway=10.0.0.3\nRoute=10.1.0.0/16 dev b\n"
				   "Gateway=\nSysctl=net.a=1\nSysctl=\nNftFile=/a\n");

	(void)state;
	assert_int_equal(p.network->device_count, 1);
	assert_string_equal(p.network->devices[0].name, "b");
	assert_int_equal(p.network->address_count, 1);
	assert_int_equal(p.network->route_count, 1);
	assert_false(p.network->routes[0].is_gateway);
	assert_int_equal(p.network->sysctl_count, 0);
	drop(p);
}

static void test_bad_numbers(void **state)
{
	(void)state;
	expect_errors("[VirtualServer]\nFlavour=mark\n",
		"t.conf:2: Flavour=mark wants a Mark\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=0\nTable=255\nDefault=maybe\n",
		"t.conf:3: value '0' of Mark is not a number from 1 to 4294967295\n"
		"t.conf:4: value '255' of Table is not a number from 1 to 4294967295 other "
		"than 253 to 255\n"
		"t.conf:5: value 'maybe' of Default is neither yes nor no\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=0x100000000\n",
		"t.conf:3: value '0x100000000' of Mark is not a number from 1 to 4294967295\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=0x\n",
		"t.conf:3: value '0x' of Mark is not a number from 1 to 4294967295\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=254\n",
		"t.conf:3: Mark=254 wants a Table, because table 254 is the kernel's\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=1\nTable=252\n" NS
		      "Address=10.0.0.5/24 dev a gateway 10.0.0.1\n",
		"t.conf:4: 2 tables are wanted, one for each gateway, and behind table 252 "
		"there are not as many\n");
	expect_errors("[VirtualServer]\nFlavour=mark\nMark=0xffffffff\n" NS
		      "Address=10.0.0.5/24 dev a gateway 10.0.0.1\n",
		"t.conf:3: 2 tables are wanted, one for each gateway, and behind table "
		"4294967295 there are not as many\n");
}

static void test_wrong_flavour(void **state)
{
	(void)state;
	expect_errors("[VirtualServer]\nMark=1\nTable=2\n" NS "Pool=10.0.0.0/8\n",
		"t.conf:2: Mark is not a key of Flavour=namespace\n"
		"t.conf:3: Table is not a key of Flavour=namespace\n"
		"t.conf:5: Pool is not a key of Flavour=namespace\n");
	expect_errors(MARK "Sysctl=net.a=1\nNftFile=/a\nDevice=a veth peer b\nDevice=c mtu 1500\n",
		"t.conf:5: Sysctl is not a key of Flavour=mark\n"
		"t.conf:6: NftFile is not a key of Flavour=mark\n"
		"t.conf:7: a mark VS uses the device 'a' as it is: nothing can be said of it "
		"here\n"
		"t.conf:8: a mark VS uses the device 'c' as it is: nothing can be said of it "
		"here\n");
	expect_errors(NS "Device=a\nAddress=10.0.0.5/24 gateway 10.0.0.1\n",
		"t.conf:3: an Address with a gateway of its own is for Flavour=mark\n");
}

static void test_bad_devices(void **state)
{
	(void)state;
	expect_errors(NS "Device=a/b\nDevice=abcdefghijklmnop\nDevice=..\nDevice=a%d\n"
			 "Device=lo veth peer x\nDevice=lo mtu 9000\nDevice=a veth\n"
			 "Device=a macvlan\nDevice=a vlan link b\nDevice=a vlan id 5\n"
			 "Device=a vlan link b id 0\nDevice=a vlan link b id 4095\n"
			 "Device=a vlan link b id 5 protocol x\nDevice=a macvlan link b mode x\n",
		"t.conf:2: value 'a/b' of Device begins with 'a/b', which cannot be the name "
		"of a device\n"
		"t.conf:3: value 'abcdefghijklmnop' of Device begins with 'abcdefghijklmnop', "
		"which is longer than 15 bytes\n"
		"t.conf:4: value '..' of Device begins with '..', which cannot be the name of "
		"a device\n"
		"t.conf:5: value 'a%d' of Device begins with 'a%d', which cannot be the name "
		"of a device\n"
		"t.conf:6: value 'lo veth peer x' of Device makes lo, which is always there\n"
		"t.conf:7: value 'lo mtu 9000' of Device sets something of a device that nsaux "
		"only uses\n"
		"t.conf:8: value 'a veth' of Device has no peer\n"
		"t.conf:9: value 'a macvlan' of Device has no link\n"
		"t.conf:10: value 'a vlan link b' of Device has no id\n"
		"t.conf:11: value 'a vlan id 5' of Device has no link\n"
		"t.conf:12: value 'a vlan link b id 0' of Device has id '0', which is not from "
		"1 to 4094\n"
		"t.conf:13: value 'a vlan link b id 4095' of Device has id '4095', which is "
		"not from 1 to 4094\n"
		"t.conf:14: value 'a vlan link b id 5 protocol x' of Device has protocol 'x', "
		"which is none of 802.1Q, 802.1ad\n"
		"t.conf:15: value 'a macvlan link b mode x' of Device has mode 'x', which is "
		"none of bridge, private, vepa, passthru\n");
	expect_errors(NS "Device=a veth peer b mtu\nDevice=a mtu 67\nDevice=a mtu 9 mtu 9\n"
			 "Device=a mac 01:00:00:00:00:00\nDevice=a mac 02:00:00:00:00\n"
			 "Device=a mac 02:00:00:00:00:0g\nDevice=a frob\nDevice=a id 5\n"
			 "Device=a veth peer b link c\nDevice=a peer b\nDevice=a mode vepa\n",
		"t.conf:2: value 'a veth peer b mtu' of Device ends after 'mtu'\n"
		"t.conf:3: value 'a mtu 67' of Device has mtu '67', which is not from 68 to "
		"65535\n"
		"t.conf:4: value 'a mtu 9 mtu 9' of Device has mtu '9', which is not from 68 "
		"to 65535\n"
		"t.conf:5: value 'a mac 01:00:00:00:00:00' of Device has mac "
		"'01:00:00:00:00:00', which is not the address of one device\n"
		"t.conf:6: value 'a mac 02:00:00:00:00' of Device has mac '02:00:00:00:00', "
		"which is not like 02:00:5e:10:00:01\n"
		"t.conf:7: value 'a mac 02:00:00:00:00:0g' of Device has mac "
		"'02:00:00:00:00:0g', which is not like 02:00:5e:10:00:01\n"
		"t.conf:8: value 'a frob' of Device has 'frob', which is not understood there\n"
		"t.conf:9: value 'a id 5' of Device has an id or protocol and is no vlan\n"
		"t.conf:10: value 'a veth peer b link c' of Device has a link, and a veth has "
		"a peer\n"
		"t.conf:11: value 'a peer b' of Device has a peer or master and is no veth\n"
		"t.conf:12: value 'a mode vepa' of Device has a mode and is no macvlan\n");
}

static void test_devices_together(void **state)
{
	(void)state;
	expect_errors(NS "Device=a\nDevice=a veth peer x\nDevice=b veth peer a\n"
			 "Device=d macvlan link e\nDevice=e vlan link f id 1\n"
			 "Device=f macvlan link d\nDevice=g macvlan link d\n",
		"t.conf:3: device 'a' is the one of t.conf:2 again\n"
		"t.conf:4: 'a' outside is that of t.conf:2, too\n"
		"t.conf:5: the links of device 'd' are a cycle\n");
}

static void test_bad_addresses(void **state)
{
	(void)state;
	expect_errors(NS "Device=a\nAddress=10.0.0.256/24\nAddress=224.0.0.1/4\nAddress=0.0.0.0\n"
			 "Address=ff02::1/64\nAddress=::ffff:10.0.0.1\nAddress=10.0.0.1/0\n"
			 "Address=10.0.0.1/24 gateway ::1\nAddress=10.0.0.1/24 gateway 10.0.0.1\n"
			 "Address=10.0.0.1/24 nodad nodad\nAddress=10.0.0.1/24 dev\n",
		"t.conf:3: value '10.0.0.256/24' of Address begins with '10.0.0.256/24', which "
		"is not an IP address\n"
		"t.conf:4: value '224.0.0.1/4' of Address begins with '224.0.0.1/4', which is "
		"not the address of one host\n"
		"t.conf:5: value '0.0.0.0' of Address begins with '0.0.0.0', which is not the "
		"address of one host\n"
		"t.conf:6: value 'ff02::1/64' of Address begins with 'ff02::1/64', which is "
		"not the address of one host\n"
		"t.conf:7: value '::ffff:10.0.0.1' of Address begins with '::ffff:10.0.0.1', "
		"which is not the address of one host\n"
		"t.conf:8: value '10.0.0.1/0' of Address begins with '10.0.0.1/0', which is "
		"not the address of one host\n"
		"t.conf:9: value '10.0.0.1/24 gateway ::1' of Address has a gateway of the "
		"other version of IP\n"
		"t.conf:10: value '10.0.0.1/24 gateway 10.0.0.1' of Address is its own "
		"gateway\n"
		"t.conf:11: value '10.0.0.1/24 nodad nodad' of Address has 'nodad' twice\n"
		"t.conf:12: value '10.0.0.1/24 dev' of Address ends after 'dev'\n");
	expect_errors(NS "Device=a\nDevice=b\nAddress=10.0.0.1/24\nAddress=10.0.0.2/24 dev c\n"
			 "Address=10.0.0.2/16 dev a\n",
		"t.conf:4: Address wants dev, because there is not just one Device\n"
		"t.conf:5: 'c' is no Device of this virtual server\n"
		"t.conf:6: the address is that of t.conf:5 again\n");
	expect_errors(MARK "Device=a\nAddress=127.0.0.1/8\nAddress=10.0.0.5/24 gateway 10.0.1.1\n"
			   "Pool=10.0.0.0/8\nPool=10.1.0.0/16\nPool=127.0.0.0/8\n",
		"t.conf:6: loopback is the VS's that has Default=yes, and no Address of a mark "
		"VS\n"
		"t.conf:7: gateway 10.0.1.1 is not in the network of the address\n"
		"t.conf:9: the pool overlaps that of t.conf:8\n"
		"t.conf:10: loopback is the VS's that has Default=yes, and no Pool\n");
	expect_errors(MARK "Pool=10.0.0.1/8\nPool=0.0.0.0/0\nPool=10.0.0.0/8 x\n",
		"t.conf:5: value '10.0.0.1/8' of Pool begins with '10.0.0.1/8', which has bits "
		"behind its length\n"
		"t.conf:6: value '0.0.0.0/0' of Pool is no network of hosts\n"
		"t.conf:7: value '10.0.0.0/8 x' of Pool has 'x' behind the network\n");
}

static void test_bad_routes(void **state)
{
	(void)state;
	expect_errors(NS "Device=a\nGateway=10.0.0.0/8\nGateway=10.0.0.1 src 10.0.0.2\n"
			 "Route=default dev a\nRoute=10.0.0.0/8\nRoute=10.0.0.1/8 dev a\n"
			 "Route=10.0.0.0/8 via ::1\nRoute=10.0.0.0/8 dev a onlink\n"
			 "Route=unreachable 10.0.0.0/8 dev a\nRoute=blackhole\n"
			 "Route=10.0.0.0/8 dev a metric 4278198272\n",
		"t.conf:3: value '10.0.0.0/8' of Gateway begins with '10.0.0.0/8', which is "
		"not an IP address\n"
		"t.conf:4: value '10.0.0.1 src 10.0.0.2' of Gateway has 'src', which is not "
		"understood there\n"
		"t.conf:5: value 'default dev a' of Route is a default without via: say "
		"0.0.0.0/0 or ::/0\n"
		"t.conf:6: value '10.0.0.0/8' of Route has neither via nor dev\n"
		"t.conf:7: value '10.0.0.1/8 dev a' of Route begins with '10.0.0.1/8', which "
		"has bits behind its length\n"
		"t.conf:8: value '10.0.0.0/8 via ::1' of Route has both versions of IP\n"
		"t.conf:9: value '10.0.0.0/8 dev a onlink' of Route is onlink without via\n"
		"t.conf:10: value 'unreachable 10.0.0.0/8 dev a' of Route has 'dev' behind the "
		"network\n"
		"t.conf:11: value 'blackhole' of Route has '', which is not an IP network\n"
		"t.conf:12: value '10.0.0.0/8 dev a metric 4278198272' of Route has metric "
		"'4278198272', which is not a number that is allowed there\n");
	expect_errors(NS
		"Device=a\nAddress=10.0.0.5/24\nGateway=10.0.1.1\nGateway=10.0.0.5\n"
		"Route=10.1.0.0/16 via 10.0.0.1 dev b\nRoute=10.2.0.0/16 dev a src 10.0.0.6\n"
		"Route=10.2.0.0/16 via 10.0.0.1\nRoute=::/0 via fe80::1\n",
		"t.conf:4: gateway 10.0.1.1 is in no network of this virtual server: that "
		"wants dev and onlink\n"
		"t.conf:5: gateway 10.0.0.5 is in no network of this virtual server: that "
		"wants dev and onlink\n"
		"t.conf:5: the route has the destination and metric of that of t.conf:4\n"
		"t.conf:6: 'b' is no Device of this virtual server\n"
		"t.conf:6: gateway 10.0.0.1 is in no network of this virtual server: that "
		"wants dev and onlink\n"
		"t.conf:7: src is no address of this virtual server\n"
		"t.conf:8: the route has the destination and metric of that of t.conf:7\n"
		"t.conf:9: gateway fe80::1 is in no network of this virtual server: that wants "
		"dev and onlink\n");
}

static void test_bad_sysctls(void **state)
{
	(void)state;
	expect_errors(NS "Sysctl=net.a\nSysctl=kernel.hostname=x\nSysctl=net/../kernel/x=1\n"
			 "Sysctl=net..a=1\nSysctl=net.a =\nSysctl==1\nSysctl=net.a b=1\n"
			 "NftFile=a\n",
		"t.conf:2: value 'net.a' of Sysctl has no '='\n"
		"t.conf:3: value 'kernel.hostname=x' of Sysctl is not below net\n"
		"t.conf:4: value 'net/../kernel/x=1' of Sysctl has a key with an empty part, "
		"or one that leads elsewhere\n"
		"t.conf:5: value 'net..a=1' of Sysctl has a key with an empty part, or one "
		"that leads elsewhere\n"
		"t.conf:6: value 'net.a =' of Sysctl has nothing behind '='\n"
		"t.conf:7: value '=1' of Sysctl does not begin with a key\n"
		"t.conf:8: value 'net.a b=1' of Sysctl does not begin with a key\n"
		"t.conf:9: value 'a' of NftFile is not an absolute path\n");
	expect_errors(NS "Sysctl=net.a=1\nSysctl=net/a=2\n",
		"t.conf:3: net/a is set in t.conf:2 already\n");
	expect_errors(NS "NftFile=/a\nNftFile=/b\nFrob=1\n",
		"t.conf:3: NftFile is set twice, first in line 2\n"
		"t.conf:4: unknown key 'Frob' in [Network]\n");
}

static void test_too_many(void **state)
{
	struct ini_doc *doc = ini_doc_new();
	struct network *network = NULL;
	struct told told = {""};
	char value[64];

	(void)state;
	for (unsigned i = 0; i <= NETWORK_DEVICES_MAX; i++) {
		const struct ini_setting s = {"Network", "Device", value, "t.conf", i + 1};

		snprintf(value, sizeof(value), "d%u", i);
		assert_int_equal(ini_doc_add(doc, &s), 0);
	}
	assert_int_equal(network_parse(&network, doc, note, &told), -EINVAL);
	assert_string_equal(told.text,
		"t.conf:65: value 'd64' of Device is one more than the 64 allowed\n");
	ini_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_namespace),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_lists_start_again),
		cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_wrong_flavour),
		cmocka_unit_test(test_bad_devices),
		cmocka_unit_test(test_devices_together),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_bad_sysctls),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
