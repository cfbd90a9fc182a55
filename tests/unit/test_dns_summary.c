/* SPDX-License-Identifier: BSD-3-Clause */
/* What replies say of their question: the forms of RFC 2308, chains of CNAMEs, EDNS. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "t.h"
#include "dns_rig.h"

struct expected {
	enum dns_kind kind;
	uint32_t ttl;
	const char *final;
	unsigned records;
};

static void check(const struct msg *m, const char *name, uint16_t type, struct expected e)
{
	struct dns_question q = question_of(name, type);
	struct dns_summary s = msg_summary(m, &q);
	struct dns_name final = name_of(e.final ? e.final : name);

	assert_int_equal(s.kind, e.kind);
	assert_int_equal(s.ttl, e.ttl);
	assert_true(dns_name_equal(&s.final, &final));
	assert_int_equal(s.records, e.records);
}

static void begin(struct msg *m, unsigned flags, const char *name, uint16_t type)
{
	msg_begin(m, M_REPLY | flags);
	msg_question(m, name, type);
}

static void positive(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, 0, "www.example", DNS_A);
	msg_address(&m, DNS_ANSWER, M_QNAME, 300, "192.0.2.1");
	check(&m, "www.example", DNS_A, (struct expected){DNS_POSITIVE, 300, NULL, 1});
	msg_address(&m, DNS_ANSWER, "WWW.EXAMPLE", 60, "192.0.2.2");
	/* None of these is an answer: another name, type, section. */
	msg_address(&m, DNS_ANSWER, "w.example", 1, "192.0.2.3");
	msg_address(&m, DNS_ANSWER, M_QNAME, 2, "2001:db8::1");
	msg_address(&m, DNS_AUTHORITY, M_QNAME, 3, "192.0.2.4");
	msg_address(&m, DNS_ADDITIONAL, M_QNAME, 4, "192.0.2.5");
	check(&m, "www.example", DNS_A, (struct expected){DNS_POSITIVE, 60, NULL, 2});
	check(&m, "WWW.example", DNS_A, (struct expected){DNS_POSITIVE, 60, NULL, 2});
}

static void ttl_limits(void **state)
{
	static const struct {
		uint32_t wire, kept;
	} table[] = {
		{0, 0}, {1, 1}, {86400, 86400}, {86401, 86400}, {0x7fffffff, 86400},
		{0x80000000, 0}, {UINT32_MAX, 0}, /* RFC 2181 section 8 */
	};
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		begin(&m, 0, "x", DNS_A);
		msg_address(&m, DNS_ANSWER, M_QNAME, table[i].wire, "192.0.2.1");
		check(&m, "x", DNS_A, (struct expected){DNS_POSITIVE, table[i].kept, NULL, 1});
	}
}

static void other_class(void **state)
{
	struct msg m;
	size_t at;

	(void)state;
	begin(&m, 0, "x", DNS_A);
	msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	at = m.len - 4 - 10;
	assert_int_equal(m.b[at + 3], 1);
	m.b[at + 3] = 3; /* CHAOS */
	check(&m, "x", DNS_A, (struct expected){DNS_NODATA, 0, NULL, 0});
}

static void any_type(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, 0, "x", DNS_ANY);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "y");
	msg_address(&m, DNS_ANSWER, M_QNAME, 50, "192.0.2.1");
	check(&m, "x", DNS_ANY, (struct expected){DNS_POSITIVE, 50, NULL, 2});
	begin(&m, 0, "x", DNS_CNAME);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "y");
	check(&m, "x", DNS_CNAME, (struct expected){DNS_POSITIVE, 60, NULL, 1});
}

static void chain_in_order(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, 0, "www.example", DNS_A);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 300, "a.example");
	msg_named(&m, DNS_ANSWER, "A.example", DNS_CNAME, 20, "B.example");
	msg_address(&m, DNS_ANSWER, "b.EXAMPLE", 60, "192.0.2.1");
	msg_address(&m, DNS_ANSWER, "b.example", 60, "192.0.2.2");
	check(&m, "www.example", DNS_A, (struct expected){DNS_POSITIVE, 20, "b.example", 2});
}

/* The server's own case, for who wants the canonical name. */
static void final_as_written(void **state)
{
	struct dns_question q = question_of("WWW.example", DNS_A);
	struct dns_name expected = name_of("Web.Example");
	struct dns_summary s;
	struct msg m;

	(void)state;
	begin(&m, 0, "WWW.example", DNS_A);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 300, "Web.Example");
	s = msg_summary(&m, &q);
	assert_memory_equal(s.final.wire, expected.wire, expected.len);
	begin(&m, 0, "wWw.example", DNS_A);
	msg_address(&m, DNS_ANSWER, M_QNAME, 300, "192.0.2.1");
	s = msg_summary(&m, &q);
	assert_memory_equal(s.final.wire, q.name.wire, q.name.len); /* not what 0x20 made of it */
}

static void chain_in_any_order(void **state)
{
	char owner[8], target[8];
	struct msg m;

	(void)state;
	begin(&m, 0, "n0", DNS_A);
	msg_address(&m, DNS_ANSWER, "n16", 60, "192.0.2.1");
	for (unsigned i = DNS_CHAIN_MAX; i > 0; i--) {
		snprintf(owner, sizeof(owner), "n%u", i - 1);
		snprintf(target, sizeof(target), "n%u", i);
		msg_named(&m, DNS_ANSWER, owner, DNS_CNAME, 100 + i, target);
	}
	msg_address(&m, DNS_ANSWER, "n16", 70, "192.0.2.2");
	msg_address(&m, DNS_ANSWER, "n15", 1, "192.0.2.3");
	check(&m, "n0", DNS_A, (struct expected){DNS_POSITIVE, 60, "n16", 2});
	/* One CNAME more is too many, wherever it stands. */
	msg_named(&m, DNS_ANSWER, "n16", DNS_CNAME, 100, "n17");
	msg_address(&m, DNS_ANSWER, "n17", 60, "192.0.2.4");
	check(&m, "n0", DNS_A, (struct expected){DNS_FAILURE, 0, "n16", 0});
}

/* More than a chain can have, of other names, hide what is asked for. */
static void too_many_links(void **state)
{
	char owner[16];
	struct msg m;

	(void)state;
	begin(&m, 0, "n0", DNS_A);
	msg_address(&m, DNS_ANSWER, "end", 60, "192.0.2.1");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(owner, sizeof(owner), "x%u", i);
		msg_named(&m, DNS_ANSWER, owner, DNS_CNAME, 60, "y");
	}
	msg_named(&m, DNS_ANSWER, "n0", DNS_CNAME, 60, "end");
	check(&m, "n0", DNS_A, (struct expected){DNS_FAILURE, 0, "n0", 0});
}

/* ---- what it costs */

/* CNAMEs from behind to front, and as many records as there can be, with names as long as they can
 * be. */
static void make_bomb(struct msg *m, unsigned links)
{
	char name[256] = "", owner[16], target[16];
	size_t record, at;

	for (size_t i = 0; i < 126; i++)
		memcpy(name + 2 * i, i < 125 ? "a." : "a", i < 125 ? 3 : 2);
	begin(m, 0, "n0", DNS_A);
	for (unsigned i = links; i > 0; i--) {
		snprintf(owner, sizeof(owner), "n%u", i - 1);
		snprintf(target, sizeof(target), "n%u", i);
		msg_named(m, DNS_ANSWER, owner, DNS_CNAME, 60, target);
	}
	at = m->len;
	msg_address(m, DNS_ANSWER, name, 60, "192.0.2.1");
	for (unsigned i = 0; i < DNS_RECORDS_MAX - 100; i++) {
		record = m->len;
		msg_u16(m, 0xc000 | (unsigned)at);
		memcpy(m->b + m->len, m->b + record - 14, 14);
		m->len += 14;
	}
	m->b[6] = (uint8_t)((links + DNS_RECORDS_MAX - 99) >> 8);
	m->b[7] = (uint8_t)(links + DNS_RECORDS_MAX - 99);
}

static uint64_t cost_of(const struct msg *m)
{
	struct dns_question q = question_of("n0", DNS_A);
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < 10; i++) {
		struct timespec a, b;
		uint64_t cost;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		msg_summary(m, &q);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		cost = (uint64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (uint64_t)b.tv_nsec -
		       (uint64_t)a.tv_nsec;
		if (cost < least)
			least = cost;
	}
	return least;
}

/* A server must not choose how often a message is read: it is twice. */
static void chains_are_not_multiplied(void **state)
{
	struct msg plain, bomb;

	(void)state;
	make_bomb(&plain, 0);
	make_bomb(&bomb, DNS_CHAIN_MAX);
	assert_true(cost_of(&bomb) < 4 * cost_of(&plain));
}

static void loops(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, 0, "a", DNS_A);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "a");
	check(&m, "a", DNS_A, (struct expected){DNS_FAILURE, 0, "a", 0});
	msg_address(&m, DNS_ANSWER, "a", 60, "192.0.2.1");
	check(&m, "a", DNS_A, (struct expected){DNS_FAILURE, 0, "a", 0});

	begin(&m, 0, "a", DNS_A);
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "b");
	msg_named(&m, DNS_ANSWER, "b", DNS_CNAME, 60, "a");
	check(&m, "a", DNS_A, (struct expected){DNS_FAILURE, 0, "a", 0});
	begin(&m, DNS_NXDOMAIN, "a", DNS_A);
	msg_named(&m, DNS_ANSWER, "c", DNS_CNAME, 60, "b");
	msg_named(&m, DNS_ANSWER, "b", DNS_CNAME, 60, "c");
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "b");
	msg_soa(&m, "c", 60, 60);
	assert_int_equal(msg_summary(&m, &(struct dns_question){name_of("a"), DNS_A}).kind,
		DNS_FAILURE);
}

/* A message whose records are gone over as often as can be is still done in a moment. */
static void the_worst_chain(void **state)
{
	char owner[8], target[8];
	struct msg m;

	(void)state;
	begin(&m, 0, "n0", DNS_A);
	for (unsigned i = 0; i < 3900; i++)
		msg_end(&m, msg_record(&m, DNS_ANSWER, M_QNAME, 99, 60));
	for (unsigned i = DNS_CHAIN_MAX; i > 0; i--) {
		snprintf(owner, sizeof(owner), "n%u", i - 1);
		snprintf(target, sizeof(target), "n%u", i);
		msg_named(&m, DNS_ANSWER, owner, DNS_CNAME, 60, target);
	}
	for (int i = 0; i < 20; i++)
		check(&m, "n0", DNS_A, (struct expected){DNS_NODATA, 0, "n16", 0});
}

static void bad_cname(void **state)
{
	struct dns_question q = question_of("a", DNS_A);
	struct dns_summary s;
	struct msg m;
	size_t at;

	(void)state;
	begin(&m, 0, "a", DNS_A);
	at = msg_record(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60);
	msg_name(&m, "b");
	msg_u8(&m, 0); /* behind the name */
	msg_end(&m, at);
	msg_address(&m, DNS_ANSWER, "b", 60, "192.0.2.1");
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), 0);
	assert_int_equal(dns_summarise(m.b, m.len, &q, &s), -EBADMSG);
	m.b[2] |= 0x02; /* truncated: what was before it counts */
	assert_int_equal(dns_summarise(m.b, m.len, &q, &s), 0);
	assert_int_equal(s.kind, DNS_FAILURE);
	assert_memory_equal(&s.final, &q.name, 1u + q.name.len);
}

/* RFC 2308 section 2.2: types 1 to 3, and 2.2.1: a referral. */
static void nodata(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, 0, "www.example", DNS_AAAA);
	check(&m, "www.example", DNS_AAAA, (struct expected){DNS_NODATA, 0, NULL, 0});
	msg_soa(&m, "example", 300, 60);
	check(&m, "www.example", DNS_AAAA, (struct expected){DNS_NODATA, 60, NULL, 0});
	msg_named(&m, DNS_AUTHORITY, "example", DNS_NS, 5, "ns.example");
	msg_address(&m, DNS_ADDITIONAL, "ns.example", 5, "2001:db8::1");
	check(&m, "www.example", DNS_AAAA, (struct expected){DNS_NODATA, 60, NULL, 0});

	begin(&m, 0, "www.example", DNS_AAAA);
	msg_named(&m, DNS_AUTHORITY, "example", DNS_NS, 300, "ns.example");
	msg_address(&m, DNS_ADDITIONAL, "ns.example", 5, "2001:db8::1");
	check(&m, "www.example", DNS_AAAA, (struct expected){DNS_FAILURE, 0, NULL, 0});
	begin(&m, 0, "www.example", DNS_AAAA); /* a lame server points upwards */
	msg_named(&m, DNS_AUTHORITY, ".", DNS_NS, 300, "a.root-servers.net");
	check(&m, "www.example", DNS_AAAA, (struct expected){DNS_FAILURE, 0, NULL, 0});
}

static void negative_ttls(void **state)
{
	static const struct {
		const char *zone;
		uint32_t ttl, minimum, kept;
	} table[] = {
		{"example", 300, 60, 60}, {"example", 60, 300, 60}, {"example", 0, 300, 0},
		{"example", 300, 0, 0}, {"example", 86400, 86400, 10800},
		{"example", 0x80000001, 60, 0}, {"example", 300, UINT32_MAX, 300},
		{".", 50, 60, 50}, {"www.example", 50, 60, 50}, {"EXAMPLE", 50, 60, 50},
		/* The SOA of a zone that this name is not in says nothing of it. */
		{"other", 50, 60, 0}, {"xample", 50, 60, 0}, {"a.www.example", 50, 60, 0},
	};
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (unsigned nx = 0; nx < 2; nx++) {
			begin(&m, nx ? DNS_NXDOMAIN : 0, "www.example", DNS_A);
			msg_soa(&m, table[i].zone, table[i].ttl, table[i].minimum);
			check(&m, "www.example", DNS_A,
				(struct expected){
					nx ? DNS_NO_NAME : DNS_NODATA, table[i].kept, NULL, 0});
		}
	}
}

static void soa_elsewhere(void **state)
{
	struct msg m;
	size_t at;

	(void)state;
	/* In the wrong section. */
	begin(&m, DNS_NXDOMAIN, "www.example", DNS_A);
	at = m.len;
	msg_soa(&m, "example", 300, 60);
	m.b[9]--;
	m.b[11]++;
	check(&m, "www.example", DNS_A, (struct expected){DNS_NO_NAME, 0, NULL, 0});
	m.b[9]++;
	m.b[11]--;
	check(&m, "www.example", DNS_A, (struct expected){DNS_NO_NAME, 60, NULL, 0});
	/* Data that is too long. */
	m.b[at + 9 + 9]++;
	msg_u8(&m, 0);
	check(&m, "www.example", DNS_A, (struct expected){DNS_NO_NAME, 0, NULL, 0});
}

static void no_name(void **state)
{
	struct msg m;

	(void)state;
	begin(&m, DNS_NXDOMAIN | M_AA, "www.example", DNS_A);
	check(&m, "www.example", DNS_A, (struct expected){DNS_NO_NAME, 0, NULL, 0});
	/* A server that contradicts itself is not believed in what it gives. */
	msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	check(&m, "www.example", DNS_A, (struct expected){DNS_NO_NAME, 0, NULL, 0});
}

static void negative_behind_cnames(void **state)
{
	struct msg m;

	(void)state;
	for (unsigned nx = 0; nx < 2; nx++) {
		enum dns_kind kind = nx ? DNS_NO_NAME : DNS_NODATA;

		begin(&m, nx ? DNS_NXDOMAIN : 0, "www.example", DNS_A);
		msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 40, "gone.other");
		check(&m, "www.example", DNS_A, (struct expected){kind, 0, "gone.other", 0});
		msg_soa(&m, "other", 300, 60);
		check(&m, "www.example", DNS_A, (struct expected){kind, 40, "gone.other", 0});
		/* The SOA of the first name's zone is none of the last one's. */
		begin(&m, nx ? DNS_NXDOMAIN : 0, "www.example", DNS_A);
		msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 40, "gone.other");
		msg_soa(&m, "example", 300, 60);
		check(&m, "www.example", DNS_A, (struct expected){kind, 0, "gone.other", 0});
	}
}

static void failures(void **state)
{
	struct msg m;

	(void)state;
	for (unsigned rcode = 1; rcode < 16; rcode++) {
		if (rcode == DNS_NXDOMAIN)
			continue;
		begin(&m, rcode, "x", DNS_A);
		msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
		msg_soa(&m, "x", 300, 60);
		check(&m, "x", DNS_A, (struct expected){DNS_FAILURE, 0, NULL, 0});
	}
}

static void flags(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct dns_summary s;
	struct msg m;

	(void)state;
	msg_begin(&m, M_QR | M_AD | M_TC);
	msg_question(&m, "x", DNS_A);
	s = msg_summary(&m, &q);
	assert_true(s.ad && s.tc && !s.ra && !s.has_opt);
	assert_int_equal(s.kind, DNS_FAILURE); /* what was cut off may be the answer */
	msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	s = msg_summary(&m, &q);
	assert_int_equal(s.kind, DNS_POSITIVE);
	assert_int_equal(s.ttl, 0);
	msg_begin(&m, M_QR | M_RA);
	msg_question(&m, "x", DNS_A);
	s = msg_summary(&m, &q);
	assert_true(!s.ad && !s.tc && s.ra);
}

static void extended_rcodes(void **state)
{
	static const struct {
		unsigned lower, upper;
		uint16_t rcode;
		enum dns_kind kind;
	} table[] = {
		{0, 0, DNS_NOERROR, DNS_POSITIVE}, {0, 1, DNS_BADVERS, DNS_FAILURE},
		{3, 1, 19, DNS_FAILURE}, {7, 1, 23, DNS_FAILURE}, {0, 0x80, 0x800, DNS_FAILURE},
		{15, 0xff, 0xfff, DNS_FAILURE}, {3, 0, DNS_NXDOMAIN, DNS_NO_NAME},
	};
	struct dns_question q = question_of("x", DNS_A);
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct dns_summary s;

		begin(&m, table[i].lower, "x", DNS_A);
		msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
		msg_opt(&m, DNS_ADDITIONAL, table[i].upper);
		s = msg_summary(&m, &q);
		assert_true(s.has_opt);
		assert_int_equal(s.rcode, table[i].rcode);
		assert_int_equal(s.kind, table[i].kind);
	}
}

static void opt_where_it_must_not_be(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct dns_summary s;
	struct msg m;

	(void)state;
	for (unsigned section = DNS_ANSWER; section <= DNS_AUTHORITY; section++) {
		begin(&m, 0, "x", DNS_A);
		msg_opt(&m, section, 1);
		s = msg_summary(&m, &q);
		assert_false(s.has_opt);
		assert_int_equal(s.rcode, DNS_NOERROR);
	}
	begin(&m, 0, "x", DNS_A);
	msg_opt(&m, DNS_ADDITIONAL, 0);
	msg_opt(&m, DNS_ADDITIONAL, 1);
	assert_int_equal(dns_summarise(m.b, m.len, &q, &s), -EBADMSG);
	begin(&m, 0, "x", DNS_A);
	msg_end(&m, msg_record(&m, DNS_ADDITIONAL, "x", DNS_OPT, 0));
	assert_int_equal(dns_summarise(m.b, m.len, &q, &s), -EBADMSG);
}

/* Records that cannot be read are no answer, and no proof that there is none. */
static void unreadable_records(void **state)
{
	static const struct {
		uint16_t type;
		const char *data;
		size_t len;
	} table[] = {
		{DNS_A, "\1\2\3", 3}, {DNS_A, "\1\2\3\4\5", 5}, {DNS_A, "", 0},
		{DNS_AAAA, "\1\2\3\4", 4}, {DNS_PTR, "\1x", 2}, {DNS_PTR, "\1x\0\0", 4},
		{DNS_PTR, "\xc0\xff", 2}, {DNS_NS, "", 0}, {DNS_SRV, "\0\1\0\1\0\1", 6},
		{DNS_SRV, "\0\1\0\1", 4}, {DNS_SRV, "\0\1\0\1\0\1\3x\0", 9},
	};
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t at;

		begin(&m, 0, "x", table[i].type);
		at = msg_record(&m, DNS_ANSWER, M_QNAME, table[i].type, 60);
		for (size_t j = 0; j < table[i].len; j++)
			msg_u8(&m, (uint8_t)table[i].data[j]);
		msg_end(&m, at);
		check(&m, "x", table[i].type, (struct expected){DNS_FAILURE, 0, NULL, 0});
	}
	begin(&m, 0, "x", DNS_A);
	msg_end(&m, msg_record(&m, DNS_ANSWER, M_QNAME, DNS_A, 1));
	msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	check(&m, "x", DNS_A, (struct expected){DNS_POSITIVE, 60, NULL, 1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positive),
		cmocka_unit_test(ttl_limits),
		cmocka_unit_test(other_class),
		cmocka_unit_test(any_type),
		cmocka_unit_test(chain_in_order),
		cmocka_unit_test(final_as_written),
		cmocka_unit_test(chain_in_any_order),
		cmocka_unit_test(too_many_links),
		cmocka_unit_test(chains_are_not_multiplied),
		cmocka_unit_test(loops),
		cmocka_unit_test(the_worst_chain),
		cmocka_unit_test(bad_cname),
		cmocka_unit_test(nodata),
		cmocka_unit_test(negative_ttls),
		cmocka_unit_test(soa_elsewhere),
		cmocka_unit_test(no_name),
		cmocka_unit_test(negative_behind_cnames),
		cmocka_unit_test(failures),
		cmocka_unit_test(flags),
		cmocka_unit_test(extended_rcodes),
		cmocka_unit_test(opt_where_it_must_not_be),
		cmocka_unit_test(unreadable_records),
	};

	return cmocka_run_group_tests_name("dns_summary", tests, NULL, NULL);
}
