/* SPDX-License-Identifier: BSD-3-Clause */
/* What the network of a VS says of destinations, in real namespaces. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netview_rig.h"
#include "resolv_opener.h"

/* A global address, an ULA, one that is deprecated, IPv4; there is no way to 2001:db8:bad::/48. */
static const char *const network[] = {"addr add 192.0.2.5/24 dev b0",
	"addr add 2001:db8:1::5/64 dev b0 nodad", "addr add fd00:1::5/64 dev b0 nodad",
	"addr add fe80::5/64 dev b0 nodad",
	"addr add 2001:db8:2::5/64 dev b0 nodad preferred_lft 0",
	"route add default via 192.0.2.1", "-6 route add default via 2001:db8:1::1",
	"-6 route add fd00::/8 via fd00:1::1", "-6 route add unreachable 2001:db8:bad::/48",
	"-6 route add 2001:db8:2222::/48 via 2001:db8:2::1 src 2001:db8:2::5", NULL};

static struct viewer *begin(struct nst *t, bool loop)
{
	int ns = rig_add("red");

	rig_ips(ns, network);
	return viewer_new(t, ns, NST_NETNS "/red", loop);
}

static void test_order(void **state)
{
	struct viewer *v = begin(*state, false);

	/* Rule 6: IPv6 before IPv4, and that before an ULA although there is a source for it. */
	viewer_expect(v, "192.0.2.77 2001:db8:9::1", "2001:db8:9::1 192.0.2.77");
	viewer_expect(v, "fd00:2::1 198.51.100.1", "198.51.100.1 fd00:2::1");
	viewer_expect(v, "fd00:2::1 198.51.100.1 2001:db8:9::1",
		"2001:db8:9::1 198.51.100.1 fd00:2::1");
	/* Rule 1. */
	viewer_expect(v, "2001:db8:bad::1 fd00:2::1 198.51.100.1",
		"198.51.100.1 fd00:2::1 2001:db8:bad::1");
	/* Rule 3. */
	viewer_expect(v, "2001:db8:2222::1 198.51.100.1", "198.51.100.1 2001:db8:2222::1");
	/* Rule 8; a link-local one needs its device. */
	viewer_expect(v, "2001:db8:9::1 fe80::9%b0", "fe80::9%b0 2001:db8:9::1");
	viewer_expect(v, "fe80::9 2001:db8:9::1", "2001:db8:9::1 fe80::9");
	/* Rule 9. */
	viewer_expect(v, "2001:db8:8000::1 2001:db8:1:1::1", "2001:db8:1:1::1 2001:db8:8000::1");
	viewer_expect(v, "198.51.100.1 192.0.2.77", "192.0.2.77 198.51.100.1");
	viewer_expect(v, "203.0.113.1 198.51.100.1 10.0.0.1", "203.0.113.1 198.51.100.1 10.0.0.1");
	/* IPv4-mapped is IPv4. */
	viewer_expect(v, "::ffff:198.51.100.1 2001:db8:9::1 2001:db8:bad::1",
		"2001:db8:9::1 ::ffff:198.51.100.1 2001:db8:bad::1");
	viewer_expect(v, "127.0.0.1 ::1", "::1 127.0.0.1");
	viewer_expect(v, "", "");
	viewer_free(v);
}

/* One address, or none: nothing is opened. */
static void test_one(void **state)
{
	struct viewer *v = begin(*state, true);
	unsigned fds = rig_count_fds();

	viewer_expect(v, "192.0.2.77", "192.0.2.77");
	viewer_expect(v, "2001:db8:bad::1", "2001:db8:bad::1");
	assert_int_equal(rig_count_fds(), fds);
	viewer_expect(v, "192.0.2.77 2001:db8:9::1", "2001:db8:9::1 192.0.2.77");
	assert_int_equal(rig_count_fds(), fds + 3); /* two probes, and who hears */
	netview_rest(v->view);
	assert_int_equal(rig_count_fds(), fds);
	viewer_free(v);
}

static void test_without_ipv6(void **state)
{
	struct viewer *v;
	bool has4, has6;
	int ns = rig_add("red");

	rig_ip(ns, "addr add 192.0.2.5/24 dev b0");
	v = viewer_new(*state, ns, NST_NETNS "/red", false);
	viewer_expect(v, "2001:db8:9::1 192.0.2.77", "192.0.2.77 2001:db8:9::1");
	viewer_families(v, &has4, &has6);
	assert_true(has4);
	assert_false(has6);
	viewer_free(v);
}

static void test_families(void **state)
{
	struct viewer *v;
	bool has4, has6;
	int ns = rig_add("red");

	v = viewer_new(*state, ns, NST_NETNS "/red", false);
	viewer_families(v, &has4, &has6);
	assert_false(has4 || has6);
	rig_ip(ns, "addr add fd00:1::5/64 dev b0 nodad");
	rig_ip(ns, "addr add 127.0.0.9/8 dev lo");
	/* For a second what was found counts: nobody tells of changes without a loop. */
	viewer_families(v, &has4, &has6);
	assert_false(has4 || has6);
	v->now += NETVIEW_KEEP;
	viewer_families(v, &has4, &has6);
	assert_false(has4);
	assert_true(has6);
	rig_ip(ns, "addr del fd00:1::5/64 dev b0");
	rig_ip(ns, "addr add 169.254.7.7/16 dev b0");
	v->now += NETVIEW_KEEP;
	viewer_families(v, &has4, &has6);
	assert_true(has4);
	assert_false(has6);
	viewer_free(v);
}

/* What netlink reports counts at once. */
static void test_changes(void **state)
{
	static const char *const changes[] = {"addr add 198.51.100.5/24 dev b0",
		"addr change 2001:db8:1::5/64 dev b0 preferred_lft 0",
		"route add 203.0.113.0/24 via 192.0.2.9",
		"-6 route del unreachable 2001:db8:bad::/48",
		"rule add from 192.0.2.5 table 7", "-6 rule add from 2001:db8:1::5 table 7",
		"link set b0 down"};
	struct viewer *v = begin(*state, true);
	atomic_uint epoch = 0;
	uint32_t generation;
	unsigned before;

	netview_tell(v->view, &epoch);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		viewer_settle(v, "192.0.2.77 2001:db8:9::1");
		generation = netview_generation(v->view);
		before = epoch;
		rig_ip(v->ns, changes[i]);
		/* Some have a second one behind them; none is needed to hear the first. */
		viewer_turn(v);
		if (netview_generation(v->view) == generation || epoch == before)
			fail_msg("not heard: %s", changes[i]);
	}
	viewer_free(v);
}

/* The order follows, whether the loop turns or not. */
static void test_order_changes(void **state)
{
	struct viewer *v = begin(*state, true);

	viewer_expect(v, "2001:db8:bad::1 198.51.100.1", "198.51.100.1 2001:db8:bad::1");
	rig_ip(v->ns, "-6 route del unreachable 2001:db8:bad::/48");
	viewer_expect(v, "2001:db8:bad::1 198.51.100.1", "2001:db8:bad::1 198.51.100.1");
	rig_ip(v->ns, "addr change 2001:db8:1::5/64 dev b0 preferred_lft 0");
	/* Now there is no other source but the ULA, or a deprecated one. */
	viewer_expect(v, "2001:db8:bad::1 198.51.100.1", "198.51.100.1 2001:db8:bad::1");
	viewer_free(v);
}

/* However much is reported while nobody asks: it costs nothing, and is one change. */
static void test_storm(void **state)
{
	struct viewer *v = begin(*state, true);
	uint32_t generation;
	char words[64];

	viewer_settle(v, "192.0.2.77 2001:db8:9::1");
	generation = netview_generation(v->view);
	for (int i = 0; i < 20; i++) {
		snprintf(words, sizeof(words), "route add 10.%d.0.0/16 via 192.0.2.9", i);
		rig_ip(v->ns, words);
		viewer_turn(v);
	}
	assert_int_equal(netview_generation(v->view), generation + 1);
	viewer_expect(v, "192.0.2.77 2001:db8:9::1", "2001:db8:9::1 192.0.2.77");
	assert_int_equal(netview_generation(v->view), generation + 2);
	generation = netview_generation(v->view);
	rig_ip(v->ns, "route del 10.0.0.0/16");
	viewer_turn(v);
	assert_int_equal(netview_generation(v->view), generation + 1);
	viewer_free(v);
}

/* Only the first 256 are sorted, and none is lost. */
static void test_long(void **state)
{
	union netview_addr addrs[NETVIEW_SORT_MAX + 10];
	struct viewer *v = begin(*state, false);
	const size_t count = sizeof(addrs) / sizeof(addrs[0]);

	memset(addrs, 0, sizeof(addrs));
	for (size_t i = 0; i < count; i++) {
		addrs[i].in4.sin_family = AF_INET;
		addrs[i].in4.sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)i);
		if (i % 2 == 0 || i >= NETVIEW_SORT_MAX)
			continue;
		addrs[i].in6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
		assert_int_equal(inet_pton(AF_INET6, "2001:db8:9::", &addrs[i].in6.sin6_addr), 1);
		addrs[i].in6.sin6_addr.s6_addr[15] = (uint8_t)i;
	}
	assert_int_equal(netview_sort(v->view, v->now, NULL, addrs, count), 0);
	for (size_t i = 0; i < NETVIEW_SORT_MAX / 2; i++) {
		assert_int_equal(addrs[i].sa.sa_family, AF_INET6);
		assert_int_equal(addrs[i].in6.sin6_addr.s6_addr[15], 2 * i + 1);
	}
	for (size_t i = NETVIEW_SORT_MAX; i < count; i++)
		assert_int_equal(addrs[i].in4.sin_addr.s_addr, htonl(0xc0000200u + (uint32_t)i));
	viewer_free(v);
}

/* IPv4 addresses change places among themselves, after everything else. */
static void test_sortlist(void **state)
{
	struct viewer *v = begin(*state, false);
	struct rconf conf = {.sort_count = 2,
		.sortlist = {{inet_addr("10.2.0.0"), inet_addr("255.255.0.0")},
			{inet_addr("10.1.0.0"), inet_addr("255.255.0.0")}}};

	v->conf = &conf;
	viewer_expect(v, "10.1.0.1 10.3.0.1 10.2.0.1 10.1.0.2 10.2.0.2",
		"10.2.0.1 10.2.0.2 10.1.0.1 10.1.0.2 10.3.0.1");
	viewer_expect(v, "10.3.0.1 2001:db8:bad::1 10.2.0.1 2001:db8:9::1",
		"2001:db8:9::1 10.2.0.1 10.3.0.1 2001:db8:bad::1");
	viewer_free(v);
}

/* A view at rest keeps no namespace, and one of a deleted VS says so. */
static void test_deleted(void **state)
{
	struct nst *t = *state;
	struct viewer *v;

	t->all_events = true;
	v = begin(t, true);
	viewer_expect(v, "192.0.2.77 2001:db8:9::1", "2001:db8:9::1 192.0.2.77");
	nst_open(t);
	nst_quiet(t);
	netview_rest(v->view);
	close(v->ns);
	v->ns = -1;
	nst_del(NST_NETNS "/red");
	nst_expect(t, "-red !red ");
	viewer_expect_error(v, "192.0.2.77 2001:db8:9::1", -ESTALE);
	viewer_free(v);
}

/* Very many of one family do not hide the other. */
static void test_many(void **state)
{
	bool has4, has6;
	struct viewer *v = begin(*state, false);
	int sock = rig_netlink(v->ns);
	char text[32];

	for (int i = 0; i < 1100; i++) {
		snprintf(text, sizeof(text), "10.9.%d.%d", i / 250, 1 + i % 250);
		nst_add_address(sock, "b0", text);
	}
	close(sock);
	viewer_expect(v, "fd00:1::9 2001:db8:2222::1 198.51.100.1 2001:db8:9::1",
		"2001:db8:9::1 198.51.100.1 fd00:1::9 2001:db8:2222::1");
	viewer_families(v, &has4, &has6);
	assert_true(has4 && has6);
	viewer_free(v);
}

/* Without privilege, by the sockets of an opener. */
static void test_opener(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct rig_privilege privilege;
	struct opener opener;
	struct viewer *v;
	bool has4, has6;
	int ns = rig_add("red");

	(void)state;
	rig_ips(ns, network);
	opener_start(&opener, NST_NETNS "/red");
	config.socket = opener_socket;
	config.socket_arg = &opener;
	v = viewer_new_config(&config, ns, true);
	rig_drop(&privilege);
	viewer_expect(v, "2001:db8:bad::1 fd00:2::1 198.51.100.1 2001:db8:2222::1",
		"198.51.100.1 fd00:2::1 2001:db8:2222::1 2001:db8:bad::1");
	viewer_families(v, &has4, &has6);
	assert_true(has4 && has6);
	rig_restore(&privilege);
	rig_ip(ns, "-6 route del unreachable 2001:db8:bad::/48");
	rig_drop(&privilege);
	viewer_expect(v, "198.51.100.1 2001:db8:bad::1", "2001:db8:bad::1 198.51.100.1");
	rig_restore(&privilege);
	viewer_free(v);
	opener_stop(&opener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_order),
		NST_ONCE(test_one),
		NST_ONCE(test_without_ipv6),
		NST_ONCE(test_families),
		NST_ONCE(test_changes),
		NST_ONCE(test_order_changes),
		NST_ONCE(test_storm),
		NST_ONCE(test_long),
		NST_ONCE(test_sortlist),
		NST_ONCE(test_deleted),
		NST_ONCE(test_many),
		NST_ONCE(test_opener),
	};
	int status;

	if (!nst_begin(&status) || !rig_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
