/* SPDX-License-Identifier: BSD-3-Clause */
/* One question by UDP: what is taken for its answer, and what not. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "queries_rig.h"

static void right_answer(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};

	rig_ask(rig, &ask, "www.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, 0);
	assert_true(rig_has_address(ask.answer, "www.example", "192.0.2.1"));
	assert_int_equal(ask.answer->source, VSRESOLV_NETWORK);
	assert_memory_equal(
		&ask.answer->server.in4, &rig->servers[0].address.in4, sizeof(struct sockaddr_in));
	rig_forget(&ask);
	assert_int_equal(rig->servers[0].asked, 1);
	assert_int_equal(rig->servers[1].asked, 0);
	assert_int_equal(rig->counters.queries, 1);
	assert_int_equal(rig->counters.datagrams, 1);
	assert_int_equal(rig->counters.in_flight, 0);
}

static void is_in_the_cache_after(void **state)
{
	struct rig *rig = *state;
	struct dns_question question = rig_question("www.example", DNS_A);
	struct answer *answer;
	bool prefetch;

	assert_int_equal(
		answer_find(rig->cache, &question, rig_now(rig), 0, &answer, &prefetch), -ENOENT);
	rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(
		answer_find(rig->cache, &question, rig_now(rig), 0, &answer, &prefetch), 0);
	assert_true(rig_has_address(answer, "www.example", "192.0.2.1"));
	answer_unref(answer);
}

/* ---- forgery: the wrong ones come before the right one, and say 203.0.113.66. */

static void send_from(const struct rig_question *q, const char *address, uint16_t port,
	const void *message, size_t len)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	inet_pton(AF_INET, address, &in.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	sendto(fd, message, len, 0, &q->from.sa, sizeof(q->from.in4));
	close(fd);
}

static void forges(struct rig_question *q)
{
	uint8_t out[600], bad[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, "203.0.113.66");

	memcpy(bad, out, len);
	bad[1] ^= 1; /* the id */
	rig_send(q, bad, len);
	memcpy(bad, out, len);
	bad[DNS_HEADER + 1] ^= 1; /* the name */
	rig_send(q, bad, len);
	memcpy(bad, out, len);
	bad[q->question_end - 3] ^= 1; /* the type */
	rig_send(q, bad, len);
	memcpy(bad, out, len);
	bad[2] &= 0x7f; /* QR */
	rig_send(q, bad, len);
	/* Not by the kernel's leave: the socket is connected. */
	send_from(q, "127.0.0.1", 5354, out, len);
	send_from(q, "127.0.0.3", 5353, out, len);
	rig_answers(q);
}

static void forged_ones_are_ignored(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = forges;
	for (unsigned i = 0; i < 20; i++)
		rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(rig->counters.ignored, 20 * 4);
	assert_int_equal(rig->servers[0].asked, 20);
}

static void cuts(struct rig_question *q)
{
	uint8_t out[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, "203.0.113.66");

	for (size_t cut = 0; cut < len; cut++)
		rig_send(q, out, cut);
	rig_answers(q);
}

static void cut_ones_are_ignored(void **state)
{
	struct rig *rig = *state;
	size_t len = DNS_HEADER + sizeof("\3www\7example") + 4 + 16;

	rig->servers[0].script = cuts;
	rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(rig->counters.ignored, len);
	assert_int_equal(rig->servers[1].asked, 0);
}

/* More than are read in one go, and larger than we take. */
static void floods(struct rig_question *q)
{
	static const uint8_t large[5000];

	for (unsigned i = 0; i < 100; i++)
		rig_send(q, "x", 1);
	rig_send(q, large, sizeof(large));
	rig_answers(q);
}

static void flood_is_read_through(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = floods;
	rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(rig->counters.ignored, 101);
}

/* A thread that goes on for as long as the test. */
static struct {
	pthread_t thread;
	int udp;
	union answer_server to;
	bool begun;
	atomic_bool stop;
} flood;

static void *send_flood(void *arg)
{
	while (!atomic_load(&flood.stop))
		sendto(flood.udp, "x", 1, 0, &flood.to.sa, sizeof(flood.to.in4));
	return arg;
}

static void floods_on(struct rig_question *q)
{
	if (q->connection >= 0) {
		rig_answers(q);
		return;
	}
	if (flood.begun)
		return;
	flood.begun = true;
	flood.udp = q->server->udp;
	flood.to = q->from;
	assert_int_equal(pthread_create(&flood.thread, NULL, send_flood, NULL), 0);
}

/* Who guesses, or wants to keep us busy, is not read for ever: TCP tells what is right. */
static void flood_without_end(void **state)
{
	struct rig *rig = *state;

	rig_listen(&rig->servers[0]);
	rig->servers[0].script = floods_on;
	rig->conf->timeout_ms = 5000;
	rig_expect_address(rig, "www.example", "192.0.2.1");
	atomic_store(&flood.stop, true);
	pthread_join(flood.thread, NULL);
	assert_int_equal(rig->counters.tcp, 1);
	assert_int_equal(rig->counters.timeouts, 0);
	assert_in_range(rig->counters.ignored, 100, 2000);
}

/* The socket is used again: what was for the last question is not in the way of the next. */
static void answers_twice(struct rig_question *q)
{
	rig_answers(q);
	rig_answer(q, DNS_NOERROR, "203.0.113.66");
}

static void late_ones_are_dropped(void **state)
{
	struct rig *rig = *state;

	rig->servers[0].script = answers_twice;
	for (unsigned i = 0; i < 50; i++)
		rig_expect_address(rig, "www.example", "192.0.2.1");
	assert_int_equal(rig->counters.ignored, 0);
	rig_quiet(rig);
	assert_int_equal(rig->servers[0].asked, 50);
}

/* ---- 0x20 */

static void case_matters(struct rig_question *q)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz.example";
	uint8_t out[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, "203.0.113.66");

	assert_int_equal(strcasecmp(q->name, lower), 0);
	if (q->connection >= 0) {
		rig_answers(q);
		return;
	}
	q->server->step += strcmp(q->name, lower) != 0;
	if (q->server->step > 8) {
		/* From here on it does not keep it. */
		for (size_t i = DNS_HEADER; i < q->question_end - 4; i++)
			out[i] = (uint8_t)(out[i] >= 'A' && out[i] <= 'Z' ? out[i] | 0x20 : out[i]);
		rig_send(q, out, len);
		return;
	}
	rig_answers(q);
}

static void case_of_letters(void **state)
{
	struct rig *rig = *state;

	rig->config.flags = VSRESOLV_0X20;
	rig_restart(rig);
	rig_listen(&rig->servers[0]);
	rig->servers[0].script = case_matters;
	for (unsigned i = 0; i < 8; i++)
		rig_expect_address(rig, "abcdefghijklmnopqrstuvwxyz.example", "192.0.2.1");
	assert_int_equal(rig->servers[0].step, 8);
	assert_int_equal(rig->counters.tcp, 0);
	rig_expect_address(rig, "abcdefghijklmnopqrstuvwxyz.example", "192.0.2.1");
	assert_int_equal(rig->counters.tcp, 1);
	assert_int_equal(rig->counters.ignored, 1);
}

/* ---- sockets */

static void sockets_linger(void **state)
{
	struct rig *rig = *state;

	rig_expect_address(rig, "a.example", "192.0.2.1");
	assert_false(queries_are_idle(rig->queries));
	rig_skip(rig, (VSRESOLV_LINGER_MS - 150) * LOOP_MSEC);
	rig_turn(rig, 0);
	rig_turn(rig, 0);
	assert_false(queries_are_idle(rig->queries));
	rig_skip(rig, 150 * LOOP_MSEC);
	rig_turn(rig, 0);
	rig_turn(rig, 0);
	assert_true(queries_are_idle(rig->queries));
	assert_int_equal(loop_due(rig->loop), UINT64_MAX);
	rig_expect_address(rig, "a.example", "192.0.2.1");
	queries_rest(rig->queries);
	assert_true(queries_are_idle(rig->queries));
	rig_expect_address(rig, "a.example", "192.0.2.1");
	rig_wait_idle(rig);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(right_answer),
		test(is_in_the_cache_after),
		test(forged_ones_are_ignored),
		test(cut_ones_are_ignored),
		test(flood_is_read_through),
		test(flood_without_end),
		test(late_ones_are_dropped),
		test(case_of_letters),
		test(sockets_linger),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries", tests, NULL, NULL);
}
