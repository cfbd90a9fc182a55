/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_query() with what the cache has: the message, its age, and what the guard keeps back. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api_rig.h"

#define TTL 300u
#define AGE 100u

/* A response to one question, records put behind it. */
struct response {
	uint8_t bytes[512];
	size_t len;
	struct dns_question question;
};

static void put(struct response *r, const void *data, size_t len)
{
	assert_true(r->len + len <= sizeof(r->bytes));
	memcpy(r->bytes + r->len, data, len);
	r->len += len;
}

static void put16(struct response *r, uint16_t value)
{
	const uint16_t wire = htons(value);

	put(r, &wire, sizeof(wire));
}

static void begin(struct response *r, const char *name, uint16_t type, uint16_t rcode)
{
	static const uint8_t zeros[6];

	*r = (struct response){.question.type = type};
	assert_int_equal(dns_name_parse(&r->question.name, name), 0);
	put16(r, 77);
	put16(r, 0x8180 | rcode);
	put16(r, 1);
	put(r, zeros, sizeof(zeros));
	put(r, r->question.name.wire, r->question.name.len);
	put16(r, type);
	put16(r, 1);
}

static void record(struct response *r, enum dns_section section, const char *owner, uint16_t type,
	const void *data, uint16_t len)
{
	const uint32_t ttl = htonl(TTL);
	struct dns_name name;

	assert_int_equal(dns_name_parse(&name, owner), 0);
	r->bytes[5 + 2 * section]++;
	put(r, name.wire, name.len);
	put16(r, type);
	put16(r, 1);
	put(r, &ttl, sizeof(ttl));
	put16(r, len);
	put(r, data, len);
}

static void address(struct response *r, enum dns_section section, const char *owner,
	const char *text)
{
	const bool is6 = strchr(text, ':') != NULL;
	union dns_address addr;

	assert_int_equal(inet_pton(is6 ? AF_INET6 : AF_INET, text, &addr), 1);
	record(r, section, owner, is6 ? DNS_AAAA : DNS_A, &addr, is6 ? 16 : 4);
}

static void soa(struct response *r)
{
	uint8_t data[22] = {[20] = 1}; /* two roots; MINIMUM 256 */

	record(r, DNS_AUTHORITY, "example", DNS_SOA, data, sizeof(data));
}

/* As if it had come AGE seconds ago. */
static void keep(struct vsresolv *ctx, const struct response *r)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0xc0000201)};
	struct answer *answer;

	assert_int_equal(answer_new(&answer, &r->question, r->bytes, r->len,
				 (const struct sockaddr *)&server, engine_now() - AGE * LOOP_SEC),
		0);
	answer_store(ctx->cache, &r->question, answer, 0);
	answer_unref(answer);
}

struct got {
	int status;
	uint8_t *message;
	size_t len;
	struct vsresolv_info info;
};

static struct got ask(struct vsresolv *ctx, const char *name, uint16_t type)
{
	struct got got = {0};

	got.status = vsresolv_query(ctx, name, type, 0, &got.message, &got.len, &got.info);
	return got;
}

static uint32_t first_ttl(const struct got *got)
{
	struct dns_walk walk;
	struct dns_record r;

	assert_int_equal(dns_walk_begin(&walk, got->message, got->len), 0);
	assert_int_equal(dns_walk_next(&walk, &r), 1);
	return r.ttl;
}

static void what_is_kept_comes_aged(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct response r;
	struct got got;

	(void)state;
	begin(&r, "a.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "a.example", "192.0.2.7");
	keep(ctx, &r);
	got = ask(ctx, "A.Example.", DNS_A);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.len, r.len);
	assert_in_range(first_ttl(&got), TTL - AGE - 1, TTL - AGE);
	assert_in_range(got.info.ttl, TTL - AGE - 1, TTL - AGE);
	assert_int_equal(got.info.source, VSRESOLV_CACHE);
	assert_int_equal(got.info.rcode, 0);
	assert_int_equal(got.info.server.ss_family, AF_INET);
	vsresolv_free(got.message);
	assert_int_equal(ask(ctx, "a.example", DNS_AAAA).status, EAI_AGAIN);
	vsresolv_close(ctx);
}

static void negative_answers_bring_their_message(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct response r;
	struct got got;

	(void)state;
	begin(&r, "no.example", DNS_A, DNS_NXDOMAIN);
	soa(&r);
	keep(ctx, &r);
	got = ask(ctx, "no.example", DNS_A);
	assert_int_equal(got.status, EAI_NONAME);
	assert_int_equal(got.info.rcode, DNS_NXDOMAIN);
	assert_int_equal(got.len, r.len);
	vsresolv_free(got.message);

	begin(&r, "a.example", DNS_AAAA, 0);
	soa(&r);
	keep(ctx, &r);
	got = ask(ctx, "a.example", DNS_AAAA);
	assert_int_equal(got.status, EAI_NODATA);
	assert_non_null(got.message);
	vsresolv_free(got.message);
	vsresolv_close(ctx);
}

static void flush_forgets_a_name(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct response r;
	struct got got;

	(void)state;
	begin(&r, "a.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "a.example", "192.0.2.7");
	keep(ctx, &r);
	begin(&r, "a.example", DNS_AAAA, 0);
	address(&r, DNS_ANSWER, "a.example", "2001:db8::7");
	keep(ctx, &r);
	begin(&r, "b.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "b.example", "192.0.2.8");
	keep(ctx, &r);
	assert_int_equal(vsresolv_flush(ctx, "A.example"), 0);
	assert_int_equal(ask(ctx, "a.example", DNS_A).status, EAI_AGAIN);
	assert_int_equal(ask(ctx, "a.example", DNS_AAAA).status, EAI_AGAIN);
	got = ask(ctx, "b.example", DNS_A);
	assert_int_equal(got.status, 0);
	vsresolv_free(got.message);
	assert_int_equal(vsresolv_flush(ctx, NULL), 0);
	assert_int_equal(ask(ctx, "b.example", DNS_A).status, EAI_AGAIN);
	vsresolv_close(ctx);
}

static void wrong_questions(void **state)
{
	static const uint16_t types[] = {0, DNS_OPT, 250, 251, 252};
	struct vsresolv *ctx = api_open(NULL);
	struct got got;

	(void)state;
	assert_int_equal(ask(ctx, "a..example", DNS_A).status, EAI_NONAME);
	assert_int_equal(ask(ctx, NULL, DNS_A).status, EAI_NONAME);
	assert_int_equal(ask(ctx, "b\xc3\xbc" "cher.example", DNS_A).status, EAI_IDN_ENCODE);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		got = ask(ctx, "a.example", types[i]);
		assert_int_equal(got.status, EAI_SYSTEM);
		assert_int_equal(got.info.error, -EOPNOTSUPP);
	}
	vsresolv_close(ctx);
}

static void no_server_is_an_error(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;
	struct got got;

	(void)state;
	assert_int_equal(vsresolv_open(&ctx, NULL, &config), 0);
	got = ask(ctx, "a.example", DNS_A);
	assert_int_equal(got.status, EAI_SYSTEM);
	assert_int_equal(got.info.error, -EDESTADDRREQ);
	vsresolv_close(ctx);
}

/* ---- the guard */

static struct vsresolv *open_guarded(void)
{
	static const char *const servers[] = {"127.0.0.1:9", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;

	config.servers = servers;
	config.flags = VSRESOLV_GUARD;
	assert_int_equal(vsresolv_open(&ctx, NULL, &config), 0);
	return ctx;
}

static void the_guard_keeps_messages_back(void **state)
{
	struct vsresolv *ctx = open_guarded();
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct response r;
	struct got got;

	(void)state;
	begin(&r, "a.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "a.example", "192.0.2.7");
	address(&r, DNS_ANSWER, "a.example", "127.0.0.1");
	keep(ctx, &r);
	got = ask(ctx, "a.example", DNS_A);
	assert_int_equal(got.status, EAI_NODATA);
	assert_null(got.message);
	begin(&r, "a.example", DNS_AAAA, 0);
	address(&r, DNS_ANSWER, "a.example", "::1");
	keep(ctx, &r);
	got = ask(ctx, "a.example", DNS_AAAA);
	assert_int_equal(got.status, EAI_NODATA);
	assert_null(got.message);
	assert_int_equal(vsresolv_stats(ctx, &stats), 0);
	assert_int_equal(stats.guarded, 2);
	vsresolv_close(ctx);
}

/* Name servers' addresses belong to no answer, those of an SRV target do. */
static void additional_addresses(void **state)
{
	static const uint8_t srv[] = {
		0, 1, 0, 1, 0, 80, 1, 'h', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
	struct vsresolv *ctx = open_guarded();
	struct response r;
	struct got got;

	(void)state;
	begin(&r, "a.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "a.example", "192.0.2.7");
	address(&r, DNS_ADDITIONAL, "ns.example", "127.0.0.1");
	keep(ctx, &r);
	got = ask(ctx, "a.example", DNS_A);
	assert_int_equal(got.status, 0);
	vsresolv_free(got.message);
	begin(&r, "_x._tcp.example", DNS_SRV, 0);
	record(&r, DNS_ANSWER, "_x._tcp.example", DNS_SRV, srv, sizeof(srv));
	address(&r, DNS_ADDITIONAL, "h.example", "127.0.0.1");
	keep(ctx, &r);
	got = ask(ctx, "_x._tcp.example", DNS_SRV);
	assert_int_equal(got.status, EAI_NODATA);
	assert_null(got.message);
	vsresolv_close(ctx);
}

/* ---- asynchronous */

static void note(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	struct got *got = arg;

	*got = (struct got){status, message, len, *info};
}

static void by_callback(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	struct got got = {.status = 99}, wrong = {.status = 99};
	struct response r;
	uint64_t id;

	(void)state;
	begin(&r, "a.example", DNS_A, 0);
	address(&r, DNS_ANSWER, "a.example", "192.0.2.7");
	keep(ctx, &r);
	assert_int_equal(
		vsresolv_query_start(ctx, "a.example", DNS_A, 0, NULL, NULL, &id), -EINVAL);
	assert_int_equal(vsresolv_query_start(ctx, "a.example", DNS_A, 1000, note, &got, &id), 0);
	assert_int_equal(
		vsresolv_query_start(ctx, "a..example", DNS_A, 1000, note, &wrong, NULL), 0);
	assert_int_equal(got.status, 99);
	assert_int_equal(vsresolv_process(loop), 2);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.len, r.len);
	assert_int_equal(wrong.status, EAI_NONAME);
	assert_null(wrong.message);
	vsresolv_free(got.message);
	/* The message of one that is not delivered goes with it. */
	assert_int_equal(vsresolv_query_start(ctx, "a.example", DNS_A, 1000, note, &got, &id), 0);
	assert_int_equal(vsresolv_cancel(loop, id), 0);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_comes_aged),
		cmocka_unit_test(negative_answers_bring_their_message),
		cmocka_unit_test(flush_forgets_a_name),
		cmocka_unit_test(wrong_questions),
		cmocka_unit_test(no_server_is_an_error),
		cmocka_unit_test(the_guard_keeps_messages_back),
		cmocka_unit_test(additional_addresses),
		cmocka_unit_test(by_callback),
	};

	return cmocka_run_group_tests_name("query_raw", tests, NULL, NULL);
}
