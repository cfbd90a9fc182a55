/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>

#include "api_rig.h"
#include "container.h"

struct fake_count fake_count;

struct vsresolv *api_open(struct vsresolv_loop *loop)
{
	static const char *const servers[] = {"127.0.0.1:9", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;

	config.name = "t";
	config.servers = servers;
	assert_int_equal(vsresolv_open(&ctx, loop, &config), 0);
	return ctx;
}

struct vsresolv_loop *api_loop(void)
{
	struct vsresolv_loop *loop;

	assert_int_equal(vsresolv_loop_open(&loop), 0);
	return loop;
}

/* ---- the fake kind */

static void timer_due(struct loop_timer *timer)
{
	struct fake *fake = container_of(timer, struct fake, timer);

	request_finish(&fake->request, fake->ends_with);
}

static void fake_begin(struct request *r)
{
	struct fake *fake = container_of(r, struct fake, request);
	struct loop *loop = engine_loop(r->ctx->engine);

	assert_non_null(r->conf);
	assert_non_null(r->ctx->queries);
	assert_non_null(r->ctx->view);
	if (fake->delay == 0)
		request_finish(r, fake->ends_with);
	else if (fake->delay != API_NEVER)
		assert_int_equal(loop_timer_in(loop, &fake->timer, fake->delay), 0);
}

static void fake_stop(struct request *r)
{
	struct fake *fake = container_of(r, struct fake, request);

	fake->stopped++;
	assert_int_equal(fake->stopped, 1);
	loop_timer_del(engine_loop(r->ctx->engine), &fake->timer);
}

static int fake_expire(struct request *r)
{
	return container_of(r, struct fake, request)->expires_with;
}

static void fake_deliver(struct request *r)
{
	struct fake *fake = container_of(r, struct fake, request);

	atomic_fetch_add(&fake_count.delivered, 1);
	if (fake->fn)
		fake->fn(fake, fake->arg);
}

static void fake_destroy(struct request *r)
{
	atomic_fetch_sub(&fake_count.alive, 1);
	free(container_of(r, struct fake, request));
}

static const struct request_ops fake_ops = {
	.begin = fake_begin,
	.stop = fake_stop,
	.expire = fake_expire,
	.deliver = fake_deliver,
	.destroy = fake_destroy,
};

struct fake *fake_new(struct vsresolv *ctx, uint64_t delay, int ends_with, fake_fn *fn, void *arg)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	atomic_fetch_add(&fake_count.alive, 1);
	request_init(&fake->request, ctx, &fake_ops);
	fake->timer.fn = timer_due;
	fake->delay = delay;
	fake->ends_with = ends_with;
	fake->expires_with = EAI_AGAIN;
	fake->fn = fn;
	fake->arg = arg;
	return fake;
}

uint64_t fake_start(struct vsresolv *ctx, uint64_t delay, int timeout_ms, fake_fn *fn, void *arg)
{
	struct fake *fake = fake_new(ctx, delay, 0, fn, arg);
	uint64_t id = 0;

	assert_int_equal(request_start(&fake->request, timeout_ms, &id), 0);
	assert_int_not_equal(id, 0);
	return id;
}

int fake_run(struct vsresolv *ctx, uint64_t delay, int timeout_ms)
{
	struct fake *fake = fake_new(ctx, delay, 0, NULL, NULL);
	int status = request_run(&fake->request, timeout_ms);

	request_destroy(&fake->request);
	return status;
}

/* ---- the loop */

bool api_readable(struct vsresolv_loop *loop, int ms)
{
	struct pollfd pfd = {.fd = vsresolv_loop_fd(loop), .events = POLLIN};

	return poll(&pfd, 1, ms) == 1;
}

void api_process_until(struct vsresolv_loop *loop, atomic_long *value, long wanted)
{
	uint64_t give_up = engine_now() + API_PATIENCE;

	while (atomic_load(value) != wanted) {
		assert_true(engine_now() < give_up);
		if (api_readable(loop, 100))
			assert_true(vsresolv_process(loop) >= 0);
	}
}

unsigned api_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", "..", and the directory's own */
}
