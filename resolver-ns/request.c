/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <sched.h>

#include "container.h"
#include "request.h"

void request_init(struct request *r, struct vsresolv *ctx, const struct request_ops *ops)
{
	*r = (struct request){
		.ops = ops,
		.ctx = ctx,
		.began = engine_now(),
		.info = {.rcode = -1},
	};
}

void request_destroy(struct request *r)
{
	struct rconf *conf = r->conf;

	/* After the rest, which may point into it. */
	r->conf = NULL;
	r->ops->destroy(r);
	rconf_unref(conf);
}

void request_count(struct vsresolv *ctx, const struct vsresolv_info *info)
{
	struct counters_stripe *stripe = &ctx->stripes[(unsigned)sched_getcpu() % COUNTERS_STRIPES];

	count(&stripe->requests);
	if (info->source == VSRESOLV_CACHE)
		count(&stripe->cache_hits);
	else if (info->source == VSRESOLV_STALE)
		count(&stripe->cache_stale);
}

/* ---- status */

/* Of what is the VS's own trouble, or this process's. */
static int system_status(struct request *r, int error)
{
	if (error == -ENOMEM)
		return EAI_MEMORY;
	r->info.error = error;
	return EAI_SYSTEM;
}

/* What keeps an answer from coming now, and may be over soon. */
static bool is_passing(int error)
{
	switch (-error) {
	case ETIMEDOUT:
	case EBADMSG: /* what came by TCP was no response */
	case ENOBUFS:
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return true;
	default:
		return false;
	}
}

int request_status(struct request *r, int status, const struct answer *answer)
{
	if (status < 0)
		return is_passing(status) ? EAI_AGAIN : system_status(r, status);
	answer_info(answer, engine_now(), r->conf->trust_ad, &r->info);
	return answer_status(answer);
}

void request_weaken(struct vsresolv_info *info, const struct vsresolv_info *other)
{
	if (info->source != VSRESOLV_STALE &&
		(other->source == VSRESOLV_STALE || other->source > info->source))
		info->source = other->source;
	if (other->ttl < info->ttl)
		info->ttl = other->ttl;
	info->ad = info->ad && other->ad;
}

int request_snapshot(struct request *r)
{
	int rc;

	if (r->conf)
		return 0;
	rc = source_get(r->ctx->source, r->began, &r->conf);
	/* Without a server what needs none goes on; request_ask() tells the others. */
	return rc == 0 || rc == -EDESTADDRREQ ? 0 : system_status(r, rc);
}

/* ---- the end */

/* It waits for nothing any more. */
static void end(struct request *r)
{
	r->finished = true;
	loop_timer_del(engine_loop(r->ctx->engine), &r->deadline);
	r->ops->stop(r);
}

void request_settle(struct request *r, int status)
{
	uint64_t elapsed = (engine_now() - r->began) / 1000;

	r->status = status;
	if (status != EAI_SYSTEM)
		r->info.error = 0;
	r->info.elapsed_us = elapsed < UINT32_MAX ? (uint32_t)elapsed : UINT32_MAX;
	request_count(r->ctx, &r->info);
}

void request_finish(struct request *r, int status)
{
	if (r->finished)
		return;
	end(r);
	request_settle(r, status);
	if (r->id != 0)
		engine_complete(r->ctx->engine, r);
}

static void expire(struct request *r)
{
	request_finish(r, r->ops->expire ? r->ops->expire(r) : EAI_AGAIN);
}

static void deadline_due(struct loop_timer *timer)
{
	expire(container_of(timer, struct request, deadline));
}

void request_leave(struct request *r)
{
	struct vsresolv_loop *engine = r->ctx->engine;

	LIST_REMOVE(r, link);
	context_sleep(r->ctx);
	engine_release(engine);
}

void request_abandon(struct request *r)
{
	engine_forget(r->ctx->engine, r);
	if (!r->finished)
		end(r);
	request_leave(r);
}

/* ---- the beginning */

/* From the start on. With negative timeout_ms it is the servers' time that counts, and the
 * queries end by themselves; twice that, since some kinds ask twice in a row, is more than it
 * can take. */
static uint64_t time_allowed(const struct request *r, int timeout_ms)
{
	const struct rconf *conf = r->conf;

	if (timeout_ms >= 0)
		return (uint64_t)timeout_ms * LOOP_MSEC;
	if (!conf || conf->server_count == 0)
		return LOOP_SEC;
	return 2 * LOOP_MSEC * conf->timeout_ms * conf->attempts * conf->server_count;
}

/* Lock held: its context is awake for it until request_leave(). */
static int enter(struct request *r, int timeout_ms)
{
	struct vsresolv *ctx = r->ctx;
	int rc = engine_hold(ctx->engine);

	if (rc < 0)
		return rc;
	rc = context_wake(ctx);
	if (rc < 0) {
		engine_release(ctx->engine);
		return rc;
	}
	LIST_INSERT_HEAD(&ctx->requests, r, link);
	r->at_hand_only = timeout_ms == 0;
	r->deadline.fn = deadline_due;
	if (!r->at_hand_only)
		rc = loop_timer_at(engine_loop(ctx->engine), &r->deadline,
			r->began + time_allowed(r, timeout_ms));
	if (rc < 0)
		request_leave(r);
	return rc;
}

static void begin(struct request *r)
{
	r->ops->begin(r);
	if (!r->finished && r->at_hand_only)
		expire(r);
}

static bool is_finished(void *arg)
{
	const struct request *r = arg;

	return r->finished;
}

static int run_locked(struct request *r, int timeout_ms)
{
	struct vsresolv_loop *engine = r->ctx->engine;
	int rc = enter(r, timeout_ms);

	if (rc < 0)
		return system_status(r, rc);
	begin(r);
	if (!r->finished)
		engine_wait(engine, is_finished, r);
	request_leave(r);
	engine_rearm(engine);
	return r->status;
}

int request_run(struct request *r, int timeout_ms)
{
	struct vsresolv_loop *engine = r->ctx->engine;

	if (!context_is_ours(r->ctx)) {
		r->status = system_status(r, -EPROTOTYPE);
		return r->status;
	}
	r->status = request_snapshot(r);
	if (r->status != 0)
		return r->status;
	engine_lock(engine);
	r->status = run_locked(r, timeout_ms);
	engine_unlock(engine);
	return r->status;
}

static int start_locked(struct request *r, int timeout_ms, int status, uint64_t *id)
{
	struct vsresolv_loop *engine = r->ctx->engine;
	int rc = engine_expect(engine, r);

	if (rc < 0)
		return rc;
	rc = enter(r, timeout_ms);
	if (rc < 0) {
		engine_forget(engine, r);
		return rc;
	}
	if (id)
		*id = r->id;
	if (status == 0)
		begin(r);
	else
		request_finish(r, status);
	engine_rearm(engine);
	return 0;
}

int request_start(struct request *r, int timeout_ms, uint64_t *id)
{
	struct vsresolv_loop *engine = r->ctx->engine;
	int rc;

	if (!context_is_ours(r->ctx)) {
		rc = -EPROTOTYPE;
	} else if (!r->ctx->has_loop) {
		rc = -ENOTCONN;
	} else {
		int status = r->is_settled ? 0 : request_snapshot(r);

		engine_lock(engine);
		rc = start_locked(r, timeout_ms, status, id);
		engine_unlock(engine);
	}
	if (rc < 0)
		request_destroy(r);
	return rc;
}

/* ---- asking */

/* Nothing is driven after the end of a synchronous request. */
static bool may_prefetch(const struct request *r)
{
	return r->ctx->has_loop && !(r->ctx->flags & VSRESOLV_NO_PREFETCH) &&
		r->conf->server_count > 0;
}

bool request_cached(struct request *r, const struct dns_question *question, struct answer **answer)
{
	struct answer *found;
	bool prefetch;

	if (answer_find(r->ctx->cache, question, engine_now(), 0, &found, &prefetch) < 0)
		return false;
	if (prefetch && may_prefetch(r)) {
		answer_unref(found);
		return false;
	}
	*answer = found;
	return true;
}

int request_ask(struct request *r, const struct dns_question *question, struct query_waiter *w,
	struct answer **answer)
{
	struct vsresolv *ctx = r->ctx;
	bool prefetch;
	int rc = answer_find(ctx->cache, question, engine_now(), 0, answer, &prefetch);

	if (rc == 0 && prefetch && may_prefetch(r))
		queries_prefetch(ctx->queries, r->conf, question);
	if (rc == 0)
		return 1;
	if (rc != -ENOENT)
		return rc;
	if (r->conf->server_count == 0)
		return -EDESTADDRREQ;
	if (r->at_hand_only)
		return -ETIMEDOUT;
	return queries_ask(ctx->queries, r->conf, question, w);
}

int request_stale(struct request *r, const struct dns_question *question, struct answer **answer)
{
	bool prefetch;

	if (r->ctx->stale_seconds == 0)
		return -ENOENT;
	return answer_find(r->ctx->cache, question, engine_now(), CACHE_STALE, answer, &prefetch);
}
