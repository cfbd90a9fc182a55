/* SPDX-License-Identifier: BSD-3-Clause */
/* Many questions: joined, in line, left, shared between contexts, and without descriptors. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "container.h"
#include "queries_rig.h"

#define MANY 300

static struct rig_ask *ask_many(struct rig *rig, unsigned count)
{
	struct rig_ask *asks = calloc(count, sizeof(*asks));
	char name[32];

	assert_non_null(asks);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		rig_ask(rig, &asks[i], name, DNS_A);
	}
	return asks;
}

static void expect_all(struct rig_ask *asks, unsigned count)
{
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		rig_wait(&asks[i]);
		assert_int_equal(asks[i].status, 0);
		assert_true(rig_has_address(asks[i].answer, name, "192.0.2.1"));
		assert_int_equal(asks[i].told, 1);
		rig_forget(&asks[i]);
	}
	free(asks);
}

/* ---- joined */

static void joined(void **state)
{
	struct rig *rig = *state;
	struct rig_ask asks[50] = {0};

	for (unsigned i = 0; i < 50; i++)
		rig_ask(rig, &asks[i], i % 2 ? "www.example" : "WWW.example", DNS_A);
	for (unsigned i = 0; i < 50; i += 3)
		queries_leave(&asks[i].waiter);
	for (unsigned i = 0; i < 50; i++) {
		if (i % 3 == 0)
			continue;
		rig_wait(&asks[i]);
		assert_int_equal(asks[i].told, 1);
		assert_true(rig_has_address(asks[i].answer, "www.example", "192.0.2.1"));
		rig_forget(&asks[i]);
	}
	for (unsigned i = 0; i < 50; i += 3)
		assert_int_equal(asks[i].told, 0);
	assert_int_equal(rig->servers[0].asked, 1);
	assert_int_equal(rig->counters.joined, 49);
	assert_int_equal(rig->counters.queries, 1);
}

static void other_types_are_others(void **state)
{
	struct rig *rig = *state;
	struct rig_ask a = {0}, aaaa = {0};

	rig_ask(rig, &a, "www.example", DNS_A);
	rig_ask(rig, &aaaa, "www.example", DNS_AAAA);
	rig_wait(&a);
	rig_wait(&aaaa);
	assert_int_equal(a.answer->summary.kind, DNS_POSITIVE);
	assert_int_not_equal(aaaa.answer->summary.kind, DNS_POSITIVE);
	rig_forget(&a);
	rig_forget(&aaaa);
	assert_int_equal(rig->counters.joined, 0);
}

static void last_one_leaves(void **state)
{
	struct rig *rig = *state;
	struct rig_ask asks[3] = {0};

	for (unsigned i = 0; i < 3; i++)
		rig_ask(rig, &asks[i], "www.example", DNS_A);
	assert_int_equal(rig->counters.in_flight, 1);
	for (unsigned i = 0; i < 3; i++)
		queries_leave(&asks[i].waiter);
	queries_leave(&asks[0].waiter);
	assert_int_equal(rig->counters.in_flight, 0);
	rig_quiet(rig);
	/* Its answer came to a socket that has another port now. */
	assert_int_equal(rig->servers[0].asked, 1);
	rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].asked, 2);
}

/* Callbacks that ask the same again, leave for others, and free what is asked with. */

static struct rig_ask others[3];
static unsigned again;

static void asks_again(struct rig_ask *ask)
{
	queries_leave(&others[2].waiter);
	rig_forget(ask);
	if (again++ < 3)
		rig_ask(ask->rig, ask, "www.example", DNS_A);
}

static void callbacks_ask_and_leave(void **state)
{
	struct rig *rig = *state;

	memset(others, 0, sizeof(others));
	again = 0;
	others[0].then = asks_again;
	for (unsigned i = 0; i < 3; i++)
		rig_ask(rig, &others[i], "www.example", DNS_A);
	rig_wait(&others[1]);
	rig_wait_count(rig, &again, 4);
	rig_forget(&others[1]);
	assert_int_equal(others[2].told, 0);
	assert_null(others[2].waiter.query);
	assert_int_equal(rig->counters.queries, 4);
}

static void frees_queries(struct rig_ask *ask)
{
	queries_free(ask->rig->queries);
	ask->rig->queries = NULL;
	rig_forget(ask);
}

/* A synchronous request that is over takes struct queries with it, others in line notwithstanding.
 */
static void callback_frees_queries(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {.then = frees_queries}, other = {0}, third = {0};

	rig->config.in_flight = 2;
	for (unsigned i = 0; i < 3; i++) {
		rig->servers[1].script = i == 1 ? rig_is_silent : rig_answers;
		rig->servers[0].script = i == 2 ? rig_fails : rig->servers[1].script;
		rig_restart(rig);
		rig_ask(rig, &ask, "www.example", DNS_A);
		rig_ask(rig, &other, "other.example", DNS_AAAA);
		rig_ask(rig, &third, "third.example", DNS_A);
		rig_wait(&ask);
		assert_null(rig->queries);
		assert_null(other.waiter.query);
		assert_null(third.waiter.query);
		rig_forget(&other);
		assert_int_equal(rig->counters.in_flight, 0);
	}
}

/* ---- in line */

static unsigned order[MANY], order_count;
static struct rig_ask *first_ask;

static void note_order(struct rig_ask *ask)
{
	order[order_count++] = (unsigned)(ask - first_ask);
}

static void in_line(void **state)
{
	struct rig *rig = *state;
	struct rig_ask *asks;

	rig->config.in_flight = 1;
	rig_restart(rig);
	order_count = 0;
	asks = first_ask = ask_many(rig, MANY);
	for (unsigned i = 0; i < MANY; i++)
		asks[i].then = note_order;
	assert_int_equal(rig->counters.in_flight, 1);
	assert_int_equal(rig->counters.waiting, MANY - 1);
	expect_all(asks, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(rig->counters.waiting, 0);
}

static void no_more_than(void **state)
{
	struct rig *rig = *state;
	struct rig_ask *asks;

	rig->config.in_flight = 7;
	rig_restart(rig);
	asks = ask_many(rig, MANY);
	for (unsigned turn = 0; rig->counters.waiting > 0; turn++) {
		assert_int_equal(rig->counters.in_flight, 7);
		assert_true(turn < 10000);
		rig_turn(rig, 100);
	}
	expect_all(asks, MANY);
	assert_int_equal(rig->counters.queries, MANY);
}

static void too_many_wait(void **state)
{
	struct rig *rig = *state;
	struct rig_ask *asks, more = {0};

	rig->config.in_flight = 10;
	rig->config.waiting = MANY - 10;
	rig_restart(rig);
	asks = ask_many(rig, MANY);
	assert_int_equal(rig_ask_status(rig, &more, "one.more.example", DNS_A), -ENOBUFS);
	assert_int_equal(rig->counters.refused, 1);
	/* Joining takes no room. */
	rig_ask(rig, &more, "n200.example", DNS_A);
	rig_wait(&more);
	rig_forget(&more);
	expect_all(asks, MANY);
	rig_expect_address(rig, "one.more.example", "192.0.2.1");
}

static void leaving_the_line(void **state)
{
	struct rig *rig = *state;
	struct rig_ask *asks;

	rig->config.in_flight = 2;
	rig_restart(rig);
	asks = ask_many(rig, MANY);
	for (unsigned i = 0; i < MANY; i += 2)
		queries_leave(&asks[i].waiter);
	assert_int_equal(rig->counters.in_flight, 2);
	for (unsigned i = 1; i < MANY; i += 2) {
		rig_wait(&asks[i]);
		rig_forget(&asks[i]);
	}
	assert_int_equal(rig->counters.in_flight + rig->counters.waiting, 0);
	free(asks);
}

/* ---- two contexts of a loop: the servers of one are dead */

/* Slots for both; a second context, whose only server never answers. */
static struct rig *add_dead_context(struct rig *rig, struct counters *counters)
{
	struct rig *dead = calloc(1, sizeof(*dead));

	assert_non_null(dead);
	queries_free(rig->queries);
	rig->queries = NULL;
	share_free(rig->share);
	assert_int_equal(share_new(&rig->share, 64), 0);
	rig->config.share = rig->share;
	rig_restart(rig);
	assert_int_equal(health_new(&dead->health), 0);
	dead->conf = rig_conf(rig);
	dead->conf->servers[0] = rig->conf->servers[1];
	dead->conf->server_count = 1;
	dead->conf->timeout_ms = 5000;
	rig->servers[1].script = rig_is_silent;
	dead->config = rig->config;
	dead->config.counters = counters;
	dead->config.health = dead->health;
	rig_restart(dead);
	return dead;
}

static void dead_beside_alive(void **state)
{
	struct rig *rig = *state, *dead;
	struct counters counters = {0};
	struct rig_ask *stuck;
	uint64_t before;

	dead = add_dead_context(rig, &counters);
	stuck = ask_many(dead, MANY);
	rig_quiet(rig);
	assert_int_equal(counters.in_flight, 32);
	before = rig_now(rig);
	for (unsigned i = 0; i < 100; i++)
		rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_true(rig_now(rig) - before < LOOP_SEC);
	assert_int_equal(counters.in_flight, 32);
	queries_free(dead->queries);
	health_free(dead->health);
	rconf_unref(dead->conf);
	free(stuck);
	free(dead);
}

/* ---- descriptors */

static unsigned limit_descriptors(struct rlimit *old, unsigned more)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);
	struct rlimit limit;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
	limit = *old;
	limit.rlim_cur = (rlim_t)fd + more;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return (unsigned)fd;
}

static void few_descriptors(void **state)
{
	struct rig *rig = *state;
	struct rlimit old;
	struct rig_ask *asks;

	limit_descriptors(&old, 5);
	asks = ask_many(rig, MANY);
	expect_all(asks, MANY);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rig->counters.timeouts, 0);
	assert_string_equal(rig->log, "");
}

static void no_descriptor(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};
	struct rlimit old;

	limit_descriptors(&old, 0);
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_turn(rig, 1);
	rig_turn(rig, 1);
	assert_int_equal(ask.told, 0);
	rig_skip(rig, LOOP_SEC);
	rig_wait(&ask);
	assert_int_equal(ask.status, -EMFILE);
	/* Soon enough there is one again. */
	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_turn(rig, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	rig_forget(&ask);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(joined),
		test(other_types_are_others),
		test(last_one_leaves),
		test(callbacks_ask_and_leave),
		test(callback_frees_queries),
		test(in_line),
		test(no_more_than),
		test(too_many_wait),
		test(leaving_the_line),
		test(dead_beside_alive),
		test(few_descriptors),
		test(no_descriptor),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_limits", tests, NULL, NULL);
}
