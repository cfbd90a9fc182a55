/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads: synchronous callers that drive each other, one that processes, and some that start and
 * cancel. Worth most under the thread sanitizer. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "api_rig.h"
#include "engine_private.h"

#define CALLERS 4
#define STARTERS 2
#define RUNS 300
#define STARTS 1500
#define SLOW (900 * LOOP_MSEC) /* a leader that was not woken looks by itself after a second */

struct stage {
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
	atomic_bool stop;
	atomic_long started, cancelled, delivered, wrong, slow;
};

struct player {
	pthread_t thread;
	struct stage *stage;
	unsigned short seed[3];
};

static uint64_t delay(struct player *p)
{
	return (uint64_t)(nrand48(p->seed) % 1000) * 1000;
}

static void *call(void *arg)
{
	struct player *p = arg;
	struct stage *s = p->stage;

	for (int i = 0; i < RUNS; i++) {
		uint64_t began = engine_now();
		int timeout = nrand48(p->seed) % 3 == 0 ? 1 : 20000;
		int status = fake_run(s->ctx, timeout == 1 ? API_NEVER : delay(p), timeout);

		if (status != (timeout == 1 ? EAI_AGAIN : 0))
			atomic_fetch_add(&s->wrong, 1);
		if (engine_now() - began > SLOW)
			atomic_fetch_add(&s->slow, 1);
	}
	return NULL;
}

static void note(struct fake *fake, void *arg)
{
	struct stage *s = arg;

	atomic_fetch_add(fake->request.status == 0 ? &s->delivered : &s->wrong, 1);
}

static void *start_and_cancel(void *arg)
{
	struct player *p = arg;
	struct stage *s = p->stage;
	uint64_t ids[8] = {0};

	for (int i = 0; i < STARTS; i++) {
		uint64_t *id = &ids[i % 8];
		struct fake *fake = fake_new(s->ctx, delay(p), 0, note, s);
		int rc = *id ? vsresolv_cancel(s->loop, *id) : -ENOENT;

		if (rc == 0)
			atomic_fetch_add(&s->cancelled, 1);
		else if (rc != -ENOENT && rc != -EINPROGRESS)
			atomic_fetch_add(&s->wrong, 1);
		if (request_start(&fake->request, 30000, id) == 0)
			atomic_fetch_add(&s->started, 1);
	}
	return NULL;
}

static void *process(void *arg)
{
	struct stage *s = arg;

	while (!atomic_load(&s->stop)) {
		if (api_readable(s->loop, 50) && vsresolv_process(s->loop) < 0)
			atomic_fetch_add(&s->wrong, 1);
	}
	return NULL;
}

static void cast(struct player *players, unsigned count, struct stage *s, void *(*play)(void *))
{
	for (unsigned i = 0; i < count; i++) {
		players[i] = (struct player){.stage = s, .seed = {(unsigned short)(i + 1)}};
		assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
	}
}

static void join(struct player *players, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(players[i].thread, NULL);
}

static void one_context_many_callers(void **state)
{
	struct stage s = {.ctx = api_open(NULL)};
	struct player callers[CALLERS];

	(void)state;
	cast(callers, CALLERS, &s, call);
	join(callers, CALLERS);
	assert_int_equal(s.wrong, 0);
	assert_true(s.slow < CALLERS * RUNS / 100);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_close(s.ctx);
}

/* ---- two callers */

struct pair {
	struct vsresolv *ctx;
	uint64_t delay;
	int timeout;
	uint64_t took;
	atomic_bool over;
};

static void *one_of_two(void *arg)
{
	struct pair *p = arg;
	uint64_t began = engine_now();

	fake_run(p->ctx, p->delay, p->timeout);
	p->took = engine_now() - began;
	atomic_store(&p->over, true);
	return NULL;
}

static bool is_led(struct vsresolv *ctx)
{
	bool led;

	engine_lock(ctx->engine);
	led = ctx->engine->leader != NULL;
	engine_unlock(ctx->engine);
	return led;
}

/* The first leads, unless it is over already on a busy machine; how long the second took. */
static uint64_t second_of_two(struct pair *first, struct pair *second)
{
	pthread_t thread;

	first->ctx = second->ctx = api_open(NULL);
	assert_int_equal(pthread_create(&thread, NULL, one_of_two, first), 0);
	while (!is_led(first->ctx) && !atomic_load(&first->over))
		sched_yield();
	one_of_two(second);
	pthread_join(thread, NULL);
	vsresolv_close(first->ctx);
	return second->took;
}

/* A follower whose timer comes after the leader is gone. Were it forgotten, the test would hang. */
static void the_leader_hands_over(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct pair first = {.delay = 5 * LOOP_MSEC, .timeout = 20000};
		struct pair second = {.delay = 10 * LOOP_MSEC, .timeout = 20000};

		second_of_two(&first, &second);
	}
}

/* The leader waits for half a minute, for all he knows. */
static void a_sooner_timer_is_heard_of(void **state)
{
	struct pair first = {.delay = 1500 * LOOP_MSEC, .timeout = 30000};
	struct pair second = {.delay = 1 * LOOP_MSEC, .timeout = 30000};

	(void)state;
	assert_true(second_of_two(&first, &second) < SLOW);
}

/* vsresolv_process() may read the answer that the leader waits for, and no event is left. */
static void the_leader_hears_of_his_end(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct pair p = {.ctx = api_open(loop), .delay = API_NEVER, .timeout = 30000};
	uint64_t finished;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, one_of_two, &p), 0);
	while (!is_led(p.ctx))
		sched_yield();
	finished = engine_now();
	engine_lock(loop);
	request_finish(LIST_FIRST(&p.ctx->requests), 0);
	engine_unlock(loop);
	assert_int_equal(vsresolv_process(loop), 0);
	pthread_join(thread, NULL);
	assert_true(engine_now() - finished < SLOW);
	vsresolv_close(p.ctx);
	vsresolv_loop_close(loop);
}

/* ---- all */

static void everything_at_once(void **state)
{
	struct stage s = {.loop = api_loop()};
	struct player callers[CALLERS], starters[STARTERS];
	pthread_t processors[2];
	uint64_t give_up;

	(void)state;
	s.ctx = api_open(s.loop);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&processors[i], NULL, process, &s), 0);
	cast(callers, CALLERS, &s, call);
	cast(starters, STARTERS, &s, start_and_cancel);
	join(callers, CALLERS);
	join(starters, STARTERS);
	give_up = engine_now() + API_PATIENCE;
	while (s.delivered + s.cancelled < s.started && engine_now() < give_up)
		sched_yield();
	atomic_store(&s.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(processors[i], NULL);
	assert_int_equal(s.wrong, 0);
	assert_int_equal(s.started, STARTERS * STARTS);
	assert_int_equal(s.delivered + s.cancelled, s.started);
	assert_true(s.slow < CALLERS * RUNS / 100);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_close(s.ctx);
	vsresolv_loop_close(s.loop);
}

/* ---- closing, while another thread runs a callback of the context */

struct gate {
	struct stage stage;
	atomic_bool entered, open, left;
};

static void dwell(struct fake *fake, void *arg)
{
	struct gate *g = arg;

	(void)fake;
	atomic_store(&g->entered, true);
	while (!atomic_load(&g->open))
		sched_yield();
	atomic_store(&g->left, true);
}

static void *close_context(void *arg)
{
	struct gate *g = arg;

	vsresolv_close(g->stage.ctx);
	if (!atomic_load(&g->left))
		atomic_fetch_add(&g->stage.wrong, 1);
	return NULL;
}

static bool has_requests(struct stage *s)
{
	bool has;

	engine_lock(s->loop);
	has = !LIST_EMPTY(&s->ctx->requests);
	engine_unlock(s->loop);
	return has;
}

static void close_waits_for_callbacks(void **state)
{
	struct gate g = {.stage.loop = api_loop()};
	pthread_t processor, closer;

	(void)state;
	g.stage.ctx = api_open(g.stage.loop);
	fake_start(g.stage.ctx, 0, 1000, dwell, &g);
	fake_start(g.stage.ctx, API_NEVER, 1000, note, &g.stage);
	assert_int_equal(pthread_create(&processor, NULL, process, &g.stage), 0);
	while (!atomic_load(&g.entered))
		sched_yield();
	assert_int_equal(pthread_create(&closer, NULL, close_context, &g), 0);
	/* Once the other request is gone, the closer has the lock, or waits. */
	while (has_requests(&g.stage))
		sched_yield();
	atomic_store(&g.open, true);
	pthread_join(closer, NULL);
	atomic_store(&g.stage.stop, true);
	pthread_join(processor, NULL);
	assert_int_equal(g.stage.wrong, 0);
	assert_int_equal(g.stage.delivered, 0);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_loop_close(g.stage.loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_context_many_callers),
		cmocka_unit_test(the_leader_hands_over),
		cmocka_unit_test(a_sooner_timer_is_heard_of),
		cmocka_unit_test(the_leader_hears_of_his_end),
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(close_waits_for_callbacks),
	};

	return cmocka_run_group_tests_name("request_threads", tests, NULL, NULL);
}
