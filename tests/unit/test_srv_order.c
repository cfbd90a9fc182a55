/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of SRV records: RFC 2782 to the letter, and how often who is first. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "t.h"
#include "dns_rig.h"
#include "randpool.h"
#include "srv_order.h"

#define ROUNDS 40000

static int seeded(void *arg, uint32_t below, uint32_t *number)
{
	*number = (uint32_t)(msg_random(arg) % below);
	return 0;
}

/* ---- to the letter */

/* Numbers that are drawn one after the other; UINT32_MAX: the largest that may be drawn, with which
 * a shuffle leaves all where it is. */
struct script {
	const uint32_t *numbers;
	uint32_t below; /* of the last */
};

static int scripted(void *arg, uint32_t below, uint32_t *number)
{
	struct script *script = arg;
	uint32_t next = *script->numbers++;

	script->below = below;
	*number = next == UINT32_MAX ? below - 1 : next;
	assert_true(*number < below);
	return 0;
}

#define LAST UINT32_MAX

static void running_sums(void **state)
{
	/* Running sums 0, 1, 4, 10 of weights 0, 1, 3, 6. */
	static const struct {
		uint32_t number;
		unsigned first;
	} rows[] = {{0, 0}, {1, 1}, {2, 3}, {4, 3}, {5, 6}, {10, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct srv_rank ranks[] = {{7, 1, 0}, {7, 3, 1}, {7, 0, 2}, {7, 6, 3}};
		const uint32_t numbers[] = {LAST, LAST, LAST, rows[i].number, 0, 0};
		struct script script = {.numbers = numbers};

		assert_int_equal(srv_order(ranks, 4, scripted, &script), 0);
		assert_int_equal(ranks[0].weight, rows[i].first);
		assert_ptr_equal(script.numbers, numbers + 6);
	}
}

static void sum_is_of_those_left(void **state)
{
	struct srv_rank ranks[] = {{1, 10, 0}, {1, 20, 1}, {1, 30, 2}};
	/* 30 of [0, 60] is the second; then 11 of [0, 40] the other one of 30. */
	const uint32_t numbers[] = {LAST, LAST, 30, 11};
	struct script script = {.numbers = numbers};

	(void)state;
	assert_int_equal(srv_order(ranks, 3, scripted, &script), 0);
	assert_int_equal(script.below, 41);
	assert_int_equal(ranks[0].weight, 20);
	assert_int_equal(ranks[1].weight, 30);
	assert_int_equal(ranks[2].weight, 10);
}

static int fails(void *arg, uint32_t below, uint32_t *number)
{
	(void)arg;
	(void)below;
	(void)number;
	return -EIO;
}

static void without_randomness(void **state)
{
	struct srv_rank ranks[] = {{1, 10, 0}, {1, 20, 1}};

	(void)state;
	assert_int_equal(srv_order(ranks, 2, fails, NULL), -EIO);
	assert_int_equal(srv_order(ranks, 1, fails, NULL), 0);
	assert_int_equal(srv_order(ranks, 0, fails, NULL), 0);
}

/* ---- properties */

static void check_order(const struct srv_rank *ranks, const struct srv_rank *before, size_t count)
{
	bool seen[64] = {false};

	for (size_t i = 0; i < count; i++) {
		const struct srv_rank *was = &before[ranks[i].at];

		assert_false(seen[ranks[i].at]);
		seen[ranks[i].at] = true;
		assert_int_equal(ranks[i].priority, was->priority);
		assert_int_equal(ranks[i].weight, was->weight);
		if (i > 0)
			assert_true(ranks[i - 1].priority <= ranks[i].priority);
	}
}

static void all_are_there_by_priority(void **state)
{
	struct srv_rank ranks[64], before[64];
	uint64_t seed = 2782;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t count = msg_pick(&seed, 65);

		for (size_t i = 0; i < count; i++)
			ranks[i] = (struct srv_rank){(uint16_t)msg_pick(&seed, 5),
				(uint16_t)(msg_pick(&seed, 3) ? msg_pick(&seed, 65536) : 0),
				(uint16_t)i};
		memcpy(before, ranks, sizeof(ranks));
		assert_int_equal(srv_order(ranks, count, seeded, &seed), 0);
		check_order(ranks, before, count);
	}
}

/* How often each is first, in parts of a thousand. */
static void count_first(const struct srv_rank *given, size_t count, srv_random_fn *random,
	void *arg, unsigned parts[])
{
	struct srv_rank ranks[8];

	memset(parts, 0, count * sizeof(parts[0]));
	for (unsigned i = 0; i < ROUNDS; i++) {
		memcpy(ranks, given, count * sizeof(ranks[0]));
		assert_int_equal(srv_order(ranks, count, random, arg), 0);
		parts[ranks[0].at]++;
	}
	for (size_t i = 0; i < count; i++)
		parts[i] = (parts[i] * 1000 + ROUNDS / 2) / ROUNDS;
}

/* Six times the deviation of 40000 draws is 15 parts of a thousand at most. */
static void expect_near(unsigned part, unsigned wanted)
{
	assert_in_range(part + 15, wanted, wanted + 30);
}

static void by_weight(void **state)
{
	static const struct srv_rank given[] = {
		{1, 60, 0}, {1, 0, 1}, {1, 10, 2}, {2, 99, 3}, {1, 30, 4}};
	uint64_t seed = 7;
	unsigned parts[5];

	(void)state;
	/* Of 101 numbers one is for the weight of 0. */
	count_first(given, 5, seeded, &seed, parts);
	expect_near(parts[0], 594);
	expect_near(parts[1], 10);
	expect_near(parts[2], 99);
	assert_int_equal(parts[3], 0);
	expect_near(parts[4], 297);
	assert_true(parts[1] > 0);
}

static void without_weights(void **state)
{
	static const struct srv_rank given[] = {{1, 0, 0}, {1, 0, 1}, {1, 0, 2}, {1, 0, 3}};
	struct randpool pool = {0};
	unsigned parts[4];

	(void)state;
	count_first(given, 4, srv_random, &pool, parts);
	for (unsigned i = 0; i < 4; i++)
		expect_near(parts[i], 250);
}

static void largest_weights(void **state)
{
	struct srv_rank ranks[512];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 512; i++)
		ranks[i] = (struct srv_rank){0, UINT16_MAX, (uint16_t)i};
	assert_int_equal(srv_order(ranks, 512, seeded, &seed), 0);
}

static void kernels_numbers(void **state)
{
	static const uint32_t belows[] = {1, 2, 3, 101, 0x80000001u, UINT32_MAX};
	struct randpool pool = {0};
	unsigned counts[3] = {0};
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(belows) / sizeof(belows[0]); i++)
		for (unsigned n = 0; n < 1000; n++) {
			assert_int_equal(srv_random(&pool, belows[i], &number), 0);
			assert_true(number < belows[i]);
		}
	for (unsigned n = 0; n < 30000; n++) {
		assert_int_equal(srv_random(&pool, 3, &number), 0);
		counts[number]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(counts[i], 9500, 10500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_sums),
		cmocka_unit_test(sum_is_of_those_left),
		cmocka_unit_test(without_randomness),
		cmocka_unit_test(all_are_there_by_priority),
		cmocka_unit_test(by_weight),
		cmocka_unit_test(without_weights),
		cmocka_unit_test(largest_weights),
		cmocka_unit_test(kernels_numbers),
	};

	return cmocka_run_group_tests_name("srv_order", tests, NULL, NULL);
}
