/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two VSs in one namespace: what each can reach is what its mark's table says.
 *
 *     a  mark 1  10.0.0.1     table 101: IPv4 by b0, no IPv6
 *     b  mark 2  10.0.0.2     table 102: IPv4 and IPv6 by b1
 *                2001:db8:b::2
 *     unmarked: no routes but the connected ones
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "netview_rig.h"

#define VS(mark) "[VirtualServer]\nFlavour=mark\nNamespace=red\nMark=" mark "\n[Network]\n"

static const char *const network[] = {"link add b1 type bridge", "link set b1 up",
	"addr add 10.0.0.1/24 dev b0", "addr add 10.0.0.2/24 dev b1",
	"addr add 2001:db8:b::2/64 dev b1 nodad", "rule add fwmark 1 table 101",
	"rule add fwmark 2 table 102", "-6 rule add fwmark 1 table 101",
	"-6 rule add fwmark 2 table 102", "route add default dev b0 src 10.0.0.1 table 101",
	"-6 route add unreachable default table 101",
	"route add default dev b1 src 10.0.0.2 table 102",
	"-6 route add default dev b1 src 2001:db8:b::2 table 102", NULL};

static struct viewer *view_of(struct nst *t, const char *name, bool loop)
{
	struct vs *vs = nst_get(t, name);
	struct viewer *v = viewer_new_vs(vs, loop);

	vs_unref(vs);
	return v;
}

static int begin(struct nst *t)
{
	int ns = rig_add("red");

	rig_ips(ns, network);
	nst_write(NST_CONF "/a.conf", VS("1") "Address=10.0.0.1/24 dev b0\n");
	nst_write(NST_CONF "/b.conf", VS("2") "Address=10.0.0.2/24 dev b1\n"
					      "Address=2001:db8:b::2/64 dev b1\n");
	nst_open(t);
	assert_string_equal(t->log, "");
	return ns;
}

static void test_order(void **state)
{
	struct nst *t = *state;
	struct viewer *a, *b, *red;
	int ns = begin(t);

	a = view_of(t, "a", false);
	b = view_of(t, "b", false);
	red = view_of(t, "red", false);
	for (int i = 0; i < 2; i++) {
		viewer_expect(a, "2001:db8:9::1 198.51.100.1", "198.51.100.1 2001:db8:9::1");
		viewer_expect(b, "198.51.100.1 2001:db8:9::1", "2001:db8:9::1 198.51.100.1");
		viewer_expect(red, "198.51.100.1 2001:db8:b::9", "2001:db8:b::9 198.51.100.1");
		viewer_expect(red, "2001:db8:9::1 10.0.0.9", "10.0.0.9 2001:db8:9::1");
	}
	close(ns);
	viewer_free(a);
	viewer_free(b);
	viewer_free(red);
}

/* AI_ADDRCONFIG: the neighbour's IPv6 address is not a's. */
static void test_families(void **state)
{
	struct nst *t = *state;
	struct viewer *a, *b;
	bool has4, has6;
	int ns = begin(t);

	a = view_of(t, "a", false);
	b = view_of(t, "b", false);
	viewer_families(a, &has4, &has6);
	assert_true(has4);
	assert_false(has6);
	viewer_families(b, &has4, &has6);
	assert_true(has4);
	assert_true(has6);
	rig_ip(ns, "addr del 10.0.0.1/24 dev b0");
	a->now += NETVIEW_KEEP;
	viewer_families(a, &has4, &has6);
	assert_false(has4);
	close(ns);
	viewer_free(a);
	viewer_free(b);
}

/* Another rule is another order, at once. */
static void test_rules(void **state)
{
	struct nst *t = *state;
	struct viewer *a;
	uint32_t generation;
	int ns = begin(t);

	a = view_of(t, "a", true);
	viewer_settle(a, "2001:db8:9::1 198.51.100.1");
	viewer_expect(a, "2001:db8:9::1 198.51.100.1", "198.51.100.1 2001:db8:9::1");
	generation = netview_generation(a->view);
	rig_ip(ns, "-6 rule add fwmark 1 table 102 pref 10");
	viewer_turn(a);
	assert_true(netview_generation(a->view) != generation);
	viewer_expect(a, "198.51.100.1 2001:db8:9::1", "2001:db8:9::1 198.51.100.1");
	rig_ip(ns, "-6 rule del pref 10");
	viewer_expect(a, "2001:db8:9::1 198.51.100.1", "198.51.100.1 2001:db8:9::1");
	close(ns);
	viewer_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_order),
		NST_BOTH(test_families),
		NST_ONCE(test_rules),
	};
	int status;

	if (!nst_begin(&status) || !rig_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
