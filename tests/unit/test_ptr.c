/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of addresses: which are believed, and which are confirmed. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "names_rig.h"

#define PTR4 "7.2.0.192.in-addr.arpa"
#define PTR6 "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
#define END                                                                                        \
	{                                                                                          \
		.owner = NULL                                                                      \
	}

struct got {
	unsigned told;
	int status;
	struct vsresolv_names *res;
	struct vsresolv_info info;
};

static void note(
	void *arg, int status, struct vsresolv_names *res, const struct vsresolv_info *info)
{
	struct got *got = arg;

	*got = (struct got){got->told + 1, status, res, *info};
}

static union netview_addr address(const char *text)
{
	union netview_addr addr = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(99)}};

	if (inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1)
		return addr;
	addr = (union netview_addr){.in4 = {.sin_family = AF_INET, .sin_port = htons(99)}};
	assert_int_equal(inet_pton(AF_INET, text, &addr.in4.sin_addr), 1);
	return addr;
}

static struct got look_up_for(struct names *n, const char *text, int flags, int timeout_ms)
{
	union netview_addr addr = address(text);
	struct got got = {0};

	assert_int_equal(
		vsresolv_ptr_start(n->ctx, &addr.sa, flags, timeout_ms, note, &got, NULL), 0);
	assert_int_equal(got.told, 0);
	names_wait(n, &got.told);
	return got;
}

static struct got look_up(struct names *n, const char *text, int flags)
{
	return look_up_for(n, text, flags, 5000);
}

/* "a.example b.example" */
static void expect(struct got *got, const char *wanted)
{
	char text[4096] = "";
	size_t at = 0;

	assert_int_equal(got->status, 0);
	for (size_t i = 0; i < got->res->count; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s", i ? " " : "", got->res->names[i]);
	assert_string_equal(text, wanted);
	vsresolv_free(got->res);
	got->res = NULL;
}

static void expect_status(const struct got *got, int status)
{
	assert_int_equal(got->status, status);
	assert_null(got->res);
}

/* ---- from where */

static void by_dns(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "Host.example", false},
		{PTR4, DNS_PTR, "b.example", false},
		{PTR4, DNS_PTR, "hOST.example", false},
		{PTR6, DNS_PTR, "six.example", false},
		{"5.5.5.10.in-addr.arpa", DNS_A, "192.0.2.1", false},
		END,
	};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, NULL);
	got = look_up(n, "192.0.2.7", 0);
	assert_int_equal(got.info.source, VSRESOLV_NETWORK);
	assert_in_range(got.info.ttl, 59, 60);
	assert_int_equal(got.info.server.ss_family, AF_INET);
	expect(&got, "Host.example b.example");
	got = look_up(n, "::ffff:192.0.2.7", 0);
	assert_int_equal(got.info.source, VSRESOLV_CACHE);
	expect(&got, "Host.example b.example");
	got = look_up(n, "2001:db8::7", 0);
	expect(&got, "six.example");
	assert_string_equal(n->asked, "PTR " PTR4 "\nPTR " PTR6 "\n");
	got = look_up(n, "192.0.2.8", 0);
	expect_status(&got, EAI_NONAME);
	assert_int_equal(got.info.rcode, DNS_NXDOMAIN);
	got = look_up(n, "10.5.5.5", 0);
	expect_status(&got, EAI_NONAME);
	/* As any other. */
	got = look_up(n, "fe80::1", 0);
	expect_status(&got, EAI_NONAME);
	assert_int_equal(names_count_asked(n, NULL), 5);
}

/* RFC 2317: the zone of a part of a /24. */
static void classless_delegation(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_CNAME, "7.0/25.2.0.192.in-addr.arpa", false},
		{"7.0/25.2.0.192.in-addr.arpa", DNS_PTR, "part.example", false},
		END,
	};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, NULL);
	got = look_up(n, "192.0.2.7", 0);
	expect(&got, "part.example");
}

static void by_hosts_file(void **state)
{
	static const struct names_row zone[] = {{PTR4, DNS_PTR, "dns.example", false}, END};
	struct names *n = *state;
	struct got got;

	names_open(n, zone,
		"192.0.2.7 file.example alias file2\n"
		"192.0.2.7 more FILE.example\n"
		"192.0.2.9 not_a_host\n"
		"127.0.0.1 me.example localhost\n"
		"2001:db8::7 six\n");
	got = look_up(n, "192.0.2.7", VSRESOLV_NI_CONFIRM);
	assert_int_equal(got.info.source, VSRESOLV_HOSTS);
	assert_int_equal(got.info.rcode, -1);
	expect(&got, "file.example alias file2 more");
	got = look_up(n, "::ffff:192.0.2.7", 0);
	expect(&got, "file.example alias file2 more");
	got = look_up(n, "2001:db8::7", 0);
	expect(&got, "six");
	got = look_up(n, "127.0.0.1", 0);
	assert_int_equal(got.info.source, VSRESOLV_HOSTS);
	expect(&got, "me.example localhost");
	assert_string_equal(n->asked, "");
	got = look_up(n, "192.0.2.9", 0);
	expect_status(&got, EAI_NONAME);
	assert_int_equal(names_count_asked(n, NULL), 1);
}

static void localhost(void **state)
{
	static const char *const addresses[] = {
		"127.0.0.1", "127.255.3.4", "::1", "::ffff:127.0.0.2"};
	static const struct names_row zone[] = {END};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, NULL);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		got = look_up(n, addresses[i], VSRESOLV_NI_CONFIRM);
		assert_int_equal(got.info.source, VSRESOLV_LOCAL);
		expect(&got, "localhost");
	}
	assert_string_equal(n->asked, "");
}

/* ---- what is believed */

static void hostile_names(void **state)
{
	static const char *const names[] = {"localhost", "x.LOCALHOST", "abc.onion", "127.0.0.1",
		"0x7f000001", "0x7f.0x1", "a b.example", "a\\010.example", "-oProxy.example",
		"a-.example", "$(reboot).example", "a_b.example", "\\195\\188.example",
		"a\\.b.example", "*.example", "..", "%s%n.example", "a\\000b.example", "123", "a.4",
		"x;y.example"};
	struct names *n = *state;
	struct got got;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = strcmp(names[i], "..") == 0 ? "." : names[i];
		const struct names_row zone[] = {{PTR4, DNS_PTR, name, false},
			{PTR6, DNS_PTR, name, false}, {PTR6, DNS_PTR, "good.example", false}, END};

		names_open(n, zone, NULL);
		got = look_up(n, "192.0.2.7", 0);
		expect_status(&got, EAI_NONAME);
		assert_int_equal(got.info.rcode, 0);
		got = look_up(n, "2001:db8::7", 0);
		expect(&got, "good.example");
		vsresolv_close(n->ctx);
		n->ctx = NULL;
	}
}

static void many_names(void **state)
{
	static struct names_row zone[100];
	static char data[99][32];
	struct names *n = *state;
	struct got got;

	for (unsigned i = 0; i < 99; i++) {
		snprintf(data[i], sizeof(data[i]), i % 3 ? "h%u.example" : "h_%u.example", i);
		zone[i] = (struct names_row){PTR4, DNS_PTR, data[i], false};
	}
	names_open(n, zone, NULL);
	names_keep(n, "7.2.0.192.in-addr.arpa", DNS_PTR, 0);
	got = look_up(n, "192.0.2.7", 0);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.res->count, VSRESOLV_PTR_MAX);
	assert_string_equal(got.res->names[0], "h1.example");
	assert_string_equal(got.res->names[31], "h47.example");
	vsresolv_free(got.res);
}

/* ---- confirmation */

static void confirmed_names(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "forged.example", false},
		{PTR4, DNS_PTR, "true.example", false},
		{PTR4, DNS_PTR, "none.example", false},
		{PTR4, DNS_PTR, "alias.example", false},
		{PTR4, DNS_PTR, "filed.example", false},
		{PTR4, DNS_PTR, "unfiled.example", false},
		{"forged.example", DNS_A, "192.0.2.1", false},
		{"true.example", DNS_A, "192.0.2.1", false},
		{"true.example", DNS_A, "192.0.2.7", false},
		{"alias.example", DNS_CNAME, "true.example", false},
		{"unfiled.example", DNS_A, "192.0.2.7", false},
		{PTR6, DNS_PTR, "true.example", false},
		{PTR6, DNS_PTR, "six.example", false},
		{"six.example", DNS_AAAA, "2001:db8::7", false},
		END,
	};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, "192.0.2.7 six filed.example\n192.0.2.9 unfiled.example\n");
	/* The hosts file has this address; another context has not. */
	got = look_up(n, "192.0.2.7", VSRESOLV_NI_CONFIRM);
	expect(&got, "six filed.example");
	vsresolv_close(n->ctx);
	names_open(n, zone, "192.0.2.9 unfiled.example\n");
	got = look_up(n, "192.0.2.7", VSRESOLV_NI_CONFIRM);
	assert_int_equal(got.info.source, VSRESOLV_NETWORK);
	expect(&got, "true.example alias.example");
	assert_int_equal(names_count_asked(n, "A unfiled.example"), 0);
	assert_int_equal(names_count_asked(n, "AAAA true.example"), 0);
	got = look_up(n, "192.0.2.7", VSRESOLV_NI_CONFIRM);
	assert_int_equal(got.info.source, VSRESOLV_CACHE);
	expect(&got, "true.example alias.example");
	got = look_up(n, "2001:db8::7", VSRESOLV_NI_CONFIRM);
	expect(&got, "six.example");
	assert_int_equal(names_count_asked(n, "AAAA true.example"), 1);
}

static void none_confirmed(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "forged.example", false},
		{"forged.example", DNS_A, "192.0.2.1", false},
		END,
	};
	static const struct names_row silent[] = {
		{PTR4, DNS_PTR, "forged.example", false},
		{PTR4, DNS_PTR, "slow.example", false},
		{"forged.example", DNS_A, "192.0.2.1", false},
		{"slow.example", 0, NULL, false},
		END,
	};
	static const struct names_row some[] = {
		{PTR4, DNS_PTR, "slow.example", false},
		{PTR4, DNS_PTR, "fast.example", false},
		{"fast.example", DNS_A, "192.0.2.7", false},
		{"slow.example", 0, NULL, false},
		END,
	};
	static const struct names_row nothing[] = {{PTR4, 0, NULL, false}, END};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, NULL);
	got = look_up(n, "192.0.2.7", VSRESOLV_NI_CONFIRM);
	expect_status(&got, EAI_NONAME);
	n->zone = silent;
	vsresolv_flush(n->ctx, NULL);
	got = look_up_for(n, "192.0.2.7", VSRESOLV_NI_CONFIRM, 200);
	expect_status(&got, EAI_AGAIN);
	n->zone = some;
	vsresolv_flush(n->ctx, NULL);
	got = look_up_for(n, "192.0.2.7", VSRESOLV_NI_CONFIRM, 200);
	assert_in_range(got.info.elapsed_us, 199000, 1900000);
	expect(&got, "fast.example");
	n->zone = nothing;
	vsresolv_flush(n->ctx, NULL);
	got = look_up_for(n, "192.0.2.7", 0, 100);
	expect_status(&got, EAI_AGAIN);
	got = look_up_for(n, "192.0.2.7", 0, 0);
	expect_status(&got, EAI_AGAIN);
}

/* An address that answers may not have confirms nothing. */
static void guarded(void **state)
{
	static const struct names_row zone[] = {
		{"0.0.0.0.in-addr.arpa", DNS_PTR, "any.example", false},
		{"any.example", DNS_A, "0.0.0.0", false},
		END,
	};
	struct names *n = *state;
	struct got got;

	names_open(n, zone, NULL);
	got = look_up(n, "0.0.0.0", VSRESOLV_NI_CONFIRM);
	expect(&got, "any.example");
	vsresolv_close(n->ctx);
	n->config.flags = VSRESOLV_GUARD;
	names_open(n, zone, NULL);
	got = look_up(n, "0.0.0.0", VSRESOLV_NI_CONFIRM);
	expect_status(&got, EAI_NONAME);
}

static void stale_ones(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "true.example", false},
		{"true.example", DNS_A, "192.0.2.7", false},
		END,
	};
	struct names *n = *state;
	struct got got;

	n->config.stale_seconds = 100;
	names_open(n, zone, NULL);
	names_keep(n, PTR4, DNS_PTR, 70);
	names_keep(n, "true.example", DNS_A, 70);
	n->rig->servers[0].script = rig_is_silent;
	got = look_up_for(n, "192.0.2.7", VSRESOLV_NI_CONFIRM, 100);
	assert_int_equal(got.info.source, VSRESOLV_STALE);
	expect(&got, "true.example");
}

/* ---- the call */

struct call {
	int flags, timeout_ms;
	struct got got;
};

static void call(struct names *n, void *arg)
{
	union netview_addr addr = address("192.0.2.7");
	struct call *c = arg;

	c->got.status =
		vsresolv_ptr(n->ctx, &addr.sa, c->flags, c->timeout_ms, &c->got.res, &c->got.info);
}

static void synchronously(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "true.example", false},
		{"true.example", DNS_A, "192.0.2.7", false},
		END,
	};
	struct names *n = *state;
	struct call c = {.flags = VSRESOLV_NI_CONFIRM, .timeout_ms = 5000};

	names_open(n, zone, NULL);
	names_run(n, call, &c);
	expect(&c.got, "true.example");
	c.timeout_ms = 0;
	call(n, &c);
	expect(&c.got, "true.example");
	c.flags = 0;
	call(n, &c);
	assert_int_equal(c.got.info.source, VSRESOLV_CACHE);
	expect(&c.got, "true.example");
	c.flags = NI_NAMEREQD;
	call(n, &c);
	expect_status(&c.got, EAI_BADFLAGS);
}

static void wrong_arguments(void **state)
{
	static const struct sockaddr other = {.sa_family = AF_UNIX};
	static const struct names_row zone[] = {END};
	struct names *n = *state;
	struct vsresolv_names *res = NULL;
	struct got got = {0};

	names_open(n, zone, NULL);
	assert_int_equal(vsresolv_ptr(n->ctx, NULL, 0, 0, &res, NULL), EAI_FAMILY);
	assert_int_equal(vsresolv_ptr(n->ctx, &other, 0, 0, &res, NULL), EAI_FAMILY);
	assert_int_equal(vsresolv_ptr_start(n->ctx, &other, 0, 0, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(vsresolv_ptr_start(n->ctx, &other, 0, 0, note, &got, NULL), 0);
	names_wait(n, &got.told);
	expect_status(&got, EAI_FAMILY);
}

static void cancelled(void **state)
{
	static const struct names_row zone[] = {
		{PTR4, DNS_PTR, "slow.example", false},
		{"slow.example", 0, NULL, false},
		END,
	};
	union netview_addr addr = address("192.0.2.7");
	struct names *n = *state;
	struct got got = {0};
	uint64_t id;

	names_open(n, zone, NULL);
	assert_int_equal(
		vsresolv_ptr_start(n->ctx, &addr.sa, VSRESOLV_NI_CONFIRM, 9000, note, &got, &id),
		0);
	while (names_count_asked(n, "A slow.example") == 0) {
		rig_turn(n->rig, 1);
		assert_true(vsresolv_process(n->loop) >= 0);
	}
	assert_int_equal(vsresolv_cancel(n->loop, id), 0);
	assert_int_equal(vsresolv_process(n->loop), 0);
	assert_int_equal(got.told, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, names_setup, names_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(by_dns),
		test(classless_delegation),
		test(by_hosts_file),
		test(localhost),
		test(hostile_names),
		test(many_names),
		test(confirmed_names),
		test(none_confirmed),
		test(guarded),
		test(stale_ones),
		test(synchronously),
		test(wrong_arguments),
		test(cancelled),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("ptr", tests, NULL, NULL);
}
