/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: facts in, findings out. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "check.h"

/* Two VSs: blue with an address and a pool, red with addresses in both families. */
static struct network_address blue_addresses[1], red_addresses[2];
static struct network_pool blue_pools[1];
static struct network blue = {.is_mark = true, .mark = 10, .table = 10, .table_count = 2,
	.addresses = blue_addresses, .address_count = 1, .pools = blue_pools, .pool_count = 1};
static struct network red = {.is_mark = true, .mark = 0x14, .table = 20, .table_count = 1,
	.addresses = red_addresses, .address_count = 2};
static struct check_member members[2];
static struct check_rule rules[700];
static struct check_shared shared;
static struct check_report report;

static int set_up(void **state)
{
	(void)state;
	ip_prefix_parse("10.0.0.5/24", &blue_addresses[0].prefix);
	ip_prefix_parse("10.1.0.0/16", &blue_pools[0].prefix);
	ip_prefix_parse("10.2.0.5/24", &red_addresses[0].prefix);
	ip_prefix_parse("2001:db8::5/64", &red_addresses[1].prefix);
	members[0] = (struct check_member){.name = "blue", .network = &blue};
	members[1] = (struct check_member){.name = "red", .network = &red};
	shared = (struct check_shared){.name = "shared", .members = members, .member_count = 2,
		.rules = rules};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_report_clear(&report);
	return 0;
}

static const struct check_finding *only(enum check_level level, const char *check, const char *vs)
{
	const struct check_finding *f = report.findings;

	assert_int_equal(report.count, 1);
	assert_int_equal(f->level, level);
	assert_string_equal(f->check, check);
	if (vs)
		assert_string_equal(f->vs, vs);
	else
		assert_null(f->vs);
	assert_non_null(f->text);
	return f;
}

static struct check_rule *add_rule(uint8_t family, uint32_t priority, const char *from,
	uint32_t mark, uint32_t mask, uint32_t table)
{
	struct check_rule *r = &rules[shared.rule_count++];

	*r = (struct check_rule){.family = family, .action = FR_ACT_TO_TBL, .priority = priority,
		.mark = mark, .mask = mask, .table = table};
	if (from)
		assert_int_equal(ip_prefix_parse(from, &r->from), 0);
	return r;
}

/* ---- reports */

static void reports(void **state)
{
	(void)state;
	assert_int_equal(check_status(&report), 0);
	check_add(&report, CHECK_NOTE, "a", NULL, "%d", 1);
	assert_int_equal(check_status(&report), 0);
	for (int i = 0; i < CHECK_FINDINGS_MAX + 5; i++)
		check_add(&report, CHECK_WARNING, "b", "x", "%d", i);
	assert_int_equal(report.count, 1 + CHECK_FINDINGS_MAX);
	assert_int_equal(report.more, 5);
	assert_int_equal(report.levels[CHECK_WARNING], CHECK_FINDINGS_MAX + 5);
	assert_int_equal(check_status(&report), 1);
	check_add(&report, CHECK_ERROR, "c", NULL, "last");
	check_advise(&report, "do %s", "it");
	assert_string_equal(report.findings[report.count - 1].text, "last");
	assert_string_equal(report.findings[report.count - 1].advice, "do it");
	assert_int_equal(check_status(&report), 2);
}

/* Advice for one that is only counted must not go to another. */
static void advice_of_those_not_shown(void **state)
{
	(void)state;
	for (int i = 0; i < CHECK_FINDINGS_MAX; i++)
		check_add(&report, CHECK_WARNING, "b", NULL, "%d", i);
	check_add(&report, CHECK_WARNING, "b", NULL, "one more");
	check_advise(&report, "for that");
	assert_null(report.findings[report.count - 1].advice);
}

/* ---- the machine */

static struct check_host good_host(size_t vs_count)
{
	return (struct check_host){.vs_count = vs_count, .ns_count = vs_count,
		.ipv4 = {.max = 65536}, .ipv6 = {.max = 65536}, .max_namespaces = 100000,
		.max_watches = 100000, .own_nofile = 1000000};
}

static void good(void **state)
{
	struct check_host h = good_host(1000);

	(void)state;
	check_judge_host(&report, &h);
	assert_int_equal(report.count, 0);
}

static void neighbours(void **state)
{
	static const struct {
		size_t vs_count;
		struct check_neighbours n;
		enum check_level level;
	} cases[] = {
		{600, {1024, 100, 0}, CHECK_ERROR},
		{512, {1024, 100, 0}, CHECK_WARNING}, /* 2 each, just */
		{256, {1024, 800, 0}, CHECK_WARNING}, /* 4 each, but it is nearly full */
		{256, {1024, 700, 3}, CHECK_WARNING}, /* it was full */
		{100, {-1, -1, -1}, CHECK_NOTE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_host h = good_host(cases[i].vs_count);

		h.ipv4 = cases[i].n;
		check_judge_host(&report, &h);
		assert_non_null(strstr(only(cases[i].level, "neighbours", NULL)->text, "ipv4"));
		check_report_clear(&report);
	}
	{
		struct check_host h = good_host(256);

		h.ipv6 = (struct check_neighbours){1024, 768, 0};
		check_judge_host(&report, &h);
		assert_int_equal(report.count, 0);
		h.vs_count = 5000;
		check_judge_host(&report, &h);
		assert_string_equal(only(CHECK_ERROR, "neighbours", NULL)->advice,
			"sysctl -w net.ipv6.neigh.default.gc_thresh3=32768 "
			"net.ipv6.neigh.default.gc_thresh2=16384, and in /etc/sysctl.d");
	}
}

static void limits(void **state)
{
	struct check_host h = good_host(1000);

	(void)state;
	h.max_namespaces = 1200;
	check_judge_host(&report, &h);
	only(CHECK_WARNING, "namespaces", NULL);
	check_report_clear(&report);

	h = good_host(1000);
	h.inotify_error = -EMFILE;
	check_judge_host(&report, &h);
	only(CHECK_ERROR, "inotify", NULL);
	check_report_clear(&report);

	h.inotify_error = -ENOSPC;
	check_judge_host(&report, &h);
	only(CHECK_ERROR, "inotify", NULL);
	check_report_clear(&report);

	h = good_host(1000);
	h.own_nofile = 1000 * CHECK_RPCBIND_PER_VS + CHECK_RPCBIND_BASE - 1;
	check_judge_host(&report, &h);
	only(CHECK_WARNING, "descriptors", NULL);
	h.own_nofile++;
	check_report_clear(&report);
	check_judge_host(&report, &h);
	assert_int_equal(report.count, 0);
}

static void processes(void **state)
{
	struct check_process p = {.name = "rpcbind-ns", .pid = 12, .nofile = 1024, .open = 500};

	(void)state;
	check_judge_process(&report, &p, 100);
	assert_int_equal(report.count, 0);
	check_judge_process(&report, &p, 200);
	only(CHECK_ERROR, "descriptors", NULL);
	check_report_clear(&report);
	p.open = 900;
	check_judge_process(&report, &p, 100);
	only(CHECK_WARNING, "descriptors", NULL);
	check_report_clear(&report);
	p.open = 500;
	p.is_blind = true;
	check_judge_process(&report, &p, 100);
	only(CHECK_ERROR, "propagation", NULL);
}

/* ---- rules */

static void add_ours(void)
{
	add_rule(AF_INET, NETWORK_RULE_FROM, "10.0.0.5", 0, 0, 10)->is_ours = true;
	add_rule(AF_INET, NETWORK_RULE_FROM, "10.1.0.0/16", 0, 0, 10)->is_ours = true;
	add_rule(AF_INET, NETWORK_RULE_MARK, NULL, 10, UINT32_MAX, 10)->is_ours = true;
	add_rule(AF_INET, NETWORK_RULE_MARK, NULL, 0x14, UINT32_MAX, 20)->is_ours = true;
}

static void usual_rules(void **state)
{
	(void)state;
	add_ours();
	add_rule(AF_INET, 0, NULL, 0, 0, 255);
	add_rule(AF_INET, 32766, NULL, 0, 0, 254);
	add_rule(AF_INET, 32767, NULL, 0, 0, 253);
	add_rule(AF_INET6, 0, NULL, 0, 0, 255);
	add_rule(AF_INET6, 32766, NULL, 0, 0, 254);
	add_rule(AF_INET, 1000, NULL, 0, 0, 0)->is_l3mdev = true;
	check_judge_rules(&report, &shared);
	assert_int_equal(report.count, 0);
	assert_true(members[0].has_from_rule);
	assert_false(members[1].has_from_rule);
}

static void foreign_rules(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t priority;
		const char *from;
		uint32_t mark, mask, table;
		bool is_narrow, is_inverted;
		const char *vs, *check; /* NULL: nothing is wrong */
		enum check_level level;
	} cases[] = {
		/* 10 is 0xa, and has bit 1 as 0x2/0x2 has; 0x14 has not */
		{AF_INET, 100, NULL, 0x2, 0x2, 99, false, false, "blue", "marks", CHECK_ERROR},
		{AF_INET, 100, NULL, 0x2, 0x2, 99, true, false, "blue", "marks", CHECK_WARNING},
		{AF_INET, 100, NULL, 0x14, 0xff, 99, false, false, "red", "marks", CHECK_ERROR},
		{AF_INET6, 20000, NULL, 0x14, 0xff, 99, false, false, "red", "marks",
			CHECK_WARNING},
		{AF_INET, 100, NULL, 0x100, 0xff00, 99, false, false, NULL, NULL, 0},
		{AF_INET, 100, NULL, 0x4000, 0x4000, 99, false, false, NULL, NULL, 0},
		/* addresses */
		{AF_INET, 100, "10.2.0.0/16", 0, 0, 99, false, false, "red", "rules", CHECK_ERROR},
		{AF_INET, 100, "10.2.0.5", 0, 0, 99, false, false, "red", "rules", CHECK_ERROR},
		{AF_INET, 100, "10.2.0.6", 0, 0, 99, false, false, NULL, NULL, 0},
		{AF_INET, 20000, "10.2.0.0/16", 0, 0, 99, false, false, NULL, NULL, 0},
		{AF_INET, 100, "10.1.7.0/24", 0, 0, 99, false, false, "blue", "rules", CHECK_ERROR},
		{AF_INET6, 100, "2001:db8::/32", 0, 0, 99, false, false, "red", "rules",
			CHECK_ERROR},
		{AF_INET, 100, "10.2.0.0/16", 0, 0, 99, true, false, "red", "rules", CHECK_WARNING},
		/* tables; blue has 10 and 11 */
		{AF_INET, 20000, "192.0.2.1", 0, 0, 11, false, false, "blue", "tables", CHECK_ERROR},
		{AF_INET, 20000, "192.0.2.1", 0, 0, 12, false, false, NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_rule *r;

		shared.rule_count = 0;
		add_ours();
		r = add_rule(cases[i].family, cases[i].priority, cases[i].from, cases[i].mark,
			cases[i].mask, cases[i].table);
		r->is_narrow = cases[i].is_narrow;
		r->is_inverted = cases[i].is_inverted;
		check_judge_rules(&report, &shared);
		if (cases[i].check)
			only(cases[i].level, cases[i].check, cases[i].vs);
		else
			assert_int_equal(report.count, 0);
		check_report_clear(&report);
	}
}

/* As a VPN does that sends all but its own packets through itself. */
static void rules_for_all_but_one(void **state)
{
	(void)state;
	add_rule(AF_INET, 100, NULL, 0xca6c, UINT32_MAX, 0xca6c)->is_inverted = true;
	check_judge_rules(&report, &shared);
	assert_int_equal(report.count, 2); /* each VS */
	assert_int_equal(report.levels[CHECK_WARNING], 2);
	check_report_clear(&report);
	rules[0].priority = 20000;
	check_judge_rules(&report, &shared);
	assert_int_equal(report.count, 0);
}

static void many_rules(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CHECK_RULES_MAX; i++)
		add_rule(AF_INET, NETWORK_RULE_MARK, NULL, 1000 + i, UINT32_MAX, 10)->is_ours = true;
	for (unsigned i = 0; i < CHECK_RULES_MAX; i++)
		add_rule(AF_INET6, NETWORK_RULE_MARK, NULL, 1000 + i, UINT32_MAX, 10)->is_ours = true;
	check_judge_rules(&report, &shared);
	assert_int_equal(report.count, 0);
	add_rule(AF_INET6, NETWORK_RULE_MARK, NULL, 999, UINT32_MAX, 10)->is_ours = true;
	check_judge_rules(&report, &shared);
	assert_non_null(strstr(only(CHECK_WARNING, "rules", NULL)->text, "301 IPv6 rules"));
	assert_non_null(strstr(report.findings[0].text, " 1.5 us "));
}

static void routes(void **state)
{
	struct ip_prefix dst = {.family = 0};

	(void)state;
	check_judge_route(&report, &shared, 12, 4, &dst);
	assert_int_equal(report.count, 0);
	check_judge_route(&report, &shared, 11, 4, &dst);
	assert_non_null(strstr(only(CHECK_ERROR, "tables", "blue")->text, "table 11: default"));
	check_report_clear(&report);
	ip_prefix_parse("192.0.2.0/24", &dst);
	check_judge_route(&report, &shared, 20, 4, &dst);
	assert_non_null(strstr(only(CHECK_ERROR, "tables", "red")->text, "192.0.2.0/24"));
}

/* ---- sockets */

static void judge(const char *address, uint32_t mark)
{
	struct sockaddr_storage sa = {.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;

	in->sin_port = htons(80); /* in the same place */
	assert_int_equal(inet_pton(sa.ss_family, address,
				 sa.ss_family == AF_INET6 ? (void *)&in6->sin6_addr :
							    (void *)&in->sin_addr), 1);
	check_judge_socket(&report, &shared, "TCP", (struct sockaddr *)&sa, mark);
}

static void sockets(void **state)
{
	static const char *const fine[] = {"10.0.0.5", "10.1.2.3", "0.0.0.0", "::", "127.0.0.1",
		"192.0.2.7", "::ffff:10.0.0.5"};
	static const char *const astray[] = {"10.2.0.5", "2001:db8::5", "::ffff:10.2.0.5"};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		judge(fine[i], 10);
	judge("10.2.0.5", 0x14);
	judge("10.2.0.5", 77); /* nobody's mark */
	assert_int_equal(report.count, 0);
	for (size_t i = 0; i < sizeof(astray) / sizeof(astray[0]); i++) {
		judge(astray[i], 10);
		assert_non_null(strstr(only(CHECK_WARNING, "sockets", "blue")->text, " of red,"));
		check_report_clear(&report);
	}
	judge("10.1.2.3", 0x14); /* in blue's pool */
	only(CHECK_WARNING, "sockets", "red");
}

/* A pool may have a hole with another's address in it. */
static void address_in_a_pool_of_another(void **state)
{
	(void)state;
	ip_prefix_parse("10.1.0.9/16", &red_addresses[0].prefix);
	judge("10.1.0.9", 0x14);
	assert_int_equal(report.count, 0);
	judge("10.1.0.9", 10);
	only(CHECK_WARNING, "sockets", "blue");
}

/* ---- sysctls */

static void sysctls(void **state)
{
	struct check_sysctls s = {0, 0, 0, 0, 0, 0};

	(void)state;
	check_judge_sysctls(&report, &shared, &s);
	s.nonlocal_bind_ipv4 = s.nonlocal_bind_ipv6 = s.tcp_l3mdev_accept = -1;
	check_judge_sysctls(&report, &shared, &s);
	assert_int_equal(report.count, 0);
	s.nonlocal_bind_ipv6 = 1;
	check_judge_sysctls(&report, &shared, &s);
	only(CHECK_WARNING, "sysctls", NULL);
	check_report_clear(&report);
	s.nonlocal_bind_ipv6 = 0;
	s.udp_l3mdev_accept = 1;
	check_judge_sysctls(&report, &shared, &s);
	assert_non_null(strstr(only(CHECK_WARNING, "sysctls", NULL)->text, "udp_l3mdev_accept"));
}

static void rp_filter(void **state)
{
	struct check_sysctls s = {.rp_filter_all = 0};
	struct check_member *red_member = &members[1];

	(void)state;
	check_judge_device(&report, red_member, "eth0", &s, 0, 0);
	check_judge_device(&report, red_member, "eth0", &s, 2, 0);
	check_judge_device(&report, red_member, "eth0", &s, 1, 1);
	red_member->has_from_rule = true;
	check_judge_device(&report, red_member, "eth0", &s, 1, 0);
	red_member->has_from_rule = false;
	s.rp_filter_all = 2; /* the larger of the two counts */
	check_judge_device(&report, red_member, "eth0", &s, 1, 0);
	assert_int_equal(report.count, 0);
	s.rp_filter_all = 1;
	check_judge_device(&report, red_member, "eth0", &s, 0, 0);
	only(CHECK_WARNING, "rp_filter", "red");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reports),
		TEST(advice_of_those_not_shown),
		TEST(good),
		TEST(neighbours),
		TEST(limits),
		TEST(processes),
		TEST(usual_rules),
		TEST(foreign_rules),
		TEST(rules_for_all_but_one),
		TEST(many_rules),
		TEST(routes),
		TEST(sockets),
		TEST(address_in_a_pool_of_another),
		TEST(sysctls),
		TEST(rp_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
