/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered of servers, under a clock of the test's. */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "t.h"
#include "health.h"
#include "loop.h"

#define T0 (1000 * LOOP_SEC)

struct fixture {
	struct health *health;
	struct rconf conf;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.conf.timeout_ms = 500;
	f.conf.server_count = 3;
	for (unsigned i = 0; i < RCONF_SERVERS_MAX; i++)
		f.conf.servers[i].addr.in4 = (struct sockaddr_in){.sin_family = AF_INET,
			.sin_port = htons(53),
			.sin_addr.s_addr = htonl(0xc0000200 + i)};
	assert_int_equal(health_new(&f.health), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	health_free(((struct fixture *)*state)->health);
	return 0;
}

/* "012", and behind a "+" the one that is probed. */
static void expect_order(struct fixture *f, uint64_t now, const char *wanted)
{
	struct health_order order;
	char text[16] = "";
	size_t n = 0;

	health_order(f->health, &f->conf, now, &order);
	for (; n < order.count; n++)
		text[n] = (char)('0' + order.servers[n]);
	if (order.probe >= 0) {
		text[n++] = '+';
		text[n] = (char)('0' + order.probe);
	}
	assert_string_equal(text, wanted);
}

static bool fails(struct fixture *f, unsigned server, uint64_t began, uint64_t now)
{
	return health_failed(f->health, &f->conf.servers[server], began, now);
}

static bool answers(struct fixture *f, unsigned server, uint64_t now)
{
	return health_answered(f->health, &f->conf.servers[server], now);
}

static void dead_ones_come_last(void **state)
{
	struct fixture *f = *state;

	expect_order(f, T0, "012");
	assert_true(fails(f, 0, T0, T0 + 1));
	expect_order(f, T0 + 1, "120");
	assert_true(fails(f, 1, T0, T0 + 2));
	expect_order(f, T0 + 2, "201");
	assert_true(fails(f, 2, T0, T0 + 3));
	expect_order(f, T0 + 3, "012");
	assert_true(answers(f, 1, T0 + 4));
	assert_false(answers(f, 1, T0 + 4));
	expect_order(f, T0 + 4, "102");
	health_forget(f->health);
	expect_order(f, T0 + 4, "012");
}

static void backs_off(void **state)
{
	static const unsigned seconds[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};
	struct fixture *f = *state;
	uint64_t now = T0;

	assert_true(fails(f, 0, now, now));
	for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		expect_order(f, now + seconds[i] * LOOP_SEC - 1, "120");
		now += seconds[i] * LOOP_SEC;
		expect_order(f, now, "120+0");
		/* Not again while the first is under way. */
		expect_order(f, now + 400 * LOOP_MSEC, "120");
		now += 500 * LOOP_MSEC;
		assert_false(fails(f, 0, now - 500 * LOOP_MSEC, now));
	}
	assert_true(answers(f, 0, now));
	expect_order(f, now, "012");
	assert_true(fails(f, 0, now + 1, now + 2));
	expect_order(f, now + 2 + LOOP_SEC, "120+0");
}

/* A hundred questions that were under way together are one failure; and what has answered one of
 * them is not dead. */
static void many_at_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(fails(f, 0, T0 + i, T0 + 500 * LOOP_MSEC + i), i == 0);
	expect_order(f, T0 + 1500 * LOOP_MSEC, "120+0");
	answers(f, 1, T0 + 50);
	assert_false(fails(f, 1, T0 + 49, T0 + LOOP_SEC));
	expect_order(f, T0 + LOOP_SEC, "120");
	assert_true(fails(f, 1, T0 + 51, T0 + LOOP_SEC));
}

static void probe_without_others(void **state)
{
	struct fixture *f = *state;
	struct health_order order;

	f->conf.server_count = 1;
	assert_true(fails(f, 0, T0, T0));
	health_order(f->health, &f->conf, T0 + 100 * LOOP_SEC, &order);
	assert_true(order.all_dead);
	assert_int_equal(order.probe, -1);
	assert_int_equal(order.count, 1);
	f->conf.server_count = 0;
	health_order(f->health, &f->conf, T0, &order);
	assert_int_equal(order.count, 0);
}

static void turns_round(void **state)
{
	struct fixture *f = *state;

	f->conf.rotate = true;
	expect_order(f, T0, "012");
	expect_order(f, T0, "120");
	expect_order(f, T0, "201");
	assert_true(fails(f, 1, T0, T0));
	expect_order(f, T0, "021");
	expect_order(f, T0, "201");
	expect_order(f, T0, "201");
}

static void edns(void **state)
{
	struct fixture *f = *state;

	assert_true(health_takes_edns(f->health, &f->conf.servers[0], T0));
	health_refused_edns(f->health, &f->conf.servers[0], T0);
	assert_false(health_takes_edns(f->health, &f->conf.servers[0], T0));
	assert_true(health_takes_edns(f->health, &f->conf.servers[1], T0));
	assert_false(health_takes_edns(f->health, &f->conf.servers[0], T0 + HEALTH_NO_EDNS - 1));
	assert_true(health_takes_edns(f->health, &f->conf.servers[0], T0 + HEALTH_NO_EDNS));
}

/* Another port, family or device is another server; the oldest are forgotten for new ones. */
static void many_servers(void **state)
{
	struct fixture *f = *state;
	struct rconf_server server = f->conf.servers[0];

	assert_true(health_failed(f->health, &server, T0, T0));
	for (unsigned i = 1; i < HEALTH_SERVERS_MAX; i++) {
		server.addr.in4.sin_port = htons((uint16_t)(1000 + i));
		assert_true(health_failed(f->health, &server, T0, T0 + i));
	}
	expect_order(f, T0 + 100, "120");
	for (unsigned i = 0; i < 1000; i++) {
		server.addr.in4.sin_port = htons((uint16_t)(2000 + i));
		assert_true(health_failed(f->health, &server, T0, T0 + 100 + i));
	}
	expect_order(f, T0 + 2000, "012");
	server = (struct rconf_server){.addr.in6 = {.sin6_family = AF_INET6}, .device = "a0"};
	assert_true(health_failed(f->health, &server, T0, T0 + 2000));
	memcpy(server.device, "a1", 3);
	assert_true(health_failed(f->health, &server, T0, T0 + 2000));
	assert_false(health_failed(f->health, &server, T0, T0 + 2000));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(dead_ones_come_last),
		test(backs_off),
		test(many_at_once),
		test(probe_without_others),
		test(turns_round),
		test(edns),
		test(many_servers),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
