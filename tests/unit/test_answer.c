/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of a question, and how it goes into the cache and comes out. Time is the test's. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "t.h"
#include "answer.h"
#include "dns_rig.h"

#define S 1000000000ull
#define T0 (1000 * S)

struct rig {
	struct cache *cache;
	struct msg m;
	union answer_server server;
};

static int setup(void **state)
{
	static struct rig rig;

	rig.server.in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
	inet_pton(AF_INET, "192.0.2.53", &rig.server.in4.sin_addr);
	*state = &rig;
	return cache_new(&rig.cache, 1 << 20, NULL);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	cache_free(rig->cache);
	return 0;
}

static void reply(struct rig *rig, unsigned flags, const char *name, uint16_t type)
{
	msg_begin(&rig->m, M_REPLY | flags);
	msg_question(&rig->m, name, type);
}

static struct answer *answer_at(struct rig *rig, const struct dns_question *q, uint64_t now)
{
	struct answer *a;

	assert_int_equal(answer_new(&a, q, rig->m.b, rig->m.len, &rig->server.sa, now), 0);
	return a;
}

static void status_of_replies(void **state)
{
	static const struct {
		unsigned rcode;
		int status;
	} table[] = {
		{DNS_NOERROR, EAI_NODATA}, {DNS_NXDOMAIN, EAI_NONAME}, {DNS_SERVFAIL, EAI_AGAIN},
		{DNS_REFUSED, EAI_FAIL}, {DNS_NOTIMP, EAI_FAIL}, {DNS_FORMERR, EAI_FAIL},
		{9, EAI_AGAIN},
	};
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	struct answer *a;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		reply(rig, table[i].rcode, "x", DNS_A);
		a = answer_at(rig, &q, T0);
		assert_int_equal(answer_status(a), table[i].status);
		answer_unref(a);
	}
	reply(rig, 0, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	a = answer_at(rig, &q, T0);
	assert_int_equal(answer_status(a), 0);
	assert_ptr_equal(answer_ref(a), a);
	answer_unref(a);
	answer_unref(a);
	answer_unref(NULL);
	a = NULL;
	assert_int_equal(answer_new(&a, &q, rig->m.b, rig->m.len - 1, NULL, T0), -EBADMSG);
	assert_null(a);
}

static void what_an_answer_tells(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	struct vsresolv_info info = {.error = 5, .elapsed_us = 6};
	struct answer *a;

	reply(rig, M_AD, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	a = answer_at(rig, &q, T0);
	answer_info(a, T0, false, &info);
	assert_int_equal(info.source, VSRESOLV_NETWORK);
	assert_int_equal(info.rcode, 0);
	assert_int_equal(info.ad, 0);
	assert_int_equal(info.ttl, 60);
	assert_memory_equal(&info.server, &rig->server.in4, sizeof(rig->server.in4));
	answer_info(a, T0 + 59 * S + 1, true, &info);
	assert_int_equal(info.ad, 1);
	assert_int_equal(info.ttl, 1);
	assert_true(info.error == 5 && info.elapsed_us == 6);
	assert_int_equal(answer_ttl(a, T0 + 60 * S - 1), 1);
	assert_int_equal(answer_ttl(a, T0 + 60 * S), 0);
	answer_unref(a);

	assert_int_equal(answer_new(&a, &q, rig->m.b, rig->m.len, NULL, T0), 0);
	answer_info(a, T0, false, &info);
	assert_int_equal(info.server.ss_family, AF_UNSPEC);
	answer_unref(a);
}

static void store(struct rig *rig, const struct dns_question *q, uint64_t now, unsigned stale)
{
	struct answer *a = answer_at(rig, q, now);

	answer_store(rig->cache, q, a, stale);
	answer_unref(a);
}

static int find(struct rig *rig, const struct dns_question *q, uint64_t now, unsigned flags,
	bool *prefetch)
{
	struct answer *a;
	int rc = answer_find(rig->cache, q, now, flags, &a, prefetch);

	if (rc == 0)
		answer_unref(a);
	return rc;
}

static void through_the_cache(void **state)
{
	struct dns_question q = question_of("www.example", DNS_A);
	struct rig *rig = *state;
	struct answer *a;
	bool prefetch = true;

	reply(rig, M_AD, "WWW.example", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	rig->server.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = 7};
	assert_int_equal(find(rig, &q, T0, 0, &prefetch), -ENOENT);
	assert_true(prefetch);
	store(rig, &q, T0, 0);
	assert_int_equal(answer_find(rig->cache, &q, T0 + 10 * S, 0, &a, &prefetch), 0);
	assert_false(prefetch);
	assert_int_equal(a->source, VSRESOLV_CACHE);
	assert_int_equal(a->refs, 1);
	assert_true(a->written == T0 && a->expires == T0 + 60 * S);
	assert_int_equal(answer_ttl(a, T0 + 10 * S), 50);
	assert_int_equal(a->len, rig->m.len);
	assert_memory_equal(a->message, rig->m.b, a->len);
	assert_memory_equal(&a->server, &rig->server, sizeof(a->server));
	assert_true(a->summary.kind == DNS_POSITIVE && a->summary.ad && a->summary.records == 1);
	answer_unref(a);
	/* The type is part of the question, and so is the name. */
	q.type = DNS_AAAA;
	assert_int_equal(find(rig, &q, T0, 0, &prefetch), -ENOENT);
	q = question_of("ww.example", DNS_A);
	assert_int_equal(find(rig, &q, T0, 0, &prefetch), -ENOENT);
}

static void until_it_expires(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	struct answer *a;
	bool prefetch;

	reply(rig, 0, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	store(rig, &q, T0, 30);
	assert_int_equal(find(rig, &q, T0 + 60 * S - 1, 0, &prefetch), 0);
	assert_int_equal(find(rig, &q, T0 + 60 * S, 0, &prefetch), -ENOENT);
	assert_int_equal(answer_find(rig->cache, &q, T0 + 60 * S, CACHE_STALE, &a, &prefetch), 0);
	assert_int_equal(a->source, VSRESOLV_STALE);
	assert_int_equal(answer_ttl(a, T0 + 60 * S), 0);
	assert_false(prefetch);
	answer_unref(a);
	assert_int_equal(answer_find(rig->cache, &q, T0 + 59 * S, CACHE_STALE, &a, &prefetch), 0);
	assert_int_equal(a->source, VSRESOLV_CACHE);
	answer_unref(a);
	assert_int_equal(find(rig, &q, T0 + 90 * S, CACHE_STALE, &prefetch), -ENOENT);
}

static void what_is_not_kept(void **state)
{
	struct dns_question q = question_of("x", DNS_A), private = question_of("x", 0xff01);
	struct rig *rig = *state;
	bool prefetch;

	reply(rig, DNS_SERVFAIL, "x", DNS_A);
	store(rig, &q, T0, 1000);
	reply(rig, 0, "x", DNS_A); /* NODATA without a SOA */
	store(rig, &q, T0, 1000);
	reply(rig, DNS_NXDOMAIN, "x", DNS_A);
	store(rig, &q, T0, 1000);
	reply(rig, 0, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 0, "192.0.2.1");
	store(rig, &q, T0, 1000);
	reply(rig, M_TC, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	store(rig, &q, T0, 1000);
	assert_int_equal(find(rig, &q, T0, CACHE_STALE, &prefetch), -ENOENT);

	/* A type whose number is that of another space. */
	reply(rig, 0, "x", 0xff01);
	msg_end(&rig->m, msg_record(&rig->m, DNS_ANSWER, M_QNAME, 0xff01, 60));
	store(rig, &private, T0, 0);
	assert_int_equal(find(rig, &private, T0, 0, &prefetch), -ENOENT);

	reply(rig, DNS_NXDOMAIN, "x", DNS_A);
	msg_soa(&rig->m, ".", 300, 60);
	store(rig, &q, T0, 0);
	assert_int_equal(find(rig, &q, T0 + 59 * S, 0, &prefetch), 0);
	assert_int_equal(find(rig, &q, T0 + 60 * S, 0, &prefetch), -ENOENT);
}

static void of_any_size(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	struct answer *a;
	bool prefetch;

	for (unsigned n = 1; n < 1200; n += 7) {
		int rc;

		reply(rig, 0, "x", DNS_A);
		for (unsigned i = 0; i < n; i++)
			msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
		cache_forget(rig->cache, NULL, NULL);
		store(rig, &q, T0, 0);
		rc = answer_find(rig->cache, &q, T0, 0, &a, &prefetch);
		if (rig->m.len + 29 > CACHE_VALUE_MAX) {
			assert_int_equal(rc, -ENOENT);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(a->len, rig->m.len);
		assert_memory_equal(a->message, rig->m.b, a->len);
		assert_int_equal(a->summary.records, n);
		answer_unref(a);
	}
}

static void prefetch_is_due(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	bool prefetch;

	reply(rig, 0, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	store(rig, &q, T0, 0);
	assert_int_equal(find(rig, &q, T0 + 55 * S, 0, &prefetch), 0);
	assert_false(prefetch); /* used once */
	assert_int_equal(find(rig, &q, T0 + 54 * S - 1, 0, &prefetch), 0);
	assert_false(prefetch);
	assert_int_equal(find(rig, &q, T0 + 54 * S, 0, &prefetch), 0);
	assert_true(prefetch);
	/* A tenth is less than a second. */
	reply(rig, 0, "x", DNS_A);
	msg_address(&rig->m, DNS_ANSWER, M_QNAME, 5, "192.0.2.1");
	store(rig, &q, T0, 0);
	assert_int_equal(find(rig, &q, T0, 0, &prefetch), 0);
	assert_int_equal(find(rig, &q, T0 + 4 * S - 1, 0, &prefetch), 0);
	assert_false(prefetch);
	assert_int_equal(find(rig, &q, T0 + 4 * S, 0, &prefetch), 0);
	assert_true(prefetch);
}

/* A response that needs more room than is at hand counts as used like any other. */
static void prefetch_of_a_long_one(void **state)
{
	struct dns_question q = question_of("x", DNS_A);
	struct rig *rig = *state;
	bool prefetch;

	reply(rig, 0, "x", DNS_A);
	for (int i = 0; i < 200; i++)
		msg_address(&rig->m, DNS_ANSWER, M_QNAME, 60, "192.0.2.1");
	store(rig, &q, T0, 0);
	assert_int_equal(find(rig, &q, T0 + 55 * S, 0, &prefetch), 0);
	assert_false(prefetch);
	assert_int_equal(find(rig, &q, T0 + 55 * S, 0, &prefetch), 0);
	assert_true(prefetch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(status_of_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(what_an_answer_tells, setup, teardown),
		cmocka_unit_test_setup_teardown(through_the_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(until_it_expires, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(of_any_size, setup, teardown),
		cmocka_unit_test_setup_teardown(prefetch_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(prefetch_of_a_long_one, setup, teardown),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
