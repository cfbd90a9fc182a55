/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that are a mark VS's because of the device that they stand on. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define VS(mark) "[VirtualServer]\nFlavour=mark\nMark=" mark "\n"
#define RED "Namespace=red\n"
#define NET "[Network]\n"

struct rig {
	uint64_t red;
	struct vs *vs;
	int netlink; /* in red */
};

static struct rig make_rig(struct nst *t)
{
	struct rig r = {.red = nst_add(NST_NETNS "/red")};

	nst_open(t);
	r.vs = nst_get(t, "red");
	r.netlink = vs_socket(r.vs, AF_NETLINK, SOCK_RAW, 0);
	assert_true(r.netlink >= 0);
	return r;
}

static void drop_rig(struct rig *r)
{
	close(r->netlink);
	vs_unref(r->vs);
}

static void owner_of(struct nst *t, uint64_t cookie, const char *address, unsigned ifindex,
	char *name)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = ifindex};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr *sa = (struct sockaddr *)&in;
	struct vs *vs;

	if (strchr(address, ':')) {
		assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		sa = (struct sockaddr *)&in6;
	} else {
		assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	}
	vs = vs_by_address(t->reg, cookie, sa);
	snprintf(name, VS_NAME_MAX + 1, "%s", vs ? vs_name(vs) : "-");
	vs_unref(vs);
}

/* Dispatches until the owner is this one. */
static void expect_on(struct nst *t, uint64_t cookie, const char *address, unsigned ifindex,
	const char *want)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	char name[VS_NAME_MAX + 1];

	for (;;) {
		owner_of(t, cookie, address, ifindex, name);
		if (strcmp(name, want) == 0)
			return;
		if (nst_now() > end)
			fail_msg("%s is of %s and not of %s\n%s", address, name, want, t->log);
		nst_turn(t, 100);
	}
}

static void expect(struct nst *t, uint64_t cookie, const char *address, const char *want)
{
	expect_on(t, cookie, address, 0, want);
}

static void test_devices(void **state)
{
	struct nst *t = *state;
	struct rig r;
	unsigned x, y;

	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Device=x\nAddress=10.0.0.5/24\n");
	nst_write(NST_CONF "/b.conf", VS("2") RED NET "Device=y\nPool=10.5.0.0/16\n");
	r = make_rig(t);
	expect(t, r.red, "10.0.0.5", "a");
	expect(t, r.red, "10.1.0.1", "-"); /* not there, and so not the namespace VS's either */
	nst_add_device(r.netlink, "x");
	nst_add_device(r.netlink, "y");
	nst_add_device(r.netlink, "z");
	x = nst_ifindex(r.netlink, "x");
	y = nst_ifindex(r.netlink, "y");
	nst_add_address(r.netlink, "x", "10.1.0.1");
	nst_add_address(r.netlink, "y", "10.1.0.2");
	nst_add_address(r.netlink, "z", "10.1.0.3");
	nst_add_address(r.netlink, "x", "2001:db8::1");
	nst_add_address(r.netlink, "x", "fe80::1");
	nst_add_address(r.netlink, "y", "fe80::1");
	expect(t, r.red, "10.1.0.1", "a");
	expect(t, r.red, "10.1.0.2", "b");
	expect(t, r.red, "10.1.0.3", "red");
	expect(t, r.red, "2001:db8::1", "a");
	expect_on(t, r.red, "fe80::1", x, "a");
	expect_on(t, r.red, "fe80::1", y, "b");
	expect(t, r.red, "fe80::1", "-"); /* of two */
	expect(t, r.red, "127.0.0.1", "-");
	/* What files say goes before where it stands. */
	nst_add_address(r.netlink, "y", "10.0.0.5");
	nst_add_address(r.netlink, "x", "10.5.0.1");
	nst_add_address(r.netlink, "x", "10.1.0.4");
	expect(t, r.red, "10.1.0.4", "a");
	expect(t, r.red, "10.0.0.5", "a");
	expect(t, r.red, "10.5.0.1", "b");
	/* It moves. */
	nst_del_address(r.netlink, "x", "10.1.0.1");
	expect(t, r.red, "10.1.0.1", "-");
	nst_add_address(r.netlink, "y", "10.1.0.1");
	expect(t, r.red, "10.1.0.1", "b");
	/* Nobody knows which is meant. */
	nst_add_address(r.netlink, "x", "10.1.0.1");
	expect(t, r.red, "10.1.0.1", "-");
	drop_rig(&r);
}

/* The name counts, and not the number that it had. */
static void test_names_of_devices(void **state)
{
	struct nst *t = *state;
	struct rig r;

	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Device=x\n");
	nst_write(NST_CONF "/b.conf", VS("2") RED NET "Device=y\n");
	r = make_rig(t);
	nst_add_device(r.netlink, "x");
	nst_add_address(r.netlink, "x", "10.1.0.1");
	expect(t, r.red, "10.1.0.1", "a");
	nst_quiet(t);
	t->all_events = true;
	nst_rename_device(r.netlink, "x", "y");
	if (vs_nsid(r.vs) >= 0)
		nst_expect(t, "@red @a @b ");
	expect(t, r.red, "10.1.0.1", "b");
	nst_rename_device(r.netlink, "y", "z");
	expect(t, r.red, "10.1.0.1", "red");
	nst_rename_device(r.netlink, "z", "x");
	expect(t, r.red, "10.1.0.1", "a");
	nst_del_device(r.netlink, "x");
	expect(t, r.red, "10.1.0.1", "-");
	drop_rig(&r);
}

/* A device that is claimed, or not any more, by a reload; and of a VS that is refused. */
static void test_reload(void **state)
{
	struct nst *t = *state;
	struct rig r;

	nst_write(NST_CONF "/b.conf", VS("2") RED NET "Pool=10.5.0.0/16\n");
	r = make_rig(t);
	nst_add_device(r.netlink, "x");
	nst_add_device(r.netlink, "y");
	nst_add_address(r.netlink, "x", "10.1.0.1");
	nst_add_address(r.netlink, "y", "10.1.0.2");
	expect(t, r.red, "10.1.0.1", "red");
	expect(t, r.red, "10.1.0.2", "red");
	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Device=x\n");
	assert_int_equal(nst_reload(t), 0);
	expect(t, r.red, "10.1.0.1", "a");
	expect(t, r.red, "10.1.0.2", "red");
	nst_write(NST_CONF "/b.conf", VS("2") "Namespace=" NST_NETNS "/red\n" NET
				      "Device=x\nDevice=y\n");
	assert_int_equal(nst_reload(t), 0);
	expect(t, r.red, "10.1.0.1", "a");
	expect(t, r.red, "10.1.0.2", "-");
	nst_expect_log(t, "the device of 'b' is taken by 'a'");
	assert_int_equal(unlink(NST_CONF "/b.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	expect(t, r.red, "10.1.0.2", "red");
	drop_rig(&r);
}

/* What looks into the namespace does not keep it. */
static void test_nothing_is_held(void **state)
{
	struct nst *t = *state;
	struct rig r;
	int nsid;

	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Device=x\n");
	r = make_rig(t);
	nst_add_device(r.netlink, "x");
	nst_add_address(r.netlink, "x", "10.1.0.1");
	expect(t, r.red, "10.1.0.1", "a");
	assert_int_equal(nst_count_ns_fds(), 1);
	nsid = vs_nsid(r.vs);
	drop_rig(&r);
	nst_quiet(t);
	t->all_events = nsid >= 0;
	nst_del(NST_NETNS "/red");
	if (nsid >= 0)
		nst_expect(t, "-red -a !red !a ");
	else
		nst_expect(t, "-red -a ");
	expect(t, r.red, "10.1.0.1", "-");
}

/* In our own namespace changes are heard of even without nsids. */
static void test_at_home(void **state)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint64_t home = nst_own_cookie();
	struct nst *t = *state;

	nst_write(NST_CONF "/a.conf", VS("1") NET "Device=x\n");
	nst_open(t);
	nst_add_device(netlink, "x");
	nst_add_address(netlink, "x", "10.1.0.1");
	nst_add_device(netlink, "y");
	nst_add_address(netlink, "y", "10.1.0.2");
	expect(t, home, "10.1.0.1", "a");
	expect(t, home, "10.1.0.2", "host");
	nst_quiet(t);
	nst_rename_device(netlink, "x", "z");
	nst_turn(t, 500);
	nst_turn(t, 0);
	expect(t, home, "10.1.0.1", "host");
	nst_rename_device(netlink, "y", "x");
	expect(t, home, "10.1.0.2", "a");
	nst_del_device(netlink, "x");
	nst_del_device(netlink, "z");
	expect(t, home, "10.1.0.2", "-");
	close(netlink);
}

/* Many addresses while somebody looks. */
static void test_flood(void **state)
{
	struct nst *t = *state;
	char address[32];
	struct rig r;

	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Device=x\n");
	r = make_rig(t);
	nst_add_device(r.netlink, "x");
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(address, sizeof(address), "10.2.%u.%u", i / 250, i % 250 + 1);
		nst_add_address(r.netlink, "x", address);
		if (i % 20 == 0)
			nst_turn(t, 0);
	}
	expect(t, r.red, "10.2.7.250", "a");
	expect(t, r.red, "10.2.0.1", "a");
	drop_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_devices),
		NST_BOTH(test_names_of_devices),
		NST_BOTH(test_reload),
		NST_BOTH(test_nothing_is_held),
		NST_BOTH(test_at_home),
		NST_BOTH(test_flood),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("vsreg_mark_device", tests, NULL, NULL);
}
