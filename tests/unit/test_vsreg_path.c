/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One UDP socket for a whole namespace, against the kernel: whose is it, and where does the
 * answer come from? In the registry's own namespace, which is one VS's alone.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"
#include "udp_rig.h"

/* The host: its own namespace, where lo is brought up. */
static struct vs *host(struct nst *t)
{
	struct vs *vs;

	nst_open(t);
	vs = nst_get(t, VS_HOST);
	udp_lo_up(vs, (const char *const[]){"10.9.9.9", NULL});
	return vs;
}

static void check_round_trip(struct nst *t, struct vs *vs, int fd, const char *from, const char *to)
{
	int client = udp_client(vs, from);
	union udp_address local;
	struct udp_datagram d;

	udp_ask(client, to, udp_port_of(fd));
	udp_receive(t, fd, &d);
	assert_ptr_equal(d.vs, vs);
	memcpy(&local, &d.path.local, sizeof(local));
	assert_int_equal(local.in.sin_port, 0);
	assert_true(d.path.ifindex > 0);
	assert_int_equal(d.path.mark, 0);
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(UDP_TEXT));
	assert_string_equal(udp_answered_from(client), to);
	vs_unref(d.vs);
	close(client);
}

static void test_answers_from_what_was_asked(void **state)
{
	struct nst *t = *state;
	struct vs *vs = host(t);
	int v4 = udp_shared(vs, AF_INET), v6 = udp_shared(vs, AF_INET6);

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
	int fd = udp_shared(vs, AF_INET6), client = udp_client(vs, "127.0.0.1");
	union udp_address local, v4;
	struct udp_datagram d;

	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	udp_receive(t, fd, &d);
	memcpy(&local, &d.path.local, sizeof(local));
	assert_string_equal(udp_text_of(&local), "::ffff:127.0.0.2");
	/* The same without the mapping is the same. */
	udp_address_of(&v4, "127.0.0.2", 0);
	memcpy(&d.path.local, &v4, sizeof(v4));
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(UDP_TEXT));
	assert_string_equal(udp_answered_from(client), "127.0.0.2");
	/* A source of the other version is passed over by the kernel, which then chooses one. */
	udp_address_of(&v4, "::1", 0);
	memcpy(&d.path.local, &v4, sizeof(v4));
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), -EXDEV);
	assert_string_equal(udp_answered_from(client), "");
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
	int fd = udp_shared(vs, AF_INET), client = udp_client(vs, "127.0.0.1");
	struct udp_datagram d;

	inet_pton(AF_INET, "224.0.0.86", &group.imr_multiaddr);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	assert_int_equal(setsockopt(client, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)), 0);
	udp_ask(client, "224.0.0.86", udp_port_of(fd));
	udp_receive(t, fd, &d);
	assert_ptr_equal(d.vs, vs);
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(UDP_TEXT));
	assert_string_not_equal(udp_answered_from(client), "");
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
	int fd = udp_shared(vs, AF_INET), client = udp_client(vs, "127.0.0.1"), on = 1;
	struct udp_datagram d;

	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	udp_prepare(&d);
	d.iov.iov_len = 3;
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), 3);
	assert_true(d.msg.msg_flags & MSG_TRUNC);
	assert_ptr_equal(d.vs, vs);
	vs_unref(d.vs);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(setsockopt(fd, wanted[i][0], wanted[i][1], &on, sizeof(on)), 0);
	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	udp_receive(t, fd, &d);
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
	int fd = udp_client(vs, "0.0.0.0"), client = udp_client(vs, "127.0.0.1");
	struct udp_datagram d;

	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	assert_int_equal(vs_path_prepare(fd), 0);
	udp_receive(t, fd, &d);
	assert_null(d.vs);
	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	udp_receive(t, fd, &d);
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
	int fd = udp_shared(vs, AF_INET), client = udp_client(vs, "127.0.0.1");
	char control[64];
	struct udp_datagram d;

	assert_int_equal(vs_path_prepare(stream), -EPROTOTYPE);
	assert_int_equal(vs_path_prepare(local), -EAFNOSUPPORT);
	assert_int_equal(vs_path_prepare(-1), -EBADF);
	udp_prepare(&d);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), -EAGAIN);
	assert_int_equal(vs_recvmsg(t->reg, -1, &d.msg, 0, &d.vs, &d.path), -EBADF);
	/* What the error queue has went out: its destination is no address of ours. */
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, MSG_ERRQUEUE, &d.vs, &d.path), -EINVAL);
	d.msg.msg_control = control;
	d.msg.msg_controllen = sizeof(control);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d.msg, 0, &d.vs, &d.path), -EINVAL);
	udp_ask(client, "127.0.0.2", udp_port_of(fd));
	udp_receive(t, fd, &d);
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
	assert_string_equal(udp_answered_from(client), "");
	assert_int_equal(vs_sendmsg(vs, fd, &d.msg, 0, &d.path), sizeof(UDP_TEXT));
	assert_string_equal(udp_answered_from(client), "127.0.0.2");
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
