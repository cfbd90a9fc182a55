/* SPDX-License-Identifier: BSD-3-Clause */
/* Access rules: what may be written, and which of them decides. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/access.h"

enum { NULL_, SET, UNSET, GETADDR, DUMP, CALLIT, GETTIME, GETSTAT = 12 };

static struct uaddr address(const char *text)
{
	struct uaddr u = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(u.family, text, u.addr), 1);
	return u;
}

/* texts: at most 8, ended by NULL. */
static bool allows(const char *const *texts, const char *peer, uint32_t proc)
{
	struct access_rule rules[8];
	struct uaddr u = address(peer);
	char *list[9] = {0};
	size_t count = 99;

	for (size_t i = 0; texts[i]; i++)
		list[i] = (char *)(uintptr_t)texts[i];
	assert_int_equal(access_compile(list, rules, 8, &count), 0);
	return access_allows(rules, count, &u, proc);
}

#define RULES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void good_rules(void **state)
{
	static const struct {
		const char *text;
		uint32_t procs;
		bool allow;
		int family;
		unsigned bits;
	} cases[] = {
		{"allow all any", UINT32_MAX, true, AF_UNSPEC, 0},
		{"deny\tdump   10.1.0.0/16", 1u << DUMP, false, AF_INET, 16},
		{"  deny set,unset ::1  ", 1u << SET | 1u << UNSET, false, AF_INET6, 128},
		{"deny getport,getaddr 10.1.1.1", 1u << GETADDR, false, AF_INET, 32},
		{"deny bcast,callit 0.0.0.0/0", 1u << CALLIT, false, AF_INET, 0},
		{"allow getstat ::/0", 1u << GETSTAT, true, AF_INET6, 0},
		{"allow null fd00:1::/32", 1u << NULL_, true, AF_INET6, 32},
		{"allow gettime 10.1.1.128/25", 1u << GETTIME, true, AF_INET, 25},
		{"allow all ::ffff:10.1.1.0/120", UINT32_MAX, true, AF_INET, 24},
		{"allow all ::ffff:0:0/96", UINT32_MAX, true, AF_INET, 0},
		{"allow null,set,unset,getaddr,dump,callit,gettime,uaddr2taddr,taddr2uaddr,"
		 "getversaddr,indirect,getaddrlist,getstat any",
			(1u << 13) - 1, true, AF_UNSPEC, 0},
	};
	struct access_rule rule;
	char reason[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].text);
		assert_int_equal(access_parse(cases[i].text, &rule, reason, sizeof(reason)), 0);
		assert_int_equal(rule.procs, cases[i].procs);
		assert_int_equal(rule.allow, cases[i].allow);
		assert_int_equal(rule.family, cases[i].family);
		assert_int_equal(rule.bits, cases[i].bits);
	}
}

static void bad_rules(void **state)
{
	static const char *const cases[][2] = {
		{"", "is not 'allow|deny"},
		{"allow", "is not 'allow|deny"},
		{"allow all", "is not 'allow|deny"},
		{"allow all any any", "is not 'allow|deny"},
		{"Allow all any", "neither allow nor deny"},
		{"permit all any", "neither allow nor deny"},
		{"deny ALL any", "'ALL', which is no procedure"},
		{"deny all,dump any", "'all', which is no procedure"},
		{"deny dump, any", "'', which is no procedure"},
		{"deny ,dump any", "'', which is no procedure"},
		{"deny dum any", "'dum', which is no procedure"},
		{"deny dumps any", "'dumps', which is no procedure"},
		{"deny 4 any", "'4', which is no procedure"},
		{"deny all host.example", "no IP address"},
		{"deny all 10.1.1", "no IP address"},
		{"deny all 10.1.1.256", "no IP address"},
		{"deny all 010.1.1.1", "no IP address"},
		{"deny all fe80::1%lo", "no IP address"},
		{"deny all any/0", "no IP address"},
		{"deny all /8", "no IP address"},
		{"deny all 10.1.1.1/", "prefix length"},
		{"deny all 10.1.1.1/33", "prefix length is from 0 to 32"},
		{"deny all 10.0.0.0/255.0.0.0", "prefix length"},
		{"deny all 10.1.1.0/+24", "prefix length"},
		{"deny all ::/129", "prefix length is from 0 to 128"},
		{"deny all 10.1.1.1/24", "host bits in '10.1.1.1/24'"},
		{"deny all 10.1.1.1/31", "host bits"},
		{"deny all 128.0.0.0/0", "host bits"},
		{"deny all fd00::1/127", "host bits"},
		{"deny all ::ffff:10.1.1.1/119", "host bits"},
	};
	struct access_rule rule = {.bits = 77};
	char reason[256], longer[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("'%s'\n", cases[i][0]);
		assert_int_equal(
			access_parse(cases[i][0], &rule, reason, sizeof(reason)), -EINVAL);
		if (!strstr(reason, cases[i][1]))
			fail_msg("'%s' is not in '%s'", cases[i][1], reason);
		assert_int_equal(rule.bits, 77);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(access_parse(longer, &rule, reason, sizeof(reason)), -EINVAL);
	memcpy(longer, "allow all ", 10);
	assert_int_equal(access_parse(longer, &rule, reason, sizeof(reason)), -EINVAL);
}

static void first_match_decides(void **state)
{
	const char *const *rules = RULES("allow dump 10.1.1.2", "deny dump,getstat 10.1.0.0/16",
		"allow all 10.0.0.0/8", "deny all any");

	(void)state;
	assert_true(allows(rules, "10.1.1.2", DUMP));
	assert_true(allows(rules, "10.1.1.2", GETADDR));
	assert_false(allows(rules, "10.1.1.2", GETSTAT));
	assert_false(allows(rules, "10.1.1.3", DUMP));
	assert_true(allows(rules, "10.1.1.3", GETADDR));
	assert_true(allows(rules, "10.2.1.3", DUMP));
	assert_false(allows(rules, "11.1.1.1", NULL_));
	assert_false(allows(rules, "fd00::1", DUMP));
	/* Without a match. */
	assert_true(allows(RULES("deny dump any"), "10.1.1.1", GETSTAT));
	assert_true(allows(RULES("deny all 10.1.1.1"), "10.1.1.2", DUMP));
}

static void prefixes(void **state)
{
	(void)state;
	assert_false(allows(RULES("deny all 10.1.1.128/25"), "10.1.1.128", DUMP));
	assert_false(allows(RULES("deny all 10.1.1.128/25"), "10.1.1.255", DUMP));
	assert_true(allows(RULES("deny all 10.1.1.128/25"), "10.1.1.127", DUMP));
	assert_false(allows(RULES("deny all 10.1.1.4/30"), "10.1.1.7", DUMP));
	assert_true(allows(RULES("deny all 10.1.1.4/30"), "10.1.1.8", DUMP));
	assert_false(allows(RULES("deny all 10.1.1.4"), "10.1.1.4", DUMP));
	assert_true(allows(RULES("deny all 10.1.1.4"), "10.1.1.5", DUMP));
	assert_false(allows(RULES("deny all 0.0.0.0/0"), "255.1.1.1", DUMP));
	assert_true(allows(RULES("deny all 0.0.0.0/0"), "::", DUMP));
	assert_false(allows(RULES("deny all ::/0"), "ff02::1", DUMP));
	assert_true(allows(RULES("deny all ::/0"), "0.0.0.0", DUMP));
	assert_false(allows(RULES("deny all fd00:1::/33"), "fd00:1:7fff::1", DUMP));
	assert_true(allows(RULES("deny all fd00:1::/33"), "fd00:1:8000::1", DUMP));
	assert_false(allows(RULES("deny all ::1"), "::1", DUMP));
	assert_true(allows(RULES("deny all ::1"), "::2", DUMP));
}

static void mapped_addresses_are_ipv4(void **state)
{
	(void)state;
	assert_false(allows(RULES("deny all 10.1.0.0/16"), "::ffff:10.1.1.1", DUMP));
	assert_true(allows(RULES("deny all 10.1.0.0/16"), "::ffff:10.2.1.1", DUMP));
	assert_true(allows(RULES("deny all ::/0"), "::ffff:10.1.1.1", DUMP));
	assert_false(allows(RULES("deny all ::ffff:10.1.0.0/112"), "10.1.1.1", DUMP));
	assert_false(allows(RULES("deny all ::ffff:10.1.1.1"), "::ffff:10.1.1.1", DUMP));
}

static void local_sockets_are_exempt(void **state)
{
	struct uaddr local = {.family = AF_UNIX};
	struct access_rule rule;
	char reason[64];

	(void)state;
	assert_int_equal(access_parse("deny all any", &rule, reason, sizeof(reason)), 0);
	assert_true(access_allows(&rule, 1, &local, SET));
}

static void procedures_without_a_name(void **state)
{
	(void)state;
	assert_false(allows(RULES("deny all any"), "10.1.1.1", 13));
	assert_false(allows(RULES("deny all any"), "10.1.1.1", 31));
	assert_false(allows(RULES("deny all any"), "10.1.1.1", 32));
	assert_false(allows(RULES("deny all any"), "10.1.1.1", UINT32_MAX));
	/* 35 is not 3 nor 4. */
	assert_true(allows(RULES("deny getaddr,dump any"), "10.1.1.1", 35));
	assert_true(allows(RULES("deny getaddr,dump any"), "10.1.1.1", 36));
}

static void lists(void **state)
{
	char rule[] = "deny all any", bad[] = "deny all", *list[] = {rule, rule, NULL};
	struct access_rule rules[2];
	size_t count = 99;

	(void)state;
	assert_int_equal(access_compile(NULL, rules, 2, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(access_compile(list, rules, 2, &count), 0);
	assert_int_equal(count, 2);
	count = 99;
	assert_int_equal(access_compile(list, rules, 1, &count), -E2BIG);
	list[1] = bad;
	assert_int_equal(access_compile(list, rules, 2, &count), -EINVAL);
	assert_int_equal(count, 99);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(access_proc_name(2, GETADDR), "getport");
	assert_string_equal(access_proc_name(3, GETADDR), "getaddr");
	assert_string_equal(access_proc_name(3, CALLIT), "callit");
	assert_string_equal(access_proc_name(4, CALLIT), "bcast");
	assert_string_equal(access_proc_name(4, GETSTAT), "getstat");
	assert_null(access_proc_name(4, 13));
	assert_null(access_proc_name(4, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_rules),
		cmocka_unit_test(bad_rules),
		cmocka_unit_test(first_match_decides),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(mapped_addresses_are_ipv4),
		cmocka_unit_test(local_sockets_are_exempt),
		cmocka_unit_test(procedures_without_a_name),
		cmocka_unit_test(lists),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
