/* SPDX-License-Identifier: BSD-3-Clause */
/* Nsids: what one socket hears of all namespaces, and the addresses inside them from outside. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "nstest.h"

static int note_address(const struct vs_address *address, void *arg)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&address->addr;
	char *text = arg, host[INET6_ADDRSTRLEN] = "?";

	if (in->sin_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	snprintf(text + strlen(text), 256 - strlen(text), "%s ", host);
	return 0;
}

static void expect_addresses(struct vs *vs, const char *want)
{
	char text[256] = "";

	assert_int_equal(vs_addresses(vs, note_address, text), 0);
	assert_string_equal(text, want);
}

static int new_netlink(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	assert_true(sock >= 0);
	return sock;
}

static void test_assigned_and_found(void **state)
{
	struct nst *t = *state;
	/* Not that of the test before, which may be about to end. */
	int number = 4711 + (int)t->config.flags;
	int ns = nst_new_ns(NULL), netlink = new_netlink();
	struct vs *a, *b, *host, *found;

	/* This one has an nsid already. */
	nst_set_nsid(netlink, ns, number);
	close(netlink);
	nst_touch(NST_NETNS "/a");
	nst_bind(ns, NST_NETNS "/a");
	close(ns);
	nst_open(t);
	nst_add(NST_NETNS "/b");
	nst_expect(t, "+b ");
	a = nst_get(t, "a");
	b = nst_get(t, "b");
	host = nst_get(t, "host");
	assert_int_equal(vs_nsid(a), number);
	assert_true(vs_nsid(b) >= 0 && vs_nsid(host) >= 0);
	assert_int_not_equal(vs_nsid(b), vs_nsid(host));
	found = vs_by_nsid(t->reg, number);
	assert_ptr_equal(found, a);
	vs_unref(found);
	found = vs_by_nsid(t->reg, vs_nsid(b));
	assert_ptr_equal(found, b);
	vs_unref(found);
	found = vs_by_nsid(t->reg, vs_nsid(host));
	assert_ptr_equal(found, host);
	vs_unref(found);
	assert_null(vs_by_nsid(t->reg, number + 1));
	assert_null(vs_by_nsid(t->reg, -1));
	assert_int_equal(nst_count_ns_fds(), 1); /* the host's */
	vs_unref(a);
	vs_unref(b);
	vs_unref(host);
}

struct elsewhere {
	struct vs *vs;
	char text[256];
	int rc;
};

static void *list_elsewhere(void *arg)
{
	struct elsewhere *e = arg;

	e->rc = unshare(CLONE_NEWNET) < 0 ? -errno : vs_addresses(e->vs, note_address, e->text);
	return NULL;
}

/* Effective capabilities of this thread: all, but for one. */
static void set_capabilities(int without)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (without >= 0)
		data[CAP_TO_INDEX(without)].effective &= ~CAP_TO_MASK(without);
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

static void test_equal_addresses(void **state)
{
	static const char *const names[] = {"a", "b", "c"};
	struct nst *t = *state;
	struct elsewhere e = {.rc = 1};
	struct vs *vs[3];
	pthread_t thread;
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), NST_NETNS "/%s", names[i]);
		nst_add(path);
	}
	nst_open(t);
	for (size_t i = 0; i < 3; i++) {
		vs[i] = nst_get(t, names[i]);
		nst_set_address_in(vs[i], "10.1.1.5");
	}
	nst_set_address_in(vs[1], "0.0.0.0");
	expect_addresses(vs[0], "10.1.1.5 ");
	expect_addresses(vs[1], "");
	expect_addresses(vs[2], "10.1.1.5 ");
	nst_set_address_in(vs[2], "10.1.1.6");
	expect_addresses(vs[0], "10.1.1.5 ");
	expect_addresses(vs[2], "10.1.1.6 ");
	/* A thread that is somewhere else. */
	e.vs = vs[2];
	assert_int_equal(pthread_create(&thread, NULL, list_elsewhere, &e), 0);
	pthread_join(thread, NULL);
	assert_int_equal(e.rc, 0);
	assert_string_equal(e.text, "10.1.1.6 ");
	/* And nobody's addresses once it is gone. */
	nst_del(NST_NETNS "/c");
	nst_expect(t, "-c ");
	assert_int_equal(vs_addresses(vs[2], note_address, e.text), -ESTALE);
	for (size_t i = 0; i < 3; i++)
		vs_unref(vs[i]);
}

/* The namespaces cannot be entered, and the addresses are known all the same. */
static void test_addresses_without_entering(void **state)
{
	struct nst *t = *state;
	int home = netns_open_home();
	uint64_t cookie;
	struct vs *a;

	if (netns_cookie(home, 0, &cookie) < 0) {
		print_message("# this kernel has no NS_GET_ID\n");
		close(home);
		return;
	}
	close(home);
	nst_add(NST_NETNS "/a");
	nst_open(t);
	a = nst_get(t, "a");
	nst_set_address_in(a, "10.1.1.5");
	set_capabilities(CAP_SYS_ADMIN);
	assert_int_equal(vs_socket(a, AF_INET, SOCK_DGRAM, 0), -EPERM);
	expect_addresses(a, "10.1.1.5 ");
	set_capabilities(-1);
	/* The name leads to another namespace, which is not a, and has not been seen. */
	nst_del(NST_NETNS "/a");
	nst_add(NST_NETNS "/a");
	set_capabilities(CAP_SYS_ADMIN);
	assert_true(vs_addresses(a, note_address, (char[256]){""}) < 0);
	set_capabilities(-1);
	vs_unref(a);
}

static void test_changes_of_addresses(void **state)
{
	struct nst *t = *state;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct vs *a;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	nst_add(NST_NETNS "/c");
	nst_expect(t, "+c ");
	nst_quiet(t);
	t->all_events = true;
	a = nst_get(t, "a");
	nst_set_address_in(a, "10.1.1.5");
	nst_expect(t, "@a ");
	expect_addresses(a, "10.1.1.5 ");
	nst_set_address_in(a, "0.0.0.0");
	nst_expect(t, "@a ");
	vs_unref(a);
	a = nst_get(t, "c");
	nst_set_address_in(a, "10.1.1.5");
	nst_expect(t, "@c ");
	vs_unref(a);
	nst_set_address(sock, "10.1.1.5");
	nst_expect(t, "@host ");
	nst_set_address(sock, "0.0.0.0");
	nst_expect(t, "@host ");
	close(sock);
	nst_quiet(t);
}

static void test_released(void **state)
{
	struct nst *t = *state;
	uint64_t start;
	struct vs *a;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	t->all_events = true;
	a = nst_get(t, "a");
	assert_true(vs_nsid(a) >= 0);
	start = nst_now();
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a !a ");
	/* By the kernel's word, and not when patience ended. */
	assert_in_range(nst_now() - start, 0, UINT64_C(4500000000));
	assert_int_equal(vs_nsid(a), -ENOENT);
	assert_int_equal(nst_count_log(t, "held"), 0);
	assert_int_equal(nst_count_log(t, "let go"), 0);
	vs_unref(a);
}

static unsigned count_events(const struct nst *t, const char *event)
{
	unsigned count = 0;

	for (const char *p = t->events; (p = strstr(p, event)); p += strlen(event))
		count++;
	return count;
}

/* Each next one is likely to be given the nsid of the one before. */
static void test_nsids_are_reused(void **state)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	struct nst *t = *state;
	struct vs *a, *found;
	unsigned added;

	nst_open(t);
	t->all_events = true;
	nst_add(NST_NETNS "/a");
	for (unsigned i = 0; i < 50; i++) {
		nst_turn(t, 0);
		nst_del(NST_NETNS "/a");
		if (i % 2)
			nst_turn(t, 0);
		nst_add(NST_NETNS "/a");
	}
	do {
		nst_turn(t, 10);
		added = count_events(t, "+a ");
	} while (nst_now() < end && (count_events(t, "-a ") != added - 1 ||
					    count_events(t, "!a ") != added - 1 || added < 2));
	assert_true(added >= 2);
	assert_int_equal(count_events(t, "-a "), added - 1);
	assert_int_equal(count_events(t, "!a "), added - 1);
	a = nst_get(t, "a");
	assert_true(vs_nsid(a) >= 0);
	found = vs_by_nsid(t->reg, vs_nsid(a));
	assert_ptr_equal(found, a);
	vs_unref(found);
	nst_set_address_in(a, "10.1.1.5");
	expect_addresses(a, "10.1.1.5 ");
	vs_unref(a);
}

/* The namespace of a VS that is gone comes again as another VS: it was never let go. */
static void test_seen_again(void **state)
{
	struct nst *t = *state;
	int nsid, ns = nst_new_ns(NULL);
	struct vs *a, *found;

	nst_touch(NST_NETNS "/a");
	nst_bind(ns, NST_NETNS "/a");
	nst_open(t);
	t->all_events = true;
	a = nst_get(t, "a");
	nsid = vs_nsid(a);
	vs_unref(a);
	assert_int_equal(umount2(NST_NETNS "/a", MNT_DETACH), 0);
	nst_expect(t, "-a ");
	assert_null(vs_by_nsid(t->reg, nsid));
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "+a ");
	a = nst_get(t, "a");
	assert_int_equal(vs_nsid(a), nsid);
	found = vs_by_nsid(t->reg, nsid);
	assert_ptr_equal(found, a);
	vs_unref(found);
	vs_unref(a);
	close(ns);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a !a ");
}

static void expect_no_feature(struct nst *t)
{
	struct vs *a;

	t->all_events = true;
	a = nst_get(t, "a");
	assert_int_equal(vs_nsid(a), -ENOENT);
	assert_null(vs_by_nsid(t->reg, 0));
	nst_set_address_in(a, "10.1.1.5");
	expect_addresses(a, "10.1.1.5 ");
	vs_unref(a);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	nst_quiet(t);
}

static void test_feature_off(void **state)
{
	struct nst *t = *state;

	nst_add(NST_NETNS "/a");
	t->config.flags = VS_NO_NSID;
	nst_open(t);
	expect_no_feature(t);
	assert_string_equal(t->log, "");
}

static void test_no_privilege(void **state)
{
	struct nst *t = *state;

	nst_add(NST_NETNS "/a");
	set_capabilities(CAP_NET_BROADCAST);
	nst_open(t);
	set_capabilities(-1);
	expect_no_feature(t);
	assert_int_equal(nst_count_log(t, "<6> -: changes of addresses and ends of namespaces "
					  "will not be told of: "),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_KERNELS(test_assigned_and_found),
		NST_KERNELS(test_equal_addresses),
		NST_ONCE(test_addresses_without_entering),
		NST_KERNELS(test_changes_of_addresses),
		NST_KERNELS(test_released),
		NST_KERNELS(test_nsids_are_reused),
		NST_KERNELS(test_seen_again),
		NST_ONCE(test_feature_off),
		NST_ONCE(test_no_privilege),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
