/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/excess.h"

#define RATE 1000
#define SECOND UINT64_C(1000000000)

static struct uaddr host(const char *text)
{
	struct uaddr u;

	assert_int_equal(uaddr_parse(strchr(text, ':') ? AF_INET6 : AF_INET, text, &u), 0);
	return u;
}

/* How many replies of 100 bytes go out at this time. */
static unsigned allowed(struct excess **t, const struct uaddr *source, uint64_t now)
{
	unsigned n = 0;

	while (n < 1000 && excess_allow(t, RATE, source, 100, now))
		n++;
	return n;
}

static void burst_then_rate(void **state)
{
	struct uaddr a = host("192.0.2.1.0.1");
	struct excess *t = NULL;
	uint64_t now = 5 * SECOND;

	(void)state;
	assert_int_equal(allowed(&t, &a, now), EXCESS_BURST * RATE / 100);
	assert_int_equal(allowed(&t, &a, now), 0);
	assert_int_equal(allowed(&t, &a, now + SECOND / 11), 0);
	assert_int_equal(allowed(&t, &a, now + SECOND / 10), 1);
	assert_int_equal(allowed(&t, &a, now + SECOND / 10 + 3 * SECOND), 30);
	/* What was refused was not counted, and no more is saved up than the burst. */
	assert_int_equal(allowed(&t, &a, now + 1000 * SECOND), EXCESS_BURST * RATE / 100);
	excess_free(t);
}

static void larger_than_the_burst(void **state)
{
	struct uaddr a = host("192.0.2.1.0.1");
	struct excess *t = NULL;

	(void)state;
	assert_false(excess_allow(&t, RATE, &a, EXCESS_BURST * RATE + 1, SECOND));
	assert_true(excess_allow(&t, RATE, &a, EXCESS_BURST * RATE, SECOND));
	assert_false(excess_allow(&t, 1, &a, 9000, SECOND));
	excess_free(t);
}

static void no_limit_needs_no_table(void **state)
{
	struct uaddr a = host("192.0.2.1.0.1");
	struct excess *t = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(excess_allow(&t, 0, &a, 9000, SECOND));
	assert_null(t);
	excess_free(t);
}

/* The port is not the source, nor is what an IPv6 host chooses of its address. */
static void sources(void **state)
{
	static const char *const same[][2] = {
		{"192.0.2.1.0.1", "192.0.2.1.200.1"},
		{"2001:db8:0:1::1.0.1", "2001:db8:0:1:ffff:ffff:ffff:ffff.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct uaddr a = host(same[i][0]), b = host(same[i][1]);
		struct excess *t = NULL;
		assert_int_equal(allowed(&t, &a, SECOND), 80);
		assert_int_equal(allowed(&t, &b, SECOND), 0);
		excess_free(t);
	}
}

/* How many of 256 sources are let through when one of them has used up its bucket. */
static unsigned others(bool v6)
{
	struct excess *t = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < 256; i++) {
		char text[64];
		struct uaddr u;
		if (v6)
			snprintf(text, sizeof(text), "2001:db8:0:%x::1.0.1", i);
		else
			snprintf(text, sizeof(text), "10.0.0.%u.0.1", i);
		u = host(text);
		n += i == 0 ? allowed(&t, &u, SECOND) == 80 : excess_allow(&t, RATE, &u, 1, SECOND);
	}
	excess_free(t);
	return n;
}

static void one_source_is_not_all(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		/* Eight of 255 in one bucket of 512: once in a billion. */
		assert_true(others(false) > 247);
		assert_true(others(true) > 247);
	}
}

/* Which sources meet is another matter in each table: nobody can work it out at home. */
static void tables_differ(void **state)
{
	bool differ = false;

	(void)state;
	for (int round = 0; round < 50 && !differ; round++)
		differ = others(false) != others(false);
	assert_true(differ);
}

/* From however many addresses: the table is all that there is. */
static void in_all(void **state)
{
	struct excess *t = NULL;
	uint64_t bytes = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct uaddr u = {.family = AF_INET,
			.addr = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		while (excess_allow(&t, RATE, &u, 1000, SECOND))
			bytes += 1000;
	}
	assert_int_equal(bytes, (uint64_t)EXCESS_BUCKETS * EXCESS_BURST * RATE);
	excess_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_rate),
		cmocka_unit_test(larger_than_the_burst),
		cmocka_unit_test(no_limit_needs_no_table),
		cmocka_unit_test(sources),
		cmocka_unit_test(one_source_is_not_all),
		cmocka_unit_test(tables_differ),
		cmocka_unit_test(in_all),
	};

	return cmocka_run_group_tests_name("excess", tests, NULL, NULL);
}
