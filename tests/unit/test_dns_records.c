/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading addresses, SRV and names; writing queries. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "t.h"
#include "dns_query.h"
#include "dns_rig.h"

static void addresses(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	union dns_address a[4];
	struct dns_summary s;
	struct msg m;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "www.example", DNS_A);
	msg_address(&m, DNS_ANSWER, M_QNAME, 60, "192.0.2.9");
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "web.example");
	msg_address(&m, DNS_ANSWER, "web.example", 60, "192.0.2.1");
	msg_address(&m, DNS_ANSWER, "web.example", 60, "2001:db8::1");
	msg_end(&m, msg_record(&m, DNS_ANSWER, "web.example", DNS_A, 60));
	msg_address(&m, DNS_ANSWER, "WEB.example", 60, "192.0.2.2");
	msg_address(&m, DNS_ADDITIONAL, "web.example", 60, "192.0.2.3");
	s = msg_summary(&m, &q);
	assert_int_equal(s.records, 2);
	assert_int_equal(dns_read_addresses(m.b, m.len, &q, &s, a, 4), 2);
	assert_int_equal(ntohl(a[0].in4.s_addr), 0xc0000201);
	assert_int_equal(ntohl(a[1].in4.s_addr), 0xc0000202);
	memset(a, 0, sizeof(a));
	assert_int_equal(dns_read_addresses(m.b, m.len, &q, &s, a, 1), 2);
	assert_int_equal(a[1].in4.s_addr, 0);
	assert_int_equal(dns_read_addresses(m.b, m.len, &q, &s, NULL, 0), 2);
	q.type = DNS_AAAA;
	assert_int_equal(dns_read_addresses(m.b, m.len, &q, &s, a, 4), 1);
	assert_memory_equal(&a[0].in6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	q.type = DNS_PTR;
	assert_int_equal(dns_read_addresses(m.b, m.len, &q, &s, a, 4), 0);
}

static void additional(void **state)
{
	struct dns_name owner = name_of("DC1.example");
	union dns_address a[2];
	uint32_t ttl = 77;
	struct msg m;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "_ldap._tcp.example", DNS_SRV);
	msg_address(&m, DNS_ANSWER, "dc1.example", 5, "192.0.2.1");
	msg_address(&m, DNS_AUTHORITY, "dc1.example", 5, "192.0.2.2");
	assert_int_equal(dns_read_additional(m.b, m.len, &owner, DNS_A, a, 2, &ttl), 0);
	assert_int_equal(ttl, 77);
	msg_address(&m, DNS_ADDITIONAL, "dc2.example", 5, "192.0.2.3");
	msg_address(&m, DNS_ADDITIONAL, "dc1.example", 60, "192.0.2.4");
	msg_address(&m, DNS_ADDITIONAL, "dc1.example", 30, "2001:db8::1");
	msg_address(&m, DNS_ADDITIONAL, "dc1.example", 40, "192.0.2.5");
	msg_opt(&m, DNS_ADDITIONAL, 0);
	assert_int_equal(dns_read_additional(m.b, m.len, &owner, DNS_A, a, 2, &ttl), 2);
	assert_int_equal(ttl, 40);
	assert_int_equal(ntohl(a[0].in4.s_addr), 0xc0000204);
	assert_int_equal(ntohl(a[1].in4.s_addr), 0xc0000205);
	assert_int_equal(dns_read_additional(m.b, m.len, &owner, DNS_AAAA, a, 2, &ttl), 1);
	assert_int_equal(ttl, 30);
	assert_int_equal(dns_read_additional(m.b, m.len, &owner, DNS_SRV, a, 2, &ttl), 0);
	assert_int_equal(dns_read_additional(m.b, m.len - 1, &owner, DNS_A, a, 2, &ttl), 2);
	assert_int_equal(dns_read_additional(m.b, 20, &owner, DNS_A, a, 2, &ttl), 0);
}

static void srv(void **state)
{
	struct dns_question q = question_of("_ldap._tcp.example", DNS_SRV);
	struct dns_name dc1 = name_of("dc1.example"), root = name_of(".");
	struct dns_summary s;
	struct dns_srv r[4];
	struct msg m;
	size_t at;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "_ldap._tcp.example", DNS_SRV);
	msg_srv(&m, M_QNAME, 600, 0, 100, 389, "dc1.example");
	at = msg_record(&m, DNS_ANSWER, M_QNAME, DNS_SRV, 600);
	msg_u32(&m, 0);
	msg_end(&m, at);
	msg_srv(&m, M_QNAME, 300, 65535, 65534, 65533, ".");
	s = msg_summary(&m, &q);
	assert_int_equal(s.records, 2);
	assert_int_equal(s.ttl, 300);
	assert_int_equal(dns_read_srv(m.b, m.len, &q, &s, r, 4), 2);
	assert_true(r[0].priority == 0 && r[0].weight == 100 && r[0].port == 389);
	assert_int_equal(r[0].ttl, 600);
	assert_true(dns_name_equal(&r[0].target, &dc1));
	assert_true(r[1].priority == 65535 && r[1].weight == 65534 && r[1].port == 65533);
	assert_int_equal(r[1].ttl, 300);
	assert_true(dns_name_equal(&r[1].target, &root));
	r[1].port = 1;
	assert_int_equal(dns_read_srv(m.b, m.len, &q, &s, r, 1), 2);
	assert_int_equal(r[1].port, 1);
	assert_int_equal(dns_read_srv(m.b, m.len, &q, &s, NULL, 0), 2);
	q.type = DNS_A;
	assert_int_equal(dns_read_srv(m.b, m.len, &q, &s, r, 4), 0);
}

static void names(void **state)
{
	struct dns_question q = question_of("1.2.0.192.in-addr.arpa", DNS_PTR);
	struct dns_name n[3], a = name_of("a.example"), b = name_of("B.example");
	struct dns_summary s;
	struct msg m;
	size_t at;

	(void)state;
	msg_begin(&m, M_REPLY);
	msg_question(&m, "1.2.0.192.in-addr.arpa", DNS_PTR);
	/* RFC 2317: by way of a CNAME. */
	msg_named(&m, DNS_ANSWER, M_QNAME, DNS_CNAME, 60, "1.0/25.2.0.192.in-addr.arpa");
	msg_named(&m, DNS_ANSWER, "1.0/25.2.0.192.in-addr.arpa", DNS_PTR, 60, "a.example");
	at = msg_record(&m, DNS_ANSWER, "1.0/25.2.0.192.in-addr.arpa", DNS_PTR, 60);
	msg_u8(&m, 1);
	msg_u8(&m, 'B');
	msg_u16(&m, 0xc000 | (unsigned)(at - 10 - 29 - 9)); /* "example" of the PTR before */
	msg_end(&m, at);
	s = msg_summary(&m, &q);
	assert_int_equal(s.records, 2);
	assert_int_equal(dns_read_names(m.b, m.len, &q, &s, n, 3), 2);
	assert_true(dns_name_equal(&n[0], &a) && dns_name_equal(&n[1], &b));
	assert_int_equal(n[1].wire[1], 'B');
	n[1] = a;
	assert_int_equal(dns_read_names(m.b, m.len, &q, &s, n, 1), 2);
	assert_true(dns_name_equal(&n[1], &a));
	q.type = DNS_SRV;
	assert_int_equal(dns_read_names(m.b, m.len, &q, &s, n, 3), 0);
}

static void queries(void **state)
{
	static const uint8_t expected[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'd', 'c',
		'1', 4, 'c', 'o', 'r', 'p', 0, 0, 1, 0, 1};
	static const uint8_t opt[] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
	struct dns_question q = question_of("dc1.corp", DNS_A);
	struct dns_query_options options = {.id = 0x1234};
	uint8_t m[DNS_QUERY_MAX];
	struct dns_name sent;

	(void)state;
	assert_int_equal(dns_query_write(&q, &options, m, &sent), sizeof(expected));
	assert_memory_equal(m, expected, sizeof(expected));
	assert_memory_equal(sent.wire, q.name.wire, q.name.len);
	options.ad = true;
	assert_int_equal(dns_query_write(&q, &options, m, &sent), sizeof(expected));
	assert_int_equal(m[3], 0x20);
	options.ad = false;
	options.edns = true;
	assert_int_equal(dns_query_write(&q, &options, m, &sent), sizeof(expected) + sizeof(opt));
	assert_int_equal(m[11], 1);
	m[11] = 0;
	assert_memory_equal(m, expected, sizeof(expected));
	assert_memory_equal(m + sizeof(expected), opt, sizeof(opt));
}

static void case_of_queries(void **state)
{
	struct dns_question q = question_of("ab-1.c_d.\\193z", 0xfffe);
	struct dns_query_options options = {.case_bits = {0x15}}; /* letters 0, 2, 4: a, c, z */
	struct dns_name sent, expected = name_of("Ab-1.C_d.\\193Z");
	uint8_t m[DNS_QUERY_MAX];
	int len;

	(void)state;
	len = dns_query_write(&q, &options, m, &sent);
	assert_int_equal(len, 12 + q.name.len + 4);
	assert_int_equal(sent.len, expected.len);
	assert_memory_equal(sent.wire, expected.wire, expected.len);
	assert_memory_equal(m + 12, expected.wire, expected.len);
	m[2] |= 0x80;
	assert_int_equal(dns_is_reply(m, (size_t)len, 0, &q, &sent), 0);
	assert_int_equal(dns_is_reply(m, (size_t)len, 0, &q, &q.name), -EBADMSG);
}

/* Any name and type can be asked for, but for .onion. */
static void names_of_queries(void **state)
{
	struct dns_query_options options = {.id = 9, .edns = true};
	uint8_t m[DNS_QUERY_MAX];
	uint64_t random = 3;
	struct dns_name sent;
	struct dns_question onion;

	(void)state;
	memset(options.case_bits, 0xff, sizeof(options.case_bits));
	for (int i = 0; i < 5000; i++) {
		struct dns_question q = {.type = (uint16_t)msg_random(&random)};
		unsigned at = 0, label, end = i == 0 ? 254 : msg_pick(&random, DNS_NAME_MAX);
		int len;

		while (at + 2 <= end) {
			label = 1 + msg_pick(&random, end - at - 1 < 63 ? end - at - 1 : 63);
			q.name.wire[at] = (uint8_t)label;
			for (unsigned j = 1; j <= label; j++)
				q.name.wire[at + j] = (uint8_t)msg_random(&random);
			at += label + 1;
		}
		q.name.len = (uint8_t)(at + 1);
		dns_name_lower(&q.name);
		len = dns_query_write(&q, &options, m, &sent);
		assert_int_equal(len, 12 + q.name.len + 4 + 11);
		assert_true(dns_name_equal(&sent, &q.name));
		m[2] |= 0x80;
		assert_int_equal(dns_is_reply(m, (size_t)len, 9, &q, &sent), 0);
	}
	onion = question_of("x.onion", DNS_A);
	assert_int_equal(dns_query_write(&onion, &options, m, &sent), -EINVAL);
	onion = question_of("onion", DNS_SRV);
	assert_int_equal(dns_query_write(&onion, &options, m, &sent), -EINVAL);
	onion = question_of("onion.example", DNS_A);
	assert_true(dns_query_write(&onion, &options, m, &sent) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(additional),
		cmocka_unit_test(srv),
		cmocka_unit_test(names),
		cmocka_unit_test(queries),
		cmocka_unit_test(case_of_queries),
		cmocka_unit_test(names_of_queries),
	};

	return cmocka_run_group_tests_name("dns_records", tests, NULL, NULL);
}
