/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "t.h"
#include "rpcbind-ns/uaddr.h"

static void names_any_case(void **state)
{
	(void)state;
	assert_int_equal(netid_parse("udp"), NETID_UDP);
	assert_int_equal(netid_parse("TCP6"), NETID_TCP6);
	assert_int_equal(netid_parse("local"), NETID_LOCAL);
	assert_int_equal(netid_parse("unix"), NETID_LOCAL);
	assert_int_equal(netid_parse("sctp"), NETID_SCTP);
	assert_int_equal(netid_parse("rdma6"), NETID_RDMA6);
	assert_int_equal(netid_parse(""), NETID_NONE);
	assert_int_equal(netid_parse("udp "), NETID_NONE);
	assert_int_equal(netid_parse("ud"), NETID_NONE);
	assert_int_equal(netid_parse("rawip"), NETID_NONE);
}

static void names_round_trip(void **state)
{
	(void)state;
	for (int i = NETID_NONE + 1; i < NETID_COUNT; i++) {
		const struct netid_info *info = netid_info((enum netid)i);

		assert_int_equal(netid_parse(info->name), i);
		assert_true(info->semantics >= 1 && info->semantics <= 3);
		assert_non_null(info->proto);
		assert_non_null(info->protofmly);
	}
	assert_int_equal(netid_info(NETID_UDP6)->family, AF_INET6);
	assert_string_equal(netid_info(NETID_LOCAL)->protofmly, "loopback");
	assert_int_equal(netid_info(NETID_UDP)->semantics, 1);
	assert_int_equal(netid_info(NETID_TCP)->semantics, 3);
}

static void parses_ip(void **state)
{
	struct uaddr u;

	(void)state;
	assert_int_equal(uaddr_parse(AF_INET, "10.77.0.1.8.1", &u), 0);
	assert_int_equal(u.family, AF_INET);
	assert_int_equal(u.port, 2049);
	assert_memory_equal(u.addr, "\x0a\x4d\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(uaddr_parse(AF_INET, "0.0.0.0.255.255", &u), 0);
	assert_int_equal(u.port, 65535);
	assert_true(uaddr_is_wildcard(&u));
	assert_int_equal(uaddr_parse(AF_INET6, "fd00::1:2.0.111", &u), 0);
	assert_int_equal(u.family, AF_INET6);
	assert_int_equal(u.port, 111);
	assert_false(uaddr_is_wildcard(&u));
	assert_int_equal(uaddr_parse(AF_INET6, "::.0.0", &u), 0);
	assert_int_equal(u.port, 0);
	assert_true(uaddr_is_wildcard(&u));
	assert_int_equal(uaddr_parse(AF_INET6, "::ffff:10.0.0.1.8.1", &u), 0);
	assert_int_equal(u.family, AF_INET6);
	assert_int_equal(u.port, 2049);
}

static void refuses_ip(void **state)
{
	static const char *const bad4[] = {"", ".", "..", "1.2.3.4", "1.2.3.4.5", "1.2.3.4.5.",
		"1.2.3.4..5", ".1.2.3.4.5.6", "1.2.3.4.5.6.7", "1.2.3.4.256.0", "1.2.3.4.0.256",
		"256.2.3.4.0.1", "1.2.3.4.+5.6", "1.2.3.4.-1.6", "1.2.3.4. 5.6", "1.2.3.4.5.6 ",
		"01.2.3.4.5.6", "1.2.3.4.05.6", "1.2.3.4.0x5.6", "999.1.1.1.999.999", "::1.0.1",
		"a.b.c.d.e.f", "1.2.3.4.0000000000000000000000000005.6", "/run/x.0.1"};
	static const char *const bad6[] = {"", "::", "::1", "1.2.3.4.0.1", ":::.0.1",
		"fe80::1%lo.0.1", "::1.0.1x", "::1.1.256", "::1..1", "[::1].0.1", "::ffff:1.2.3.4",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999.0.1",
		"00000000000000000000000000000000000000000000000000000000::1.0.1"};
	struct uaddr u = {.family = 12345};

	(void)state;
	for (size_t i = 0; i < sizeof(bad4) / sizeof(bad4[0]); i++)
		assert_int_equal(uaddr_parse(AF_INET, bad4[i], &u), -EINVAL);
	for (size_t i = 0; i < sizeof(bad6) / sizeof(bad6[0]); i++)
		assert_int_equal(uaddr_parse(AF_INET6, bad6[i], &u), -EINVAL);
	assert_int_equal(uaddr_parse(AF_UNSPEC, "1.2.3.4.0.1", &u), -EINVAL);
	assert_int_equal(uaddr_parse(AF_PACKET, "1.2.3.4.0.1", &u), -EINVAL);
	assert_int_equal(u.family, 12345);
}

static void parses_paths(void **state)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct uaddr u;

	(void)state;
	assert_int_equal(uaddr_parse(AF_UNIX, "/run/rpcbind.sock", &u), 0);
	assert_int_equal(u.family, AF_UNIX);
	assert_int_equal(u.port, 0);
	assert_true(uaddr_is_wildcard(&u));
	assert_int_equal(uaddr_parse(AF_UNIX, "@/run/rpcbind.sock", &u), 0);
	assert_int_equal(uaddr_parse(AF_UNIX, "", &u), -EINVAL);
	assert_int_equal(uaddr_parse(AF_UNIX, "/run/\n", &u), -EINVAL);
	assert_int_equal(uaddr_parse(AF_UNIX, "/run/\x1b[1m", &u), -EINVAL);
	assert_int_equal(uaddr_parse(AF_UNIX, "/run/\xff", &u), -EINVAL);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(uaddr_parse(AF_UNIX, path, &u), -EINVAL);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(uaddr_parse(AF_UNIX, path, &u), 0);
}

static void formats_what_it_parses(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0.0.1", "255.255.255.255.255.255", "10.77.100.9.8.1", "127.0.0.1.0.111"};
	static const char *const texts6[] = {"::.0.1", "::1.0.111", "fd00::1.255.255",
		"1111:2222:3333:4444:5555:6666:7777:8888.10.100", "::ffff:255.255.255.255.255.255"};
	char text[UADDR_MAX];
	struct uaddr u;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(uaddr_parse(AF_INET, texts[i], &u), 0);
		assert_int_equal(uaddr_format(&u, text, sizeof(text)), strlen(texts[i]));
		assert_string_equal(text, texts[i]);
	}
	for (size_t i = 0; i < sizeof(texts6) / sizeof(texts6[0]); i++) {
		assert_int_equal(uaddr_parse(AF_INET6, texts6[i], &u), 0);
		assert_int_equal(uaddr_format(&u, text, sizeof(text)), strlen(texts6[i]));
		assert_string_equal(text, texts6[i]);
	}
}

static void compares_hosts(void **state)
{
	struct uaddr a, b, c, d;

	(void)state;
	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.1.0.1", &a), 0);
	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.1.0.2", &b), 0);
	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.2.0.1", &c), 0);
	assert_int_equal(uaddr_parse(AF_INET6, "a00:1::.0.1", &d), 0);
	assert_true(uaddr_same_host(&a, &b));
	assert_false(uaddr_same_host(&a, &c));
	assert_memory_equal(a.addr, d.addr, 4);
	assert_false(uaddr_same_host(&a, &d));
	assert_false(uaddr_same_host(&d, &a));
}

static void converts_sockaddrs(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(2049)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(111)};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_storage back;
	struct uaddr u = {.family = 12345};

	(void)state;
	inet_pton(AF_INET, "10.77.0.1", &sin.sin_addr);
	assert_int_equal(
		uaddr_from_sockaddr((struct sockaddr *)&sin, sizeof(sin) - 1, &u), -EAFNOSUPPORT);
	assert_int_equal(u.family, 12345);
	assert_int_equal(uaddr_from_sockaddr((struct sockaddr *)&sin, sizeof(sin), &u), 0);
	assert_int_equal(u.port, 2049);
	assert_int_equal(uaddr_to_sockaddr(&u, &back), sizeof(sin));
	assert_memory_equal(&back, &sin, sizeof(sin));

	inet_pton(AF_INET6, "fd00::9", &sin6.sin6_addr);
	assert_int_equal(
		uaddr_from_sockaddr((struct sockaddr *)&sin6, sizeof(sin6) - 1, &u), -EAFNOSUPPORT);
	assert_int_equal(uaddr_from_sockaddr((struct sockaddr *)&sin6, sizeof(sin6), &u), 0);
	assert_int_equal(uaddr_to_sockaddr(&u, &back), sizeof(sin6));
	assert_memory_equal(&back, &sin6, sizeof(sin6));

	inet_pton(AF_INET6, "::ffff:10.77.0.1", &sin6.sin6_addr);
	assert_int_equal(uaddr_from_sockaddr((struct sockaddr *)&sin6, sizeof(sin6), &u), 0);
	assert_int_equal(u.family, AF_INET);
	assert_memory_equal(u.addr, "\x0a\x4d\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);

	assert_int_equal(
		uaddr_from_sockaddr((struct sockaddr *)&sun, sizeof(sun.sun_family), &u), 0);
	assert_int_equal(u.family, AF_UNIX);
	sun.sun_family = AF_PACKET;
	assert_int_equal(
		uaddr_from_sockaddr((struct sockaddr *)&sun, sizeof(sun), &u), -EAFNOSUPPORT);
	assert_int_equal(uaddr_from_sockaddr((struct sockaddr *)&sun, 0, &u), -EAFNOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_any_case),
		cmocka_unit_test(names_round_trip),
		cmocka_unit_test(parses_ip),
		cmocka_unit_test(refuses_ip),
		cmocka_unit_test(parses_paths),
		cmocka_unit_test(formats_what_it_parses),
		cmocka_unit_test(compares_hosts),
		cmocka_unit_test(converts_sockaddrs),
	};

	return cmocka_run_group_tests_name("uaddr", tests, NULL, NULL);
}
