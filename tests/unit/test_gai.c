/* SPDX-License-Identifier: BSD-3-Clause */
/* getaddrinfo of one VS, with a name server that says what the test wants: what is asked, and what
 * comes of the answers. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns_message.h"
#include "gai_rig.h"

static const char *const two_domains[] = {"a.test", "b.test", NULL};
static const char *const three_domains[] = {"a.test", "b.test", "c.test", NULL};

static void open_with(void **state, const struct gai_record *zone, const char *const *search,
	const char *options)
{
	struct gai_rig *rig = *state;

	rig->config.search = search;
	rig->config.options = options ? options : "timeout:1 attempts:1";
	gai_open(rig, zone, false);
}

/* ---- one candidate */

static const struct gai_record plain[] = {
	{"both.test", DNS_A, "192.0.2.1 192.0.2.2", 0},
	{"both.test", DNS_AAAA, "2001:db8::1", 0},
	{"four.test", DNS_A, "192.0.2.4", 0},
	{"six.test", DNS_AAAA, "2001:db8::6", 0},
	{"half.test", DNS_A, "192.0.2.5", 0},
	{"half.test", DNS_AAAA, "SERVFAIL", 0},
	{"unsure.test", DNS_AAAA, "SERVFAIL", 0},
	{"unsure.test", DNS_TXT, "SERVFAIL", 0},
	{"odd.test", DNS_A, "NXDOMAIN", 0},
	{"odd.test", DNS_TXT, "SERVFAIL", 0},
	{"strange.test", DNS_AAAA, "NXDOMAIN", 0},
	{"strange.test", DNS_TXT, "SERVFAIL", 0},
	{"never.test", DNS_A, "NXDOMAIN", 0},
	{"strange.test", DNS_AAAA, "NXDOMAIN", 0},
	{"strange.test", DNS_TXT, "SERVFAIL", 0},
	{"never.test", DNS_AAAA, "SERVFAIL", 0},
	{"broken.test", 0, "SERVFAIL", 0},
	{"refused.test", 0, "REFUSED", 0},
	{"text.test", DNS_TXT, "SERVFAIL", 0},
	{"alias.test", DNS_A, "CNAME=b.Test CNAME=Real.test 192.0.2.7", 0},
	{"alias.test", DNS_AAAA, "CNAME=b.Test CNAME=Real.test", 0},
	{"away.test", 0, "CNAME=nowhere.test", 0},
	{"hostile.test", 0, "CNAME=-rf\\032x.test 192.0.2.8", 0},
	{"xn--bcher-kva.test", DNS_A, "192.0.2.9", 0},
	{"mapped.test", DNS_AAAA, "::ffff:192.0.2.3", 0},
	{NULL, 0, NULL, 0},
};

static void families(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "four.test", AF_UNSPEC, 0, "network: 192.0.2.4");
	gai_expect_asked(rig, "A four.test AAAA four.test");
	gai_expect(rig, "four.test", AF_INET, 0, "cache: 192.0.2.4");
	gai_expect_asked(rig, "");
	gai_expect(rig, "six.test", AF_INET, 0, "network: NODATA");
	gai_expect_asked(rig, "A six.test");
	gai_expect(rig, "six.test", AF_INET6, 0, "network: 2001:db8::6");
	gai_expect_asked(rig, "AAAA six.test");
	gai_expect(rig, "four.test.", AF_INET6, 0, "cache: NODATA");
	gai_expect(rig, "FOUR.Test", AF_UNSPEC, 0, "cache: 192.0.2.4");
	gai_expect(rig, "missing.test", AF_UNSPEC, 0, "network: NONAME");
	gai_expect(rig, "text.test", AF_UNSPEC, 0, "network: NODATA");
}

static void mapped(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "four.test", AF_INET6, AI_V4MAPPED, "network: ::ffff:192.0.2.4");
	gai_expect(rig, "six.test", AF_INET6, AI_V4MAPPED, "network: 2001:db8::6");
	gai_expect(rig, "both.test", AF_INET6, AI_V4MAPPED, "network: 2001:db8::1");
	gai_expect(rig, "both.test", AF_INET6, AI_ALL, "cache: 2001:db8::1");
	gai_expect(rig, "four.test", AF_UNSPEC, AI_V4MAPPED, "cache: 192.0.2.4");
	gai_expect(rig, "six.test", AF_INET, AI_V4MAPPED, "cache: NODATA");
	gai_expect(rig, "both.test", AF_INET, AI_V4MAPPED | AI_ALL, "cache: 192.0.2.1 192.0.2.2");
	gai_expect(rig, "four.test", AF_INET6, AI_V4MAPPED | AI_ALL, "cache: ::ffff:192.0.2.4");
}

/* An answer is better than none; and none of one type is no answer for the other. */
static void halves(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "half.test", AF_UNSPEC, 0, "network: 192.0.2.5");
	gai_expect(rig, "unsure.test", AF_UNSPEC, 0, "network: AGAIN");
	gai_expect(rig, "unsure.test", AF_INET, 0, "cache: NODATA");
	gai_expect(rig, "odd.test", AF_UNSPEC, 0, "network: NODATA");
	gai_expect(rig, "strange.test", AF_UNSPEC, 0, "network: NODATA");
	gai_expect(rig, "never.test", AF_UNSPEC, 0, "network: NONAME");
	gai_expect(rig, "broken.test", AF_UNSPEC, 0, "network: AGAIN");
	gai_expect(rig, "refused.test", AF_UNSPEC, 0, "network: FAIL");
}

static void options(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, "no-aaaa timeout:1 attempts:1");
	gai_expect(rig, "both.test", AF_UNSPEC, 0, "network: 192.0.2.1 192.0.2.2");
	gai_expect_asked(rig, "A both.test");
	gai_expect(rig, "both.test", AF_INET6, 0, "none: NODATA");
	gai_expect_asked(rig, "");
	gai_expect(rig, "both.test", AF_INET6, AI_V4MAPPED,
		"cache: ::ffff:192.0.2.1 ::ffff:192.0.2.2");
}

static void one_at_a_time(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, "single-request timeout:1 attempts:1");
	gai_expect(rig, "four.test", AF_UNSPEC, 0, "network: 192.0.2.4");
	gai_expect_asked(rig, "A four.test AAAA four.test");
	gai_expect(rig, "half.test", AF_UNSPEC, 0, "network: 192.0.2.5");
	gai_expect(rig, "missing.test", AF_UNSPEC, 0, "network: NONAME");
	gai_expect(rig, "missing.test", AF_UNSPEC, 0, "cache: NONAME");
}

static void canonical_names(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "FOUR.test", AF_INET, AI_CANONNAME, "network: 192.0.2.4 (four.test)");
	gai_expect(rig, "alias.test", AF_UNSPEC, AI_CANONNAME, "network: 192.0.2.7 (real.test)");
	gai_expect(rig, "alias.test", AF_UNSPEC, AI_CANONNAME, "cache: 192.0.2.7 (real.test)");
	gai_expect(rig, "alias.test", AF_INET6, 0, "cache: NODATA");
	gai_expect(rig, "alias.test", AF_INET, 0, "cache: 192.0.2.7");
	gai_expect(rig, "away.test", AF_INET, 0, "network: NODATA");
	/* What no host is called is not told as the name of one. */
	gai_expect(rig, "hostile.test", AF_INET, AI_CANONNAME,
		"network: 192.0.2.8 (hostile.test)");
	gai_expect(rig, "127.1", AF_INET, AI_CANONNAME, "local: 127.0.0.1 (127.1)");
}

static void idn(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "b\303\274cher.test", AF_INET, 0, "none: IDN_ENCODE");
	gai_expect_asked(rig, "");
#ifdef HAVE_LIBIDN2
	gai_expect(rig, "b\303\274cher.test", AF_INET, AI_IDN | AI_CANONNAME,
		"network: 192.0.2.9 (xn--bcher-kva.test)");
	gai_expect(rig, "B\303\234CHER.test", AF_INET, AI_IDN | AI_CANONNAME | AI_CANONIDN,
		"cache: 192.0.2.9 (b\303\274cher.test)");
	gai_expect(rig, "\357\274\221\357\274\222\357\274\227\343\200\202\357\274\221", AF_INET,
		AI_IDN, "local: 127.0.0.1");
#endif
	gai_expect(rig, "xn--bcher-kva.test", AF_INET, 0, "cache: 192.0.2.9");
}

/* ---- from candidate to candidate */

static const struct gai_record domains[] = {
	{"second.b.test", DNS_A, "192.0.2.2", 0},
	{"nodata.a.test", DNS_TXT, "SERVFAIL", 0},
	{"nodata.b.test", DNS_A, "192.0.2.3", 0},
	{"failing.a.test", 0, "SERVFAIL", 0},
	{"failing.b.test", DNS_A, "192.0.2.4", 0},
	{"gone.a.test", 0, "SERVFAIL", 0},
	{"void.a.test", DNS_TXT, "SERVFAIL", 0},
	{"refusing.a.test", 0, "REFUSED", 0},
	{"refusing.b.test", DNS_A, "192.0.2.5", 0},
	{"refusing", DNS_A, "192.0.2.6", 0},
	{"x.y", DNS_TXT, "SERVFAIL", 0},
	{"x.y.b.test", DNS_A, "192.0.2.7", 0},
	{"x.z.b.test", DNS_TXT, "SERVFAIL", 0},
	{"silent.a.test", 0, "SILENT", 0},
	{"silent", DNS_A, "192.0.2.8", 0},
	{"is.silent", 0, "SILENT", 0},
	{"is.silent.a.test", DNS_A, "192.0.2.9", 0},
	{NULL, 0, NULL, 0},
};

static void search_goes_on(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, domains, two_domains, NULL);
	gai_expect(rig, "second", AF_INET, AI_CANONNAME, "network: 192.0.2.2 (second.b.test)");
	gai_expect_asked(rig, "A second.a.test A second.b.test");
	gai_expect(rig, "second", AF_INET, 0, "cache: 192.0.2.2");
	gai_expect(rig, "second.", AF_INET, 0, "network: NONAME");
	gai_expect_asked(rig, "A second");
	gai_expect(rig, "nodata", AF_INET, 0, "network: 192.0.2.3");
	gai_expect(rig, "failing", AF_INET, 0, "network: 192.0.2.4");
	gai_expect_asked(rig, "A nodata.a.test A nodata.b.test A failing.a.test A failing.b.test");
	gai_expect(rig, "x.y", AF_INET, 0, "network: 192.0.2.7");
	gai_expect_asked(rig, "A x.y A x.y.a.test A x.y.b.test");
}

static void search_finds_nothing(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, domains, two_domains, NULL);
	gai_expect(rig, "nothing", AF_INET, 0, "network: NONAME");
	gai_expect_asked(rig, "A nothing.a.test A nothing.b.test A nothing");
	gai_expect(rig, "nothing", AF_INET, 0, "cache: NONAME");
	gai_expect_asked(rig, "");
	/* That one failed counts more than that others are not there; that one is there, too. */
	gai_expect(rig, "gone", AF_INET, 0, "network: AGAIN");
	gai_expect(rig, "void", AF_INET, 0, "network: NODATA");
	/* What the name as it is had counts most if it was asked first. */
	gai_expect(rig, "x.z", AF_INET, 0, "network: NONAME");
}

static void search_is_cut_short(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, domains, three_domains, NULL);
	gai_expect(rig, "refusing", AF_INET, 0, "network: 192.0.2.6");
	gai_expect_asked(rig, "A refusing.a.test A refusing");
	gai_expect(rig, "silent", AF_INET, 0, "network: 192.0.2.8");
	gai_expect_asked(rig, "A silent.a.test A silent");
	/* Unlike glibc: no other host because nobody answered for this one. */
	gai_expect(rig, "is.silent", AF_INET, 0, "none: AGAIN");
	gai_expect_asked(rig, "A is.silent");
}

/* Where there is no server at all the other names are not tried. */
static void nobody_listens(void **state)
{
	struct gai_rig *rig = *state;
	struct vsresolv_stats stats = {.size = sizeof(stats)};

	rig->servers[0] = "127.0.0.1:1";
	open_with(state, domains, three_domains, NULL);
	gai_expect(rig, "second", AF_INET, 0, "none: AGAIN");
	assert_int_equal(vsresolv_stats(rig->ctx, &stats), 0);
	assert_int_equal(stats.queries, 1);
}

static void no_top_level_queries(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, domains, two_domains, "no-tld-query timeout:1 attempts:1");
	gai_expect(rig, "nothing", AF_INET, 0, "network: NONAME");
	gai_expect_asked(rig, "A nothing.a.test A nothing.b.test");
}

/* ---- what is never asked, and what is not let in */

static void nothing_leaves(void **state)
{
	static const char *const nodes[] = {"127.1", "0x7f.1", "::1", "localhost", "x.localhost",
		"x.onion", "a b.test", "fe80::1%lo", "1.2.3.4", "a..test", ".", "-x.test"};
	struct gai_rig *rig = *state;

	open_with(state, domains, two_domains, NULL);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct addrinfo *res = NULL;

		if (vsresolv_getaddrinfo(rig->ctx, nodes[i], NULL, NULL, 5000, &res, NULL) == 0)
			vsresolv_freeaddrinfo(res);
	}
	gai_expect(rig, "::1", AF_INET, 0, "local: ?");
	gai_expect(rig, "fe80::1%lo", AF_UNSPEC, 0, "local: fe80::1");
	gai_expect(rig, "fe80::1%none0", AF_UNSPEC, 0, "local: NONAME");
	gai_expect_asked(rig, "");
}

static const struct gai_record rebinding[] = {
	{"inside.test", DNS_A, "127.0.0.1", 0},
	{"mixed.test", DNS_A, "127.0.0.1 192.0.2.1", 0},
	{"wild.test", DNS_AAAA, ":: ::ffff:127.0.0.1", 0},
	{"inside.test.a.test", DNS_A, "192.0.2.1", 0},
	{NULL, 0, NULL, 0},
};

static void guard(void **state)
{
	struct gai_rig *rig = *state;
	struct vsresolv_stats stats = {.size = sizeof(stats)};

	rig->config.flags = VSRESOLV_GUARD;
	open_with(state, rebinding, two_domains, NULL);
	gai_expect(rig, "inside.test", AF_INET, 0, "network: NODATA");
	gai_expect_asked(rig, "A inside.test");
	gai_expect(rig, "mixed.test", AF_INET, 0, "network: 192.0.2.1");
	gai_expect(rig, "wild.test", AF_INET6, 0, "network: NODATA");
	assert_int_equal(vsresolv_stats(rig->ctx, &stats), 0);
	assert_int_equal(stats.guarded, 4);
}

/* ---- time, and errors */

static const struct gai_record slow[] = {
	{"v6silent.test", DNS_A, "192.0.2.1", 0},
	{"v6silent.test", DNS_AAAA, "SILENT", 0},
	{"silent.test", 0, "SILENT", 0},
	{"here.test", DNS_A, "192.0.2.2", 0},
	{NULL, 0, NULL, 0},
};

static int ask(struct gai_rig *rig, const char *node, int family, int timeout_ms,
	struct vsresolv_info *info)
{
	const struct addrinfo hints = {.ai_family = family};
	struct addrinfo *res = NULL;
	int e = vsresolv_getaddrinfo(rig->ctx, node, NULL, &hints, timeout_ms, &res, info);

	if (!e)
		vsresolv_freeaddrinfo(res);
	else
		assert_null(res);
	return e;
}

static void deadlines(void **state)
{
	struct gai_rig *rig = *state;
	struct vsresolv_info info;

	open_with(state, slow, NULL, "timeout:5 attempts:2");
	assert_int_equal(ask(rig, "silent.test", AF_INET, 100, &info), EAI_AGAIN);
	assert_in_range(info.elapsed_us, 100000, 3000000);
	/* What has come by then is not held back, but not remembered as all there is. */
	assert_int_equal(ask(rig, "v6silent.test", AF_UNSPEC, 200, &info), 0);
	assert_in_range(info.elapsed_us, 200000, 3000000);
	assert_int_equal(ask(rig, "v6silent.test", AF_UNSPEC, 0, &info), EAI_AGAIN);
	assert_int_equal(ask(rig, "v6silent.test", AF_INET, 0, &info), 0);
	/* Without time: what is at hand. */
	assert_int_equal(ask(rig, "here.test", AF_INET, 0, &info), EAI_AGAIN);
	assert_int_equal(ask(rig, "here.test", AF_INET, 5000, &info), 0);
	assert_int_equal(ask(rig, "here.test", AF_INET, 0, &info), 0);
}

static void without_a_server(void **state)
{
	struct gai_rig *rig = *state;
	struct vsresolv_info info;

	rig->config.servers = NULL;
	gai_write(GAI_RESOLV_CONF, "search test\n");
	rig->config.resolv_conf = GAI_RESOLV_CONF;
	gai_write(GAI_HOSTS, "192.0.2.1 host.test\n");
	rig->config.hosts_file = GAI_HOSTS;
	open_with(state, plain, NULL, NULL);
	assert_int_equal(ask(rig, "four.test", AF_INET, 5000, &info), EAI_SYSTEM);
	assert_int_equal(info.error, -EDESTADDRREQ);
	gai_expect(rig, "host.test", AF_INET, 0, "hosts: 192.0.2.1");
	gai_expect(rig, "127.0.0.1", AF_INET, 0, "local: 127.0.0.1");
}

/* ---- AI_ADDRCONFIG: in this namespace there is lo alone */

static void address_families(void **state)
{
	struct gai_rig *rig = *state;

	open_with(state, plain, NULL, NULL);
	gai_expect(rig, "both.test", AF_INET, AI_ADDRCONFIG, "none: NONAME");
	gai_expect(rig, "both.test", AF_INET6, AI_ADDRCONFIG, "none: NONAME");
	gai_expect_asked(rig, "");
	gai_expect(rig, "127.0.0.1", AF_INET, AI_ADDRCONFIG, "local: 127.0.0.1");
	gai_expect(rig, "four.test", AF_UNSPEC, AI_ADDRCONFIG, "network: 192.0.2.4");
	gai_expect_asked(rig, "A four.test AAAA four.test");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, gai_setup, gai_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(families), TEST(mapped), TEST(halves),
		TEST(options), TEST(one_at_a_time), TEST(canonical_names), TEST(idn),
		TEST(search_goes_on), TEST(search_finds_nothing), TEST(search_is_cut_short),
		TEST(nobody_listens),
		TEST(no_top_level_queries), TEST(nothing_leaves), TEST(guard), TEST(deadlines),
		TEST(without_a_server), TEST(address_families)};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
