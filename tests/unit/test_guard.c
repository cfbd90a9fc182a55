/* SPDX-License-Identifier: BSD-3-Clause */
/* What an answer may not lead to. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"
#include "resolv_net_rig.h"
#include "resolv_opener.h"

#define SECOND UINT64_C(1000000000)
#define VS(mark) "[VirtualServer]\nFlavour=mark\nNamespace=red\nMark=" mark "\n[Network]\n"

static bool allows(struct guard *guard, const char *text, uint64_t now)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	unsigned char addr[16];

	assert_int_equal(inet_pton(family, text, addr), 1);
	return guard_allows(guard, family, addr, now);
}

static void expect(struct guard *guard, uint64_t now, const char *const *yes, const char *const *no)
{
	for (; *yes; yes++) {
		if (!allows(guard, *yes, now))
			fail_msg("%s is not allowed", *yes);
	}
	for (; *no; no++) {
		if (allows(guard, *no, now))
			fail_msg("%s is allowed", *no);
	}
}

static const char *const specials[] = {"127.0.0.1", "127.255.255.255", "127.1.2.3", "0.0.0.0",
	"0.1.2.3", "::", "::1", "::ffff:127.0.0.1", "::ffff:127.9.9.9", "::ffff:0.0.0.0", NULL};
static const char *const nothing[] = {NULL};

static struct guard *guard_of(struct nst *t, const char *name)
{
	struct vs *vs = name ? nst_get(t, name) : NULL;
	struct guard *guard;

	assert_int_equal(guard_new(&guard, t->reg, vs), 0);
	vs_unref(vs);
	return guard;
}

static void test_without_registry(void **state)
{
	static const char *const yes[] = {"192.0.2.1", "10.0.0.1", "128.0.0.1", "126.0.0.1",
		"1.0.0.0", "2001:db8::1", "fe80::1", "::ffff:10.0.0.1", NULL};
	unsigned fds = rig_count_fds();
	struct guard *guard;

	(void)state;
	assert_int_equal(guard_new(&guard, NULL, NULL), 0);
	expect(guard, SECOND, yes, specials);
	guard_free(guard);
	guard_free(NULL);
	assert_true(allows(NULL, "127.0.0.1", SECOND));
	assert_int_equal(rig_count_fds(), fds);
}

/* Who shares a namespace: own addresses, also of a pool; the neighbour's; the machine's; the
 * world's. */
static void test_mark(void **state)
{
	static const char *const lines[] = {"addr add 10.0.0.1/24 dev b0",
		"addr add 10.0.0.2/24 dev b0", "addr add 10.0.0.3/24 dev b0",
		"addr add 2001:db8:b::2/64 dev b0 nodad", NULL};
	static const char *const yes[] = {"10.0.0.1", "::ffff:10.0.0.1", "10.1.0.9", "10.0.0.9",
		"198.51.100.1", "2001:db8:9::1", "2001:db8:b::9", "192.0.2.5", "fe80::9", NULL};
	static const char *const no[] = {"10.0.0.2", "::ffff:10.0.0.2", "10.2.0.9", "2001:db8:b::2",
		"10.0.0.3", "::ffff:10.0.0.3", NULL};
	struct nst *t = *state;
	struct guard *guard;
	int ns = rig_add("red"), other = rig_add("blue");
	unsigned fds;

	rig_ips(ns, lines);
	rig_ip(other, "addr add 192.0.2.5/24 dev b0"); /* it cannot be reached from here anyway */
	nst_write(NST_CONF "/a.conf", VS("1") "Address=10.0.0.1/24 dev b0\nPool=10.1.0.0/16\n");
	nst_write(NST_CONF "/b.conf", VS("2") "Address=10.0.0.2/24 dev b0\nPool=10.2.0.0/16\n"
					      "Address=2001:db8:b::2/64 dev b0\n");
	nst_open(t);
	assert_string_equal(t->log, "");
	fds = rig_count_fds();
	guard = guard_of(t, "a");
	expect(guard, SECOND, yes, no);
	expect(guard, SECOND, nothing, specials);
	/* The machine's own are read once a second. */
	rig_ip(ns, "addr add 10.0.0.4/24 dev b0");
	assert_true(allows(guard, "10.0.0.4", 2 * SECOND - 1));
	assert_false(allows(guard, "10.0.0.4", 60 * SECOND));
	guard_free(guard);
	assert_int_equal(rig_count_fds(), fds);
	close(ns);
	close(other);
}

/* Where the namespace is no VS of its own: what nobody has there is nobody's, and not allowed. */
static void test_mark_alone(void **state)
{
	static const char *const yes[] = {"10.0.0.1", "198.51.100.1", NULL};
	static const char *const no[] = {"10.0.0.3", "10.0.0.2", NULL};
	static const char *const exclude[] = {"red", NULL};
	struct nst *t = *state;
	struct guard *guard;
	int ns = rig_add("red");

	rig_ip(ns, "addr add 10.0.0.1/24 dev b0");
	rig_ip(ns, "addr add 10.0.0.3/24 dev b0");
	nst_write(NST_CONF "/a.conf", VS("1") "Address=10.0.0.1/24 dev b0\n");
	nst_write(NST_CONF "/b.conf", VS("2") "Address=10.0.0.2/24 dev b0\n");
	t->config.exclude = exclude;
	nst_open(t);
	guard = guard_of(t, "a");
	expect(guard, SECOND, yes, no);
	guard_free(guard);
	close(ns);
}

/* All others' addresses; of one that both have, it is its own. */
static void test_namespaces(void **state)
{
	static const char *const yes[] = {
		"10.0.0.1", "10.0.0.9", "198.51.100.1", "2001:db8:9::1", "2001:db8:a::1", NULL};
	static const char *const no[] = {"10.0.0.2", "::ffff:10.0.0.2", "2001:db8:b::1", NULL};
	struct nst *t = *state;
	struct guard *guard;
	int red = rig_add("red"), blue = rig_add("blue");

	rig_ip(red, "addr add 10.0.0.1/24 dev b0");
	rig_ip(red, "addr add 2001:db8:a::1/64 dev b0 nodad");
	rig_ip(blue, "addr add 10.0.0.1/24 dev b0");
	rig_ip(blue, "addr add 10.0.0.2/24 dev b0");
	rig_ip(blue, "addr add 2001:db8:b::1/64 dev b0 nodad");
	nst_open(t);
	guard = guard_of(t, "red");
	expect(guard, SECOND, yes, no);
	expect(guard, SECOND, nothing, specials);
	nst_del(NST_NETNS "/blue");
	close(blue);
	nst_expect(t, "-blue ");
	assert_true(allows(guard, "10.0.0.2", 60 * SECOND));
	guard_free(guard);
	/* Nobody's own: then all are others'. */
	guard = guard_of(t, NULL);
	assert_false(allows(guard, "10.0.0.1", SECOND));
	assert_true(allows(guard, "198.51.100.1", SECOND));
	guard_free(guard);
	close(red);
}

/* The VS that has a namespace in which there are mark VSs, too. */
static void test_beside_marks(void **state)
{
	static const char *const yes[] = {"10.0.0.3", "198.51.100.1", NULL};
	static const char *const no[] = {"10.0.0.1", "10.1.0.9", NULL};
	struct nst *t = *state;
	struct guard *guard;
	int ns = rig_add("red");

	rig_ip(ns, "addr add 10.0.0.1/24 dev b0");
	rig_ip(ns, "addr add 10.0.0.3/24 dev b0");
	nst_write(NST_CONF "/a.conf", VS("1") "Address=10.0.0.1/24 dev b0\nPool=10.1.0.0/16\n");
	nst_open(t);
	guard = guard_of(t, "red");
	expect(guard, SECOND, yes, no);
	guard_free(guard);
	close(ns);
}

/* What cannot be found out is not allowed. */
static void test_unknown(void **state)
{
	struct rig_privilege privilege;
	struct nst *t = *state;
	struct guard *guard;
	int ns = rig_add("red");

	close(ns);
	nst_open(t);
	guard = guard_of(t, "red");
	rig_drop(&privilege);
	assert_false(allows(guard, "198.51.100.1", SECOND));
	rig_restore(&privilege);
	assert_true(allows(guard, "198.51.100.1", 60 * SECOND));
	nst_del(NST_NETNS "/red");
	nst_expect(t, "-red ");
	assert_false(allows(guard, "198.51.100.1", 120 * SECOND));
	guard_free(guard);
}

/* An opener goes where this process must not. */
static void test_opener(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct rig_privilege privilege;
	struct opener opener;
	struct nst *t = *state;
	struct guard *guard;
	struct place *place;
	struct vs *vs;
	int ns = rig_add("red");

	rig_ip(ns, "addr add 10.0.0.1/24 dev b0");
	rig_ip(ns, "addr add 10.0.0.3/24 dev b0");
	close(ns);
	nst_write(NST_CONF "/a.conf", VS("1") "Address=10.0.0.1/24 dev b0\n");
	opener_start(&opener, NST_NETNS "/red");
	nst_open(t);
	vs = nst_get(t, "a");
	config.socket = opener_socket;
	config.socket_arg = &opener;
	assert_int_equal(place_new(&place, vs, &config), 0);
	assert_int_equal(guard_new(&guard, t->reg, vs), 0);
	vs_unref(vs);
	rig_drop(&privilege);
	assert_false(allows(guard, "198.51.100.1", SECOND));
	guard_ask_by(guard, place);
	assert_true(allows(guard, "198.51.100.1", 60 * SECOND));
	assert_true(allows(guard, "10.0.0.1", 60 * SECOND));
	assert_false(allows(guard, "10.0.0.3", 60 * SECOND));
	rig_restore(&privilege);
	guard_free(guard);
	place_free(place);
	opener_stop(&opener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(test_without_registry),
		NST_BOTH(test_mark),
		NST_ONCE(test_mark_alone),
		NST_BOTH(test_namespaces),
		NST_BOTH(test_beside_marks),
		NST_ONCE(test_unknown),
		NST_ONCE(test_opener),
	};
	int status;

	if (!nst_begin(&status) || !rig_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
