/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Responses of many kinds into the cache and out of it, at random moments of a clock of the
 * test's, beside a model that knows RFC 2308, RFC 8767 and nothing of messages: what is there,
 * from where it is, how long it may still be kept, when it is time to ask anew.
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "answer.h"
#include "dns_rig.h"

#define S UINT64_C(1000000000)
#define NAMES 12
#define STEPS 40000
#define DAY 86400u
#define MESSAGE_MAX 2048 /* of those that are made here */

/* What the model knows of a response. */
struct made {
	enum { POSITIVE, NODATA, NO_NAME, FAILURE, TRUNCATED } kind;
	uint32_t ttl; /* that it may be kept for */
	bool capped;  /* it says more */
};

struct known {
	bool there;
	struct made made;
	unsigned uses;
	uint64_t written, expires, stale, last_ttl;
	size_t len;
	uint8_t message[MESSAGE_MAX];
};

struct world {
	struct cache *cache;
	bool roomy;
	unsigned stale_seconds;
	uint64_t random, now, found, stale, prefetches;
	struct msg m;
	struct known known[NAMES][2]; /* A, AAAA */
};

static unsigned pick(struct world *w, unsigned below)
{
	return msg_pick(&w->random, below);
}

static struct dns_question question_at(unsigned name, unsigned six)
{
	char text[32];

	snprintf(text, sizeof(text), "n%u.corp.example", name);
	return question_of(text, six ? DNS_AAAA : DNS_A);
}

/* Takes part in what the response's TTL is. */
static uint32_t some_ttl(struct world *w, uint32_t *least)
{
	static const uint32_t ttls[] = {1, 5, 60, 60, 300, 300, 3600, DAY - 1, DAY, DAY + 1,
		1000000};
	uint32_t ttl = ttls[pick(w, sizeof(ttls) / sizeof(ttls[0]))];

	if (!pick(w, 60))
		ttl = pick(w, 2) ? 0 : 0x80000000u + pick(w, 1000); /* RFC 2181: that is 0, too */
	if ((ttl >> 31 ? 0 : ttl) < *least)
		*least = ttl >> 31 ? 0 : ttl;
	return ttl;
}

static void make_chain(struct world *w, char *owner, size_t size, uint32_t *least)
{
	char target[32];

	for (unsigned i = 0, links = pick(w, 3) ? 0 : pick(w, 5); i < links; i++) {
		snprintf(target, sizeof(target), "c%u.corp.example", i);
		msg_named(&w->m, DNS_ANSWER, owner, DNS_CNAME, some_ttl(w, least), target);
		snprintf(owner, size, "%s", target);
	}
}

static struct made capped(unsigned kind, uint32_t ttl, uint32_t most)
{
	return (struct made){.kind = kind, .ttl = ttl < most ? ttl : most, .capped = ttl > most};
}

static struct made make_positive(struct world *w, const char *owner, unsigned six, uint32_t least)
{
	for (unsigned i = 0, records = 1 + pick(w, 5); i < records; i++)
		msg_address(&w->m, DNS_ANSWER, owner, some_ttl(w, &least),
			six ? "2001:db8::1" : "192.0.2.1");
	return capped(POSITIVE, least, DAY);
}

/* RFC 2308 sections 3 and 5. */
static struct made make_negative(struct world *w, unsigned kind, uint32_t least)
{
	uint32_t ttl, minimum;

	if (!pick(w, 6))
		return capped(kind, 0, 0); /* without a SOA */
	ttl = some_ttl(w, &least);
	minimum = pick(w, 20000);
	if (minimum < least)
		least = minimum;
	msg_soa(&w->m, pick(w, 2) ? "corp.example" : "example", ttl, minimum);
	return capped(kind, least, 3 * 3600);
}

static struct made make(struct world *w, unsigned name, unsigned six)
{
	static const unsigned rcodes[] = {DNS_SERVFAIL, DNS_REFUSED, DNS_FORMERR, DNS_NOTIMP, 9};
	unsigned kind = pick(w, 20), flags = M_REPLY;
	uint32_t least = UINT32_MAX;
	struct made made;
	char owner[32];

	kind = kind < 12 ? POSITIVE : kind < 15 ? NODATA : kind < 18 ? NO_NAME :
		kind < 19 ? FAILURE : TRUNCATED;
	if (kind == NO_NAME)
		flags |= DNS_NXDOMAIN;
	else if (kind == FAILURE)
		flags |= rcodes[pick(w, sizeof(rcodes) / sizeof(rcodes[0]))];
	else if (kind == TRUNCATED)
		flags |= M_TC;
	snprintf(owner, sizeof(owner), "n%u.corp.example", name);
	msg_begin(&w->m, flags);
	msg_question(&w->m, owner, six ? DNS_AAAA : DNS_A);
	make_chain(w, owner, sizeof(owner), &least);
	if (kind == NODATA || kind == NO_NAME)
		made = make_negative(w, kind, least);
	else
		made = make_positive(w, owner, six, least);
	made.kind = kind;
	/* For another question, and to no use: that it is believed would be seen by its TTL. */
	snprintf(owner, sizeof(owner), "n%u.corp.example", pick(w, NAMES));
	msg_address(&w->m, DNS_ADDITIONAL, owner, 77777, "203.0.113.66");
	return made;
}

static void step_store(struct world *w)
{
	unsigned name = pick(w, NAMES), six = pick(w, 2);
	struct dns_question question = question_at(name, six);
	struct known *known = &w->known[name][six];
	struct made made = make(w, name, six);
	struct answer *answer = NULL;

	assert_int_equal(answer_new(&answer, &question, w->m.b, w->m.len, NULL, w->now), 0);
	answer_store(w->cache, &question, answer, w->stale_seconds);
	if (made.kind < FAILURE)
		assert_int_equal(answer_ttl(answer, w->now), made.ttl);
	answer_unref(answer);
	/* Neither says anything about the question: what was there stays. */
	if (made.kind == FAILURE || made.kind == TRUNCATED)
		return;
	known->there = made.ttl > 0;
	known->made = made;
	known->uses = 0;
	known->written = w->now;
	known->expires = w->now + made.ttl * S;
	known->stale = known->expires + w->stale_seconds * S;
	known->last_ttl = UINT64_MAX;
	known->len = w->m.len;
	assert_true(w->m.len <= MESSAGE_MAX);
	memcpy(known->message, w->m.b, w->m.len);
}

/* Whole seconds that have begun. */
static uint32_t ttl_left(const struct known *known, uint64_t now)
{
	return now < known->expires ? (uint32_t)((known->expires - now + S - 1) / S) : 0;
}

static bool must_prefetch(const struct known *known, uint64_t now)
{
	uint64_t most = known->made.ttl > 10 ? known->made.ttl * S / 10 : S;

	return known->uses >= 2 && now < known->expires && known->expires - now <= most;
}

/* What a user is given: TTLs of now, of which the smallest is what is left. */
static void check_aged(struct world *w, const struct known *known, const struct answer *answer,
	const struct dns_question *question)
{
	memcpy(w->m.b, answer->message, answer->len);
	w->m.len = answer->len;
	dns_age(w->m.b, w->m.len, (uint32_t)((w->now - known->written) / S));
	if (known->made.kind == POSITIVE && !known->made.capped && w->now < known->expires)
		assert_int_equal(msg_summary(&w->m, question).ttl, ttl_left(known, w->now));
	if (w->now >= known->expires && !known->made.capped && known->made.kind == POSITIVE)
		assert_int_equal(msg_summary(&w->m, question).ttl, 0);
}

static void check_answer(struct world *w, struct known *known, const struct answer *answer,
	const struct dns_question *question)
{
	static const int statuses[] = {0, EAI_NODATA, EAI_NONAME};
	bool fresh = w->now < known->expires;
	uint32_t ttl = answer_ttl(answer, w->now);

	assert_int_equal(answer->len, known->len);
	assert_memory_equal(answer->message, known->message, known->len);
	assert_int_equal(answer_status(answer), statuses[known->made.kind]);
	assert_int_equal(answer->source, fresh ? VSRESOLV_CACHE : VSRESOLV_STALE);
	assert_int_equal(ttl, ttl_left(known, w->now));
	assert_true(ttl <= known->last_ttl);
	known->last_ttl = ttl;
	check_aged(w, known, answer, question);
	w->found++;
	w->stale += !fresh;
}

static void step_find(struct world *w)
{
	unsigned name = pick(w, NAMES), six = pick(w, 2);
	unsigned flags = pick(w, 3) ? 0 : CACHE_STALE;
	struct dns_question question = question_at(name, six);
	struct known *known = &w->known[name][six];
	uint64_t until = flags & CACHE_STALE ? known->stale : known->expires;
	struct answer *answer = NULL;
	bool prefetch = false;
	int rc;

	if (!pick(w, 10))
		flags |= CACHE_QUIET;
	rc = answer_find(w->cache, &question, w->now, flags, &answer, &prefetch);
	if (rc) {
		assert_int_equal(rc, -ENOENT);
		assert_false(w->roomy && known->there && w->now < until);
		return;
	}
	assert_true(known->there && w->now < until);
	known->uses += !(flags & CACHE_QUIET);
	assert_int_equal(prefetch, must_prefetch(known, w->now));
	w->prefetches += prefetch;
	check_answer(w, known, answer, &question);
	answer_unref(answer);
}

/* Small steps mostly; now and then to the very moment at which one expires. */
static void step_time(struct world *w)
{
	const struct known *known = &w->known[pick(w, NAMES)][pick(w, 2)];
	uint64_t moments[] = {known->expires, known->stale, known->expires - S,
		known->expires - known->made.ttl * S / 10};
	uint64_t moment = moments[pick(w, 4)] - pick(w, 2);

	if (pick(w, 3))
		w->now += pick(w, 3000) * (S / 1000) + pick(w, 1000);
	else if (known->there && moment > w->now && moment < w->now + 4000 * S)
		w->now = moment;
	else if (!pick(w, 100))
		w->now += pick(w, 40000) * S;
}

static void live(uint64_t seed, size_t limit, unsigned stale_seconds, bool roomy)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->random = seed;
	w->now = 1000 * S;
	w->stale_seconds = stale_seconds;
	w->roomy = roomy;
	assert_int_equal(cache_new(&w->cache, limit, NULL), 0);
	for (int i = 0; i < STEPS; i++) {
		unsigned what = pick(w, 100);

		if (what < 3)
			step_store(w);
		else if (what < 80)
			step_find(w);
		else
			step_time(w);
	}
	assert_true(w->found > STEPS / 50 && w->prefetches > 20);
	assert_int_equal(w->stale > 20, stale_seconds > 0);
	cache_free(w->cache);
	free(w);
}

static void test_roomy(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		live(seed, 1 << 20, 0, true);
		live(seed, 1 << 20, 600, true);
		live(seed, 1 << 20, DAY, true);
	}
}

static void test_tight(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		live(seed, 1 << 14, DAY, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roomy),
		cmocka_unit_test(test_tight),
	};

	return cmocka_run_group_tests_name("answer_cache", tests, NULL, NULL);
}
