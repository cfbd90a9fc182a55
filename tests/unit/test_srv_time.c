/* SPDX-License-Identifier: BSD-3-Clause */
/* How long addresses of targets are waited for, and the call itself. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "srv_rig.h"

/* ---- time */

static const struct names_row slow_best[] = {
	{SRV_NAME, DNS_SRV, "10 0 1 slow.example", false},
	{SRV_NAME, DNS_SRV, "20 0 2 none.example", false},
	{SRV_NAME, DNS_SRV, "30 0 3 fast.example", false},
	{SRV_NAME, DNS_SRV, "40 0 4 slow.example", false},
	{"slow.example", 0, NULL, false},
	{"fast.example", DNS_A, "192.0.2.3", false},
	END,
};

static void expect_slow_best(struct srv_got *got)
{
	char wanted[200];

	snprintf(wanted, sizeof(wanted),
		"slow.example:1(%d) none.example:2(%d) fast.example:3[192.0.2.3] "
		"slow.example:4(%d)",
		EAI_AGAIN, EAI_NONAME, EAI_AGAIN);
	srv_expect(got, wanted);
}

static void first_usable_one(void **state)
{
	struct names *n = *state;
	struct srv_got got;

	names_open(n, slow_best, NULL);
	srv_start(n, &got, &srv_ipv4, VSRESOLV_SRV_FIRST, 150, 8000);
	names_wait(n, &got.told);
	assert_in_range(got.info.elapsed_us, 149000, 1500000);
	expect_slow_best(&got);
	/* No time is given to better ones. */
	srv_start(n, &got, &srv_ipv4, VSRESOLV_SRV_FIRST, 0, 8000);
	names_wait(n, &got.told);
	expect_slow_best(&got);
}

static void best_one_is_not_waited_for(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 1 none.example", false},
		{SRV_NAME, DNS_SRV, "20 0 2 fast.example", false},
		{SRV_NAME, DNS_SRV, "30 0 3 slow.example", false},
		{"slow.example", 0, NULL, false},
		{"fast.example", DNS_A, "192.0.2.3", false},
		END,
	};
	struct names *n = *state;
	struct srv_got got;
	char wanted[200];

	names_open(n, zone, NULL);
	srv_start(n, &got, &srv_ipv4, VSRESOLV_SRV_FIRST, 8000, 9000);
	names_wait(n, &got.told);
	assert_true(got.info.elapsed_us < 1500000);
	snprintf(wanted, sizeof(wanted),
		"none.example:1(%d) fast.example:2[192.0.2.3] slow.example:3(%d)", EAI_NONAME,
		EAI_AGAIN);
	srv_expect(&got, wanted);
}

static void deadline(void **state)
{
	static const struct names_row silent[] = {
		{SRV_NAME, DNS_SRV, "10 0 1 slow.example", false},
		{"slow.example", 0, NULL, false},
		END,
	};
	static const struct names_row dead[] = {{SRV_NAME, 0, NULL, false}, END};
	struct names *n = *state;
	struct srv_got got;

	names_open(n, slow_best, NULL);
	srv_start(n, &got, &srv_ipv4, 0, 0, 200);
	names_wait(n, &got.told);
	assert_in_range(got.info.elapsed_us, 199000, 1900000);
	expect_slow_best(&got);
	n->zone = silent;
	vsresolv_flush(n->ctx, NULL);
	srv_start(n, &got, &srv_ipv4, VSRESOLV_SRV_FIRST, 10, 100);
	names_wait(n, &got.told);
	srv_expect_status(&got, EAI_AGAIN);
	/* What is at hand without a server. */
	srv_start(n, &got, &srv_ipv4, 0, 0, 0);
	names_wait(n, &got.told);
	srv_expect_status(&got, EAI_AGAIN);
	n->zone = dead;
	vsresolv_flush(n->ctx, NULL);
	srv_start(n, &got, &srv_ipv4, 0, 0, 100);
	names_wait(n, &got.told);
	srv_expect_status(&got, EAI_AGAIN);
}

static void one_family_is_late(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 1 dc1.example", false},
		{"dc1.example", 0, NULL, false},
		{"dc1.example", DNS_A, "192.0.2.1", true},
		END,
	};
	struct names *n = *state;
	struct srv_got got;

	names_open(n, zone, NULL);
	srv_start(n, &got, &srv_stream, VSRESOLV_SRV_FIRST, 50, 5000);
	names_wait(n, &got.told);
	assert_true(got.info.elapsed_us < 1500000);
	srv_expect(&got, "dc1.example:1[192.0.2.1]");
	srv_start(n, &got, &srv_stream, 0, 0, 100);
	names_wait(n, &got.told);
	srv_expect(&got, "dc1.example:1[192.0.2.1]");
}

/* ---- the call */

struct call {
	const char *name;
	const struct addrinfo *hints;
	unsigned flags;
	int timeout_ms;
	struct srv_got got;
};

static void call(struct names *n, void *arg)
{
	struct call *c = arg;

	c->got.status = vsresolv_srv(
		n->ctx, c->name, c->hints, c->flags, 0, c->timeout_ms, &c->got.res, &c->got.info);
}

static void synchronously(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 1 dc1.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", false},
		END,
	};
	struct names *n = *state;
	struct call c = {.name = "_LDAP._tcp.Example.", .hints = &srv_ipv4, .timeout_ms = 5000};

	names_open(n, zone, NULL);
	names_run(n, call, &c);
	srv_expect(&c.got, "dc1.example:1[192.0.2.1]");
	assert_int_equal(c.got.info.source, VSRESOLV_NETWORK);
	c.timeout_ms = 0;
	call(n, &c);
	assert_int_equal(c.got.info.source, VSRESOLV_CACHE);
	srv_expect(&c.got, "dc1.example:1[192.0.2.1]");
}

static void wrong_arguments(void **state)
{
	static const struct addrinfo family = {.ai_family = AF_UNIX}, type = {.ai_socktype = 77};
	static const struct names_row zone[] = {END};
	const struct call rows[] = {
		{.name = NULL, .got.status = EAI_NONAME},
		{.name = "", .got.status = EAI_NONAME},
		{.name = "a..b", .got.status = EAI_NONAME},
		{.name = "_x._tcp.localhost", .got.status = EAI_NONAME},
		{.name = "_x._tcp.abc.onion", .got.status = EAI_NONAME},
		{.name = "_x._tcp.b\xc3\xbc"
			 "cher.example",
			.got.status = EAI_IDN_ENCODE},
		{.name = SRV_NAME, .hints = &family, .got.status = EAI_FAMILY},
		{.name = SRV_NAME, .hints = &type, .got.status = EAI_SOCKTYPE},
		{.name = SRV_NAME, .flags = 0x80, .got.status = EAI_BADFLAGS},
	};
	struct names *n = *state;
	struct srv_got got = {0};

	names_open(n, zone, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call c = rows[i];

		call(n, &c);
		assert_int_equal(c.got.status, rows[i].got.status);
		assert_null(c.got.res);
	}
	assert_int_equal(
		vsresolv_srv_start(n->ctx, SRV_NAME, NULL, 0, 0, 0, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(vsresolv_srv_start(n->ctx, "", NULL, 0, 0, 9, srv_note, &got, NULL), 0);
	names_wait(n, &got.told);
	srv_expect_status(&got, EAI_NONAME);
	assert_string_equal(n->asked, "");
}

/* With questions under way, or with a result that nobody has fetched yet. */
static void cancelled(void **state)
{
	struct names *n = *state;
	struct srv_got got = {0};
	uint64_t id;

	names_open(n, slow_best, NULL);
	assert_int_equal(vsresolv_srv_start(n->ctx, SRV_NAME, &srv_ipv4, VSRESOLV_SRV_FIRST, 5000,
				 9000, srv_note, &got, &id),
		0);
	while (names_count_asked(n, "A slow.example") == 0) {
		rig_turn(n->rig, 1);
		assert_true(vsresolv_process(n->loop) >= 0);
	}
	assert_int_equal(vsresolv_cancel(n->loop, id), 0);
	assert_int_equal(vsresolv_srv_start(n->ctx, SRV_NAME, &srv_ipv4, VSRESOLV_SRV_NO_ADDRS, 0,
				 0, srv_note, &got, &id),
		0);
	assert_int_equal(vsresolv_cancel(n->loop, id), 0);
	assert_int_equal(vsresolv_process(n->loop), 0);
	assert_int_equal(
		vsresolv_srv_start(n->ctx, SRV_NAME, &srv_ipv4, 0, 0, 9000, srv_note, &got, &id),
		0);
	vsresolv_close(n->ctx);
	n->ctx = NULL;
	assert_int_equal(got.told, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, names_setup, names_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(first_usable_one),
		test(best_one_is_not_waited_for),
		test(deadline),
		test(one_family_is_late),
		test(synchronously),
		test(wrong_arguments),
		test(cancelled),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("srv_time", tests, NULL, NULL);
}
