/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "t.h"
#include "bind.h"

static void good(void **state)
{
	static const char *const values[] = {"10.1.1.1", "0.0.0.0", "127.0.0.1", "fd00::1",
		"fe80::1", "::", "::1", "2001:db8::192.0.2.1"};
	struct opener_address a;
	char reason[80] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(bind_parse(values[i], &a), 0);
		assert_int_equal(a.family, strchr(values[i], ':') ? AF_INET6 : AF_INET);
		assert_true(bind_check(values[i], reason, sizeof(reason)));
	}
	assert_int_equal(bind_parse("10.2.3.4", &a), 0);
	assert_memory_equal(a.addr, ((const uint8_t[16]){10, 2, 3, 4}), 16);
	assert_string_equal(reason, "");
}

static void bad(void **state)
{
	static const char *const values[] = {"", " ", "10.1.1", "10.1.1.256", "010.1.1.1x", "host",
		"10.1.1.1/24", "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::202",
		"::ffff:10.1.1.1", "fe80::1%eth0", ":", "fd00::1::2", "10.1.1.1.0.111"};
	struct opener_address a = {.family = 99};
	char reason[80];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(bind_parse(values[i], &a), -EINVAL);
		assert_int_equal(a.family, 99);
		reason[0] = '\0';
		assert_false(bind_check(values[i], reason, sizeof(reason)));
		assert_string_equal(reason, "is not an IPv4 or IPv6 address of one host");
	}
}

static void policy(void **state)
{
	char one[] = "10.1.1.1", two[] = "fd00::1", wrong[] = "x";
	char *list[] = {one, two, NULL}, *none[] = {NULL}, *odd[] = {one, wrong, NULL};
	struct opener_vs_policy p = {0};

	(void)state;
	assert_int_equal(bind_policy(NULL, &p), 0);
	assert_int_equal(bind_policy(none, &p), 0);
	assert_int_equal(p.bind_count, 0);
	assert_int_equal(bind_policy(odd, &p), -EINVAL);
	assert_int_equal(p.bind_count, 0);
	assert_int_equal(bind_policy(list, &p), 0);
	assert_int_equal(p.bind_count, 2);
	assert_int_equal(p.bind[0].family, AF_INET);
	assert_int_equal(p.bind[1].family, AF_INET6);
	opener_vs_policy_clear(&p);
	assert_null(p.bind);
}

static bool serves(char *const *list, const char *address)
{
	struct uaddr u = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(u.family, address, u.addr), 1);
	return bind_serves(list, &u);
}

static void which_are_served(void **state)
{
	char one[] = "10.1.1.1", two[] = "fd00::1", all6[] = "::";
	char *both[] = {one, two, NULL}, *four[] = {one, NULL}, *mixed[] = {one, all6, NULL};
	char *none[] = {NULL};

	(void)state;
	assert_true(serves(NULL, "10.1.1.9"));
	assert_true(serves(none, "10.1.1.9"));
	assert_true(serves(both, "10.1.1.1"));
	assert_false(serves(both, "10.1.1.9"));
	assert_true(serves(both, "fd00::1"));
	assert_false(serves(both, "fd00::2"));
	assert_true(serves(four, "127.3.4.5"));
	assert_true(serves(four, "::1"));
	assert_false(serves(four, "fd00::1"));
	assert_true(serves(mixed, "fd00::1"));
	assert_false(serves(mixed, "10.1.1.9"));
	/* A local socket has no address. */
	assert_true(bind_serves(both, &(struct uaddr){.family = AF_UNIX}));
	assert_true(bind_serves(both, &(struct uaddr){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(policy),
		cmocka_unit_test(which_are_served),
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
