/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket for each address of a VS that has its namespace for itself, and what vs_bind() refuses. */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"

#define PORT 7007
#define MAX 16

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void lo_up(struct vs *vs)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &r), 0);
	close(sock);
}

/* The VS `a`: 127.0.0.1 and ::1. */
static struct vs *open_a(struct nst *t)
{
	struct vs *vs;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	vs = nst_get(t, "a");
	lo_up(vs);
	return vs;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The addresses in order, each checked against what the kernel says of its socket. */
static const char *text_of(struct vs *vs, const struct vs_bound *bound, int count, uint16_t port)
{
	static char text[1024];
	char lines[MAX][INET6_ADDRSTRLEN], *order[MAX];
	size_t len = 0;

	assert_in_range(count, 0, MAX);
	for (int i = 0; i < count; i++) {
		struct sockaddr_storage name;
		socklen_t size = sizeof(name);
		const struct sockaddr_in *in = (const struct sockaddr_in *)&name;
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&name;
		bool is_v4;

		assert_int_equal(nst_cookie_of(bound[i].fd), vs_cookie(vs));
		assert_int_equal(getsockname(bound[i].fd, (struct sockaddr *)&name, &size), 0);
		assert_memory_equal(&name, &bound[i].addr, size);
		is_v4 = name.ss_family == AF_INET;
		assert_int_equal(is_v4 ? in->sin_port : in6->sin6_port, htons(port));
		order[i] = lines[i];
		assert_non_null(inet_ntop(name.ss_family,
			is_v4 ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr, lines[i],
			sizeof(lines[i])));
	}
	if (count > 0)
		qsort(order, (size_t)count, sizeof(order[0]), compare);
	text[0] = '\0';
	for (int i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", order[i]);
	return text;
}

static void close_all(struct vs_bound *bound, int count)
{
	for (int i = 0; i < count; i++)
		close(bound[i].fd);
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
	return on;
}

static void test_follows_the_addresses(void **state)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM | SOCK_NONBLOCK};
	struct nst *t = *state;
	struct vs *vs = open_a(t);
	struct vs_bound bound[MAX], before[MAX];
	unsigned fds = count_fds();
	int n;

	for (size_t i = 0; i < 2; i++) {
		n = vs_listen_each(vs, types[i], PORT, bound, 0, MAX);
		assert_string_equal(text_of(vs, bound, n, PORT), "127.0.0.1 ::1 ");
		assert_int_equal(is_listening(bound[0].fd), i == 1);
		/* One more: the others are the same as before. */
		memcpy(before, bound, sizeof(before));
		nst_set_address_in(vs, "10.1.1.1");
		n = vs_listen_each(vs, types[i], PORT, bound, (unsigned)n, MAX);
		assert_string_equal(text_of(vs, bound, n, PORT), "10.1.1.1 127.0.0.1 ::1 ");
		for (int j = 0; j < n; j++)
			assert_true(bound[j].fd == before[0].fd || bound[j].fd == before[1].fd ||
				    bound[j].addr.ss_family == AF_INET);
		assert_int_equal(count_fds(), fds + 3);
		/* And one less. */
		nst_set_address_in(vs, "0.0.0.0");
		n = vs_listen_each(vs, types[i], PORT, bound, (unsigned)n, MAX);
		assert_string_equal(text_of(vs, bound, n, PORT), "127.0.0.1 ::1 ");
		assert_int_equal(count_fds(), fds + 2);
		close_all(bound, n);
	}
	vs_unref(vs);
}

/* What its file has is bound before it is there. */
static void test_configured(void **state)
{
	struct nst *t = *state;
	struct vs_bound bound[MAX];
	struct vs *vs;
	int n;

	nst_write(NST_CONF "/a.conf",
		"[Network]\nDevice=lo\nDevice=d0 veth peer p0\nAddress=10.7.7.7/24 dev d0\n"
		"Address=127.0.0.1/8 dev lo\nAddress=fd77::7/64 dev d0\n"
		"Address=fe80::7/64 dev d0\nAddress=fe80::8/64 dev lo\n");
	vs = open_a(t);
	n = vs_listen_each(vs, SOCK_STREAM, PORT, bound, 0, MAX);
	if (n < 0)
		fail_msg("vs_listen_each: %s\n%s", strerror(-n), t->log);
	/* No link-local address without its device. */
	assert_string_equal(
		text_of(vs, bound, n, PORT), "10.7.7.7 127.0.0.1 ::1 fd77::7 fe80::8 ");
	close_all(bound, n);
	vs_unref(vs);
}

/* Nothing is left open, and what the caller had is still as it was. */
static void test_all_or_nothing(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_a(t);
	struct sockaddr_in taken = {.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x0a010101)};
	struct vs_bound bound[MAX];
	unsigned fds = count_fds();
	int n, other;

	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, 0, bound, 0, MAX), -EINVAL);
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 3, 2), -EINVAL);
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 0, 1), -ENOSPC);
	assert_int_equal(count_fds(), fds);
	n = vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 0, 2);
	assert_int_equal(n, 2);
	nst_set_address_in(vs, "10.1.1.1");
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 2, 2), -ENOSPC);
	assert_string_equal(text_of(vs, bound, 2, PORT), "127.0.0.1 ::1 ");
	other = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(vs_bind(vs, other, (struct sockaddr *)&taken, sizeof(taken)), 0);
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 2, MAX), -EADDRINUSE);
	assert_string_equal(text_of(vs, bound, 2, PORT), "127.0.0.1 ::1 ");
	assert_int_equal(count_fds(), fds + 3);
	close(other);
	n = vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 2, MAX);
	assert_string_equal(text_of(vs, bound, n, PORT), "10.1.1.1 127.0.0.1 ::1 ");
	close_all(bound, n);
	vs_unref(vs);
}

/* What is no longer wanted is closed even when the rest cannot be had. */
static void test_closed_whatever_comes(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_a(t);
	struct sockaddr_in taken = {.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x0a010102)};
	struct vs_bound bound[MAX];
	int n, other = vs_socket(vs, AF_INET, SOCK_DGRAM, 0), closed = 0;

	nst_set_address_in(vs, "10.1.1.1");
	n = vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 0, MAX);
	assert_int_equal(n, 3);
	nst_set_address_in(vs, "10.1.1.2");
	assert_int_equal(vs_bind(vs, other, (struct sockaddr *)&taken, sizeof(taken)), 0);
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 3, MAX), -EADDRINUSE);
	for (int i = 0; i < n; i++)
		closed += bound[i].fd < 0;
	assert_int_equal(closed, 1);
	close(other);
	n = vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 3, MAX);
	assert_string_equal(text_of(vs, bound, n, PORT), "10.1.1.2 127.0.0.1 ::1 ");
	close_all(bound, n);
	vs_unref(vs);
}

static void test_bind(void **state)
{
	struct nst *t = *state;
	struct vs *vs = open_a(t), *host = nst_get(t, VS_HOST);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	const struct sockaddr *addr = (const struct sockaddr *)&any;
	int fd = vs_socket(vs, AF_INET6, SOCK_DGRAM, 0);
	struct vs_bound bound[MAX];

	assert_int_equal(vs_bind(host, fd, addr, sizeof(any)), -EXDEV);
	assert_int_equal(vs_bind(vs, -1, addr, sizeof(any)), -EBADF);
	assert_int_equal(vs_bind(vs, fd, addr, 1), -EINVAL);
	assert_int_equal(vs_bind(vs, fd, addr, sizeof(struct sockaddr_storage) + 1), -EINVAL);
	/* It has its namespace for itself: wildcard and all. */
	assert_int_equal(vs_bind(vs, fd, addr, sizeof(any)), 0);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	assert_int_equal(vs_bind(vs, fd, addr, sizeof(any)), -ESTALE);
	assert_int_equal(vs_listen_each(vs, SOCK_DGRAM, PORT, bound, 0, MAX), -ESTALE);
	close(fd);
	vs_unref(vs);
	vs_unref(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_follows_the_addresses),
		NST_ONCE(test_configured),
		NST_ONCE(test_all_or_nothing),
		NST_ONCE(test_closed_whatever_comes),
		NST_BOTH(test_bind),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
