/* SPDX-License-Identifier: BSD-3-Clause */
/* Header, records, TTLs, and which message is a reply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "dns_rig.h"

static void header_is_read(void **state)
{
	static const uint8_t all[12] = {0x12, 0x34, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t none[12] = {0x12, 0x34, 0x00, 0x40};
	struct dns_header h;

	(void)state;
	assert_int_equal(dns_header_read(all, 12, &h), 0);
	assert_int_equal(h.id, 0x1234);
	assert_true(h.qr && h.aa && h.tc && h.rd && h.ra && h.ad && h.cd);
	assert_int_equal(h.opcode, 15);
	assert_int_equal(h.rcode, 15);
	assert_true(h.count[0] == 0x102 && h.count[1] == 0x304 && h.count[2] == 0x506 &&
		    h.count[3] == 0x708);
	assert_int_equal(dns_header_read(none, 12, &h), 0);
	assert_false(h.qr || h.aa || h.tc || h.rd || h.ra || h.ad || h.cd);
	assert_true(h.opcode == 0 && h.rcode == 0 && h.count[0] == 0);
	assert_int_equal(dns_header_read(all, 11, &h), -EBADMSG);
}

static void sample(struct msg *m)
{
	msg_begin(m, M_REPLY);
	msg_question(m, "www.example", DNS_A);
	msg_named(m, DNS_ANSWER, M_QNAME, DNS_CNAME, 300, "web.example");
	msg_address(m, DNS_ANSWER, "web.example", 60, "192.0.2.1");
	msg_named(m, DNS_AUTHORITY, "example", DNS_NS, 0x80000001, "ns.example");
	msg_address(m, DNS_ADDITIONAL, "ns.example", 0x7fffffff, "2001:db8::1");
	msg_opt(m, DNS_ADDITIONAL, 0x80);
}

static void records_are_walked(void **state)
{
	static const struct {
		enum dns_section section;
		uint16_t type, data_len;
		uint32_t ttl;
		const char *owner;
	} table[] = {
		{DNS_ANSWER, DNS_CNAME, 13, 300, "www.example"},
		{DNS_ANSWER, DNS_A, 4, 60, "web.example"},
		{DNS_AUTHORITY, DNS_NS, 12, 0, "example"}, /* RFC 2181 section 8 */
		{DNS_ADDITIONAL, DNS_AAAA, 16, 0x7fffffff, "ns.example"},
		{DNS_ADDITIONAL, DNS_OPT, 0, 0, "."},
	};
	struct dns_walk walk;
	struct dns_record r;
	struct msg m;

	(void)state;
	sample(&m);
	assert_int_equal(dns_walk_begin(&walk, m.b, m.len), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct dns_name owner = name_of(table[i].owner);

		assert_int_equal(dns_walk_next(&walk, &r), 1);
		assert_int_equal(r.section, table[i].section);
		assert_int_equal(r.type, table[i].type);
		assert_int_equal(r.class, r.type == DNS_OPT ? 1232 : 1);
		assert_int_equal(r.ttl, table[i].ttl);
		assert_int_equal(r.data_len, table[i].data_len);
		assert_int_equal(r.data, r.ttl_at + 6);
		assert_true(dns_name_equal(&r.owner, &owner));
	}
	assert_int_equal(dns_walk_next(&walk, &r), 0);
	assert_int_equal(dns_walk_next(&walk, &r), 0);
}

/* In memory of its very size, for the sanitizer's sake. */
static void cut_messages(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	struct dns_summary summary;
	struct msg m;

	(void)state;
	sample(&m);
	for (size_t len = 0; len < m.len; len++) {
		uint8_t *cut = malloc(len + 1);

		assert_non_null(cut);
		memcpy(cut + 1, m.b, len);
		assert_int_equal(dns_is_reply(cut + 1, len, M_ID, &q, NULL), -EBADMSG);
		assert_int_equal(dns_summarise(cut + 1, len, &q, &summary), -EBADMSG);
		free(cut);
	}
	/* What is behind the last record is none of ours. */
	msg_u32(&m, 0xdeadbeef);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), 0);
}

static void records_without_end(void **state)
{
	struct dns_question q = question_of("a", DNS_A);
	struct dns_walk walk;
	struct msg m;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "a", DNS_A);
	for (unsigned i = 1; i < DNS_RECORDS_MAX; i++)
		msg_end(&m, msg_record(&m, DNS_ANSWER, M_QNAME, 99, 0));
	assert_int_equal(dns_walk_begin(&walk, m.b, m.len), 0);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), 0);
	msg_end(&m, msg_record(&m, DNS_ANSWER, M_QNAME, 99, 0));
	assert_int_equal(dns_walk_begin(&walk, m.b, m.len), -EBADMSG);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), -EBADMSG);
	m.b[2] |= 0x02; /* truncated makes it no better */
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), -EBADMSG);
}

static void replies_and_others(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		int rc;
	} table[] = {
		{"as it is", 0, M_ID >> 8, 0},
		{"another id", 1, 0x1e, -EBADMSG},
		{"a query", 2, 0x00, -EBADMSG},
		{"a NOTIFY", 2, 0xa0, -EBADMSG},
		{"truncated", 2, 0x82, 0},
		{"authoritative", 2, 0x84, 0},
		{"SERVFAIL", 3, 0x82, 0},
		{"no question", 5, 0, -EBADMSG},
		{"two questions", 5, 2, -EBADMSG},
		{"257 questions", 4, 1, -EBADMSG},
		{"another name", 13, 'v', -EBADMSG},
		{"another case", 13, 'W', 0},
		{"a longer label", 12, 4, -EBADMSG},
		{"another type", 26, DNS_AAAA, -EBADMSG},
		{"another class", 28, 3, -EBADMSG},
		{"one record too many", 7, 3, -EBADMSG},
	};
	struct dns_question q = question_of("www.example", DNS_A);
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		sample(&m);
		m.b[table[i].at] = table[i].value;
		if (dns_is_reply(m.b, m.len, M_ID, &q, NULL) != table[i].rc)
			fail_msg("%s", table[i].what);
	}
}

static void case_as_sent(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	struct dns_name sent = name_of("wWw.eXampLe"), other = name_of("wWw.eXample");
	struct msg m;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "wWw.eXampLe", DNS_A);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), 0);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, &sent), 0);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, &other), -EBADMSG);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, &q.name), -EBADMSG);
	sent = name_of("wWw.eXampLe.x");
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, &sent), -EBADMSG);
}

static void question_twice(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	struct msg m;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "www.example", DNS_A);
	msg_question(&m, "www.example", DNS_A);
	assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), -EBADMSG);
}

static void question_left_out(void **state)
{
	static const struct {
		unsigned rcode;
		int rc;
	} table[] = {
		{DNS_FORMERR, 0},
		{DNS_NOTIMP, 0},
		{DNS_NOERROR, -EBADMSG},
		{DNS_SERVFAIL, -EBADMSG},
		{DNS_NXDOMAIN, -EBADMSG},
		{DNS_REFUSED, -EBADMSG},
	};
	struct dns_question q = question_of("www.example", DNS_A);
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		msg_begin(&m, M_REPLY | table[i].rcode);
		assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, &q.name), table[i].rc);
		assert_int_equal(dns_is_reply(m.b, m.len, M_ID + 1, &q, NULL), -EBADMSG);
		msg_address(&m, DNS_ANSWER, "www.example", 60, "192.0.2.1");
		assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), -EBADMSG);
		msg_begin(&m, M_REPLY | table[i].rcode);
		msg_soa(&m, "example", 60, 60);
		assert_int_equal(dns_is_reply(m.b, m.len, M_ID, &q, NULL), -EBADMSG);
	}
	msg_begin(&m, M_REPLY | DNS_FORMERR);
	msg_opt(&m, DNS_ADDITIONAL, 0);
	assert_int_equal(msg_summary(&m, &q).kind, DNS_FAILURE);
}

static void truncated_anywhere(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	struct dns_summary summary;
	struct msg m;
	size_t question_end = 12 + 13 + 4;

	(void)state;
	sample(&m);
	m.b[2] |= 0x02;
	for (size_t len = 12; len < m.len; len++) {
		int rc = dns_is_reply(m.b, len, M_ID, &q, NULL);

		assert_int_equal(rc, len < question_end ? -EBADMSG : 0);
		if (rc < 0)
			continue;
		assert_int_equal(dns_summarise(m.b, len, &q, &summary), 0);
		assert_true(summary.tc);
		assert_int_equal(summary.ttl, 0);
		assert_int_not_equal(summary.kind, DNS_NODATA);
	}
}

static void ttls_age(void **state)
{
	static const uint32_t ages[] = {0, 1, 59, 60, 61, 299, 300, 301, 0x7ffffffe, 0x7fffffff,
		0x80000000, UINT32_MAX};
	static const uint32_t ttls[] = {300, 60, 0, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct dns_walk walk;
		struct dns_record r;
		struct msg m;

		sample(&m);
		dns_age(m.b, m.len, ages[i]);
		assert_int_equal(dns_walk_begin(&walk, m.b, m.len), 0);
		for (size_t j = 0; j < 4; j++) {
			assert_int_equal(dns_walk_next(&walk, &r), 1);
			assert_int_equal(r.ttl, ttls[j] > ages[i] ? ttls[j] - ages[i] : 0);
		}
		assert_int_equal(dns_walk_next(&walk, &r), 1);
		assert_int_equal(m.b[r.ttl_at], 0x80); /* the OPT's flags */
	}
}

/* Aged twice is aged by the sum, and nothing but TTLs changes. */
static void ageing_adds_up(void **state)
{
	struct msg once, twice, before;
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		uint32_t a = msg_pick(&random, 100000), b = msg_pick(&random, 100000);

		msg_begin(&once, M_REPLY);
		msg_question(&once, "x", DNS_A);
		for (unsigned n = msg_pick(&random, 8); n > 0; n--)
			msg_address(&once, 1 + msg_pick(&random, 3), M_QNAME,
				(uint32_t)msg_random(&random) >> msg_pick(&random, 32),
				"192.0.2.1");
		memcpy(&twice, &once, offsetof(struct msg, b) + once.len);
		memcpy(&before, &once, offsetof(struct msg, b) + once.len);
		dns_age(once.b, once.len, a + b);
		dns_age(twice.b, twice.len, a);
		dns_age(twice.b, twice.len, b);
		assert_memory_equal(once.b, twice.b, once.len);
		dns_age(before.b, before.len, UINT32_MAX);
		dns_age(once.b, once.len, UINT32_MAX);
		assert_memory_equal(once.b, before.b, once.len);
	}
}

/* A hostile server's: the second record's owner is the last byte of the first one's TTL, the root,
 * and no name at all once that has aged. */
static void ageing_follows_no_names(void **state)
{
	struct msg m;
	size_t ttl1, ttl3;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "x", DNS_A);
	msg_address(&m, DNS_ANSWER, M_QNAME, 0x12c00, "192.0.2.1");
	ttl1 = m.len - 4 - 2 - 4;
	msg_address(&m, DNS_ANSWER, M_QNAME, 300, "192.0.2.2");
	m.b[m.len - 4 - 10 - 1] = (uint8_t)(ttl1 + 3);
	msg_address(&m, DNS_ANSWER, M_QNAME, 300, "192.0.2.3");
	ttl3 = m.len - 4 - 2 - 4;
	dns_age(m.b, m.len, 0x60);
	assert_memory_equal(m.b + ttl1, "\0\1\x2b\xa0", 4);
	assert_memory_equal(m.b + ttl3, "\0\0\0\xcc", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_read),
		cmocka_unit_test(records_are_walked),
		cmocka_unit_test(cut_messages),
		cmocka_unit_test(records_without_end),
		cmocka_unit_test(replies_and_others),
		cmocka_unit_test(case_as_sent),
		cmocka_unit_test(question_twice),
		cmocka_unit_test(question_left_out),
		cmocka_unit_test(truncated_anywhere),
		cmocka_unit_test(ttls_age),
		cmocka_unit_test(ageing_adds_up),
		cmocka_unit_test(ageing_follows_no_names),
	};

	return cmocka_run_group_tests_name("dns_message", tests, NULL, NULL);
}
