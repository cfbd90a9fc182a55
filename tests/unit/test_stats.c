/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "t.h"
#include "rpcbind-ns/stats.h"

static int setup(void **state)
{
	return stats_new((struct stats **)state);
}

static int teardown(void **state)
{
	stats_free(*state);
	return 0;
}

static void procedures(void **state)
{
	struct stats *s = *state;

	stats_count_proc(s, 2, 0);
	stats_count_proc(s, 4, 12);
	stats_count_proc(s, 4, 12);
	stats_count_proc(s, 4, 13); /* in the total only */
	stats_count_proc(s, 3, UINT32_MAX);
	stats_count_set(s, 3);
	stats_count_unset(s, 4);
	stats_count_unset(s, 4);
	assert_int_equal(stats_requests(s), 5);
	assert_int_equal(stats_proc(s, 2, 0), 1);
	assert_int_equal(stats_proc(s, 3, 0), 0);
	assert_int_equal(stats_proc(s, 4, 12), 2);
	assert_int_equal(stats_proc(s, 4, 13), 0);
	assert_int_equal(stats_set(s, 3), 1);
	assert_int_equal(stats_set(s, 4), 0);
	assert_int_equal(stats_unset(s, 4), 2);
}

static void addresses(void **state)
{
	struct stats *s = *state;
	const struct stats_addr *a;

	assert_null(stats_addr_get(s, 2, 0));
	stats_count_addr(s, 2, 100003, 3, NETID_UDP, true);
	stats_count_addr(s, 2, 100003, 3, NETID_TCP, false);
	stats_count_addr(s, 2, 100003, 3, NETID_UDP, false);
	stats_count_addr(s, 2, 100003, 3, NETID_UDP, true);
	stats_count_addr(s, 4, 100003, 3, NETID_UDP, true);
	a = stats_addr_get(s, 2, 0);
	assert_int_equal(a->prog, 100003);
	assert_int_equal(a->vers, 3);
	assert_int_equal(a->netid, NETID_UDP);
	assert_int_equal(a->success, 2);
	assert_int_equal(a->failure, 1);
	a = stats_addr_get(s, 2, 1);
	assert_int_equal(a->netid, NETID_TCP);
	assert_int_equal(a->success, 0);
	assert_int_equal(a->failure, 1);
	assert_null(stats_addr_get(s, 2, 2));
	assert_null(stats_addr_get(s, 3, 0));
	assert_non_null(stats_addr_get(s, 4, 0));
	assert_null(stats_rmt_get(s, 2, 0));
}

static void remote_calls(void **state)
{
	struct stats *s = *state;
	const struct stats_rmt *r;

	stats_count_rmt(s, 4, 1, 2, 3, NETID_UDP, false, true);
	stats_count_rmt(s, 4, 1, 2, 3, NETID_UDP, true, true);
	stats_count_rmt(s, 4, 1, 2, 3, NETID_UDP, true, false);
	stats_count_rmt(s, 4, 1, 2, 4, NETID_UDP, true, false);
	r = stats_rmt_get(s, 4, 0);
	assert_false(r->indirect);
	assert_int_equal(r->proc, 3);
	assert_int_equal(r->success, 1);
	r = stats_rmt_get(s, 4, 1);
	assert_true(r->indirect);
	assert_int_equal(r->success, 1);
	assert_int_equal(r->failure, 1);
	assert_int_equal(stats_rmt_get(s, 4, 2)->proc, 4);
	assert_null(stats_rmt_get(s, 4, 3));
	assert_null(stats_addr_get(s, 4, 0));
}

/* 60,000 programs asked for: the table stays as it is, and those in it go on counting. */
static void bounded(void **state)
{
	struct stats *s = *state;

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 60000; i++)
			stats_count_addr(s, 3, i * 7919, i, NETID_TCP6, i % 2);
	}
	for (size_t i = 0; i < STATS_MAX; i++) {
		const struct stats_addr *a = stats_addr_get(s, 3, i);

		assert_int_equal(a->prog, i * 7919);
		assert_int_equal(a->vers, i);
		assert_int_equal(a->success + a->failure, 2);
		assert_int_equal(a->success, i % 2 ? 2 : 0);
	}
	assert_null(stats_addr_get(s, 3, STATS_MAX));
}

#define STATS_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATS_TEST(procedures),
		STATS_TEST(addresses),
		STATS_TEST(remote_calls),
		STATS_TEST(bounded),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
