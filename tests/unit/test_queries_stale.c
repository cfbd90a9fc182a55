/* SPDX-License-Identifier: BSD-3-Clause */
/* Stale answers by RFC 8767, and questions for the cache's sake. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "queries_rig.h"

#define EXPIRED (61 * LOOP_SEC) /* the answers' TTL is 60 seconds */

/* The name is in the cache, and too old; the sockets are closed. */
static int setup(void **state)
{
	struct rig *rig;

	rig_setup(state);
	rig = *state;
	rig->conf->timeout_ms = 5000;
	rig->config.stale_seconds = 3600;
	rig_restart(rig);
	rig_expect_address(rig, "www.example", "192.0.2.1");
	rig_skip(rig, EXPIRED);
	rig_wait_idle(rig);
	return 0;
}

static void expect_stale(struct rig_ask *ask)
{
	rig_wait(ask);
	assert_int_equal(ask->status, 0);
	assert_int_equal(ask->answer->source, VSRESOLV_STALE);
	assert_true(rig_has_address(ask->answer, "www.example", "192.0.2.1"));
	rig_forget(ask);
}

static void says_three(struct rig_question *q)
{
	rig_answer(q, DNS_NOERROR, "192.0.2.3");
}

static void fresh_one_comes_in_time(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = says_three;
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.answer->source, VSRESOLV_NETWORK);
	assert_true(rig_has_address(ask.answer, "www.example", "192.0.2.3"));
	rig_forget(&ask);
}

/* After 1.8 s; the question goes on, and its answer is kept. */
static void after_a_while(void **state)
{
	struct rig *rig = *state;
	struct rig_ask early = {0}, late = {0};
	struct dns_question question = rig_question("www.example", DNS_A);
	struct answer *answer;
	bool prefetch;

	rig->servers[0].script = rig_is_silent;
	rig->servers[1].script = says_three;
	rig_ask(rig, &early, "www.example", DNS_A);
	rig_turn(rig, 1);
	rig_skip(rig, 1700 * LOOP_MSEC);
	rig_turn(rig, 1);
	assert_int_equal(early.told, 0);
	rig_skip(rig, 100 * LOOP_MSEC);
	expect_stale(&early);
	assert_int_equal(rig->counters.in_flight, 1);
	/* Who joins then has it at once, by the loop. */
	rig_ask(rig, &late, "www.example", DNS_A);
	rig_turn(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(late.told, 1);
	expect_stale(&late);
	assert_int_equal(rig->counters.joined, 1);
	rig_skip(rig, 4 * LOOP_SEC);
	rig_wait_idle(rig);
	assert_int_equal(
		answer_find(rig->cache, &question, rig_now(rig), 0, &answer, &prefetch), 0);
	assert_true(rig_has_address(answer, "www.example", "192.0.2.3"));
	answer_unref(answer);
}

/* Servers that are known to be dead are not waited for. */
static void at_once_when_all_are_dead(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig->conf->timeout_ms = 50;
	rig_ask(rig, &ask, "other.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ETIMEDOUT);
	rig->conf->timeout_ms = 5000;
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_turn(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(ask.told, 1);
	expect_stale(&ask);
	/* It is asked, nevertheless. */
	assert_int_equal(rig->counters.in_flight, 1);
	rig_wait_count(rig, &rig->servers[0].asked, 4);
}

static void instead_of_failure(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = rig_fails;
	rig->servers[1].script = rig_refuses;
	rig_ask(rig, &ask, "www.example", DNS_A);
	expect_stale(&ask);
	rig_deafen(&rig->servers[0]);
	rig_deafen(&rig->servers[1]);
	rig_ask(rig, &ask, "www.example", DNS_A);
	expect_stale(&ask);
	/* Of what is not known there is nothing. */
	rig_ask(rig, &ask, "other.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ECONNREFUSED);
}

static void too_old(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig_skip(rig, 3600 * LOOP_SEC);
	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig->conf->timeout_ms = 50;
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ETIMEDOUT);
}

static void not_without_leave(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->config.stale_seconds = 0;
	rig_restart(rig);
	rig->servers[0].script = rig->servers[1].script = rig_fails;
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_int_equal(ask.answer->summary.kind, DNS_FAILURE);
	rig_forget(&ask);
}

/* NXDOMAIN is no failure: the name is gone. */
static void denies(struct rig_question *q)
{
	rig_answer(q, DNS_NXDOMAIN, NULL);
}

static void denial_is_news(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = denies;
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.answer->source, VSRESOLV_NETWORK);
	assert_int_equal(ask.answer->summary.kind, DNS_NO_NAME);
	rig_forget(&ask);
}

/* In the callback the same is asked again, and queries are freed. */
static void asks_once_more(struct rig_ask *ask)
{
	rig_forget(ask);
	if (ask->told == 1) {
		ask->then = NULL;
		rig_ask(ask->rig, ask, "www.example", DNS_A);
	}
}

static void frees_queries(struct rig_ask *ask)
{
	rig_forget(ask);
	queries_free(ask->rig->queries);
	ask->rig->queries = NULL;
}

static void callbacks(void **state)
{
	struct rig *rig = *state;
	struct rig_ask first = {.then = asks_once_more}, second = {0},
		       third = {.then = frees_queries};

	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig_ask(rig, &first, "www.example", DNS_A);
	rig_ask(rig, &second, "www.example", DNS_A);
	rig_turn(rig, 1);
	rig_skip(rig, 1800 * LOOP_MSEC);
	expect_stale(&second);
	rig_wait(&first);
	expect_stale(&first);
	rig_ask(rig, &third, "www.example", DNS_A);
	rig_ask(rig, &second, "www.example", DNS_A);
	rig_wait(&third);
	assert_null(rig->queries);
	rig_wait(&second);
	rig_forget(&second);
}

/* ---- prefetch */

static void prefetched(void **state)
{
	struct rig *rig = *state;
	struct dns_question question = rig_question("www.example", DNS_A);
	struct answer *answer;
	bool prefetch;

	rig->servers[0].script = says_three;
	rig_skip(rig, EXPIRED);
	queries_prefetch(rig->queries, rig->conf, &question);
	queries_prefetch(rig->queries, rig->conf, &question);
	assert_int_equal(rig->counters.in_flight, 1);
	rig_wait_idle(rig);
	assert_int_equal(rig->servers[0].asked, 2);
	assert_int_equal(
		answer_find(rig->cache, &question, rig_now(rig), 0, &answer, &prefetch), 0);
	assert_true(rig_has_address(answer, "www.example", "192.0.2.3"));
	answer_unref(answer);
}

static void joined_to_a_prefetch(void **state)
{
	struct rig *rig = *state;
	struct dns_question question = rig_question("www.example", DNS_A);
	struct rig_ask ask = {0}, leaver = {0};

	rig->servers[0].script = says_three;
	queries_prefetch(rig->queries, rig->conf, &question);
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_ask(rig, &leaver, "www.example", DNS_A);
	queries_leave(&leaver.waiter);
	rig_wait(&ask);
	assert_true(rig_has_address(ask.answer, "www.example", "192.0.2.3"));
	rig_forget(&ask);
	assert_int_equal(rig->servers[0].asked, 2);
}

static void not_at_others_cost(void **state)
{
	struct rig *rig = *state;
	struct dns_question question = rig_question("www.example", DNS_A);
	struct rig_ask ask = {0};

	rig->config.in_flight = 1;
	rig_restart(rig);
	rig_ask(rig, &ask, "other.example", DNS_A);
	queries_prefetch(rig->queries, rig->conf, &question);
	assert_int_equal(rig->counters.in_flight, 1);
	assert_int_equal(rig->counters.waiting, 0);
	rig_wait(&ask);
	rig_forget(&ask);
	rig_wait_idle(rig);
	assert_int_equal(rig->servers[0].asked, 2);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(fresh_one_comes_in_time),
		test(after_a_while),
		test(at_once_when_all_are_dead),
		test(instead_of_failure),
		test(too_old),
		test(not_without_leave),
		test(denial_is_news),
		test(callbacks),
		test(prefetched),
		test(joined_to_a_prefetch),
		test(not_at_others_cost),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_stale", tests, NULL, NULL);
}
