/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions over TCP: after a truncated reply, or by use-vc; and servers that misbehave there. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queries_rig.h"

static int setup(void **state)
{
	struct rig *rig;

	rig_setup(state);
	rig = *state;
	rig_listen(&rig->servers[0]);
	rig_listen(&rig->servers[1]);
	return 0;
}

static void truncated(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = rig_truncates;
	for (unsigned i = 0; i < 10; i++)
		rig_expect_address(rig, "a.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].accepted, 10);
	assert_int_equal(rig->counters.tcp, 10);
	assert_int_equal(rig->counters.datagrams, 10);
	assert_int_equal(rig->servers[1].asked, 0);
}

static void use_vc(void **state)
{
	struct rig *rig = *state;

	rig->conf->use_vc = true;
	rig_expect_address(rig, "a.example", "192.0.2.1");
	assert_int_equal(rig->counters.datagrams, 0);
	assert_int_equal(rig->counters.tcp, 1);
	rig_wait_idle(rig);
}

static void over_ipv6(void **state)
{
	struct rig *rig = *state;

	rig_listen(rig_add_server(rig, "::1"));
	rig->conf->servers[0] = rig->conf->servers[2];
	rig->conf->server_count = 1;
	rig->servers[2].script = rig_truncates;
	rig_expect_address(rig, "a.example", "192.0.2.3");
	assert_int_equal(rig->servers[2].accepted, 1);
}

/* A large one: an unknown type in the additional section fills it up. */
static void answers_largely(struct rig_question *q)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, "192.0.2.1"), left;
	size_t wanted = q->server->step;

	if (q->connection < 0) {
		rig_truncates(q);
		return;
	}
	left = wanted - len - 11;
	out[11] = 1;
	memset(out + len, 0, wanted - len);
	out[len + 1] = 0xff; /* TYPE65281 of the root */
	out[len + 2] = 1;
	out[len + 4] = 1;
	out[len + 9] = (uint8_t)(left >> 8);
	out[len + 10] = (uint8_t)left;
	rig_send(q, out, wanted);
}

static void large_ones(void **state)
{
	static const unsigned sizes[] = {100, 2045, 2046, 2047, 4094, 4095, 20000, 65534, 65535};
	struct rig *rig = *state;

	rig->servers[0].script = answers_largely;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rig->servers[0].step = sizes[i];
		rig_expect_address(rig, "a.example", "192.0.2.1");
	}
	assert_int_equal(rig->servers[1].asked, 0);
}

/* ---- misbehaviour: the second server is asked. */

static void ask_second(struct rig *rig, rig_script *script)
{
	rig->servers[0].script = script;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_true(rig->servers[0].accepted >= 1);
	rig_quiet(rig);
	assert_int_equal(rig->counters.in_flight, 0);
}

static void refused(void **state)
{
	struct rig *rig = *state;

	close(rig->servers[0].listener);
	rig->servers[0].listener = -1;
	rig->servers[0].script = rig_truncates;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_int_equal(rig->counters.timeouts, 0);
	/* By UDP it answers. */
	assert_string_equal(rig->log, "");
}

static void closes(struct rig_question *q)
{
	if (q->connection < 0)
		rig_truncates(q);
	else
		shutdown(q->connection, SHUT_RDWR);
}

static void closed_early(void **state)
{
	ask_second(*state, closes);
}

static void closes_midway(struct rig_question *q)
{
	static const uint8_t half[] = {0, 100, 0x12, 0x34, 0x81, 0x80};

	if (q->connection >= 0)
		assert_int_equal(
			send(q->connection, half, sizeof(half), MSG_NOSIGNAL), sizeof(half));
	closes(q);
}

static void closed_midway(void **state)
{
	ask_second(*state, closes_midway);
}

static void is_silent_by_tcp(struct rig_question *q)
{
	if (q->connection < 0)
		rig_truncates(q);
}

static void silent(void **state)
{
	struct rig *rig = *state;

	ask_second(rig, is_silent_by_tcp);
	assert_int_equal(rig->counters.timeouts, 1);
}

static void tells_no_length(struct rig_question *q)
{
	static const uint8_t zero[2], eleven[] = {0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

	if (q->connection < 0)
		rig_truncates(q);
	else if (q->server->step)
		send(q->connection, eleven, sizeof(eleven), MSG_NOSIGNAL);
	else
		send(q->connection, zero, sizeof(zero), MSG_NOSIGNAL);
}

static void impossible_length(void **state)
{
	struct rig *rig = *state;

	ask_second(rig, tells_no_length);
	rig->servers[0].step = 1;
	ask_second(rig, tells_no_length);
	assert_int_equal(rig->counters.timeouts, 0);
}

/* Forged or confused: nothing that comes over a connection is passed over. */
static void lies(struct rig_question *q)
{
	uint8_t out[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, "203.0.113.66");

	if (q->connection < 0) {
		rig_truncates(q);
		return;
	}
	switch (q->server->step) {
	case 0:
		out[0] ^= 1;
		break;
	case 1:
		out[DNS_HEADER + 1] ^= 1;
		break;
	case 2:
		out[2] |= 0x02; /* TC */
		break;
	default:
		len--;
	}
	rig_send(q, out, len);
}

static void wrong_message(void **state)
{
	struct rig *rig = *state;

	for (unsigned step = 0; step < 4; step++) {
		rig->servers[0].step = step;
		ask_second(rig, lies);
	}
	assert_int_equal(rig->counters.timeouts, 0);
}

/* ---- drip: a byte a turn */

struct drip {
	uint8_t bytes[602];
	size_t len, sent;
	int connection;
};

static struct drip drip;

static void begins_to_drip(struct rig_question *q)
{
	if (q->connection < 0) {
		rig_truncates(q);
		return;
	}
	drip.len =
		2 + rig_reply(q, drip.bytes + 2, sizeof(drip.bytes) - 2, DNS_NOERROR, "192.0.2.1");
	drip.bytes[1] = (uint8_t)(drip.len - 2);
	drip.connection = q->connection;
	drip.sent = 0;
}

static void drip_on(struct rig *rig, struct rig_ask *ask, unsigned ms)
{
	uint64_t end = nst_now() + NST_PATIENCE * LOOP_MSEC, next = 0;

	memset(&drip, 0, sizeof(drip));
	while (!ask->told) {
		assert_true(nst_now() < end);
		if (nst_now() >= next && drip.sent < drip.len &&
			rig->servers[0].connections[0] == drip.connection &&
			send(drip.connection, drip.bytes + drip.sent, 1, MSG_NOSIGNAL) == 1) {
			drip.sent++;
			next = nst_now() + ms * LOOP_MSEC;
		}
		rig_turn(rig, 1);
	}
}

static void slow_but_in_time(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->conf->timeout_ms = 5000;
	rig->servers[0].script = begins_to_drip;
	rig_ask(rig, &ask, "a.example", DNS_A);
	drip_on(rig, &ask, 0);
	assert_int_equal(ask.status, 0);
	assert_true(rig_has_address(ask.answer, "a.example", "192.0.2.1"));
	rig_forget(&ask);
	assert_int_equal(rig->counters.timeouts, 0);
}

static void too_slow(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = begins_to_drip;
	rig_ask(rig, &ask, "a.example", DNS_A);
	drip_on(rig, &ask, 20);
	assert_int_equal(ask.status, 0);
	assert_true(rig_has_address(ask.answer, "a.example", "192.0.2.2"));
	rig_forget(&ask);
	assert_int_equal(rig->counters.timeouts, 1);
}

/* Left while the connection is being made, while it is asked, and while it answers. */
static void left(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig->servers[0].script = is_silent_by_tcp;
	for (unsigned i = 0; i < 30; i++) {
		rig_ask(rig, &ask, "a.example", DNS_A);
		for (unsigned turn = 0; turn < i / 3; turn++)
			rig_turn(rig, 1);
		queries_leave(&ask.waiter);
	}
	assert_int_equal(ask.told, 0);
	assert_int_equal(rig->counters.in_flight, 0);
	rig_wait_idle(rig);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(truncated),
		test(use_vc),
		test(over_ipv6),
		test(large_ones),
		test(refused),
		test(closed_early),
		test(closed_midway),
		test(silent),
		test(impossible_length),
		test(wrong_message),
		test(slow_but_in_time),
		test(too_slow),
		test(left),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_tcp", tests, NULL, NULL);
}
