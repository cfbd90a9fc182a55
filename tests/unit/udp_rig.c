/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "udp_rig.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

socklen_t udp_address_of(union udp_address *a, const char *text, uint16_t port)
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

const char *udp_text_of(const union udp_address *a)
{
	static _Thread_local char text[INET6_ADDRSTRLEN];
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->in.sin_addr
							: (const void *)&a->in6.sin6_addr;

	assert_non_null(inet_ntop(a->any.sa_family, bytes, text, sizeof(text)));
	return text;
}

uint16_t udp_port_of(int fd)
{
	union udp_address a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.any, &len), 0);
	return a.in.sin_port; /* at the same place in both */
}

static void add_v4(int sock, unsigned number, const union udp_address *a)
{
	struct ifreq r = {.ifr_flags = 0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "lo:%u", number);
	memcpy(&r.ifr_addr, a, sizeof(a->in));
	assert_int_equal(ioctl(sock, SIOCSIFADDR, &r), 0);
}

static void add_v6(struct vs *vs, const union udp_address *a)
{
	struct in6_ifreq r = {
		.ifr6_addr = a->in6.sin6_addr, .ifr6_prefixlen = 128, .ifr6_ifindex = 1};
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	int sock = vs_socket(vs, AF_INET6, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(sock, SIOCSIFADDR, &r), 0);
	/* The kernel takes it into use a little later. */
	while (bind(sock, &a->any, sizeof(a->in6)) < 0) {
		assert_true(nst_now() < end);
		poll(NULL, 0, 1);
	}
	close(sock);
}

void udp_lo_up(struct vs *vs, const char *const *addresses)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &r), 0);
	for (unsigned i = 0; addresses && addresses[i]; i++) {
		union udp_address a;

		udp_address_of(&a, addresses[i], 0);
		if (a.any.sa_family == AF_INET)
			add_v4(sock, i + 1, &a);
		else
			add_v6(vs, &a);
	}
	close(sock);
}

int udp_shared(struct vs *vs, int family)
{
	union udp_address any;
	socklen_t len = udp_address_of(&any, family == AF_INET ? "0.0.0.0" : "::", 0);
	int off = 0, fd = vs_socket(vs, family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(vs_path_prepare(fd), 0);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, &any.any, len), 0);
	return fd;
}

int udp_client(struct vs *vs, const char *from)
{
	union udp_address a;
	socklen_t len = udp_address_of(&a, from, 0);
	int on = 1, fd = vs_socket(vs, a.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &a.any, len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on));
	return fd;
}

void udp_ask(int client, const char *to, uint16_t port)
{
	union udp_address a;
	socklen_t len = udp_address_of(&a, to, port);

	assert_int_equal(sendto(client, UDP_TEXT, sizeof(UDP_TEXT), 0, &a.any, len), sizeof(UDP_TEXT));
}

static bool take_answer(int client, union udp_address *from, uint32_t *mark)
{
	_Alignas(struct cmsghdr) char control[64];
	char text[64];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr msg = {.msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(client, &msg, 0);

	*mark = 0;
	if (n < 0)
		return false;
	assert_int_equal(n, sizeof(UDP_TEXT));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(mark, CMSG_DATA(c), sizeof(*mark));
	}
	return true;
}

const char *udp_answered_from(int client)
{
	union udp_address from;
	uint32_t mark;

	return take_answer(client, &from, &mark) ? udp_text_of(&from) : "";
}

const char *udp_answered(int client)
{
	static _Thread_local char text[INET6_ADDRSTRLEN + 32];
	union udp_address from;
	uint32_t mark;

	if (!take_answer(client, &from, &mark))
		return "";
	snprintf(text, sizeof(text), "%s mark %u", udp_text_of(&from), (unsigned)mark);
	return text;
}

void udp_prepare(struct udp_datagram *d)
{
	memset(d, 0, sizeof(*d));
	d->iov = (struct iovec){d->text, sizeof(d->text)};
	d->msg = (struct msghdr){.msg_name = &d->from, .msg_namelen = sizeof(d->from),
		.msg_iov = &d->iov, .msg_iovlen = 1};
}

void udp_receive(struct nst *t, int fd, struct udp_datagram *d)
{
	udp_prepare(d);
	assert_int_equal(vs_recvmsg(t->reg, fd, &d->msg, 0, &d->vs, &d->path), sizeof(UDP_TEXT));
	assert_null(d->msg.msg_control);
	assert_int_equal(d->msg.msg_controllen, 0);
	d->iov.iov_len = sizeof(UDP_TEXT);
}

