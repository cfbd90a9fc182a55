/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mark VSs in one namespace, over lo: whose is a datagram, from where and with which mark is it
 * answered, and what may be bound.
 *
 *     a       a namespace VS; 10.0.0.7 is its own
 *     red     mark 16: 10.0.0.5, fd00::5
 *     green   mark 17: 10.0.0.6
 *
 * 10.0.0.99 is nobody's: lo takes in all of 10.0.0.0/8.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "udp_rig.h"

#define MAX 16
#define PORT 7007

static void write_red(const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		"[VirtualServer]\nFlavour=mark\nNamespace=a\nMark=16\n%s\n[Network]\n"
		"Address=10.0.0.5/32 dev lo\nAddress=fd00::5/128 dev lo\nDevice=lo\n", more);
	nst_write(NST_CONF "/red.conf", text);
}

static void write_green(const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		"[VirtualServer]\nFlavour=mark\nNamespace=a\nMark=17\n%s\n[Network]\n"
		"Address=10.0.0.6/32\nDevice=eth0\n", more);
	nst_write(NST_CONF "/green.conf", text);
}

struct stage {
	struct nst *t;
	struct vs *a, *red, *green; /* a: NULL where it is not taken */
};

/* Without nsids the registry looks for them once a second. */
static void wait_for_addresses(struct stage *s)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	union udp_address a;
	struct vs *vs;

	udp_address_of(&a, "10.0.0.7", 0);
	while ((vs = vs_by_address(s->t->reg, vs_cookie(s->red), &a.any)) != s->a) {
		assert_true(nst_now() < end);
		nst_turn(s->t, 100);
	}
	vs_unref(vs);
}

static void open_stage(struct stage *s, struct nst *t, const char *red, const char *green)
{
	static const char *const addresses[] = {
		"10.0.0.5", "10.0.0.6", "10.0.0.7", "fd00::5", "fd00::7", NULL};

	*s = (struct stage){.t = t};
	nst_add(NST_NETNS "/a");
	write_red(red);
	write_green(green);
	nst_open(t);
	s->a = vs_by_name(t->reg, "a");
	s->red = nst_get(t, "red");
	s->green = nst_get(t, "green");
	udp_lo_up(s->red, addresses);
	nst_rescan(t);
	nst_quiet(t);
	wait_for_addresses(s);
}

static void close_stage(struct stage *s)
{
	vs_unref(s->a);
	vs_unref(s->red);
	vs_unref(s->green);
}

/* "NAME SOURCE mark N" of the answer to what was sent from one address to another. */
static const char *round_trip(struct stage *s, int fd, const char *from, const char *to)
{
	static char text[128];
	int client = udp_client(s->red, from);
	struct udp_datagram d;
	const char *name = "nobody";

	udp_ask(client, to, udp_port_of(fd));
	udp_receive(s->t, fd, &d);
	if (d.vs) {
		name = vs_name(d.vs);
		assert_int_equal(d.path.mark, vs_mark(d.vs));
		assert_int_equal(vs_sendmsg(d.vs, fd, &d.msg, 0, &d.path), sizeof(UDP_TEXT));
	}
	snprintf(text, sizeof(text), "%s %s", name, udp_answered(client));
	vs_unref(d.vs);
	close(client);
	return text;
}

static void test_the_address_decides(void **state)
{
	struct stage s;
	int v4, v6;

	open_stage(&s, *state, "", "");
	v4 = udp_shared(s.red, AF_INET);
	v6 = udp_shared(s.green, AF_INET6);
	for (int i = 0; i < 2; i++) {
		int fd = i ? v6 : v4;

		assert_string_equal(round_trip(&s, fd, "10.0.0.7", "10.0.0.5"), "red 10.0.0.5 mark 16");
		assert_string_equal(round_trip(&s, fd, "10.0.0.7", "10.0.0.6"), "green 10.0.0.6 mark 17");
		assert_string_equal(round_trip(&s, fd, "10.0.0.5", "10.0.0.7"), "a 10.0.0.7 mark 0");
		/* Without a default VS loopback is nobody's. */
		assert_string_equal(round_trip(&s, fd, "10.0.0.7", "127.0.0.1"), "nobody ");
	}
	assert_string_equal(round_trip(&s, v6, "fd00::7", "fd00::5"), "red fd00::5 mark 16");
	assert_string_equal(round_trip(&s, v6, "fd00::5", "fd00::7"), "a fd00::7 mark 0");
	assert_string_equal(round_trip(&s, v6, "fd00::7", "::1"), "nobody ");
	close(v4);
	close(v6);
	close_stage(&s);
}

static void test_nobodys(void **state)
{
	static const char *const exclude[] = {"a", NULL};
	struct nst *t = *state;
	struct stage s;
	int fd;

	t->config.exclude = exclude;
	open_stage(&s, t, "", "");
	assert_null(s.a);
	fd = udp_shared(s.red, AF_INET);
	assert_string_equal(round_trip(&s, fd, "10.0.0.7", "10.0.0.5"), "red 10.0.0.5 mark 16");
	assert_string_equal(round_trip(&s, fd, "10.0.0.5", "10.0.0.7"), "nobody ");
	assert_string_equal(round_trip(&s, fd, "10.0.0.5", "10.0.0.99"), "nobody ");
	close(fd);
	close_stage(&s);
}

static void test_default_vs(void **state)
{
	struct stage s;
	int fd;

	open_stage(&s, *state, "", "Default=yes");
	fd = udp_shared(s.green, AF_INET6);
	assert_string_equal(round_trip(&s, fd, "127.0.0.1", "127.0.0.1"), "green 127.0.0.1 mark 17");
	assert_string_equal(round_trip(&s, fd, "fd00::7", "::1"), "green ::1 mark 17");
	assert_string_equal(round_trip(&s, fd, "127.0.0.1", "10.0.0.5"), "red 10.0.0.5 mark 16");
	close(fd);
	close_stage(&s);
}

/* What goes to a group is the default VS's, if the kernel would answer from an address of his. */
static void test_groups(void **state)
{
	struct ip_mreqn group = {.imr_ifindex = 1};
	struct stage s;

	inet_pton(AF_INET, "224.0.0.86", &group.imr_multiaddr);
	open_stage(&s, *state, "", "Default=yes");
	for (int i = 0; i < 2; i++) {
		int fd = udp_shared(s.red, AF_INET);
		int client = udp_client(s.red, i ? "10.0.0.5" : "127.0.0.1");
		struct udp_datagram d;

		setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group));
		setsockopt(client, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group));
		udp_ask(client, "224.0.0.86", udp_port_of(fd));
		udp_receive(s.t, fd, &d);
		assert_ptr_equal(d.vs, i ? NULL : s.green);
		vs_unref(d.vs);
		close(client);
		close(fd);
	}
	close_stage(&s);
}

static void test_another_ones_path(void **state)
{
	static const char *const others[] = {
		"10.0.0.5", "10.0.0.7", "10.0.0.99", "0.0.0.0", "127.0.0.1", "224.0.0.1", "fd00::5", "::"};
	struct udp_datagram d;
	struct stage s;
	int fd, client;

	open_stage(&s, *state, "", "");
	fd = udp_shared(s.red, AF_INET);
	client = udp_client(s.red, "10.0.0.7");
	udp_ask(client, "10.0.0.6", udp_port_of(fd));
	udp_receive(s.t, fd, &d);
	assert_ptr_equal(d.vs, s.green);
	assert_int_equal(vs_sendmsg(s.red, fd, &d.msg, 0, &d.path), -EXDEV);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		union udp_address a;

		udp_address_of(&a, others[i], 0);
		memcpy(&d.path.local, &a, sizeof(a));
		assert_int_equal(vs_sendmsg(s.green, fd, &d.msg, 0, &d.path), -EXDEV);
	}
	d.path.local.ss_family = AF_UNSPEC;
	assert_int_equal(vs_sendmsg(s.green, fd, &d.msg, 0, &d.path), -EXDEV);
	assert_string_equal(udp_answered(client), "");
	vs_unref(d.vs);
	close(client);
	close(fd);
	close_stage(&s);
}

static uint32_t mark_of(int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

static void test_prepare_takes_the_mark_away(void **state)
{
	struct stage s;
	int fd;

	open_stage(&s, *state, "", "");
	fd = vs_socket(s.red, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(mark_of(fd), 16);
	assert_int_equal(vs_path_prepare(fd), 0);
	assert_int_equal(mark_of(fd), 0);
	close(fd);
	close_stage(&s);
}

/* What vs_bind() makes of an address, with a new socket of that VS. */
static int try_bind(struct vs *vs, struct vs *socket_of, const char *text)
{
	union udp_address a;
	socklen_t len = udp_address_of(&a, text, 0);
	int rc, fd = vs_socket(socket_of, a.any.sa_family, SOCK_DGRAM, 0);

	rc = vs_bind(vs, fd, &a.any, len);
	close(fd);
	return rc;
}

static void test_bind(void **state)
{
	static const char *const others[] = {"10.0.0.6", "10.0.0.7", "10.0.0.99", "0.0.0.0", "127.0.0.1",
		"127.0.0.2", "224.0.0.86", "255.255.255.255", "::", "::1", "fd00::7", "ff02::86",
		"::ffff:10.0.0.6", "::ffff:0.0.0.0", "::ffff:127.0.0.1"};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stage s;
	int local;

	open_stage(&s, *state, "", "");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(try_bind(s.red, s.red, others[i]), -EADDRNOTAVAIL);
	assert_int_equal(try_bind(s.red, s.red, "10.0.0.5"), 0);
	assert_int_equal(try_bind(s.red, s.red, "fd00::5"), 0);
	assert_int_equal(try_bind(s.red, s.red, "::ffff:10.0.0.5"), 0);
	/* The namespace VS has what is left, and nothing of theirs. */
	assert_int_equal(try_bind(s.a, s.a, "10.0.0.7"), 0);
	assert_int_equal(try_bind(s.a, s.a, "10.0.0.5"), -EADDRNOTAVAIL);
	assert_int_equal(try_bind(s.a, s.a, "0.0.0.0"), -EADDRNOTAVAIL);
	/* A mark and an address of different VSs. */
	assert_int_equal(try_bind(s.red, s.green, "10.0.0.5"), -EXDEV);
	assert_int_equal(try_bind(s.red, s.a, "10.0.0.5"), -EXDEV);
	assert_int_equal(try_bind(s.a, s.red, "10.0.0.7"), -EXDEV);
	local = vs_socket(s.red, AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(vs_bind(s.red, local, (struct sockaddr *)&un, sizeof(un.sun_family)),
		-EADDRNOTAVAIL);
	close(local);
	close_stage(&s);
}

static void test_bind_of_the_default_vs(void **state)
{
	struct stage s;

	open_stage(&s, *state, "Default=yes", "");
	assert_int_equal(try_bind(s.red, s.red, "0.0.0.0"), 0);
	assert_int_equal(try_bind(s.red, s.red, "::"), 0);
	assert_int_equal(try_bind(s.red, s.red, "127.0.0.2"), 0);
	assert_int_equal(try_bind(s.red, s.red, "::1"), 0);
	assert_int_equal(try_bind(s.red, s.red, "224.0.0.86"), 0);
	assert_int_equal(try_bind(s.red, s.red, "10.0.0.6"), -EADDRNOTAVAIL);
	assert_int_equal(try_bind(s.green, s.green, "127.0.0.1"), -EADDRNOTAVAIL);
	close_stage(&s);
}

static void expect_bound(struct vs *vs, const char *const *want)
{
	struct vs_bound bound[MAX];
	int n = vs_listen_each(vs, SOCK_STREAM, PORT, bound, 0, MAX), found = 0;

	for (; *want; want++) {
		for (int i = 0; i < n; i++)
			found += strcmp(udp_text_of((union udp_address *)&bound[i].addr), *want) == 0;
	}
	assert_int_equal(found, n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(mark_of(bound[i].fd), vs_mark(vs));
		close(bound[i].fd);
	}
}

static void test_listen_each(void **state)
{
	struct stage s;

	open_stage(&s, *state, "", "");
	expect_bound(s.red, (const char *const[]){"10.0.0.5", "fd00::5", NULL});
	expect_bound(s.green, (const char *const[]){"10.0.0.6", NULL});
	expect_bound(s.a, (const char *const[]){"10.0.0.7", "fd00::7", NULL});
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_the_address_decides),
		NST_ONCE(test_nobodys),
		NST_ONCE(test_default_vs),
		NST_ONCE(test_groups),
		NST_ONCE(test_another_ones_path),
		NST_ONCE(test_prepare_takes_the_mark_away),
		NST_ONCE(test_bind),
		NST_ONCE(test_bind_of_the_default_vs),
		NST_ONCE(test_listen_each),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
