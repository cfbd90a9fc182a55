/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One UDP socket for a whole namespace, against the kernel: whose is it, and where does the
 * answer come from? In the registry's own namespace, which is one VS's alone.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define TEXT "who is it?"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage room;
};

static socklen_t make_address(union address *a, const char *text, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = port;
		return sizeof(a->in);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &a->in6.sin6_addr), 1);
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = port;
	return sizeof(a->in6);
}

static const char *text_of(const union address *a)
{
	static _Thread_local char text[INET6_ADDRSTRLEN];
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->in.sin_addr
							: (const void *)&a->in6.sin6_addr;

	assert_non_null(inet_ntop(a->any.sa_family, bytes, text, sizeof(text)));
	return text;
}

static uint16_t port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.any, &len), 0);
	return a.in.sin_port; /* at the same place in both */
}

/* The host: its own namespace, where lo is brought up. */
static struct vs *host(struct nst *t)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct vs *vs;
	int sock;

	nst_open(t);
	vs = nst_get(t, VS_HOST);
	sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &r), 0);
	nst_set_address(sock, "10.9.9.9");
	close(sock);
	return vs;
}

/* Prepared and bound to the wildcard. */
static int shared_socket(struct vs *vs, int family)
{
	union address any;
	socklen_t len = make_address(&any, family == AF_INET ? "0.0.0.0" : "::", 0);
	int off = 0, fd = vs_socket(vs, family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(vs_path_prepare(fd), 0);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, &any.any, len), 0);
	return fd;
}

static int client_socket(struct vs *vs, const char *from)
{
	union address a;
	socklen_t len = make_address(&a, from, 0);
	int fd = vs_socket(vs, a.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &a.any, len), 0);
	return fd;
}

static void ask(int client, const char *to, uint16_t port)
{
	union address a;
	socklen_t len = make_address(&a, to, port);

	assert_int_equal(sendto(client, TEXT, sizeof(TEXT), 0, &a.any, len), sizeof(TEXT));
}

/* Who answered? "": nobody. */
static const char *answered_from(int client)
{
	union address a;
	socklen_t len = sizeof(a);
	char text[64];
	ssize_t n = recvfrom(client, text, sizeof(text), 0, &a.any, &len);

	if (n < 0)
		return "";
	assert_int_equal(n, sizeof(TEXT));
	return text_of(&a);
}

struct datagram {
	union address from;
	char text[64];
	struct iovec iov;
	struct msghdr msg;
	struct vs *vs;
	struct vs_path path;
};

static void make_datagram(struct datagram *d)
{
	memset(d, 0, sizeof(*d));
	d->iov = (struct iovec){d->text, sizeof(d->text)};
	d->msg = (struct msghdr){.msg_name = &d->from, .msg_namelen = sizeof(d->from),
		.msg_iov = &d->iov, .msg_iovlen = 1};
}

static void receive(struct nst *t, int fd, struct datagram *d)
{
	make_datagram(d);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d->msg, 0, &d->vs, &d->path), sizeof(TEXT));
	assert_null(d->msg.msg_control);
	assert_int_equal(d->msg.msg_controllen, 0);
	d->iov.iov_len = sizeof(TEXT);
}

static void check_round_trip(struct nst *t, struct vs *vs, int fd, const char *from, const char *to)
{
	int client = client_socket(vs, from);
	union address local;
	struct datagram d;

	ask(client, to, port_of(fd));
	receive(t, fd, &d);
	assert_ptr_equal(d.vs, vs);
	memcpy(&local, &d.path.local, sizeof(local));
	assert_int_equal(local.in.sin_port, 0);
	assert_true(d.path.ifindex > 0);
	assert_int_equal(d.path.mark, 0);
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(TEXT));
	assert_string_equal(answered_from(client), to);
	vs_unref(d.vs);
	close(client);
}

static void test_answers_from_what_was_asked(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t);
	int v4 = shared_socket(vs, AF_INET), v6 = shared_socket(vs, AF_INET6);

	check_round_trip(t, vs, v4, "127.0.0.1", "127.0.0.2");
	check_round_trip(t, vs, v4, "127.0.0.1", "10.9.9.9");
	check_round_trip(t, vs, v4, "10.9.9.9", "127.0.0.1");
	check_round_trip(t, vs, v6, "::1", "::1");
	/* IPv4 on the same IPv6 socket, whose path has a mapped address. */
	check_round_trip(t, vs, v6, "127.0.0.1", "127.0.0.2");
	check_round_trip(t, vs, v6, "127.0.0.1", "10.9.9.9");
	close(v4);
	close(v6);
	vs_unref(vs);
}

static void test_mapped_path(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t);
	int fd = shared_socket(vs, AF_INET6), client = client_socket(vs, "127.0.0.1");
	union address local, v4;
	struct datagram d;

	ask(client, "127.0.0.2", port_of(fd));
	receive(t, fd, &d);
	memcpy(&local, &d.path.local, sizeof(local));
	assert_string_equal(text_of(&local), "::ffff:127.0.0.2");
	/* The same without the mapping is the same. */
	make_address(&v4, "127.0.0.2", 0);
	memcpy(&d.path.local, &v4, sizeof(v4));
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(TEXT));
	assert_string_equal(answered_from(client), "127.0.0.2");
	/* A source of the other version is passed over by the kernel, which then chooses one. */
	make_address(&v4, "::1", 0);
	memcpy(&d.path.local, &v4, sizeof(v4));
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), -EXDEV);
	assert_string_equal(answered_from(client), "");
	vs_unref(d.vs);
	close(client);
	close(fd);
	vs_unref(vs);
}

/* The one VS has all addresses, so that it may leave the source to the kernel. (IPv6 has no groups
 * on lo; see vsserver.netns.) */
static void test_groups(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t);
	struct ip_mreqn group = {.imr_ifindex = 1};
	int fd = shared_socket(vs, AF_INET), client = client_socket(vs, "127.0.0.1");
	struct datagram d;

	inet_pton(AF_INET, "224.0.0.86", &group.imr_multiaddr);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	assert_int_equal(setsockopt(client, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)), 0);
	ask(client, "224.0.0.86", port_of(fd));
	receive(t, fd, &d);
	assert_ptr_equal(d.vs, vs);
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(TEXT));
	assert_string_not_equal(answered_from(client), "");
	vs_unref(d.vs);
	close(client);
	close(fd);
	vs_unref(vs);
}

/* Of the payload it is for the caller to see; of the control messages it is nobody's datagram. */
static void test_cut_off(void **state)
{
	static const int wanted[][2] = {{SOL_SOCKET, SO_TIMESTAMPNS}, {IPPROTO_IP, IP_RECVTOS},
		{IPPROTO_IP, IP_RECVTTL}, {IPPROTO_IP, IP_RECVORIGDSTADDR}};
	struct nst *t = *state;
	struct vs *vs = host(t);
	int fd = shared_socket(vs, AF_INET), client = client_socket(vs, "127.0.0.1"), on = 1;
	struct datagram d;

	ask(client, "127.0.0.2", port_of(fd));
	make_datagram(&d);
	d.iov.iov_len = 3;
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), 3);
	assert_true(d.msg.msg_flags & MSG_TRUNC);
	assert_ptr_equal(d.vs, vs);
	vs_unref(d.vs);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(setsockopt(fd, wanted[i][0], wanted[i][1], &on, sizeof(on)), 0);
	ask(client, "127.0.0.2", port_of(fd));
	receive(t, fd, &d);
	assert_true(d.msg.msg_flags & MSG_CTRUNC);
	assert_null(d.vs);
	assert_int_equal(d.path.local.ss_family, AF_UNSPEC);
	close(client);
	close(fd);
	vs_unref(vs);
}

/* A datagram older than vs_path_prepare() tells too little to be answered. */
static void test_prepared_late(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t);
	int fd = client_socket(vs, "0.0.0.0"), client = client_socket(vs, "127.0.0.1");
	struct datagram d;

	ask(client, "127.0.0.2", port_of(fd));
	assert_int_equal(vs_path_prepare(fd), 0);
	receive(t, fd, &d);
	assert_null(d.vs);
	ask(client, "127.0.0.2", port_of(fd));
	receive(t, fd, &d);
	assert_ptr_equal(d.vs, vs);
	vs_unref(d.vs);
	close(client);
	close(fd);
	vs_unref(vs);
}

static void test_what_is_refused(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t), *other;
	int stream = vs_socket(vs, AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_DGRAM, 0);
	int fd = shared_socket(vs, AF_INET), client = client_socket(vs, "127.0.0.1");
	char control[64];
	struct datagram d;

	assert_int_equal(vs_path_prepare(stream), -EPROTOTYPE);
	assert_int_equal(vs_path_prepare(local), -EAFNOSUPPORT);
	assert_int_equal(vs_path_prepare(-1), -EBADF);
	make_datagram(&d);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), -EAGAIN);
	assert_int_equal(vs_recvmsg(t->reg, -1, &d.msg, 0, &d.vs, &d.path), -EBADF);
	/* What the error queue has went out: its destination is no address of ours. */
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, MSG_ERRQUEUE, &d.vs, &d.path), -EINVAL);
	d.msg.msg_control = control;
	d.msg.msg_controllen = sizeof(control);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), -EINVAL);
	ask(client, "127.0.0.2", port_of(fd));
	receive(t, fd, &d);
	d.msg.msg_control = control;
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), -EINVAL);
	d.msg.msg_control = NULL;
	d.msg.msg_name = NULL;
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), -EDESTADDRREQ);
	d.msg.msg_name = &d.from;
	nst_add(NST_NETNS "/other");
	nst_expect(t, "+other ");
	other = nst_get(t, "other");
	assert_int_equal(vs_sendmsg(other, fd, &d.msg, 0, &d.path), -EXDEV);
	nst_del(NST_NETNS "/other");
	nst_expect(t, "-other ");
	assert_int_equal(vs_sendmsg(other, fd, &d.msg, 0, &d.path), -ESTALE);
	assert_string_equal(answered_from(client), "");
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(TEXT));
	assert_string_equal(answered_from(client), "127.0.0.2");
	vs_unref(d.vs);
	vs_unref(other);
	vs_unref(vs);
	close(stream);
	close(local);
	close(client);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_answers_from_what_was_asked),
		NST_ONCE(test_mapped_path),
		NST_ONCE(test_groups),
		NST_ONCE(test_cut_off),
		NST_ONCE(test_prepared_late),
		NST_BOTH(test_what_is_refused),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
