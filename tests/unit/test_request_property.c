/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests at random: started, cancelled, run, their contexts closed, from outside and in
 * callbacks. Each callback comes once, never after it was cancelled or its context closed, and no
 * id comes twice.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api_rig.h"
#include "container.h"

#define CONTEXTS 3
#define STEPS 4000
#define SEEDS 8
#define RECORDS_MAX 20000

enum fate { UNDER_WAY, DELIVERED, GONE };

struct record {
	uint64_t id;
	enum fate fate;
	unsigned ctx;
	bool comes; /* by itself */
};

struct world {
	struct vsresolv_loop *loop;
	struct vsresolv *ctx[CONTEXTS];
	unsigned short seed[3];
	struct record records[RECORDS_MAX];
	size_t count;
	long under_way;
	struct record *running; /* in its callback */
};

struct ticket {
	struct world *world;
	struct record *record;
};

static struct ticket *ticket_of(struct request *r)
{
	return container_of(r, struct fake, request)->arg;
}

static unsigned pick(struct world *w, unsigned below)
{
	return (unsigned)nrand48(w->seed) % below;
}

static void act(struct world *w);

static void delivered(struct fake *fake, void *arg)
{
	struct ticket *ticket = arg;
	struct world *w = ticket->world;
	struct record *outer = w->running;

	assert_int_equal(fake->request.id, ticket->record->id);
	assert_int_equal(ticket->record->fate, UNDER_WAY);
	assert_null(outer);
	ticket->record->fate = DELIVERED;
	w->under_way--;
	w->running = ticket->record;
	free(ticket);
	for (unsigned i = pick(w, 4); i > 0; i--)
		act(w);
	w->running = NULL;
}

static void start(struct world *w)
{
	static const uint64_t delays[] = {0, 0, 1, 100000, 1000000, API_NEVER, API_NEVER};
	static const int timeouts[] = {0, 1, 3, 100000, -1};
	const uint64_t delay = delays[pick(w, 7)];
	const int timeout = timeouts[pick(w, 5)];
	struct record *record = &w->records[w->count];
	struct ticket *ticket;

	if (w->count == RECORDS_MAX)
		return;
	ticket = malloc(sizeof(*ticket));
	assert_non_null(ticket);
	*ticket = (struct ticket){w, record};
	w->count++;
	w->under_way++;
	*record = (struct record){
		.fate = UNDER_WAY,
		.ctx = pick(w, CONTEXTS),
		.comes = delay != API_NEVER || (timeout >= 0 && timeout < 1000),
	};
	record->id = fake_start(w->ctx[record->ctx], delay, timeout, delivered, ticket);
}

/* The ticket of one that never comes back is found by its id. */
static void cancel(struct world *w)
{
	struct record *record;
	struct request *r;
	struct ticket *ticket = NULL;
	unsigned back;
	int rc;

	if (w->count == 0)
		return;
	/* Mostly one of late. */
	back = pick(w, pick(w, 4) && w->count > 20 ? 20 : (unsigned)w->count);
	record = &w->records[w->count - 1 - back];
	LIST_FOREACH(r, &w->ctx[record->ctx]->requests, link) {
		if (r->id == record->id)
			ticket = ticket_of(r);
	}
	rc = vsresolv_cancel(w->loop, record->id);
	if (record == w->running) {
		assert_int_equal(rc, -EINPROGRESS);
	} else if (record->fate == UNDER_WAY) {
		assert_int_equal(rc, 0);
		assert_non_null(ticket);
		free(ticket);
		record->fate = GONE;
		w->under_way--;
	} else {
		assert_int_equal(rc, -ENOENT);
	}
}

static void run(struct world *w)
{
	struct vsresolv *ctx = w->ctx[pick(w, CONTEXTS)];

	assert_int_equal(fake_run(ctx, pick(w, 300000), 10000), 0);
}

static void reopen(struct world *w)
{
	const unsigned i = pick(w, CONTEXTS);
	struct request *r;

	LIST_FOREACH(r, &w->ctx[i]->requests, link)
		free(ticket_of(r));
	vsresolv_close(w->ctx[i]);
	w->ctx[i] = api_open(w->loop);
	for (size_t k = 0; k < w->count; k++) {
		if (w->records[k].ctx == i && w->records[k].fate == UNDER_WAY) {
			w->records[k].fate = GONE;
			w->under_way--;
		}
	}
}

static void act(struct world *w)
{
	switch (pick(w, 16)) {
	case 0 ... 6:
		start(w);
		break;
	case 7 ... 9:
		cancel(w);
		break;
	case 10 ... 13:
		assert_int_equal(vsresolv_process(w->loop) < 0, w->running != NULL);
		break;
	case 14:
		if (!w->running)
			run(w);
		break;
	default:
		if (pick(w, 8) == 0)
			reopen(w);
		break;
	}
}

static int by_id(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void finish(struct world *w)
{
	uint64_t give_up = engine_now() + API_PATIENCE;
	bool waits = true;

	while (waits) {
		assert_true(engine_now() < give_up);
		if (api_readable(w->loop, 10))
			assert_true(vsresolv_process(w->loop) >= 0);
		waits = false;
		for (size_t k = 0; k < w->count; k++)
			waits |= w->records[k].fate == UNDER_WAY && w->records[k].comes;
	}
	qsort(w->records, w->count, sizeof(w->records[0]), by_id);
	for (size_t k = 1; k < w->count; k++)
		assert_true(w->records[k].id > w->records[k - 1].id);
}

static void at_random(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct request *r;

	(void)state;
	assert_non_null(w);
	for (unsigned short seed = 1; seed <= SEEDS; seed++) {
		w->seed[0] = seed;
		w->seed[1] = w->seed[2] = 0;
		w->count = 0;
		w->under_way = 0;
		w->loop = api_loop();
		for (unsigned i = 0; i < CONTEXTS; i++)
			w->ctx[i] = api_open(w->loop);
		for (unsigned i = 0; i < STEPS; i++) {
			act(w);
			assert_int_equal(fake_count.alive, w->under_way);
		}
		finish(w);
		for (unsigned i = 0; i < CONTEXTS; i++) {
			LIST_FOREACH(r, &w->ctx[i]->requests, link)
				free(ticket_of(r));
			vsresolv_close(w->ctx[i]);
		}
		vsresolv_loop_close(w->loop);
		assert_int_equal(fake_count.alive, 0);
	}
	free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(at_random)};

	return cmocka_run_group_tests_name("request_property", tests, NULL, NULL);
}
