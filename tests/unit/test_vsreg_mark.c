/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VSs that share a namespace: who is found by what, and who is not. What stands on devices is in
 * test_vsreg_mark_device.c.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nstest.h"

#define VS(mark) "[VirtualServer]\nFlavour=mark\nMark=" mark "\n"
#define RED "Namespace=red\n"
#define NET "[Network]\n"

static socklen_t make_address(struct sockaddr_storage *ss, const char *text)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return sizeof(*in);
}

/* name: "-" when nobody is to be found. Takes over the reference. */
static void expect_vs(struct vs *vs, const char *name)
{
	assert_string_equal(vs ? vs_name(vs) : "-", name);
	vs_unref(vs);
}

static void expect_owner(struct nst *t, uint64_t cookie, const char *address, const char *name)
{
	struct sockaddr_storage ss;

	make_address(&ss, address);
	expect_vs(vs_by_address(t->reg, cookie, (struct sockaddr *)&ss), name);
}

static uint64_t cookie_of(struct nst *t, const char *name)
{
	struct vs *vs = nst_get(t, name);
	uint64_t cookie = vs_cookie(vs);

	vs_unref(vs);
	return cookie;
}

static uint32_t mark_of_socket(int sock)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);

	assert_int_equal(getsockopt(sock, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

/* In the registry's own namespace. */
static void test_at_home(void **state)
{
	struct nst *t = *state;
	uint64_t home = nst_own_cookie();
	struct vs *a;
	int sock;

	nst_write(NST_CONF "/a.conf", VS("7") NET "Address=10.0.0.5/24 dev x\nPool=10.1.0.0/16\n");
	nst_write(NST_CONF "/b.conf", VS("0x8") NET "Address=2001:db8::5/64 dev x\n");
	nst_open(t);
	assert_string_equal(t->log, "");
	nst_expect_list(t, "a b host");
	a = nst_get(t, "a");
	assert_int_equal(vs_flavour(a), VS_MARK);
	assert_int_equal(vs_mark(a), 7);
	assert_int_equal(vs_cookie(a), home);
	assert_false(vs_is_host(a));
	assert_null(vs_alias(a, 0));
	expect_vs(vs_by_mark(t->reg, 7), "a");
	expect_vs(vs_by_mark(t->reg, 8), "b");
	expect_vs(vs_by_mark(t->reg, 9), "-");
	expect_vs(vs_by_mark(t->reg, 0), "-");
	expect_vs(vs_by_cookie(t->reg, home), "host");
	expect_owner(t, home, "10.0.0.5", "a");
	expect_owner(t, home, "::ffff:10.0.0.5", "a");
	expect_owner(t, home, "10.1.255.255", "a");
	expect_owner(t, home, "2001:db8::5", "b");
	expect_owner(t, home, "10.0.0.6", "host");
	expect_owner(t, home, "127.0.0.1", "-");
	expect_owner(t, home, "::1", "-");
	expect_owner(t, home, "0.0.0.0", "-");
	expect_vs(vs_default(t->reg, home), "-");
	expect_owner(t, home + 1000000, "10.0.0.5", "-");
	sock = vs_socket(a, AF_INET, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(mark_of_socket(sock), 7);
	assert_int_equal(nst_cookie_of(sock), home);
	expect_vs(vs_of_socket(t->reg, sock), "a");
	close(sock);
	assert_int_equal(nst_count_ns_fds(), 1);
	vs_unref(a);
}

/* A namespace that is a VS, too, and comes and goes; and one that nobody else takes. */
static void test_elsewhere(void **state)
{
	struct nst *t = *state;
	uint64_t red, other;
	struct vs *a;
	int sock;

	nst_write(NST_CONF "/a.conf", VS("1") RED "Default=yes\n" NET
				      "Address=10.0.0.5/24 dev x\n");
	nst_write(NST_CONF "/b.conf", VS("2") "Namespace=cni-1\n" NET
				      "Address=10.0.0.5/24 dev x\n");
	nst_open(t);
	nst_expect_list(t, "host");
	red = nst_add(NST_NETNS "/red");
	nst_expect(t, "+red +a ");
	other = nst_add(NST_NETNS "/cni-1");
	nst_expect(t, "+b ");
	nst_expect_list(t, "a b host red");
	expect_owner(t, red, "10.0.0.5", "a");
	expect_owner(t, red, "10.0.0.6", "red");
	expect_owner(t, red, "127.0.0.1", "a");
	expect_vs(vs_default(t->reg, red), "a");
	expect_owner(t, other, "10.0.0.5", "b");
	expect_owner(t, other, "10.0.0.6", "-");
	expect_vs(vs_by_cookie(t->reg, other), "-");
	expect_vs(vs_default(t->reg, other), "-");
	expect_vs(vs_default(t->reg, nst_own_cookie()), "host");
	a = nst_get(t, "a");
	sock = vs_socket(a, AF_INET6, SOCK_STREAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(mark_of_socket(sock), 1);
	assert_int_equal(nst_cookie_of(sock), red);
	close(sock);
	nst_del(NST_NETNS "/red");
	nst_expect(t, "-red -a ");
	assert_int_equal(vs_socket(a, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_true(vs_is_gone(a));
	vs_unref(a);
	expect_owner(t, red, "10.0.0.5", "-");
	expect_vs(vs_by_mark(t->reg, 1), "-");
	/* Another one of that name is another VS. */
	other = nst_add(NST_NETNS "/red");
	nst_expect(t, "+red +a ");
	assert_int_not_equal(other, red);
	assert_int_equal(cookie_of(t, "a"), other);
	expect_owner(t, red, "10.0.0.5", "-");
	expect_owner(t, other, "10.0.0.5", "a");
}

/* The host is not served, but mark VSs are, in its namespace. */
static void test_host_is_off(void **state)
{
	struct nst *t = *state;
	uint64_t home = nst_own_cookie();

	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nEnabled=no\nDefault=yes\n");
	nst_write(NST_CONF "/a.conf", VS("1") NET "Address=10.0.0.5/24 dev x\n");
	nst_open(t);
	nst_expect_list(t, "a");
	expect_owner(t, home, "10.0.0.5", "a");
	expect_owner(t, home, "10.0.0.6", "-");
	expect_vs(vs_default(t->reg, home), "-");
	expect_vs(vs_by_cookie(t->reg, home), "-");
	nst_write(NST_CONF "/host.conf", "[VirtualServer]\nDefault=yes\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "+host ");
	expect_owner(t, home, "10.0.0.6", "host");
	expect_owner(t, home, "127.0.0.1", "host");
	expect_vs(vs_default(t->reg, home), "host");
}

static int bound(struct nst *t, const char *name, const char *address, uint32_t mark)
{
	struct sockaddr_storage ss;
	socklen_t len = make_address(&ss, address);
	struct vs *vs = nst_get(t, name);
	int sock = vs_socket(vs, ss.ss_family, SOCK_DGRAM, 0);
	const int on = 1;

	vs_unref(vs);
	assert_true(sock >= 0);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(setsockopt(sock, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)), 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&ss, len), 0);
	return sock;
}

static void expect_of_socket(
	struct nst *t, const char *address, uint32_t mark, const char *name)
{
	int sock = bound(t, "host", address, mark);

	expect_vs(vs_of_socket(t->reg, sock), name);
	close(sock);
}

static void test_of_socket(void **state)
{
	struct nst *t = *state;
	int sock;

	nst_write(NST_CONF "/a.conf", VS("1") NET "Address=10.0.0.5/24 dev x\n");
	nst_write(NST_CONF "/b.conf", VS("2") "Default=yes\n" NET "Address=10.0.0.6/24 dev x\n"
					      "Address=2001:db8::6/64 dev x\n");
	nst_write(NST_CONF "/c.conf", VS("3") RED);
	nst_add(NST_NETNS "/red");
	nst_add(NST_NETNS "/blue");
	nst_open(t);
	expect_of_socket(t, "10.0.0.5", 1, "a");
	expect_of_socket(t, "10.0.0.5", 0, "a");
	expect_of_socket(t, "0.0.0.0", 1, "a");
	expect_of_socket(t, "10.0.0.6", 2, "b");
	expect_of_socket(t, "2001:db8::6", 2, "b");
	expect_of_socket(t, "::", 2, "b");
	expect_of_socket(t, "0.0.0.0", 0, "b");
	expect_of_socket(t, "127.0.0.1", 0, "b");
	expect_of_socket(t, "127.0.0.1", 2, "b");
	expect_of_socket(t, "10.0.0.7", 0, "host");
	/* What does not agree, and what is not there. */
	expect_of_socket(t, "10.0.0.5", 2, "-");
	expect_of_socket(t, "10.0.0.6", 1, "-");
	expect_of_socket(t, "10.0.0.7", 1, "-");
	expect_of_socket(t, "127.0.0.1", 1, "-");
	expect_of_socket(t, "10.0.0.5", 9, "-");
	expect_of_socket(t, "0.0.0.0", 9, "-");
	expect_of_socket(t, "0.0.0.0", 3, "-"); /* of another namespace */
	/* A namespace without mark VSs does not care for marks. */
	sock = bound(t, "blue", "10.0.0.5", 1);
	expect_vs(vs_of_socket(t->reg, sock), "blue");
	close(sock);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect_vs(vs_of_socket(t->reg, sock), "b");
	close(sock);
}

static int note_address(const struct vs_address *address, void *arg)
{
	char *text = arg, buf[INET6_ADDRSTRLEN] = "";
	size_t len = strlen(text);

	if (address->addr.ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)&address->addr)->sin_addr, buf,
			sizeof(buf));
	else
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&address->addr)->sin6_addr, buf,
			sizeof(buf));
	snprintf(text + len, 256 - len, "%s ", buf);
	return 0;
}

static void expect_addresses(struct nst *t, const char *name, const char *want)
{
	struct vs *vs = nst_get(t, name);
	char text[256] = "";

	assert_int_equal(vs_addresses(vs, note_address, text), 0);
	assert_string_equal(text, want);
	vs_unref(vs);
}

/* Each VS sees its own, and is told when any changes. */
static void test_addresses(void **state)
{
	struct nst *t = *state;
	struct vs *red;
	int netlink;

	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Address=10.0.0.5/32 dev x\n"
					      "Pool=10.7.0.0/16\n");
	nst_write(NST_CONF "/b.conf", VS("2") RED NET "Address=10.0.0.6/32 dev x\n");
	nst_add(NST_NETNS "/red");
	nst_open(t);
	nst_quiet(t);
	red = nst_get(t, "red");
	netlink = vs_socket(red, AF_NETLINK, SOCK_RAW, 0);
	nst_add_address(netlink, "lo", "10.0.0.5");
	nst_add_address(netlink, "lo", "10.0.0.6");
	nst_add_address(netlink, "lo", "10.0.0.7");
	nst_add_address(netlink, "lo", "10.7.1.1");
	expect_addresses(t, "a", "10.0.0.5 10.7.1.1 ");
	expect_addresses(t, "b", "10.0.0.6 ");
	expect_addresses(t, "red", "10.0.0.7 ");
	expect_addresses(t, "host", "");
	t->all_events = true;
	if (vs_nsid(red) >= 0)
		nst_expect(t, "@red @a @b ");
	nst_del_address(netlink, "lo", "10.0.0.7");
	if (vs_nsid(red) >= 0)
		nst_expect(t, "@red @a @b ");
	expect_addresses(t, "red", "");
	close(netlink);
	vs_unref(red);
}

static void test_reload(void **state)
{
	struct nst *t = *state;
	uint64_t home = nst_own_cookie(), red;
	struct vs *a;

	nst_write(NST_CONF "/a.conf", VS("1") NET "Address=10.0.0.5/24 dev x\n");
	red = nst_add(NST_NETNS "/red");
	nst_open(t);
	a = nst_get(t, "a");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "");
	/* Other addresses: the same VS. */
	nst_write(NST_CONF "/a.conf", VS("1") NET "Address=10.0.0.6/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "~a ");
	expect_owner(t, home, "10.0.0.5", "host");
	expect_owner(t, home, "10.0.0.6", "a");
	assert_false(vs_is_gone(a));
	/* One more, and the namespace VS's address becomes its own. */
	nst_write(NST_CONF "/b.conf", VS("2") NET "Address=10.0.0.5/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "+b ");
	expect_owner(t, home, "10.0.0.5", "b");
	/* Another mark, and the two change theirs: other VSs. */
	nst_write(NST_CONF "/a.conf", VS("2") NET "Address=10.0.0.6/24 dev x\n");
	nst_write(NST_CONF "/b.conf", VS("1") NET "Address=10.0.0.5/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-a -b +a +b ");
	assert_true(vs_is_gone(a));
	expect_vs(vs_by_mark(t->reg, 2), "a");
	expect_vs(vs_by_mark(t->reg, 1), "b");
	expect_owner(t, home, "10.0.0.6", "a");
	vs_unref(a);
	/* Another namespace: another VS. */
	nst_write(NST_CONF "/a.conf", VS("2") RED NET "Address=10.0.0.6/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-a +a ");
	assert_int_equal(cookie_of(t, "a"), red);
	expect_owner(t, home, "10.0.0.6", "host");
	expect_owner(t, red, "10.0.0.6", "a");
	/* An error: everything stays. */
	nst_write(NST_CONF "/b.conf", VS("2"));
	assert_int_equal(nst_reload(t), -EINVAL);
	nst_expect(t, "");
	expect_owner(t, home, "10.0.0.5", "b");
	/* Gone, and nothing is shared any more. */
	assert_int_equal(unlink(NST_CONF "/b.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-b ");
	expect_owner(t, home, "10.0.0.5", "host");
	expect_owner(t, home, "127.0.0.1", "host");
	expect_vs(vs_default(t->reg, home), "host");
}

/* A name that was a namespace's becomes a mark VS's, and back. */
static void test_another_flavour(void **state)
{
	struct nst *t = *state;
	uint64_t red = nst_add(NST_NETNS "/red");

	nst_open(t);
	nst_expect_list(t, "host red");
	nst_write(NST_CONF "/red.conf", VS("5") RED NET "Address=10.0.0.5/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-red +red ");
	expect_vs(vs_by_mark(t->reg, 5), "red");
	expect_vs(vs_by_cookie(t->reg, red), "-");
	expect_owner(t, red, "10.0.0.6", "-");
	assert_int_equal(unlink(NST_CONF "/red.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-red +red ");
	expect_vs(vs_by_mark(t->reg, 5), "-");
	expect_owner(t, red, "10.0.0.6", "red");
}

/* Two files whose namespaces turn out to be one. */
static void test_conflict(void **state)
{
	struct nst *t = *state;
	uint64_t red;

	nst_write(NST_CONF "/b.conf", VS("2") "Namespace=" NST_NETNS "/red\n" NET
				      "Address=10.0.0.5/24 dev x\nAddress=10.0.0.6/24 dev x\n"
				      "Pool=10.0.0.0/25\nPool=10.1.0.0/16\n");
	nst_write(NST_CONF "/c.conf", VS("3") RED NET "Address=10.2.0.1/24 dev x\n");
	red = nst_add(NST_NETNS "/red");
	nst_open(t);
	nst_expect_list(t, "b c host red");
	expect_owner(t, red, "10.0.0.5", "b");
	/* a comes first by its name, so that b goes. */
	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Address=10.0.0.5/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "-b +a ");
	nst_expect_list(t, "a c host red");
	assert_string_equal(t->log,
		"<3> b: " NST_CONF "/b.conf:8: an address or pool of 'b' is taken by 'a' in "
		NST_CONF "/a.conf:6; it is not served\n");
	expect_vs(vs_by_name(t->reg, "b"), "-");
	expect_vs(vs_by_mark(t->reg, 2), "-");
	expect_owner(t, red, "10.0.0.5", "a");
	/* Nothing of it is served: not by another one, either. */
	expect_owner(t, red, "10.0.0.6", "-");
	expect_owner(t, red, "10.0.0.7", "-");
	expect_owner(t, red, "10.1.2.3", "-");
	expect_owner(t, red, "10.2.0.1", "c");
	expect_owner(t, red, "10.3.0.1", "red");
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "not served"), 1);
	nst_expect_list(t, "a c host red");
	/* The cause is gone. */
	nst_write(NST_CONF "/a.conf", VS("1") RED NET "Address=10.9.0.5/24 dev x\n");
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "~a +b ");
	expect_owner(t, red, "10.0.0.5", "b");
	expect_owner(t, red, "10.0.0.7", "b");
}

static void test_conflict_of_defaults(void **state)
{
	struct nst *t = *state;
	uint64_t red;

	nst_write(NST_CONF "/a.conf", VS("1") "Default=yes\nNamespace=" NST_NETNS "/red\n");
	nst_write(NST_CONF "/red.conf", "[VirtualServer]\nDefault=yes\n");
	red = nst_add(NST_NETNS "/red");
	nst_open(t);
	nst_expect_list(t, "host red");
	assert_string_equal(t->log, "<3> a: " NST_CONF "/a.conf:4: Default=yes of 'a' is taken by "
				    "'red' in " NST_CONF "/red.conf:2; it is not served\n");
	expect_vs(vs_default(t->reg, red), "red");
	assert_int_equal(unlink(NST_CONF "/red.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	nst_expect(t, "~red +a ");
	expect_vs(vs_default(t->reg, red), "a");
}

static void test_references_outlive_the_registry(void **state)
{
	struct nst *t = *state;
	struct sockaddr_storage ss;
	struct vs *a;

	nst_write(NST_CONF "/a.conf", VS("1") NET "Address=10.0.0.5/24 dev x\n");
	nst_open(t);
	a = nst_get(t, "a");
	vs_reg_close(t->reg);
	t->reg = NULL;
	make_address(&ss, "10.0.0.5");
	assert_int_equal(vs_socket(a, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_int_equal(vs_addresses(a, note_address, (char[256]){""}), -ESTALE);
	assert_string_equal(vs_name(a), "a");
	assert_int_equal(vs_mark(a), 1);
	vs_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_at_home),
		NST_BOTH(test_elsewhere),
		NST_BOTH(test_host_is_off),
		NST_BOTH(test_of_socket),
		NST_BOTH(test_addresses),
		NST_BOTH(test_reload),
		NST_BOTH(test_another_flavour),
		NST_BOTH(test_conflict),
		NST_BOTH(test_conflict_of_defaults),
		NST_BOTH(test_references_outlive_the_registry),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("vsreg_mark", tests, NULL, NULL);
}
