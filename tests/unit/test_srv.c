/* SPDX-License-Identifier: BSD-3-Clause */
/* Records and targets: what is a target, and from where its addresses are. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "srv.h"
#include "srv_rig.h"

/* ---- where addresses come from */

static void additional_ones_are_not_asked_for(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "20 0 390 dc2.example", false},
		{SRV_NAME, DNS_SRV, "10 5 389 DC1.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", true},
		{"dc1.example", DNS_AAAA, "2001:db8::1", true},
		{"dc2.example", DNS_A, "192.0.2.2", true},
		{"dc3.example", DNS_A, "192.0.2.3", true},
		{"dc2.example", DNS_AAAA, "2001:db8::2", false},
		END,
	};
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
	struct names *n = *state;
	struct srv_got got;

	names_open(n, zone, NULL);
	got = srv_look_up(n, &hints, 0);
	assert_int_equal(got.res->priority, 10);
	assert_int_equal(got.res->weight, 5);
	assert_in_range(got.res->ttl, 59, 60);
	assert_in_range(got.info.ttl, 59, 60);
	assert_int_equal(got.info.source, VSRESOLV_NETWORK);
	assert_int_equal(got.res->addrs->ai_socktype, SOCK_STREAM);
	assert_int_equal(got.res->addrs->ai_protocol, IPPROTO_TCP);
	srv_expect(&got, "dc1.example:389[192.0.2.1] dc2.example:390[192.0.2.2]");
	assert_string_equal(n->asked, "SRV " SRV_NAME "\n");
	/* The AAAA of the second were not told. */
	got = srv_look_up(n, &srv_stream, 0);
	vsresolv_free(got.res);
	assert_string_equal(n->asked, "SRV " SRV_NAME "\nAAAA dc2.example\n");
}

/* What was told in addition is no answer to another question, nor is it kept longer than it may. */
static void additional_ones_grow_old(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 389 dc1.example", false},
		{"dc1.example", DNS_A, "192.0.2.66", true},
		{"dc1.example", DNS_A, "192.0.2.1", false},
		END,
	};
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
	struct names *n = *state;
	struct srv_got got;

	n->config.stale_seconds = 100;
	names_open(n, zone, NULL);
	names_keep(n, SRV_NAME, DNS_SRV, 20);
	got = srv_look_up(n, &hints, 0);
	assert_in_range(got.info.ttl, 39, 40);
	assert_in_range(got.res->ttl, 39, 40);
	assert_int_equal(got.info.source, VSRESOLV_CACHE);
	srv_expect(&got, "dc1.example:389[192.0.2.66]");
	assert_string_equal(n->asked, "");
	/* The records are stale, since the server is silent; so are these addresses. */
	names_keep(n, SRV_NAME, DNS_SRV, 70);
	names_keep(n, "dc1.example", DNS_A, 10);
	n->rig->servers[0].script = rig_is_silent;
	srv_start(n, &got, &hints, 0, 0, 200);
	names_wait(n, &got.told);
	assert_int_equal(got.info.source, VSRESOLV_STALE);
	srv_expect(&got, "dc1.example:389[192.0.2.1]");
}

static void others_side_by_side(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 389 dc1.example", false},
		{SRV_NAME, DNS_SRV, "20 0 389 dc2.example", false},
		{SRV_NAME, DNS_SRV, "30 0 389 dc3.example", false},
		{SRV_NAME, DNS_SRV, "40 0 389 dc4.example", false},
		{SRV_NAME, DNS_SRV, "50 0 389 dc5.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", false},
		{"dc2.example", DNS_CNAME, "other.example", false},
		{"other.example", DNS_A, "192.0.2.2", false},
		{"dc4.example", DNS_PTR, "nothing.example", false},
		{"dc5.example", DNS_A, "192.0.2.5", false},
		END,
	};
	struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_CANONNAME};
	struct names *n = *state;
	struct srv_got got;
	char wanted[300];

	names_open(n, zone, "203.0.113.5 real.example dc5.example\n");
	got = srv_look_up(n, &hints, 0);
	assert_string_equal(got.res->addrs->ai_canonname, "dc1.example");
	assert_string_equal(got.res->next->addrs->ai_canonname, "other.example");
	assert_string_equal(got.res->next->next->next->next->addrs->ai_canonname, "real.example");
	snprintf(wanted, sizeof(wanted),
		"dc1.example:389[192.0.2.1] dc2.example:389[192.0.2.2] dc3.example:389(%d) "
		"dc4.example:389(%d) dc5.example:389[203.0.113.5]",
		EAI_NONAME, EAI_NODATA);
	srv_expect(&got, wanted);
	assert_int_equal(names_count_asked(n, NULL), 5);
	assert_int_equal(names_count_asked(n, "A dc5.example"), 0);
	/* IPv6 for who wants no other, of which there are none. */
	hints.ai_family = AF_INET6;
	hints.ai_flags = AI_V4MAPPED;
	got = srv_look_up(n, &hints, 0);
	snprintf(wanted, sizeof(wanted),
		"dc1.example:389[::ffff:192.0.2.1] dc2.example:389[::ffff:192.0.2.2] "
		"dc3.example:389(%d) dc4.example:389(%d) dc5.example:389[::ffff:203.0.113.5]",
		EAI_NONAME, EAI_NODATA);
	srv_expect(&got, wanted);
}

static void no_addresses_are_asked_for(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 389 dc1.example", false},
		{SRV_NAME, DNS_SRV, "5 0 389 dc2.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", true},
		END,
	};
	struct names *n = *state;
	struct srv_got got;

	names_open(n, zone, NULL);
	got = srv_look_up(n, NULL, VSRESOLV_SRV_NO_ADDRS);
	srv_expect(&got, "dc2.example:389(0) dc1.example:389(0)");
	assert_string_equal(n->asked, "SRV " SRV_NAME "\n");
}

static void options_of_resolv_conf(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 389 dc1.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", false},
		{"dc1.example", DNS_AAAA, "2001:db8::1", false},
		END,
	};
	struct names *n = *state;
	struct srv_got got;

	n->config.options = "no-aaaa";
	names_open(n, zone, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	srv_expect(&got, "dc1.example:389[192.0.2.1]");
	assert_int_equal(names_count_asked(n, NULL), 2);
	vsresolv_close(n->ctx);
	n->ctx = NULL;
	n->config.options = "single-request";
	names_open(n, zone, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	vsresolv_free(got.res);
	assert_int_equal(names_count_asked(n, NULL), 5);
}

/* The program has nothing but loopback. */
static void families_of_the_vs(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "10 0 389 dc1.example", false},
		{"dc1.example", DNS_A, "192.0.2.1", false},
		{"dc1.example", DNS_AAAA, "2001:db8::1", false},
		END,
	};
	struct addrinfo hints = {.ai_family = AF_INET6, .ai_flags = AI_ADDRCONFIG};
	struct names *n = *state;
	struct srv_got got;
	char wanted[100];
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	names_open(n, zone, NULL);
	got = srv_look_up(n, &hints, 0);
	snprintf(wanted, sizeof(wanted), "dc1.example:389(%d)", EAI_NODATA);
	srv_expect(&got, wanted);
	assert_int_equal(names_count_asked(n, NULL), 1);
	nst_set_address(sock, "192.0.2.99");
	vsresolv_close(n->ctx);
	n->ctx = NULL;
	names_open(n, zone, NULL);
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	got = srv_look_up(n, &hints, 0);
	srv_expect(&got, "dc1.example:389[192.0.2.1]");
	assert_int_equal(names_count_asked(n, "AAAA dc1.example"), 0);
	nst_set_address(sock, "0.0.0.0");
	close(sock);
}

/* ---- targets that are none */

static void decidedly_not_there(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "0 0 0 .", false},
		END,
	};
	static const struct names_row other[] = {
		{SRV_NAME, DNS_A, "192.0.2.1", false},
		END,
	};
	static const struct names_row both[] = {
		{SRV_NAME, DNS_SRV, "0 0 0 .", false},
		{SRV_NAME, DNS_SRV, "1 0 5 192.0.2.7", false},
		END,
	};
	struct names *n = *state;
	struct srv_got got;

	names_open(n, zone, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	srv_expect_status(&got, EAI_NODATA);
	assert_int_equal(got.info.rcode, 0);
	n->zone = other;
	vsresolv_flush(n->ctx, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	srv_expect_status(&got, EAI_NODATA);
	n->zone = both;
	vsresolv_flush(n->ctx, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	srv_expect(&got, "192.0.2.7:5[192.0.2.7]");
	n->zone = other + 1;
	vsresolv_flush(n->ctx, NULL);
	got = srv_look_up(n, &srv_stream, 0);
	srv_expect_status(&got, EAI_NONAME);
	assert_int_equal(got.info.rcode, DNS_NXDOMAIN);
}

/* Only what could be a host is one; what no server may be asked for is not asked for. */
static void hostile_targets(void **state)
{
	static const struct names_row zone[] = {
		{SRV_NAME, DNS_SRV, "1 0 1 a\\010b.example", false},
		{SRV_NAME, DNS_SRV, "2 0 1 -oProxyCommand.example", false},
		{SRV_NAME, DNS_SRV, "3 0 1 a\\.b.example", false},
		{SRV_NAME, DNS_SRV, "4 0 1 *.example", false},
		{SRV_NAME, DNS_SRV, "5 0 1 localhost", false},
		{SRV_NAME, DNS_SRV, "6 0 1 x.onion", false},
		{SRV_NAME, DNS_SRV, "7 0 1 0x7f.1", false},
		{SRV_NAME, DNS_SRV, "8 0 1 dc_8.example", false},
		{"dc_8.example", DNS_A, "192.0.2.8", true},
		{"dc_8.example", DNS_A, "127.0.0.1", true},
		END,
	};
	static const struct names_row only[] = {
		{SRV_NAME, DNS_SRV, "1 0 1 a\\010b.example", false},
		END,
	};
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct names *n = *state;
	struct srv_got got;
	char wanted[200];

	n->config.flags = VSRESOLV_GUARD;
	names_open(n, zone, NULL);
	got = srv_look_up(n, &hints, 0);
	snprintf(wanted, sizeof(wanted),
		"localhost:1(%d) x.onion:1(%d) 0x7f.1:1(%d) dc_8.example:1[192.0.2.8]", EAI_NODATA,
		EAI_NONAME, EAI_NODATA);
	srv_expect(&got, wanted);
	assert_string_equal(n->asked, "SRV " SRV_NAME "\n");
	assert_int_equal(vsresolv_stats(n->ctx, &stats), 0);
	assert_int_equal(stats.guarded, 3);
	n->zone = only;
	vsresolv_flush(n->ctx, NULL);
	got = srv_look_up(n, &hints, 0);
	srv_expect_status(&got, EAI_FAIL);
}

/* The best ones of very many. */
static void many_targets(void **state)
{
	static struct names_row zone[202];
	static char data[200][32];
	struct names *n = *state;
	unsigned count = 0;
	struct srv_got got;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(data[i], sizeof(data[i]), "%u 1 %u h.example", 200 - i, 200 - i);
		zone[i] = (struct names_row){SRV_NAME, DNS_SRV, data[i], false};
	}
	zone[200] = (struct names_row){"h.example", DNS_A, "192.0.2.1", true};
	names_open(n, zone, NULL);
	names_keep(n, SRV_NAME, DNS_SRV, 0);
	got = srv_look_up(n, &(struct addrinfo){.ai_family = AF_INET}, 0);
	assert_int_equal(got.status, 0);
	for (const struct vsresolv_srv *s = got.res; s; s = s->next) {
		assert_int_equal(s->priority, ++count);
		assert_int_equal(s->port, count);
		assert_non_null(s->addrs);
	}
	assert_int_equal(count, SRV_TARGETS_MAX);
	vsresolv_free(got.res);
}

/* As many addresses as there may be, of each of two families. */
static void many_addresses(void **state)
{
	static struct names_row zone[402];
	static char data[400][40];
	struct names *n = *state;
	unsigned count = 0;
	struct srv_got got;

	zone[0] = (struct names_row){SRV_NAME, DNS_SRV, "1 1 1 h.example", false};
	for (unsigned i = 0; i < 400; i++) {
		bool is4 = i % 2;

		snprintf(data[i], sizeof(data[i]), is4 ? "198.51.100.%u" : "2001:db8::%u",
			i / 2 + 1);
		zone[i + 1] =
			(struct names_row){"h.example", is4 ? DNS_A : DNS_AAAA, data[i], true};
	}
	names_open(n, zone, NULL);
	names_keep(n, SRV_NAME, DNS_SRV, 0);
	got = srv_look_up(n, &srv_stream, 0);
	assert_int_equal(got.status, 0);
	for (const struct addrinfo *ai = got.res->addrs; ai; ai = ai->ai_next)
		count++;
	assert_int_equal(count, SRV_ADDRS_MAX);
	vsresolv_free(got.res);
}

#define test(name) cmocka_unit_test_setup_teardown(name, names_setup, names_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(additional_ones_are_not_asked_for),
		test(additional_ones_grow_old),
		test(others_side_by_side),
		test(no_addresses_are_asked_for),
		test(options_of_resolv_conf),
		test(families_of_the_vs),
		test(decidedly_not_there),
		test(hostile_targets),
		test(many_targets),
		test(many_addresses),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("srv", tests, NULL, NULL);
}
