/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader beside c-ares' own parsers, on messages made at random, half of them with some bytes
 * changed: where both accept a message they must say the same of it.
 *
 * Where ours is stricter on purpose, and c-ares 1.18.1 takes the message:
 * - c-ares looks at no flag or rcode, and reads neither the authority nor the additional section.
 * - Pointers: c-ares follows them forwards and into the header, and has no limit for a name.
 * - c-ares takes the target of any CNAME for the name to go on with, whosever it is, and records
 *   that stand before it for an answer, too. Ours follows those of the name alone, in any order.
 *   So what is compared is messages whose chain is in order and has no others in it (is_plain()).
 * - c-ares takes SRV records of any owner for an answer.
 * - A record of the type that cannot be read is to c-ares as if it were not there, or the end; and
 *   it does not look whether the name in a record's data ends where the data does.
 * - A label that is a single NUL byte is to c-ares the end of a name.
 * c-ares is stricter in that it accepts no CNAME, PTR or SRV to what is not a host name.
 */
#define CARES_NO_DEPRECATED

#include <arpa/inet.h>
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "dns_message_records.h"
#include "dns_query.h"
#include "dns_rig.h"

#define ROUNDS 8000
#define RECORDS_MAX 64

static const char *const pool[] = {"n0.x", "n1.x", "n2.x", "n3.x.example", "N1.X", "."};
#define POOL (sizeof(pool) / sizeof(pool[0]))
#define OWNERS (POOL - 1)

/* A message in the making: where the names of the pool stand first. */
struct making {
	struct msg m;
	uint64_t *random;
	unsigned at[POOL];
	uint8_t *exact; /* the message, in memory of its very size */
};

static void put_name(struct making *k, unsigned n)
{
	if (k->at[n] && msg_pick(k->random, 3)) {
		msg_u16(&k->m, 0xc000 | k->at[n]);
		return;
	}
	if (!k->at[n])
		k->at[n] = (unsigned)k->m.len;
	msg_name(&k->m, pool[n]);
}

static size_t begin_record(struct making *k, enum dns_section section, unsigned owner,
	uint16_t type)
{
	uint32_t ttl = msg_pick(k->random, 8) ? msg_pick(k->random, 100000)
					      : (uint32_t)msg_random(k->random);

	k->m.b[5 + 2 * section]++;
	put_name(k, owner);
	msg_u16(&k->m, type);
	msg_u16(&k->m, 1);
	msg_u32(&k->m, ttl);
	msg_u16(&k->m, 0);
	return k->m.len;
}

static void put_record(struct making *k, enum dns_section section, unsigned owner, uint16_t type,
	unsigned target)
{
	size_t at = begin_record(k, section, owner, type);

	switch (type) {
	case DNS_A:
		msg_u32(&k->m, (uint32_t)msg_random(k->random));
		break;
	case DNS_AAAA:
		for (int i = 0; i < 4; i++)
			msg_u32(&k->m, (uint32_t)msg_random(k->random));
		break;
	case DNS_SRV:
		for (int i = 0; i < 3; i++)
			msg_u16(&k->m, msg_pick(k->random, 65536));
		put_name(k, target);
		break;
	default:
		put_name(k, target);
		break;
	}
	msg_end(&k->m, at);
}

static void mutate(struct making *k)
{
	if (msg_pick(k->random, 2))
		return;
	for (unsigned n = 1 + msg_pick(k->random, 3); n > 0; n--)
		k->m.b[msg_pick(k->random, (unsigned)k->m.len)] ^=
			(uint8_t)(1u << msg_pick(k->random, 8));
	if (msg_pick(k->random, 8) == 0)
		k->m.len -= msg_pick(k->random, (unsigned)k->m.len - DNS_HEADER);
}

/* A chain, mostly in order, with some records of the type at its end and of other kinds. */
static void make(struct making *k, uint16_t type)
{
	static const uint16_t others[] = {DNS_A, DNS_AAAA, DNS_NS, DNS_PTR};
	unsigned name = 0, next;

	memset(k->at, 0, sizeof(k->at));
	msg_begin(&k->m, M_REPLY);
	k->at[0] = DNS_HEADER;
	msg_question(&k->m, pool[0], type);
	while (type != DNS_SRV && msg_pick(k->random, 3) == 0) {
		next = msg_pick(k->random, 4) ? name + 1 : msg_pick(k->random, OWNERS);
		if (next >= OWNERS)
			break;
		put_record(k, DNS_ANSWER, name, DNS_CNAME, next);
		name = next;
	}
	for (unsigned n = msg_pick(k->random, 5); n > 0; n--)
		put_record(k, DNS_ANSWER,
			msg_pick(k->random, 6) ? name : msg_pick(k->random, OWNERS),
			msg_pick(k->random, 6) ? type : others[msg_pick(k->random, 4)],
			msg_pick(k->random, POOL));
	if (msg_pick(k->random, 2))
		put_record(k, DNS_ADDITIONAL, name, DNS_A, 0);
	mutate(k);
	k->exact = malloc(k->m.len);
	assert_non_null(k->exact);
	memcpy(k->exact, k->m.b, k->m.len);
}

/* See the top. Also: no name is twice in the chain. */
static bool is_plain(const struct making *k, const struct dns_question *q)
{
	struct dns_name seen[DNS_CHAIN_MAX];
	struct dns_walk walk;
	struct dns_record r;
	struct dns_name name = q->name;
	bool has_records = false;
	unsigned n = 0;

	if (dns_walk_begin(&walk, k->exact, k->m.len) < 0)
		return false;
	while (dns_walk_next(&walk, &r) > 0 && r.section == DNS_ANSWER) {
		size_t pos = r.data;

		if (q->type == DNS_SRV && !dns_name_equal(&r.owner, &name))
			return false;
		if (r.type == q->type && !dns_record_is_sound(k->exact, k->m.len, &r))
			return false;
		has_records = has_records || r.type != DNS_CNAME;
		if (r.class != 1 || r.type != DNS_CNAME)
			continue;
		if (has_records || q->type == DNS_SRV || n == DNS_CHAIN_MAX ||
			!dns_name_equal(&r.owner, &name))
			return false;
		seen[n++] = name;
		if (dns_name_read(&name, k->exact, k->m.len, &pos) < 0)
			return false;
		for (unsigned i = 0; i < n; i++)
			if (dns_name_equal(&seen[i], &name))
				return false;
	}
	return true;
}

/* Ours takes it, and it says what can be compared. */
static bool is_accepted(const struct making *k, const struct dns_question *q, struct dns_summary *s)
{
	return dns_is_reply(k->exact, k->m.len, M_ID, q, NULL) == 0 &&
	       dns_summarise(k->exact, k->m.len, q, s) == 0 && !s->tc &&
	       (s->kind == DNS_POSITIVE || s->kind == DNS_NODATA) && is_plain(k, q);
}

static void check_ttl(const struct dns_summary *s, int least)
{
	assert_int_equal(s->ttl, least < 0 ? 0 : least > 86400 ? 86400 : least);
}

static bool compare_a(struct making *k, const struct dns_question *q, const struct dns_summary *s)
{
	struct ares_addrttl theirs[RECORDS_MAX];
	union dns_address ours[RECORDS_MAX];
	int n = RECORDS_MAX, least = INT32_MAX;
	int status = ares_parse_a_reply(k->exact, (int)k->m.len, NULL, theirs, &n);

	if (status != ARES_SUCCESS && status != ARES_ENODATA)
		return false;
	assert_int_equal(n, s->records);
	assert_int_equal(dns_read_addresses(k->exact, k->m.len, q, s, ours, RECORDS_MAX), n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(ours[i].in4.s_addr, theirs[i].ipaddr.s_addr);
		least = theirs[i].ttl < least ? theirs[i].ttl : least;
	}
	if (n > 0)
		check_ttl(s, least);
	return n > 0;
}

static bool compare_aaaa(struct making *k, const struct dns_question *q,
	const struct dns_summary *s)
{
	struct ares_addr6ttl theirs[RECORDS_MAX];
	union dns_address ours[RECORDS_MAX];
	int n = RECORDS_MAX, least = INT32_MAX;
	int status = ares_parse_aaaa_reply(k->exact, (int)k->m.len, NULL, theirs, &n);

	if (status != ARES_SUCCESS && status != ARES_ENODATA)
		return false;
	assert_int_equal(n, s->records);
	assert_int_equal(dns_read_addresses(k->exact, k->m.len, q, s, ours, RECORDS_MAX), n);
	for (int i = 0; i < n; i++) {
		assert_memory_equal(&ours[i].in6, &theirs[i].ip6addr, 16);
		least = theirs[i].ttl < least ? theirs[i].ttl : least;
	}
	if (n > 0)
		check_ttl(s, least);
	return n > 0;
}

static void check_text(const struct dns_name *ours, const char *theirs)
{
	struct dns_name name = name_of(theirs);

	assert_int_equal(ours->len, name.len);
	assert_memory_equal(ours->wire, name.wire, name.len);
}

static bool compare_srv(struct making *k, const struct dns_question *q, const struct dns_summary *s)
{
	struct ares_srv_reply *theirs = NULL;
	struct dns_srv ours[RECORDS_MAX];
	size_t n = 0, count;
	int status = ares_parse_srv_reply(k->exact, (int)k->m.len, &theirs);

	if (status != ARES_SUCCESS && status != ARES_ENODATA)
		return false;
	count = dns_read_srv(k->exact, k->m.len, q, s, ours, RECORDS_MAX);
	assert_int_equal(count, s->records);
	for (struct ares_srv_reply *r = theirs; r; r = r->next, n++) {
		assert_true(n < count);
		assert_int_equal(ours[n].priority, r->priority);
		assert_int_equal(ours[n].weight, r->weight);
		assert_int_equal(ours[n].port, r->port);
		check_text(&ours[n].target, r->host);
	}
	assert_int_equal(n, count);
	ares_free_data(theirs);
	return n > 0;
}

static bool compare_ptr(struct making *k, const struct dns_question *q, const struct dns_summary *s)
{
	struct in_addr addr = {.s_addr = htonl(0xc0000201)};
	struct dns_name ours[RECORDS_MAX];
	struct hostent *theirs = NULL;
	size_t n = 0, count;
	int status = ares_parse_ptr_reply(
		k->exact, (int)k->m.len, &addr, sizeof(addr), AF_INET, &theirs);

	if (status != ARES_SUCCESS && status != ARES_ENODATA)
		return false;
	count = dns_read_names(k->exact, k->m.len, q, s, ours, RECORDS_MAX);
	assert_int_equal(count, s->records);
	if (status == ARES_SUCCESS) {
		for (; theirs->h_aliases[n]; n++) {
			assert_true(n < count);
			check_text(&ours[n], theirs->h_aliases[n]);
		}
		ares_free_hostent(theirs);
	}
	assert_int_equal(n, count);
	return n > 0;
}

typedef bool compare_fn(struct making *k, const struct dns_question *q,
	const struct dns_summary *s);

static void run(uint16_t type, uint64_t seed, compare_fn *compare)
{
	struct dns_question q = question_of(pool[0], type);
	struct making *k = calloc(1, sizeof(*k));
	unsigned compared = 0;
	struct dns_summary s;

	assert_non_null(k);
	k->random = &seed;
	for (int i = 0; i < ROUNDS; i++) {
		make(k, type);
		if (is_accepted(k, &q, &s) && compare(k, &q, &s))
			compared++;
		free(k->exact);
	}
	free(k);
	/* The generator makes what can be compared, and not by chance. */
	assert_true(compared > ROUNDS / 4);
}

static void replies_a(void **state)
{
	(void)state;
	run(DNS_A, 1, compare_a);
}

static void replies_aaaa(void **state)
{
	(void)state;
	run(DNS_AAAA, 2, compare_aaaa);
}

static void replies_srv(void **state)
{
	(void)state;
	run(DNS_SRV, 3, compare_srv);
}

static void replies_ptr(void **state)
{
	(void)state;
	run(DNS_PTR, 4, compare_ptr);
}

static bool has_nul_label(const struct dns_name *name)
{
	for (unsigned at = 0; name->wire[at]; at += name->wire[at] + 1u)
		if (name->wire[at] == 1 && name->wire[at + 1] == 0)
			return true;
	return false;
}

/* Names in a heap of labels and pointers. What ours reads, c-ares reads, and as the same. */
static void names(void **state)
{
	uint64_t random = 5;
	unsigned read = 0, refused = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t len = DNS_HEADER + 1 + msg_pick(&random, 60), pos, end;
		uint8_t *heap = malloc(len);
		struct dns_name ours;
		char *theirs;
		long used;
		int rc;

		assert_non_null(heap);
		for (size_t j = 0; j < len; j++) {
			unsigned kind = msg_pick(&random, 8);

			heap[j] = (uint8_t)(kind < 4 ? msg_pick(&random, 4) :
					    kind < 5 ? 0xc0 :
					    kind < 6 ? msg_pick(&random, (unsigned)len) :
						       msg_random(&random));
		}
		pos = end = DNS_HEADER + msg_pick(&random, (unsigned)len - DNS_HEADER);
		rc = dns_name_read(&ours, heap, len, &end);
		if (ares_expand_name(heap + pos, heap, (int)len, &theirs, &used) == ARES_SUCCESS) {
			if (rc < 0) {
				refused++;
			} else if (!has_nul_label(&ours)) {
				check_text(&ours, theirs);
				assert_int_equal(end - pos, used);
				read++;
			}
			ares_free_string(theirs);
		} else {
			assert_int_equal(rc, -EBADMSG);
		}
		free(heap);
	}
	assert_true(read > ROUNDS / 8);
	assert_true(refused > 0); /* forwards, into the header */
}

static void random_label_name(struct dns_name *name, uint64_t *random)
{
	unsigned at = 0, end = msg_pick(random, 120), label;

	while (at + 2 <= end) {
		label = 1 + msg_pick(random, end - at - 1 < 30 ? end - at - 1 : 30);
		name->wire[at] = (uint8_t)label;
		for (unsigned j = 1; j <= label; j++)
			name->wire[at + j] = (uint8_t)(' ' + 1 + msg_pick(random, 94));
		at += label + 1;
	}
	name->wire[at] = 0;
	name->len = (uint8_t)(at + 1);
	dns_name_lower(name);
}

static void queries(void **state)
{
	uint64_t random = 6;
	unsigned compared = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct dns_query_options options = {
			.id = (uint16_t)msg_random(&random), .edns = i % 2};
		struct dns_question q = {.type = (uint16_t)msg_random(&random)};
		uint8_t ours[DNS_QUERY_MAX];
		unsigned char *theirs;
		char text[DNS_TEXT_MAX];
		struct dns_name sent;
		int len, their_len;

		random_label_name(&q.name, &random);
		len = dns_query_write(&q, &options, ours, &sent);
		assert_true(len > 0);
		assert_int_equal(dns_name_text(&q.name, text, sizeof(text)), 0);
		/* From 1.22 on c-ares refuses what is not a host name's. */
		if (ares_create_query(text, 1, q.type, options.id, 1, &theirs, &their_len,
			    options.edns ? DNS_UDP_SIZE : 0) != ARES_SUCCESS)
			continue;
		assert_int_equal(len, their_len);
		assert_memory_equal(ours, theirs, (size_t)len);
		ares_free_string(theirs);
		compared++;
	}
	assert_true(compared > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_a),
		cmocka_unit_test(replies_aaaa),
		cmocka_unit_test(replies_srv),
		cmocka_unit_test(replies_ptr),
		cmocka_unit_test(names),
		cmocka_unit_test(queries),
	};

	return cmocka_run_group_tests_name("dns_differential", tests, NULL, NULL);
}
