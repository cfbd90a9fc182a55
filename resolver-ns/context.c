/* SPDX-License-Identifier: BSD-3-Clause */
/* A context: opened and closed, awake and asleep. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "container.h"
#include "context_config.h"
#include "process_mark.h"
#include "request.h"
#include "settings.h"
#include "vsreg.h"

#define IN_FLIGHT 256
#define WAITING 16384

bool context_is_ours(const struct vsresolv *ctx)
{
	return ctx->process == process_mark();
}

/* ---- awake and asleep */

static void drop(struct vsresolv *ctx)
{
	if (ctx->has_loop)
		loop_timer_del(engine_loop(ctx->engine), &ctx->linger);
	queries_free(ctx->queries);
	ctx->queries = NULL;
	netview_free(ctx->view);
	ctx->view = NULL;
}

/* The loop goes. What the view has read of the VS's addresses stays good for a second, without a
 * descriptor: synchronous requests come one after the other. */
static void rest(struct vsresolv *ctx)
{
	queries_free(ctx->queries);
	ctx->queries = NULL;
	netview_rest(ctx->view);
}

static void linger_over(struct loop_timer *timer)
{
	struct vsresolv *ctx = container_of(timer, struct vsresolv, linger);
	struct loop *loop = engine_loop(ctx->engine);
	uint64_t over = ctx->slept + VSRESOLV_LINGER_MS * LOOP_MSEC;

	if (ctx->awake > 0)
		return;
	/* It may still ask, for the cache's sake. */
	if (!queries_are_idle(ctx->queries))
		over = loop_now(loop) + VSRESOLV_LINGER_MS * LOOP_MSEC;
	if (over <= loop_now(loop) || loop_timer_at(loop, timer, over) < 0)
		drop(ctx);
}

static int make_queries(struct vsresolv *ctx)
{
	const struct queries_config config = {
		.name = ctx->name,
		.loop = engine_loop(ctx->engine),
		.place = ctx->place,
		.cache = ctx->cache,
		.health = ctx->health,
		.share = engine_share(ctx->engine),
		.counters = &ctx->counters,
		.flags = ctx->flags,
		.in_flight = ctx->in_flight,
		.waiting = ctx->waiting,
		.stale_seconds = ctx->stale_seconds,
		.log = ctx->log,
		.log_arg = ctx->log_arg,
	};

	return queries_new(&ctx->queries, &config);
}

static int make_view(struct vsresolv *ctx)
{
	/* Without a loop of the application nobody would hear of changes. */
	int rc = netview_new(&ctx->view, ctx->place,
		ctx->has_loop ? engine_loop(ctx->engine) : NULL);

	if (rc == 0)
		netview_tell(ctx->view, &ctx->epoch);
	return rc;
}

int context_wake(struct vsresolv *ctx)
{
	int rc = ctx->queries ? 0 : make_queries(ctx);

	if (rc == 0 && !ctx->view)
		rc = make_view(ctx);
	if (rc == 0)
		ctx->awake++;
	else if (ctx->awake == 0 && !loop_timer_set(&ctx->linger))
		drop(ctx);
	return rc;
}

void context_sleep(struct vsresolv *ctx)
{
	ctx->awake--;
	if (ctx->awake > 0)
		return;
	ctx->slept = engine_now();
	if (!ctx->has_loop) {
		rest(ctx);
		return;
	}
	if (loop_timer_set(&ctx->linger))
		return;
	ctx->linger.fn = linger_over;
	if (loop_timer_at(engine_loop(ctx->engine), &ctx->linger,
		ctx->slept + VSRESOLV_LINGER_MS * LOOP_MSEC) < 0)
		drop(ctx);
}

/* ---- opening */

static void tell(void *arg, int priority, const char *text)
{
	const struct vsresolv *ctx = arg;

	if (ctx->log)
		ctx->log(ctx->log_arg, priority, ctx->name, text);
}

static int make_guard(struct vsresolv *ctx, struct vs *vs, const struct vsresolv_config *config)
{
	bool by_default = place_is_mark(ctx->place) && !(config->flags & VSRESOLV_NO_GUARD);
	int rc;

	if (!by_default && !(config->flags & VSRESOLV_GUARD))
		return 0;
	rc = guard_new(&ctx->guard, config->registry, vs);
	if (rc == 0)
		guard_ask_by(ctx->guard, ctx->place);
	return rc;
}

/* What is there already is freed by who calls, by context_free(). */
static int make_parts(struct vsresolv *ctx, struct vs *vs, const struct vsresolv_config *config)
{
	const struct source_config files = {
		.resolv_conf = config->resolv_conf,
		.hosts_file = config->hosts_file,
		.services_file = config->services_file,
		.servers = config->servers,
		.search = config->search,
		.options = config->options,
		.log = tell,
		.log_arg = ctx,
	};
	size_t bytes = config->cache_bytes ? config->cache_bytes : VSRESOLV_CACHE_BYTES;
	int rc;

	ctx->stripes = calloc(COUNTERS_STRIPES, sizeof(*ctx->stripes));
	if (!ctx->stripes)
		return -ENOMEM;
	rc = place_new(&ctx->place, vs, config);

	if (rc == 0)
		rc = source_new(&ctx->source, &files);
	if (rc == 0)
		rc = cache_new(&ctx->cache, config->flags & VSRESOLV_NO_CACHE ? 0 : bytes,
			config->budget);
	if (rc == 0)
		rc = make_guard(ctx, vs, config);
	if (rc == 0)
		rc = health_new(&ctx->health);
	if (rc == 0 && !ctx->has_loop)
		rc = engine_new(&ctx->engine, false);
	return rc;
}

static void context_free(struct vsresolv *ctx)
{
	if (!ctx->has_loop)
		engine_free(ctx->engine);
	health_free(ctx->health);
	guard_free(ctx->guard);
	/* In a child the lock of the budget may be one that nobody lets go any more. */
	if (!ctx->has_budget || context_is_ours(ctx))
		cache_free(ctx->cache);
	source_free(ctx->source);
	place_free(ctx->place);
	free(ctx->stripes);
	free(ctx);
}

static int make_context(struct vsresolv **out, struct vsresolv_loop *loop, struct vs *vs,
	const char *name, const struct vsresolv_config *config)
{
	size_t len = strlen(name) + 1;
	struct vsresolv *ctx = calloc(1, sizeof(*ctx) + len);
	int rc;

	if (!ctx)
		return -ENOMEM;
	memcpy(ctx->name, name, len);
	ctx->process = process_mark();
	ctx->engine = loop;
	ctx->has_loop = loop != NULL;
	ctx->has_budget = config->budget != NULL;
	ctx->flags = config->flags;
	ctx->stale_seconds = config->stale_seconds;
	ctx->in_flight = config->in_flight ? config->in_flight : IN_FLIGHT;
	ctx->waiting = config->waiting ? config->waiting : WAITING;
	ctx->log = config->log;
	ctx->log_arg = config->log_arg;
	LIST_INIT(&ctx->requests);
	rc = make_parts(ctx, vs, config);
	if (rc < 0) {
		context_free(ctx);
		return rc;
	}
	*out = ctx;
	return 0;
}

static int context_new(struct vsresolv **out, struct vsresolv_loop *loop, struct vs *vs,
	const char *name, const struct vsresolv_config *config)
{
	const int state = cancel_off();
	int rc = make_context(out, loop, vs, name, config);

	cancel_restore(state);
	return rc;
}

int vsresolv_open(struct vsresolv **ctx, struct vsresolv_loop *loop,
	const struct vsresolv_config *given)
{
	struct vsresolv_config config;
	const char *name;
	int rc;

	if (!ctx || !given)
		return -EINVAL;
	if (loop && engine_is_foreign(loop))
		return -EPROTOTYPE;
	rc = context_config_read(&config, given);
	if (rc < 0)
		return rc;
	name = config.name ? config.name : "";
	rc = context_config_check(&config, name, false);
	return rc == 0 ? context_new(ctx, loop, NULL, name, &config) : rc;
}

/* What the caller set is checked before the VS's own settings come in, and all of it after. */
int vsresolv_open_vs(struct vsresolv **ctx, struct vsresolv_loop *loop, struct vs *vs,
	const struct vsresolv_config *given)
{
	struct vsresolv_config config;
	struct settings *settings;
	int rc;

	if (!ctx || !vs)
		return -EINVAL;
	if (loop && engine_is_foreign(loop))
		return -EPROTOTYPE;
	if (vs_is_gone(vs))
		return -ESTALE;
	rc = context_config_read(&config, given);
	if (rc == 0)
		rc = context_config_check(&config, vs_name(vs), true);
	if (rc == 0)
		rc = settings_read(&settings, vs, config.log, config.log_arg);
	if (rc < 0)
		return rc;
	settings_config(settings, &config);
	rc = context_config_check(&config, vs_name(vs), true);
	if (rc == 0)
		rc = context_new(ctx, loop, vs, vs_name(vs), &config);
	settings_free(settings);
	return rc;
}

/* ---- closing */

LIST_HEAD(request_list, request);

static void destroy_all(struct request_list *requests)
{
	struct request *r;

	while ((r = LIST_FIRST(requests)) != NULL) {
		LIST_REMOVE(r, link);
		request_destroy(r);
	}
}

static void end_requests(struct vsresolv *ctx)
{
	struct request_list gone = LIST_HEAD_INITIALIZER(gone);
	struct request *r;

	engine_lock(ctx->engine);
	/* A callback that runs in another thread may start more. */
	do {
		while ((r = LIST_FIRST(&ctx->requests)) != NULL) {
			request_abandon(r);
			LIST_INSERT_HEAD(&gone, r, link);
		}
	} while (!engine_settle(ctx->engine, ctx));
	drop(ctx);
	engine_rearm(ctx->engine);
	engine_unlock(ctx->engine);
	destroy_all(&gone);
}

void vsresolv_close(struct vsresolv *ctx)
{
	int state;

	if (!ctx)
		return;
	state = cancel_off();
	if (context_is_ours(ctx))
		end_requests(ctx);
	else
		context_forsake(ctx);
	context_free(ctx);
	cancel_restore(state);
}
