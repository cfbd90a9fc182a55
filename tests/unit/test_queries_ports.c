/* SPDX-License-Identifier: BSD-3-Clause */
/* Who wants to forge an answer must guess the port and the id: both as random as they can be. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queries_rig.h"

#define QUESTIONS 2000u
#define IN_FLIGHT 100

static unsigned answered;

static void count_answer(struct rig_ask *ask)
{
	assert_int_equal(ask->status, 0);
	answered++;
	rig_forget(ask);
}

static void ask_all(struct rig *rig, const struct rig_server *server)
{
	struct rig_ask *asks = calloc(QUESTIONS, sizeof(*asks));
	char name[32];

	assert_non_null(asks);
	answered = 0;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		asks[i].then = count_answer;
		rig_ask(rig, &asks[i], name, DNS_A);
		if (i + 1 > IN_FLIGHT)
			rig_wait_count(rig, &answered, i + 1 - IN_FLIGHT);
	}
	rig_wait_count(rig, &answered, QUESTIONS);
	free(asks);
	assert_int_equal(server->asked, QUESTIONS);
}

static int compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static unsigned count_distinct(const uint16_t *values, uint16_t *median)
{
	static uint16_t sorted[QUESTIONS];
	unsigned distinct = 1;

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, QUESTIONS, sizeof(*sorted), compare);
	for (unsigned i = 1; i < QUESTIONS; i++)
		distinct += sorted[i] != sorted[i - 1];
	*median = sorted[QUESTIONS / 2];
	return distinct;
}

/* Of each value with the next; for random ones its standard deviation is 1/sqrt(n), 0.022. */
static double serial_correlation(const uint16_t *v)
{
	double sum = 0, squares = 0, products = 0, mean, variance;

	for (unsigned i = 0; i < QUESTIONS; i++) {
		double x = v[i];

		sum += x;
		squares += x * x;
		products += x * v[(i + 1) % QUESTIONS];
	}
	mean = sum / QUESTIONS;
	variance = squares / QUESTIONS - mean * mean;
	return (products / QUESTIONS - mean * mean) / variance;
}

/* Runs above and below the median (Wald and Wolfowitz): n/2 of them, give or take sqrt(n)/2, 22. */
static unsigned count_runs(const uint16_t *v, uint16_t median)
{
	unsigned runs = 1;

	for (unsigned i = 1; i < QUESTIONS; i++)
		runs += (v[i] < median) != (v[i - 1] < median);
	return runs;
}

/* Five standard deviations are let pass. */
static void expect_random(const char *what, const uint16_t *values, unsigned distinct_wanted)
{
	uint16_t median;
	unsigned distinct = count_distinct(values, &median);
	unsigned runs = count_runs(values, median);
	double correlation = serial_correlation(values);

	print_message("%s: %u distinct of %u, serial correlation %.3f, %u runs\n", what, distinct,
		QUESTIONS, correlation, runs);
	assert_true(distinct >= distinct_wanted);
	assert_true(correlation < 0.112 && correlation > -0.112);
	assert_in_range(runs, QUESTIONS / 2 - 112, QUESTIONS / 2 + 112);
}

static void ports_and_ids(void **state)
{
	struct rig *rig = *state;

	rig->conf->timeout_ms = 5000;
	ask_all(rig, &rig->servers[0]);
	expect_random("ports", rig->servers[0].ports, 1900);
	expect_random("ids", rig->servers[0].ids, 1940);
	rig_wait_idle(rig);
}

static void over_ipv6(void **state)
{
	struct rig *rig = *state;
	struct rig_server *server = rig_add_server(rig, "::1");

	rig->conf->servers[0] = rig->conf->servers[2];
	rig->conf->server_count = 1;
	rig->conf->timeout_ms = 5000;
	ask_all(rig, server);
	expect_random("ports", server->ports, 1900);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(ports_and_ids),
		test(over_ipv6),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_ports", tests, NULL, NULL);
}
