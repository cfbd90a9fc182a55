/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests one at a time: how they end, when the descriptor says so, and what callbacks may do. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "api_rig.h"

#define MS LOOP_MSEC

static void ends(struct fake *fake, void *arg)
{
	*(int *)arg = fake->request.status;
}

/* ---- synchronous */

static void sync_ends_by_itself(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	uint64_t began = engine_now();
	struct fake *fake = fake_new(ctx, 20 * MS, EAI_NODATA, NULL, NULL);

	(void)state;
	assert_int_equal(request_run(&fake->request, 5000), EAI_NODATA);
	assert_true(engine_now() - began >= 20 * MS);
	assert_true(fake->request.info.elapsed_us >= 20000);
	assert_int_equal(fake->request.info.rcode, -1);
	assert_int_equal(fake->stopped, 1);
	request_destroy(&fake->request);
	assert_int_equal(fake_run(ctx, 0, 5000), 0);
	vsresolv_close(ctx);
}

static void sync_has_a_deadline(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	uint64_t began = engine_now();
	struct fake *fake;

	(void)state;
	assert_int_equal(fake_run(ctx, API_NEVER, 30), EAI_AGAIN);
	assert_true(engine_now() - began >= 30 * MS);
	fake = fake_new(ctx, API_NEVER, 0, NULL, NULL);
	fake->expires_with = 0;
	assert_int_equal(request_run(&fake->request, 10), 0);
	request_destroy(&fake->request);
	vsresolv_close(ctx);
}

/* 0 is what is at hand, and negative the time of the servers: 5 s, twice, one server. */
static void special_timeouts(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct fake *fake;

	(void)state;
	assert_int_equal(fake_run(ctx, 0, 0), 0);
	assert_int_equal(fake_run(ctx, 20 * MS, 0), EAI_AGAIN);
	assert_int_equal(fake_run(ctx, 1 * MS, -1), 0);
	fake = fake_new(ctx, 0, 0, NULL, NULL);
	assert_int_equal(request_run(&fake->request, -1), 0);
	assert_true(fake->request.deadline.due >= fake->request.began + 10 * LOOP_SEC);
	assert_true(fake->request.deadline.due <= fake->request.began + 40 * LOOP_SEC);
	request_destroy(&fake->request);
	vsresolv_close(ctx);
}

static void sync_holds_descriptors_while_it_waits(void **state)
{
	unsigned before = api_count_fds();
	struct vsresolv *ctx = api_open(NULL);

	(void)state;
	assert_int_equal(api_count_fds(), before);
	assert_int_equal(fake_run(ctx, 5 * MS, 1000), 0);
	assert_int_equal(api_count_fds(), before);
	assert_null(ctx->queries);
	vsresolv_close(ctx);
}

/* ---- asynchronous */

static void callback_comes_by_process_alone(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	int status = 99;

	(void)state;
	assert_false(api_readable(loop, 0));
	fake_start(ctx, 0, 1000, ends, &status);
	assert_int_equal(status, 99);
	assert_true(api_readable(loop, 0));
	assert_true(api_readable(loop, 0));
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(status, 0);
	assert_false(api_readable(loop, 0));
	assert_int_equal(vsresolv_process(loop), 0);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

static void descriptor_tells_of_timers(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	int late = 99, soon = 99;
	uint64_t began;

	(void)state;
	fake_start(ctx, API_NEVER, 300, ends, &late);
	began = engine_now();
	fake_start(ctx, 40 * MS, 10000, ends, &soon);
	assert_false(api_readable(loop, 0));
	assert_true(api_readable(loop, 5000));
	assert_true(engine_now() - began >= 40 * MS);
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(soon, 0);
	assert_false(api_readable(loop, 0));
	while (late == 99) {
		assert_true(api_readable(loop, 5000));
		vsresolv_process(loop);
	}
	assert_int_equal(late, EAI_AGAIN);
	assert_true(engine_now() - began >= 250 * MS);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

static void zero_timeout_comes_by_callback(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	int status = 99;

	(void)state;
	fake_start(ctx, API_NEVER, 0, ends, &status);
	assert_int_equal(status, 99);
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(status, EAI_AGAIN);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

static void starting_takes_a_loop(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct fake *fake = fake_new(ctx, 0, 0, NULL, NULL);
	uint64_t id = 7;

	(void)state;
	assert_int_equal(request_start(&fake->request, 0, &id), -ENOTCONN);
	assert_int_equal(id, 7);
	vsresolv_close(ctx);
}

/* A context of a loop takes synchronous requests, too; its asynchronous ones go on meanwhile. */
static void both_ways_on_one_loop(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	int status = 99;

	(void)state;
	fake_start(ctx, 5 * MS, 10000, ends, &status);
	assert_int_equal(fake_run(ctx, 30 * MS, 10000), 0);
	assert_int_equal(status, 99);
	assert_true(api_readable(loop, 0));
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(status, 0);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

/* ---- cancelling */

static void cancelled_ones_are_not_heard_of(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	int status = 99;
	uint64_t id;

	(void)state;
	id = fake_start(ctx, API_NEVER, 1000, ends, &status);
	assert_int_equal(vsresolv_cancel(loop, id), 0);
	assert_int_equal(vsresolv_cancel(loop, id), -ENOENT);
	id = fake_start(ctx, 0, 1000, ends, &status); /* finished, not delivered */
	assert_true(api_readable(loop, 0));
	assert_int_equal(vsresolv_cancel(loop, id), 0);
	assert_false(api_readable(loop, 0));
	assert_int_equal(vsresolv_process(loop), 0);
	assert_int_equal(status, 99);
	assert_int_equal(vsresolv_cancel(loop, 0), -ENOENT);
	assert_int_equal(vsresolv_cancel(loop, UINT64_MAX), -ENOENT);
	assert_int_equal(vsresolv_cancel(NULL, id), -EINVAL);
	id = fake_start(ctx, 0, 1000, ends, &status);
	assert_int_equal(vsresolv_process(loop), 1);
	assert_int_equal(vsresolv_cancel(loop, id), -ENOENT);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

struct scene {
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
	uint64_t own, other;
	int in_process, cancel_own, cancel_other, ran;
};

static void meddle(struct fake *fake, void *arg)
{
	struct scene *s = arg;

	(void)fake;
	s->ran++;
	s->in_process = vsresolv_process(s->loop);
	s->cancel_own = vsresolv_cancel(s->loop, s->own);
	s->cancel_other = vsresolv_cancel(s->loop, s->other);
	fake_start(s->ctx, 0, 1000, ends, &s->ran);
}

static void callbacks_may_cancel_and_start(void **state)
{
	struct scene s = {.loop = api_loop()};
	int other = 99;

	(void)state;
	s.ctx = api_open(s.loop);
	s.own = fake_start(s.ctx, 0, 1000, meddle, &s);
	s.other = fake_start(s.ctx, 0, 1000, ends, &other);
	assert_int_equal(vsresolv_process(s.loop), 1 + 1);
	assert_int_equal(s.in_process, -EBUSY);
	assert_int_equal(s.cancel_own, -EINPROGRESS);
	assert_int_equal(s.cancel_other, 0);
	assert_int_equal(other, 99);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_close(s.ctx);
	vsresolv_loop_close(s.loop);
}

static void restart(struct fake *fake, void *arg)
{
	struct vsresolv *ctx = arg;

	(void)fake;
	fake_start(ctx, 0, 1000, restart, ctx);
}

/* One that starts the next in its callback does not keep vsresolv_process() for ever. */
static void process_has_an_end(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);

	(void)state;
	fake_start(ctx, 0, 1000, restart, ctx);
	for (int i = 0; i < 10; i++) {
		assert_true(api_readable(loop, 0));
		assert_int_equal(vsresolv_process(loop), 1);
	}
	vsresolv_close(ctx);
	assert_int_equal(fake_count.alive, 0);
	vsresolv_loop_close(loop);
}

/* ---- closing */

static void close_it(struct fake *fake, void *arg)
{
	struct scene *s = arg;

	(void)fake;
	s->ran++;
	vsresolv_close(s->ctx);
	s->ctx = NULL;
}

static void closing_in_a_callback(void **state)
{
	struct scene s = {.loop = api_loop()};
	struct vsresolv *other = api_open(s.loop);
	int status = 99;

	(void)state;
	s.ctx = api_open(s.loop);
	fake_start(s.ctx, 0, 1000, close_it, &s);
	fake_start(s.ctx, 0, 1000, close_it, &s);
	fake_start(s.ctx, API_NEVER, 1000, close_it, &s);
	fake_start(other, 0, 1000, ends, &status);
	assert_int_equal(vsresolv_process(s.loop), 2);
	assert_int_equal(s.ran, 1);
	assert_int_equal(status, 0);
	assert_int_equal(fake_count.alive, 0);
	assert_int_equal(vsresolv_process(s.loop), 0);
	vsresolv_close(other);
	vsresolv_loop_close(s.loop);
}

/* What is kept for the next request goes some time after the last. */
static void idle_contexts_let_go(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	uint64_t began = engine_now();
	int status = 99;

	(void)state;
	fake_start(ctx, 0, 1000, ends, &status);
	vsresolv_process(loop);
	assert_non_null(ctx->queries);
	while (ctx->queries) {
		assert_true(engine_now() - began < API_PATIENCE);
		if (api_readable(loop, 1000))
			vsresolv_process(loop);
	}
	assert_null(ctx->view);
	assert_true(engine_now() - began >= VSRESOLV_LINGER_MS * MS);
	assert_int_equal(fake_run(ctx, 1 * MS, 1000), 0);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
}

/* ---- status */

static int status_of(int error, int *system)
{
	struct vsresolv *ctx = api_open(NULL);
	struct fake *fake = fake_new(ctx, 0, 0, NULL, NULL);
	int status;

	assert_int_equal(request_snapshot(&fake->request), 0);
	status = request_status(&fake->request, error, NULL);
	*system = fake->request.info.error;
	request_destroy(&fake->request);
	vsresolv_close(ctx);
	return status;
}

static void status_of_queries(void **state)
{
	static const int again[] = {
		-ETIMEDOUT, -EBADMSG, -ENOBUFS, -ECONNREFUSED, -ENETUNREACH, -EHOSTUNREACH};
	static const int trouble[] = {-ESTALE, -EPERM, -EMFILE, -EDESTADDRREQ, -EADDRNOTAVAIL};
	int error;

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		assert_int_equal(status_of(again[i], &error), EAI_AGAIN);
		assert_int_equal(error, 0);
	}
	for (size_t i = 0; i < sizeof(trouble) / sizeof(trouble[0]); i++) {
		assert_int_equal(status_of(trouble[i], &error), EAI_SYSTEM);
		assert_int_equal(error, trouble[i]);
	}
	assert_int_equal(status_of(-ENOMEM, &error), EAI_MEMORY);
}

/* Each request is counted once, by where its answer is from. */
static void requests_are_counted(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct fake *fake = fake_new(ctx, 0, 0, NULL, NULL);

	(void)state;
	fake->request.info.source = VSRESOLV_CACHE;
	assert_int_equal(request_run(&fake->request, 0), 0);
	request_destroy(&fake->request);
	fake_run(ctx, API_NEVER, 0);
	assert_int_equal(vsresolv_stats(ctx, &stats), 0);
	assert_int_equal(stats.requests, 2);
	assert_int_equal(stats.cache_hits, 1);
	vsresolv_close(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sync_ends_by_itself),
		cmocka_unit_test(sync_has_a_deadline),
		cmocka_unit_test(special_timeouts),
		cmocka_unit_test(sync_holds_descriptors_while_it_waits),
		cmocka_unit_test(callback_comes_by_process_alone),
		cmocka_unit_test(descriptor_tells_of_timers),
		cmocka_unit_test(zero_timeout_comes_by_callback),
		cmocka_unit_test(starting_takes_a_loop),
		cmocka_unit_test(both_ways_on_one_loop),
		cmocka_unit_test(cancelled_ones_are_not_heard_of),
		cmocka_unit_test(callbacks_may_cancel_and_start),
		cmocka_unit_test(process_has_an_end),
		cmocka_unit_test(closing_in_a_callback),
		cmocka_unit_test(idle_contexts_let_go),
		cmocka_unit_test(status_of_queries),
		cmocka_unit_test(requests_are_counted),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
