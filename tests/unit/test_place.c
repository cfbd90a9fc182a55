/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets inside a VS, or none: of the registry, of a path or a descriptor, and at home. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "place.h"
#include "resolv_net_rig.h"

#define MARK_FILE(mark)                                                                            \
	"[VirtualServer]\nFlavour=mark\nMark=" mark "\nNamespace=red\n[Network]\n"

static unsigned without_of(const struct nst *t)
{
	return t->config.flags & (NETNS_NO_HANDLE | NETNS_NO_GET_ID);
}

static struct place *open_place(struct nst *t, struct vs *vs, const struct vsresolv_config *config)
{
	struct place *place = NULL;

	assert_int_equal(place_new_without(&place, vs, config, without_of(t)), 0);
	return place;
}

static int try_place(struct nst *t, struct vs *vs, const struct vsresolv_config *config)
{
	struct place *place = NULL;
	int rc = place_new_without(&place, vs, config, without_of(t));

	assert_true((rc == 0) == (place != NULL));
	place_free(place);
	return rc;
}

static int int_option(int sock, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(sock, level, name, &value, &len), 0);
	return value;
}

/* Opened in that namespace, as the header says; closed again. */
static void expect_socket(struct place *place, int family, int type, int protocol, uint64_t cookie)
{
	int sock = place_socket(place, family, type, protocol);

	if (sock < 0)
		fail_msg("socket of family %d: %s", family, strerror(-sock));
	assert_int_equal(nst_cookie_of(sock), cookie);
	assert_int_equal(int_option(sock, SOL_SOCKET, SO_DOMAIN), family);
	assert_int_equal(int_option(sock, SOL_SOCKET, SO_TYPE), type);
	assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(sock, F_GETFL) & O_NONBLOCK);
	if (family == AF_INET6)
		assert_int_equal(int_option(sock, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	close(sock);
}

static void expect_all(struct place *place, uint64_t cookie)
{
	expect_socket(place, AF_INET, SOCK_DGRAM, 0, cookie);
	expect_socket(place, AF_INET, SOCK_STREAM, 0, cookie);
	expect_socket(place, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, cookie);
	expect_socket(place, AF_INET6, SOCK_STREAM, 0, cookie);
	expect_socket(place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, cookie);
}

static void expect_error(struct place *place, int error)
{
	unsigned ifindex;

	assert_int_equal(place_socket(place, AF_INET, SOCK_DGRAM, 0), error);
	assert_int_equal(place_socket(place, AF_INET6, SOCK_STREAM, 0), error);
	assert_int_equal(place_socket(place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), error);
	assert_int_equal(place_ifindex(place, "lo", &ifindex), error);
}

/* A deleted VS is gone, nobody holds it, and its name does not lead to the next of that name. */
static void test_registry(void **state)
{
	struct nst *t = *state;
	struct place *place;
	uint64_t cookie;
	struct vs *vs;
	unsigned fds;

	t->all_events = true;
	cookie = nst_add(NST_NETNS "/red");
	nst_open(t);
	vs = nst_get(t, "red");
	fds = rig_count_fds();
	place = open_place(t, vs, NULL);
	assert_ptr_equal(place_vs(place), vs);
	vs_unref(vs);
	assert_false(place_is_mark(place));
	expect_all(place, cookie);
	assert_int_equal(rig_count_fds(), fds);
	assert_int_equal(place_socket(place, AF_UNIX, SOCK_DGRAM, 0), -EAFNOSUPPORT);
	nst_quiet(t);
	nst_del(NST_NETNS "/red");
	nst_add(NST_NETNS "/red");
	/* The namespace itself goes, so that nobody has held it. */
	if (t->config.flags & VS_NO_NSID)
		nst_expect(t, "-red +red ");
	else
		nst_expect(t, "-red +red !red ");
	assert_true(place_is_gone(place));
	expect_error(place, -ESTALE);
	assert_int_equal(rig_count_fds(), fds);
	place_free(place);
	assert_int_equal(try_place(t, NULL, NULL), -EINVAL);
}

/* Without a registry. A watching registry tells when the namespace is really gone. */
static void test_path(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct nst *t = *state;
	struct place *place;
	uint64_t cookie;
	unsigned fds;

	t->all_events = true;
	cookie = nst_add(NST_NETNS "/red");
	nst_open(t);
	config.netns_path = NST_NETNS "/red";
	fds = rig_count_fds();
	place = open_place(t, NULL, &config);
	assert_int_equal(rig_count_fds(), fds);
	assert_null(place_vs(place));
	expect_all(place, cookie);
	nst_quiet(t);
	assert_false(place_is_gone(place));
	nst_del(NST_NETNS "/red");
	assert_true(place_is_gone(place));
	expect_error(place, -ESTALE);
	nst_add(NST_NETNS "/red");
	assert_true(place_is_gone(place));
	expect_error(place, -ESTALE);
	if (!(t->config.flags & VS_NO_NSID))
		nst_expect(t, "-red +red !red ");
	nst_del(NST_NETNS "/red");
	nst_touch(NST_NETNS "/red");
	expect_error(place, -ESTALE);
	assert_int_equal(rig_count_fds(), fds);
	place_free(place);
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	config.netns_path = NST_NETNS "/blue";
	assert_int_equal(try_place(t, NULL, &config), -ENOENT);
	config.netns_path = "red";
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
}

/* The kernel takes its time to end a namespace, and until then a handle opens it. */
static void expect_stale(struct place *place)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	int sock;

	do {
		sock = place_socket(place, AF_INET, SOCK_DGRAM, 0);
		if (sock >= 0)
			close(sock);
	} while (sock >= 0 && nst_now() < end);
	assert_int_equal(sock, -ESTALE);
	expect_error(place, -ESTALE);
}

static void test_descriptor(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct nst *t = *state;
	struct place *place;
	uint64_t cookie;
	int ns;

	cookie = nst_add(NST_NETNS "/red");
	nst_add(NST_NETNS "/blue");
	ns = netns_open(NST_NETNS "/red");
	assert_true(ns >= 0);
	config.netns_fd = ns;
	if (t->config.flags & VS_NO_HANDLE) {
		assert_int_equal(try_place(t, NULL, &config), -EOPNOTSUPP);
		config.netns_path = NST_NETNS "/red";
	}
	place = open_place(t, NULL, &config);
	expect_all(place, cookie);
	close(ns);
	expect_all(place, cookie);
	nst_del(NST_NETNS "/red");
	expect_stale(place);
	place_free(place);
	ns = netns_open(NST_NETNS "/blue");
	config.netns_fd = ns;
	nst_add(NST_NETNS "/red");
	config.netns_path = NST_NETNS "/red";
	assert_int_equal(try_place(t, NULL, &config), -ESTALE);
	close(ns);
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	config = (struct vsresolv_config)VSRESOLV_CONFIG_INIT;
	config.netns_fd = ns;
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	close(ns);
}

static void *look_from_elsewhere(void *arg)
{
	struct place *place = arg;
	uint64_t cookie = 0;
	int sock, ns = netns_open(NST_NETNS "/red");

	if (ns < 0 || netns_cookie(ns, NETNS_NO_GET_ID, &cookie) < 0 || netns_move(ns, cookie) < 0)
		return NULL;
	close(ns);
	sock = place_socket(place, AF_INET, SOCK_DGRAM, 0);
	if (sock < 0 || netns_socket_cookie(sock, &cookie) < 0)
		return NULL;
	close(sock);
	return (void *)(uintptr_t)cookie;
}

/* Home is where it was made, wherever a thread is. */
static void test_home(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct place *place = open_place(*state, NULL, &config);
	pthread_t thread;
	void *found;

	nst_add(NST_NETNS "/red");
	expect_all(place, nst_own_cookie());
	assert_int_equal(pthread_create(&thread, NULL, look_from_elsewhere, place), 0);
	assert_int_equal(pthread_join(thread, &found), 0);
	assert_true((uintptr_t)found == nst_own_cookie());
	place_free(place);
}

static void expect_name(int sock, const char *expected)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} own;
	char text[INET6_ADDRSTRLEN];
	socklen_t len = sizeof(own);

	assert_int_equal(getsockname(sock, &own.sa, &len), 0);
	if (own.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &own.in4.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &own.in6.sin6_addr, text, sizeof(text));
	assert_string_equal(text, expected);
	assert_int_equal(own.sa.sa_family == AF_INET ? own.in4.sin_port : own.in6.sin6_port, 0);
}

static void test_options(void **state)
{
	static const char *const lines[] = {"addr add 192.0.2.5/24 dev b0",
		"addr add 2001:db8::5/64 dev b0 nodad", "addr add fe80::5/64 dev b0 nodad", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct nst *t = *state;
	char device[16] = "";
	socklen_t len = sizeof(device);
	struct place *place;
	unsigned ifindex;
	int sock, ns = rig_add("red");

	rig_ips(ns, lines);
	close(ns);
	config.netns_path = NST_NETNS "/red";
	config.mark = 7;
	config.device = "b0";
	config.bind4 = "192.0.2.5";
	config.bind6 = "fe80::5%b0";
	place = open_place(t, NULL, &config);
	assert_true(place_is_mark(place));
	sock = place_socket(place, AF_INET, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(int_option(sock, SOL_SOCKET, SO_MARK), 7);
	assert_int_equal(getsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, device, &len), 0);
	assert_string_equal(device, "b0");
	expect_name(sock, "192.0.2.5");
	close(sock);
	sock = place_socket(place, AF_INET6, SOCK_STREAM, 0);
	assert_true(sock >= 0);
	expect_name(sock, "fe80::5");
	close(sock);
	assert_int_equal(place_ifindex(place, "b0", &ifindex), 0);
	assert_true(ifindex > 1);
	assert_int_equal(place_ifindex(place, "b1", &ifindex), -ENODEV);
	assert_int_equal(place_ifindex(place, "a-name-that-is-long", &ifindex), -ENODEV);
	place_free(place);
	/* What is not there is an error of the socket. */
	config.bind4 = "192.0.2.6";
	config.bind6 = "fe80::5%b1";
	place = open_place(t, NULL, &config);
	assert_int_equal(place_socket(place, AF_INET, SOCK_DGRAM, 0), -EADDRNOTAVAIL);
	assert_int_equal(place_socket(place, AF_INET6, SOCK_DGRAM, 0), -ENODEV);
	place_free(place);
	config.device = "b1";
	place = open_place(t, NULL, &config);
	assert_int_equal(place_socket(place, AF_INET, SOCK_DGRAM, 0), -ENODEV);
	place_free(place);
}

static int any_opener(void *arg, int domain, int type, int protocol)
{
	(void)arg;
	(void)domain;
	(void)type;
	(void)protocol;
	return -EMFILE;
}

static void test_unsound(void **state)
{
	static const char *const bad4[] = {"", "0.0.0.0", "1.2.3", "::1", "192.0.2.5%b0"};
	static const char *const bad6[] = {"", "::", "fe80::1", "2001:db8::1%b0", "fe80::1%",
		"fe80::1%a/b", "::ffff:192.0.2.1", "192.0.2.1", "fe80::1%a-name-that-is-long"};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct nst *t = *state;
	struct vs *host;

	for (size_t i = 0; i < sizeof(bad4) / sizeof(bad4[0]); i++) {
		config.bind4 = bad4[i];
		assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	}
	config.bind4 = NULL;
	for (size_t i = 0; i < sizeof(bad6) / sizeof(bad6[0]); i++) {
		config.bind6 = bad6[i];
		assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	}
	config.bind6 = NULL;
	config.device = "";
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	config.device = "a-name-that-is-long";
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	config.device = NULL;
	config.socket = any_opener;
	assert_int_equal(try_place(t, NULL, &config), 0);
	config.netns_path = "/proc/self/ns/net";
	assert_int_equal(try_place(t, NULL, &config), -EINVAL);
	nst_open(t);
	host = nst_get(t, "host");
	config.socket = NULL;
	assert_int_equal(try_place(t, host, &config), -EINVAL);
	config = (struct vsresolv_config)VSRESOLV_CONFIG_INIT;
	config.mark = 1;
	assert_int_equal(try_place(t, host, &config), -EINVAL);
	config.mark = 0;
	assert_int_equal(try_place(t, host, &config), 0);
	vs_unref(host);
	place_free(NULL);
}

/* In the shared namespace: the mark, its own address, and no other's. */
static void test_mark(void **state)
{
	static const char *const lines[] = {
		"addr add 10.0.0.1/24 dev b0", "addr add 10.0.0.2/24 dev b0", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct nst *t = *state;
	struct place *place;
	struct vs *a;
	int sock, ns = rig_add("red");

	rig_ips(ns, lines);
	close(ns);
	nst_write(NST_CONF "/a.conf", MARK_FILE("1") "Address=10.0.0.1/24 dev b0\n");
	nst_write(NST_CONF "/b.conf", MARK_FILE("2") "Address=10.0.0.2/24 dev b0\n");
	nst_open(t);
	a = nst_get(t, "a");
	config.bind4 = "10.0.0.1";
	place = open_place(t, a, &config);
	assert_true(place_is_mark(place));
	sock = place_socket(place, AF_INET, SOCK_DGRAM, 0);
	assert_true(sock >= 0);
	assert_int_equal(int_option(sock, SOL_SOCKET, SO_MARK), 1);
	assert_int_equal(nst_cookie_of(sock), vs_cookie(a));
	expect_name(sock, "10.0.0.1");
	close(sock);
	place_free(place);
	config.bind4 = "10.0.0.2";
	place = open_place(t, a, &config);
	assert_int_equal(place_socket(place, AF_INET, SOCK_DGRAM, 0), -EADDRNOTAVAIL);
	place_free(place);
	place = open_place(t, a, NULL);
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	assert_true(place_is_gone(place));
	expect_error(place, -ESTALE);
	place_free(place);
	vs_unref(a);
}

/* Who may not enter or mark gets nothing, and above all no socket of his own namespace. */
static void test_unprivileged(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct place *other, *mark, *home;
	struct rig_privilege privilege;
	struct nst *t = *state;
	uint64_t cookie = nst_add(NST_NETNS "/red");
	unsigned fds;

	home = open_place(t, NULL, &config);
	config.mark = 5;
	mark = open_place(t, NULL, &config);
	config.mark = 0;
	config.netns_path = NST_NETNS "/red";
	other = open_place(t, NULL, &config);
	fds = rig_count_fds();
	rig_drop(&privilege);
	assert_int_equal(place_socket(other, AF_INET, SOCK_DGRAM, 0), -EPERM);
	assert_int_equal(place_socket(mark, AF_INET, SOCK_DGRAM, 0), -EPERM);
	expect_all(home, nst_own_cookie());
	/* Its cookie is told by newer kernels to anybody. */
	assert_int_equal(try_place(t, NULL, &config),
		t->config.flags & VS_NO_GET_ID ? -EPERM : 0);
	config.netns_path = NULL;
	assert_int_equal(try_place(t, NULL, &config), 0);
	rig_restore(&privilege);
	assert_int_equal(rig_count_fds(), fds);
	expect_all(other, cookie);
	place_free(other);
	place_free(mark);
	place_free(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_registry),
		NST_BOTH(test_path),
		NST_BOTH(test_descriptor),
		NST_BOTH(test_home),
		NST_BOTH(test_options),
		NST_ONCE(test_unsound),
		NST_BOTH(test_mark),
		NST_BOTH(test_unprivileged),
	};
	int status;

	if (!nst_begin(&status) || !rig_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
