/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces that outlive their VS, what must not pass for their end, and what is lost. */
#include "config.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "nstest.h"

/* The kernel writes the nsid first. */
struct nsid_message {
	struct nlmsghdr head;
	struct rtgenmsg body;
	_Alignas(4) struct nlattr id;
	int32_t id_value;
};

/* Of this nsid: namespaces of the test before may come to their end only now. */
static bool hears_end(int netlink, int nsid, int ms)
{
	struct pollfd p = {.fd = netlink, .events = POLLIN};
	_Alignas(struct nlmsghdr) char bytes[4096];
	struct nsid_message m;

	while (poll(&p, 1, ms) == 1) {
		if (recv(netlink, bytes, sizeof(bytes), 0) < (ssize_t)sizeof(m))
			continue;
		memcpy(&m, bytes, sizeof(m));
		if (m.head.nlmsg_type == RTM_DELNSID && m.id.nla_type == NETNSA_NSID &&
			m.id_value == nsid)
			return true;
	}
	return false;
}

static int new_listener(void)
{
	int group = RTNLGRP_NSID, sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};

	assert_true(sock >= 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(
		setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	return sock;
}

/* A namespace with this nsid under a name, as nst_add() makes it. */
static void add_numbered(const char *path, int nsid)
{
	int ns = nst_new_ns(NULL), netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	nst_set_nsid(netlink, ns, nsid);
	nst_touch(path);
	nst_bind(ns, path);
	close(netlink);
	close(ns);
}

/* A reload looks at names before it hears of the end of those who had the nsids before. */
static void test_end_of_an_earlier_owner(void **state)
{
	struct nst *t = *state;
	int number = 5000 + (int)t->config.flags, listener = new_listener();
	struct vs *b;

	nst_open(t);
	add_numbered("/run/t/elsewhere", number);
	nst_del("/run/t/elsewhere");
	assert_true(hears_end(listener, number, NST_PATIENCE));
	add_numbered(NST_NETNS "/b", number);
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "+b ");
	nst_quiet(t);
	b = nst_get(t, "b");
	assert_int_equal(vs_nsid(b), number);
	vs_unref(b);
	close(listener);
}

static void test_nsid_taken_over(void **state)
{
	struct nst *t = *state;
	int number = 6000 + (int)t->config.flags, listener = new_listener();
	struct vs *b;

	add_numbered(NST_NETNS "/a", number);
	nst_open(t);
	t->all_events = true;
	nst_del(NST_NETNS "/a");
	assert_true(hears_end(listener, number, NST_PATIENCE));
	add_numbered(NST_NETNS "/b", number);
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-a +b !a ");
	nst_quiet(t);
	b = nst_get(t, "b");
	assert_int_equal(vs_nsid(b), number);
	vs_unref(b);
	close(listener);
}

static int count_address(const struct vs_address *address, void *arg)
{
	(void)address;
	++*(unsigned *)arg;
	return 0;
}

/* Name and nsid are another's by now, and the registry has not looked yet. */
static void test_addresses_of_a_successor(void **state)
{
	struct nst *t = *state;
	int number = 7000 + (int)t->config.flags, listener = new_listener();
	unsigned count = 0;
	struct vs *a, *successor;

	add_numbered(NST_NETNS "/a", number);
	nst_open(t);
	a = nst_get(t, "a");
	nst_del(NST_NETNS "/a");
	assert_true(hears_end(listener, number, NST_PATIENCE));
	add_numbered(NST_NETNS "/a", number);
	assert_int_equal(vs_addresses(a, count_address, &count), -ESTALE);
	assert_int_equal(count, 0);
	nst_expect(t, "-a +a ");
	successor = nst_get(t, "a");
	assert_int_equal(vs_nsid(successor), number);
	assert_int_equal(vs_addresses(a, count_address, &count), -ESTALE);
	vs_unref(successor);
	vs_unref(a);
	close(listener);
}

static void forge(int netlink, uint16_t type, int group, int nsid)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1u << (group - 1)};
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
		_Alignas(4) struct nlattr id;
		int32_t id_value;
		int32_t room[4];
	} m = {
		.head = {sizeof(m), type, 0, 1, 0},
		.id = {sizeof(struct nlattr) + 4, NETNSA_NSID},
		.id_value = nsid,
	};

	sendto(netlink, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to));
}

/* Root in one VS says what he likes; and what his own nsids mean is his own affair. */
static void test_word_of_a_tenant(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL), group = RTNLGRP_NSID, netlink, held, nsid;
	struct vs *a, *b;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_open(t);
	a = nst_get(t, "a");
	b = nst_get(t, "b");
	nsid = vs_nsid(b);
	netlink = vs_socket(a, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	held = vs_socket(b, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(
		setsockopt(netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	nst_del(NST_NETNS "/b");
	nst_expect(t, "-b ");
	nst_quiet(t);
	t->all_events = true;
	forge(netlink, RTM_DELNSID, RTNLGRP_NSID, nsid);
	forge(netlink, RTM_NEWADDR, RTNLGRP_IPV4_IFADDR, nsid);
	nst_set_nsid(netlink, ns, nsid);
	close(ns);
	assert_true(hears_end(netlink, nsid, NST_PATIENCE));
	nst_turn(t, 0);
	nst_turn(t, 0);
	nst_expect(t, "");
	close(held);
	nst_expect(t, "!b ");
	close(netlink);
	vs_unref(a);
	vs_unref(b);
}

static pid_t start_inside(struct vs *vs)
{
	struct vs_saved saved;
	pid_t pid = fork();

	if (pid == 0) {
		if (vs_enter(vs, &saved) == 0)
			pause();
		_exit(1);
	}
	assert_true(pid > 0);
	return pid;
}

static bool is_inside(pid_t pid, uint64_t cookie)
{
	char path[64];
	uint64_t found = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = netns_open(path);
	if (fd >= 0 && netns_cookie(fd, NETNS_NO_GET_ID, &found) < 0)
		found = 0;
	if (fd >= 0)
		close(fd);
	return found == cookie;
}

/* Takes five seconds, because a deployment waits no longer. */
static void test_held(void **state)
{
	uint64_t start, end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	struct nst *t = *state;
	struct vs *a, *b;
	char text[64];
	pid_t pid;
	int sock;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_add(NST_NETNS "/kept");
	nst_open(t);
	t->all_events = true;
	a = nst_get(t, "a");
	b = nst_get(t, "b");
	/* Not deleted, only no longer served: nothing is said of these. */
	nst_write(NST_CONF "/kept.conf", "[VirtualServer]\nEnabled=no\n");
	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nEnabled=no\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-host -kept ");
	sock = vs_socket(a, AF_INET, SOCK_DGRAM, 0);
	pid = start_inside(b);
	while (!is_inside(pid, vs_cookie(b)) && nst_now() < end)
		sched_yield();
	start = nst_now();
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	nst_del(NST_NETNS "/b");
	nst_expect(t, "-b ");
	snprintf(text, sizeof(text), "<4> b: gone, but its namespace is still held by process %d ",
		(int)pid);
	nst_expect_log(t, text);
	assert_true(nst_now() - start >= UINT64_C(4900000000));
	nst_expect_log(t, "<4> a: gone, but its namespace is still held by a socket, ");
	nst_expect(t, "");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	nst_expect(t, "!b ");
	nst_expect_log(t, "<6> b: its namespace was let go");
	close(sock);
	nst_expect(t, "!a ");
	assert_int_equal(nst_count_log(t, "still held"), 2);
	assert_int_equal(nst_count_log(t, "let go"), 2);
	vs_unref(a);
	vs_unref(b);
}

/* More than the socket's buffer takes, and the end of a namespace among it. */
static void test_overflow(void **state)
{
	struct nst *t = *state;
	uint64_t start;
	struct vs *a;
	int sock;

	nst_add(NST_NETNS "/a");
	nst_add(NST_NETNS "/b");
	nst_add(NST_NETNS "/c");
	nst_open(t);
	a = nst_get(t, "a");
	sock = vs_socket(a, AF_INET, SOCK_DGRAM, 0);
	nst_quiet(t);
	t->all_events = true;
	for (unsigned i = 0; i < 10000; i++) {
		nst_set_address(sock, "10.1.1.5");
		nst_set_address(sock, "0.0.0.0");
	}
	start = nst_now();
	nst_del(NST_NETNS "/b");
	for (uint64_t end = start + NST_PATIENCE * UINT64_C(1000000); nst_now() < end;) {
		nst_turn(t, 100);
		if (strstr(t->events, "@c ") && strstr(t->events, "!b "))
			break;
		if (strlen(t->events) > 2000)
			t->events[0] = '\0';
	}
	assert_non_null(strstr(t->events, "@c "));
	assert_non_null(strstr(t->events, "@host "));
	assert_non_null(strstr(t->events, "!b "));
	/* Because it looked again, and not when patience ended. */
	assert_in_range(nst_now() - start, 0, UINT64_C(4500000000));
	close(sock);
	vs_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_KERNELS(test_end_of_an_earlier_owner),
		NST_KERNELS(test_nsid_taken_over),
		NST_KERNELS(test_addresses_of_a_successor),
		NST_KERNELS(test_word_of_a_tenant),
		NST_ONCE(test_held),
		NST_KERNELS(test_overflow),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
