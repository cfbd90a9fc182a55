/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two contexts of one loop, whose servers misbehave in every way, at random: who asks is told once,
 * and what he is told is his own name's address in his own context, or an error.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "queries_rig.h"

#define NAMES 40
#define ASKS 400
#define ROUNDS 6000

struct asker {
	struct rig_ask ask;
	struct world *world;
	unsigned context, name;
	bool waits;
};

struct world {
	struct rig *rig; /* has all servers, and the first context */
	struct rig other;
	struct rig *contexts[2];
	struct asker askers[ASKS];
	unsigned answers, errors, left;
};

static uint32_t roll(unsigned below)
{
	static uint64_t seed = 7;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void address_of(unsigned context, unsigned name, char text[static 16])
{
	snprintf(text, 16, "10.%u.%u.1", context & 0xff, name & 0xff);
}

/* What the right answer is, with something wrong in it: whose is told by "203.0.113.66". */
static void forge(const struct rig_question *q)
{
	uint8_t out[600];
	size_t len = rig_reply(
		q, out, sizeof(out), roll(2) ? DNS_NOERROR : DNS_NXDOMAIN, "203.0.113.66");

	switch (roll(4)) {
	case 0:
		out[roll(2)] ^= (uint8_t)(1u << roll(8)); /* the id */
		break;
	case 1:
		out[DNS_HEADER + 1] ^= 1; /* the name */
		break;
	case 2:
		len = roll((unsigned)len); /* cut */
		break;
	default:
		out[2] &= 0x7f; /* a question */
	}
	if (q->connection < 0)
		rig_send(q, out, len);
}

static void truncate_it(const struct rig_question *q)
{
	uint8_t out[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, NULL);

	out[2] |= 0x02;
	rig_send(q, out, len);
}

static void misbehaves(struct rig_question *q)
{
	unsigned context = (unsigned)(q->server - q->server->rig->servers) / 2, name;
	char address[16];

	assert_int_equal(sscanf(q->name, "%*1[nN]%u", &name), 1);
	address_of(context, name, address);
	if (roll(4) == 0)
		forge(q);
	switch (roll(12)) {
	case 0:
		return; /* lost */
	case 1:
		truncate_it(q);
		return;
	case 2:
		rig_answer(q, DNS_SERVFAIL, NULL);
		return;
	case 3:
		rig_answer(q, q->has_opt ? DNS_FORMERR : DNS_REFUSED, NULL);
		return;
	case 4:
		rig_answer(q, DNS_NOERROR, address);
		if (q->connection < 0)
			rig_answer(q, DNS_NOERROR, "203.0.113.66");
		return;
	default:
		rig_answer(q, DNS_NOERROR, address);
	}
}

static void told(struct rig_ask *ask)
{
	struct asker *a = container_of(ask, struct asker, ask);
	struct world *w = a->world;
	char name[32], address[16];

	assert_true(a->waits);
	a->waits = false;
	snprintf(name, sizeof(name), "n%u.example", a->name);
	address_of(a->context, a->name, address);
	if (ask->status == 0 && ask->answer->summary.kind == DNS_POSITIVE) {
		assert_true(rig_has_address(ask->answer, name, address));
		w->answers++;
	} else {
		assert_true(ask->status == -ETIMEDOUT || ask->status == -EBADMSG ||
			(ask->status == 0 && ask->answer->summary.kind == DNS_FAILURE));
		w->errors++;
	}
	rig_forget(ask);
}

static void setup_world(struct world *w, struct rig *rig)
{
	memset(w, 0, sizeof(*w));
	w->rig = w->contexts[0] = rig;
	w->contexts[1] = &w->other;
	rig_add_server(rig, "127.0.0.3");
	rig_add_server(rig, "127.0.0.4");
	for (unsigned i = 0; i < RIG_SERVERS; i++) {
		rig_listen(&rig->servers[i]);
		rig->servers[i].script = misbehaves;
	}
	rig->conf->timeout_ms = 300;
	rig->conf->server_count = 2;
	rig->config.in_flight = 20;
	rig->config.cache = NULL;
	rig_restart(rig);
	w->other.config = rig->config;
	assert_int_equal(health_new(&w->other.health), 0);
	w->other.config.health = w->other.health;
	w->other.config.counters = &w->other.counters;
	w->other.conf = rig_conf(rig);
	memcpy(w->other.conf->servers, rig->conf->servers + 2, 2 * sizeof(*rig->conf->servers));
	rig_restart(&w->other);
	for (unsigned i = 0; i < ASKS; i++)
		w->askers[i] = (struct asker){.world = w, .ask.then = told};
}

static void ask_or_leave(struct world *w)
{
	struct asker *a = &w->askers[roll(ASKS)];
	char name[32];

	if (a->waits) {
		if (roll(4) == 0) {
			queries_leave(&a->ask.waiter);
			a->waits = false;
			w->left++;
		}
		return;
	}
	a->context = roll(2);
	a->name = roll(NAMES);
	a->waits = true;
	snprintf(name, sizeof(name), "n%u.example", a->name);
	rig_ask(w->contexts[a->context], &a->ask, name, DNS_A);
}

/* As when the configuration changes; what is under way goes on. */
static void change(struct world *w)
{
	struct rig *context = w->contexts[roll(2)];
	struct rconf *conf = rig_conf(context);

	conf->rotate = roll(2);
	conf->use_vc = roll(8) == 0;
	conf->edns0 = roll(4) > 0;
	rconf_unref(context->conf);
	context->conf = conf;
}

static void restart(struct world *w)
{
	unsigned context = roll(2);

	w->contexts[context]->config.flags = roll(2) ? VSRESOLV_0X20 : 0;
	rig_restart(w->contexts[context]);
	for (unsigned i = 0; i < ASKS; i++) {
		if (w->askers[i].context == context)
			w->askers[i].waits = false;
	}
}

static bool all_told(const struct world *w)
{
	for (unsigned i = 0; i < ASKS; i++) {
		if (w->askers[i].waits)
			return false;
	}
	return true;
}

static void at_random(void **state)
{
	static struct world w;
	uint64_t end = nst_now() + 20 * LOOP_SEC;

	setup_world(&w, *state);
	for (unsigned i = 0; i < ROUNDS && nst_now() < end; i++) {
		for (unsigned n = roll(10); n > 0; n--)
			ask_or_leave(&w);
		if (roll(50) == 0)
			rig_skip(w.rig, roll(300) * LOOP_MSEC);
		if (roll(100) == 0)
			change(&w);
		if (roll(500) == 0)
			restart(&w);
		rig_turn(w.rig, 0);
	}
	while (!all_told(&w)) {
		assert_true(nst_now() < end);
		rig_skip(w.rig, 10 * LOOP_MSEC);
		rig_turn(w.rig, 1);
	}
	print_message("%u answers, %u errors, %u left; %u and %u queries\n", w.answers, w.errors,
		w.left, (unsigned)w.rig->counters.queries, (unsigned)w.other.counters.queries);
	assert_true(w.answers > 1000);
	/* Without waiters there are only copies for the sake of health. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(w.contexts[i]->counters.in_flight, 0);
		assert_int_equal(w.contexts[i]->counters.waiting, 0);
		rig_skip(w.rig, LOOP_SEC);
	}
	queries_free(w.other.queries);
	health_free(w.other.health);
	rconf_unref(w.other.conf);
	rig_wait_idle(w.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_random, rig_setup, rig_teardown),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_random", tests, NULL, NULL);
}
