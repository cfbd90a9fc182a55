/* SPDX-License-Identifier: BSD-3-Clause */
/* Which server is asked, how often and how, by what the others did. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "queries_rig.h"

/* ---- timeouts and the order of servers */

static void asks_the_next(void **state)
{
	struct rig *rig = *state;
	uint64_t before = rig_now(rig), took;

	rig->servers[0].script = rig_is_silent;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	took = rig_now(rig) - before;
	assert_in_range(took, 100 * LOOP_MSEC, 1000 * LOOP_MSEC);
	assert_int_equal(rig->counters.timeouts, 1);
	assert_int_equal(rig->servers[0].asked, 1);
	assert_non_null(strstr(rig->log, "<4> name server 127.0.0.1 port 5353 does not answer"));
}

static void gives_up(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};
	uint64_t before = rig_now(rig);

	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ETIMEDOUT);
	assert_null(ask.answer);
	assert_in_range(rig_now(rig) - before, 400 * LOOP_MSEC, 1500 * LOOP_MSEC);
	assert_int_equal(rig->servers[0].asked, 2);
	assert_int_equal(rig->servers[1].asked, 2);
	assert_int_not_equal(rig->servers[0].ids[0], rig->servers[0].ids[1]);
	assert_int_equal(rig->counters.timeouts, 4);
}

static void drops_the_first(struct rig_question *q)
{
	if (q->server->step++ > 0)
		rig_answers(q);
}

static void lost_datagram(void **state)
{
	struct rig *rig = *state;

	rig->conf->server_count = 1;
	rig->servers[0].script = drops_the_first;
	rig_expect_address(rig, "a.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].asked, 2);
	assert_non_null(strstr(rig->log, "<5> name server 127.0.0.1 port 5353 answers again"));
}

/* Remembered: asked last, and in between by a copy that nobody waits for. */
static void dead_server(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = rig_is_silent;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	for (unsigned i = 0; i < 20; i++)
		rig_expect_address(rig, "b.example", "192.0.2.2");
	assert_int_equal(rig->servers[0].asked, 1);
	assert_int_equal(rig->counters.timeouts, 1);
	/* A second later; it is still dead. */
	rig_skip(rig, LOOP_SEC);
	rig_expect_address(rig, "c.example", "192.0.2.2");
	rig_expect_address(rig, "d.example", "192.0.2.2");
	rig_wait_count(rig, &rig->servers[0].asked, 2);
	rig_wait_idle(rig);
	assert_int_equal(rig->counters.timeouts, 2);
	/* Two seconds later it has come back. */
	rig->servers[0].script = rig_answers;
	rig_skip(rig, LOOP_SEC);
	rig_expect_address(rig, "e.example", "192.0.2.2");
	assert_int_equal(rig->servers[0].asked, 2);
	rig_skip(rig, LOOP_SEC);
	rig_expect_address(rig, "f.example", "192.0.2.2");
	rig_wait_count(rig, &rig->servers[0].asked, 3);
	rig_wait_idle(rig);
	rig_expect_address(rig, "g.example", "192.0.2.1");
}

static void all_dead_are_asked(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	rig->servers[0].script = rig->servers[1].script = rig_answers;
	rig_expect_address(rig, "a.example", "192.0.2.1");
}

static void forgotten_health(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = rig_is_silent;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	rig->servers[0].script = rig_answers;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	health_forget(rig->health);
	rig_expect_address(rig, "a.example", "192.0.2.1");
}

static void rotates(void **state)
{
	struct rig *rig = *state;

	rig->conf->rotate = true;
	for (unsigned i = 0; i < 10; i++)
		rig_expect_address(rig, "a.example", i % 2 ? "192.0.2.2" : "192.0.2.1");
}

/* ---- ICMP */

static void closed_port(void **state)
{
	struct rig *rig = *state;
	uint64_t before = rig_now(rig);

	rig_deafen(&rig->servers[0]);
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_true(rig_now(rig) - before < 90 * LOOP_MSEC);
	assert_int_equal(rig->counters.timeouts, 0);
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_int_equal(rig->counters.datagrams, 3);
}

static void all_ports_closed(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig_deafen(&rig->servers[0]);
	rig_deafen(&rig->servers[1]);
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ECONNREFUSED);
	assert_int_equal(rig->counters.datagrams, 4);
}

static void no_route(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->conf->servers[0].addr.in4.sin_addr.s_addr = htonl(0xc6336401);
	rig->conf->server_count = 1;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ENETUNREACH);
	rig->conf->server_count = 2;
	rig_expect_address(rig, "a.example", "192.0.2.2");
}

static void no_server(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->conf->server_count = 0;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -EDESTADDRREQ);
	assert_int_equal(rig->counters.datagrams, 0);
}

static void over_ipv6(void **state)
{
	struct rig *rig = *state;

	rig_add_server(rig, "::1");
	rig->servers[0].script = rig->servers[1].script = rig_is_silent;
	rig_expect_address(rig, "a.example", "192.0.2.3");
	rig_expect_address(rig, "b.example", "192.0.2.3");
	rig_wait_idle(rig);
}

/* ---- what servers answer */

static void no_edns(struct rig_question *q)
{
	if (q->has_opt)
		rig_answer(q, q->server->step == 0 ? DNS_FORMERR : DNS_NOTIMP, NULL);
	else
		rig_answers(q);
}

static void edns_refused(void **state)
{
	struct rig *rig = *state;

	for (unsigned step = 0; step < 2; step++) {
		rig->servers[0].step = step;
		rig->servers[0].script = no_edns;
		rig->servers[0].asked = 0;
		rig_expect_address(rig, "a.example", "192.0.2.1");
		assert_int_equal(rig->servers[0].asked, 2);
		/* Remembered, for an hour. */
		rig_expect_address(rig, "b.example", "192.0.2.1");
		assert_int_equal(rig->servers[0].asked, 3);
		rig_skip(rig, 3601 * LOOP_SEC);
		rig_expect_address(rig, "c.example", "192.0.2.1");
		assert_int_equal(rig->servers[0].asked, 5);
		health_forget(rig->health);
	}
	assert_int_equal(rig->servers[1].asked, 0);
}

/* Something on the way drops what it does not know. */
static void drops_edns(struct rig_question *q)
{
	if (!q->has_opt)
		rig_answers(q);
}

static void edns_dropped(void **state)
{
	struct rig *rig = *state;

	rig->conf->server_count = 1;
	rig->servers[0].script = drops_edns;
	rig_expect_address(rig, "a.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].asked, 2);
}

/* Each reply comes late: the second attempt of the same kind has no more time than what is left. */
static struct rig_question late;

static void is_late(struct rig_question *q)
{
	late = *q;
}

static void attempts_end_in_time(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};
	uint64_t before = rig_now(rig);

	rig->conf->server_count = 1;
	rig->conf->attempts = 1;
	rig->conf->timeout_ms = 1000;
	rig->servers[0].script = is_late;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait_count(rig, &rig->servers[0].asked, 1);
	rig_skip(rig, 900 * LOOP_MSEC);
	rig_answer(&late, DNS_FORMERR, NULL);
	rig_wait_count(rig, &rig->servers[0].asked, 2);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ETIMEDOUT);
	assert_in_range(rig_now(rig) - before, 1000 * LOOP_MSEC, 1600 * LOOP_MSEC);
}

/* FORMERR for another reason says nothing of EDNS. */
static void formerr(struct rig_question *q)
{
	rig_answer(q, DNS_FORMERR, NULL);
}

static void formerr_anyway(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = formerr;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_int_equal(rig->servers[0].asked, 2);
	rig->servers[0].script = no_edns;
	rig_expect_address(rig, "b.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].asked, 4);
}

static void wants_no_opt(struct rig_question *q)
{
	assert_false(q->has_opt);
	assert_false(q->ad);
	rig_answers(q);
}

static void wants_ad(struct rig_question *q)
{
	assert_true(q->has_opt);
	assert_true(q->ad);
	rig_answers(q);
}

static void options(void **state)
{
	struct rig *rig = *state;

	rig->conf->edns0 = false;
	rig->servers[0].script = wants_no_opt;
	rig_expect_address(rig, "a.example", "192.0.2.1");
	rig->conf->edns0 = rig->conf->trust_ad = true;
	rig->servers[0].script = wants_ad;
	rig_expect_address(rig, "a.example", "192.0.2.1");
}

static void failure_of_one(void **state)
{
	struct rig *rig = *state;
	static rig_script *const scripts[] = {rig_fails, rig_refuses};

	for (unsigned i = 0; i < 2; i++) {
		rig->servers[0].script = scripts[i];
		rig_expect_address(rig, "a.example", "192.0.2.2");
		assert_int_equal(rig->servers[0].asked, i + 1);
	}
	/* It answers: it is not dead. */
	assert_string_equal(rig->log, "");
}

static void failure_of_all(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = rig_fails;
	rig->servers[1].script = rig_refuses;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_int_equal(ask.answer->summary.kind, DNS_FAILURE);
	assert_int_equal(ask.answer->summary.rcode, DNS_SERVFAIL);
	rig_forget(&ask);
	/* Each once: it has answered. */
	assert_int_equal(rig->servers[0].asked, 1);
	assert_int_equal(rig->servers[1].asked, 1);
}

static void failure_and_silence(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = rig_refuses;
	rig->servers[1].script = rig_is_silent;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_int_equal(ask.answer->summary.rcode, DNS_REFUSED);
	rig_forget(&ask);
	assert_int_equal(rig->servers[0].asked, 1);
	assert_int_equal(rig->servers[1].asked, 2);
}

static void denies(struct rig_question *q)
{
	rig_answer(q, DNS_NXDOMAIN, NULL);
}

static void no_such_name(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = denies;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_int_equal(ask.answer->summary.kind, DNS_NO_NAME);
	rig_forget(&ask);
	assert_int_equal(rig->servers[1].asked, 0);
}

/* A new list of servers is for new questions. */
static void configuration_changes(void **state)
{
	struct rig *rig = *state;
	struct rig_ask before = {0}, after = {0};
	struct rconf *old = rig->conf;

	rig->servers[0].script = drops_the_first;
	old->server_count = 1;
	rig_ask(rig, &before, "a.example", DNS_A);
	rig->conf = rig_conf(rig);
	rig->conf->servers[0] = old->servers[1];
	rconf_unref(old);
	rig_ask(rig, &after, "a.example", DNS_A);
	rig_wait(&after);
	assert_true(rig_has_address(after.answer, "a.example", "192.0.2.2"));
	assert_int_equal(rig->counters.joined, 0);
	rig_wait(&before);
	assert_true(rig_has_address(before.answer, "a.example", "192.0.2.1"));
	rig_forget(&before);
	rig_forget(&after);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(asks_the_next),
		test(gives_up),
		test(lost_datagram),
		test(dead_server),
		test(all_dead_are_asked),
		test(forgotten_health),
		test(rotates),
		test(closed_port),
		test(all_ports_closed),
		test(no_route),
		test(no_server),
		test(over_ipv6),
		test(edns_refused),
		test(edns_dropped),
		test(attempts_end_in_time),
		test(formerr_anyway),
		test(options),
		test(failure_of_one),
		test(failure_of_all),
		test(failure_and_silence),
		test(no_such_name),
		test(configuration_changes),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_servers", tests, NULL, NULL);
}
