/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is at the other end of a loopback connection: asked of the kernel, with real sockets in a
 * namespace of the test's own. uid A is root; uid B another one where the user namespace maps one.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"
#include "t.h"
#include "caller.h"

#define B_UID 1001
#define SERVER_PORT 1111

static int diag;
static uid_t uid_b;

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t make_address(int family, const char *text, uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a->in.sin_port = htons(port);
		assert_int_equal(inet_pton(family, text, &a->in.sin_addr), 1);
		return sizeof(a->in);
	}
	a->in6.sin6_port = htons(port);
	assert_int_equal(inet_pton(family, text, &a->in6.sin6_addr), 1);
	return sizeof(a->in6);
}

/* A socket that belongs to uid. */
static int socket_of(uid_t uid, int family, int type)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	assert_int_equal(seteuid(0), 0);
	assert_true(fd >= 0);
	return fd;
}

static void bind_to(int fd, int family, const char *text, uint16_t port)
{
	union address a;
	socklen_t len = make_address(family, text, port, &a);

	assert_int_equal(bind(fd, &a.sa, len), 0);
}

static void share_port(int fd)
{
	int on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
}

static void connect_to(int fd, int family, const char *text, uint16_t port)
{
	union address a;
	socklen_t len = make_address(family, text, port, &a);

	assert_int_equal(connect(fd, &a.sa, len), 0);
}

static int listen_at(int family, const char *text)
{
	int fd = socket_of(0, family, SOCK_STREAM);

	share_port(fd);
	bind_to(fd, family, text, SERVER_PORT);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static struct uaddr name_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct uaddr u;

	assert_int_equal(get(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(uaddr_from_sockaddr((struct sockaddr *)&ss, len, &u), 0);
	return u;
}

struct connection {
	int listener, client, accepted;
	struct uaddr peer, local;
};

static void accept_connection(struct connection *c)
{
	c->accepted = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(c->accepted >= 0);
	c->peer = name_of(c->accepted, getpeername);
	c->local = name_of(c->accepted, getsockname);
}

static void open_connection(struct connection *c, int family, const char *at, int client_family,
	const char *client_at, uid_t uid)
{
	c->listener = listen_at(family, at);
	c->client = socket_of(uid, client_family, SOCK_STREAM);
	connect_to(c->client, client_family, client_at, SERVER_PORT);
	accept_connection(c);
}

static int ask(const struct connection *c, uid_t *uid)
{
	bool sure = false;
	int rc = caller_loopback_uid(diag, IPPROTO_TCP, &c->peer, &c->local, uid, &sure);

	assert_true(rc || sure);
	return rc;
}

static void close_connection(struct connection *c)
{
	if (c->client >= 0)
		close(c->client);
	if (c->accepted >= 0)
		close(c->accepted);
	close(c->listener);
}

static void tcp_owner(void **state)
{
	static const struct {
		int family;
		const char *at;
		int client_family;
		const char *client_at;
	} way[] = {
		{AF_INET, "127.0.0.1", AF_INET, "127.0.0.1"},
		{AF_INET6, "::1", AF_INET6, "::1"},
		/* An IPv6 socket that speaks IPv4. */
		{AF_INET, "127.0.0.1", AF_INET6, "::ffff:127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		const uid_t uids[] = {0, uid_b};
		for (size_t j = 0; j < 2; j++) {
			struct connection c;
			uid_t uid = 7;
			open_connection(&c, way[i].family, way[i].at, way[i].client_family,
				way[i].client_at, uids[j]);
			assert_int_equal(ask(&c, &uid), 0);
			assert_int_equal(uid, uids[j]);
			assert_true(caller_tcp_on_lo(c.accepted, way[i].family));
			close_connection(&c);
		}
	}
}

/* The kernel reports uid 0 for what is left of a closed connection. */
static void closed_is_nobody(void **state)
{
	static const char *const at[] = {"127.0.0.1", "::1"};
	struct pollfd p = {.events = POLLRDHUP};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;
		struct connection c;
		uid_t uid = 7;
		open_connection(&c, family, at[i], family, at[i], uid_b);
		close(c.client);
		c.client = -1;
		p.fd = c.accepted;
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(ask(&c, &uid), -ENOENT);
		/* And in TIME_WAIT. */
		close(c.accepted);
		c.accepted = -1;
		assert_int_equal(ask(&c, &uid), -ENOENT);
		assert_int_equal(uid, 7);
		close_connection(&c);
	}
}

static int ask_udp(int client, uid_t *uid, bool *sure)
{
	struct uaddr peer = name_of(client, getsockname);
	struct uaddr local = {.family = AF_INET, .port = SERVER_PORT, .addr = {127, 0, 0, 1}};

	/* What a datagram from it carries. */
	memcpy(peer.addr, local.addr, 4);
	peer.family = AF_INET;
	return caller_loopback_uid(diag, IPPROTO_UDP, &peer, &local, uid, sure);
}

/* Only a connection makes sure, no port does. */
static void udp_owner(void **state)
{
	int fd = socket_of(uid_b, AF_INET, SOCK_DGRAM);
	bool sure = true;
	uid_t uid = 7;

	(void)state;
	bind_to(fd, AF_INET, "0.0.0.0", 40000);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	assert_int_equal(uid, uid_b);
	assert_false(sure);
	connect_to(fd, AF_INET, "127.0.0.1", SERVER_PORT);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	assert_int_equal(uid, uid_b);
	assert_true(sure);
	close(fd);

	fd = socket_of(0, AF_INET, SOCK_DGRAM);
	bind_to(fd, AF_INET, "127.0.0.1", 900);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	assert_int_equal(uid, 0);
	assert_false(sure);
	close(fd);
}

static void udp_dual_stack(void **state)
{
	int fd = socket_of(uid_b, AF_INET6, SOCK_DGRAM);
	bool sure;
	uid_t uid;

	(void)state;
	bind_to(fd, AF_INET6, "::", 40001);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	assert_int_equal(uid, uid_b);
	close(fd);
}

/* Connected to somebody else: it cannot have sent this. */
static void udp_connected_elsewhere(void **state)
{
	int fd = socket_of(0, AF_INET, SOCK_DGRAM);
	bool sure;
	uid_t uid;

	(void)state;
	bind_to(fd, AF_INET, "127.0.0.1", 40002);
	connect_to(fd, AF_INET, "127.0.0.1", SERVER_PORT + 1);
	assert_int_equal(ask_udp(fd, &uid, &sure), -ENOENT);
	close(fd);
}

/* It cannot send IPv4; and the sender of a datagram may be gone. */
static void udp_v6_only(void **state)
{
	struct uaddr u = {.family = AF_INET6, .port = 40005, .addr = {[15] = 1}};
	int on = 1, fd = socket_of(0, AF_INET6, SOCK_DGRAM);
	bool sure;
	uid_t uid = 7;

	(void)state;
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	bind_to(fd, AF_INET6, "::", 40005);
	assert_int_equal(ask_udp(fd, &uid, &sure), -ENOENT);
	assert_int_equal(caller_loopback_uid(diag, IPPROTO_UDP, &u, &u, &uid, &sure), 0);
	assert_int_equal(uid, 0);
	close(fd);
}

/* Also where the other one could not have sent it. */
static void udp_alone_on_the_port(void **state)
{
	int on = 1, fd = socket_of(uid_b, AF_INET, SOCK_DGRAM);
	int other = socket_of(0, AF_INET6, SOCK_DGRAM);
	bool sure;
	uid_t uid;

	(void)state;
	assert_int_equal(setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	bind_to(fd, AF_INET, "127.0.0.1", 40006);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	bind_to(other, AF_INET6, "::1", 40006);
	assert_int_equal(ask_udp(fd, &uid, &sure), -ENOENT);
	close(other);
	other = socket_of(0, AF_INET, SOCK_DGRAM);
	bind_to(other, AF_INET, "127.0.0.2", 40006);
	assert_int_equal(ask_udp(fd, &uid, &sure), -ENOENT);
	close(other);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	assert_int_equal(uid, uid_b);
	close(fd);
}

/* Whoever shares a port with root is not root; and after he is gone, what root has there does
 * not speak for him for sure. */
static void udp_shared_port(void **state)
{
	int root = socket_of(0, AF_INET, SOCK_DGRAM), other = socket_of(uid_b, AF_INET, SOCK_DGRAM);
	bool sure = true;
	uid_t uid = 7;

	(void)state;
	share_port(root);
	share_port(other);
	bind_to(root, AF_INET, "0.0.0.0", 40003);
	bind_to(other, AF_INET, "127.0.0.1", 40003);
	assert_int_equal(ask_udp(other, &uid, &sure), -ENOENT);
	close(other);
	assert_int_equal(ask_udp(root, &uid, &sure), 0);
	assert_int_equal(uid, 0);
	assert_false(sure);
	close(root);
}

#define CROWD 900

/* Everybody on one port: an answer that does not fit into what is read at once. The next question
 * is answered all the same, once that is out of the way. */
static void crowd_on_one_port(void **state)
{
	static int fds[CROWD];
	struct connection c;
	bool sure;
	uid_t uid = 7;
	int fd, n = 0;

	(void)state;
	for (; n < CROWD; n++) {
		char text[32];
		snprintf(text, sizeof(text), "127.1.%d.%d", n / 250, n % 250 + 1);
		fds[n] = socket_of(uid_b, AF_INET, SOCK_DGRAM);
		bind_to(fds[n], AF_INET, text, 40007);
	}
	assert_int_equal(ask_udp(fds[0], &uid, &sure), -ENOENT);
	open_connection(&c, AF_INET, "127.0.0.1", AF_INET, "127.0.0.1", uid_b);
	assert_int_equal(ask_udp(fds[0], &uid, &sure), -ENOENT);
	assert_int_equal(ask(&c, &uid), 0);
	assert_int_equal(uid, uid_b);
	close_connection(&c);
	fd = socket_of(0, AF_INET, SOCK_DGRAM);
	bind_to(fd, AF_INET, "127.0.0.1", 40008);
	assert_int_equal(ask_udp(fd, &uid, &sure), 0);
	close(fd);
	while (n-- > 0)
		close(fds[n]);
}

/* A connection whose client is bound to the device. */
static void tcp_bound_to_device(void **state)
{
	struct connection c = {.client = socket_of(uid_b, AF_INET, SOCK_STREAM)};
	uid_t uid = 7;

	(void)state;
	assert_int_equal(setsockopt(c.client, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	c.listener = listen_at(AF_INET, "127.0.0.1");
	connect_to(c.client, AF_INET, "127.0.0.1", SERVER_PORT);
	accept_connection(&c);
	assert_int_equal(ask(&c, &uid), 0);
	assert_int_equal(uid, uid_b);
	close_connection(&c);
}

/* B speaks, resets, and lets root have the same numbers: what he said is not root's. */
static void tcp_numbers_used_again(void **state)
{
	struct linger reset = {.l_onoff = 1};
	struct connection c = {.client = socket_of(uid_b, AF_INET, SOCK_STREAM)};
	int root = socket_of(0, AF_INET, SOCK_STREAM);
	uid_t uid = 7;
	char said[8];

	(void)state;
	c.listener = listen_at(AF_INET, "127.0.0.1");
	share_port(c.client);
	bind_to(c.client, AF_INET, "127.0.0.1", 40010);
	connect_to(c.client, AF_INET, "127.0.0.1", SERVER_PORT);
	accept_connection(&c);
	assert_true(caller_tcp_is_connected(c.accepted));
	assert_int_equal(send(c.client, "unset", 5, 0), 5);
	assert_int_equal(setsockopt(c.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(c.client);
	share_port(root);
	bind_to(root, AF_INET, "127.0.0.1", 40010);
	connect_to(root, AF_INET, "127.0.0.1", SERVER_PORT);
	c.client = root;
	assert_int_equal(recv(c.accepted, said, sizeof(said), 0), 5);
	assert_int_equal(ask(&c, &uid), 0);
	assert_int_equal(uid, 0);
	assert_false(caller_tcp_is_connected(c.accepted));
	close_connection(&c);
}

/* A listener on the client's port is not the client. */
static void tcp_listener_is_not_the_peer(void **state)
{
	int listener = socket_of(0, AF_INET, SOCK_STREAM);
	struct uaddr peer = {.family = AF_INET, .port = 40009, .addr = {127, 0, 0, 1}};
	struct uaddr local = {.family = AF_INET, .port = SERVER_PORT, .addr = {127, 0, 0, 1}};
	bool sure;
	uid_t uid;

	(void)state;
	bind_to(listener, AF_INET, "0.0.0.0", 40009);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
		caller_loopback_uid(diag, IPPROTO_TCP, &peer, &local, &uid, &sure), -ENOENT);
	close(listener);
}

static void no_socket_no_answer(void **state)
{
	struct uaddr peer = {.family = AF_INET, .port = 40004, .addr = {127, 0, 0, 1}};
	bool sure;
	uid_t uid;

	(void)state;
	assert_int_equal(caller_loopback_uid(-1, IPPROTO_UDP, &peer, &peer, &uid, &sure), -ENOENT);
	assert_int_equal(
		caller_loopback_uid(diag, IPPROTO_UDP, &peer, &peer, &uid, &sure), -ENOENT);
	assert_int_equal(
		caller_loopback_uid(diag, IPPROTO_TCP, &peer, &peer, &uid, &sure), -ENOENT);
}

static void loopback_addresses(void **state)
{
	struct uaddr u = {.family = AF_INET, .addr = {127, 255, 0, 9}};

	(void)state;
	assert_true(caller_is_loopback(&u));
	u.addr[0] = 10;
	assert_false(caller_is_loopback(&u));
	u = (struct uaddr){.family = AF_INET6, .addr = {[15] = 1}};
	assert_true(caller_is_loopback(&u));
	u.addr[0] = 0xfe;
	assert_false(caller_is_loopback(&u));
	u.family = AF_UNIX;
	assert_false(caller_is_loopback(&u));
}

static int set_up(void **state)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return -1;
	close(fd);
	diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (seteuid(B_UID) == 0)
		uid_b = B_UID;
	return diag < 0 || seteuid(0) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_owner),
		cmocka_unit_test(closed_is_nobody),
		cmocka_unit_test(udp_owner),
		cmocka_unit_test(udp_dual_stack),
		cmocka_unit_test(udp_connected_elsewhere),
		cmocka_unit_test(tcp_bound_to_device),
		cmocka_unit_test(tcp_numbers_used_again),
		cmocka_unit_test(tcp_listener_is_not_the_peer),
		cmocka_unit_test(udp_v6_only),
		cmocka_unit_test(udp_alone_on_the_port),
		cmocka_unit_test(udp_shared_port),
		cmocka_unit_test(crowd_on_one_port),
		cmocka_unit_test(no_socket_no_answer),
		cmocka_unit_test(loopback_addresses),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("caller", tests, set_up, tear_down);
}
