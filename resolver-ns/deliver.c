/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of asynchronous requests back to the user: vsresolv_process() and vsresolv_cancel(). */
#include "config.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "cancel.h"
#include "engine_private.h"
#include "request.h"

int vsresolv_loop_open(struct vsresolv_loop **loop)
{
	const int state = cancel_off();
	int rc = loop ? engine_new(loop, true) : -EINVAL;

	cancel_restore(state);
	return rc;
}

void vsresolv_loop_close(struct vsresolv_loop *loop)
{
	const int state = cancel_off();

	engine_free(loop);
	cancel_restore(state);
}

int vsresolv_loop_fd(const struct vsresolv_loop *loop)
{
	return loop->fd;
}

/* ---- finished requests */

/* The descriptor says whether there are any, unless they are about to be delivered. */
static void ring(struct vsresolv_loop *engine)
{
	eventfd_t count;

	if (engine->rung == !TAILQ_EMPTY(&engine->done))
		return;
	engine->rung = !engine->rung;
	if (engine->rung)
		eventfd_write(engine->done_fd, 1);
	else
		eventfd_read(engine->done_fd, &count);
}

int engine_expect(struct vsresolv_loop *engine, struct request *request)
{
	return request_ids_take(&engine->ids, request, &request->id);
}

void engine_complete(struct vsresolv_loop *engine, struct request *request)
{
	TAILQ_INSERT_TAIL(&engine->done, request, done_link);
	engine->done_count++;
	if (!engine->turning)
		ring(engine);
}

static void take_done(struct vsresolv_loop *engine, struct request *request)
{
	TAILQ_REMOVE(&engine->done, request, done_link);
	engine->done_count--;
}

void engine_forget(struct vsresolv_loop *engine, struct request *request)
{
	if (request->finished) {
		take_done(engine, request);
		ring(engine);
	}
	request_ids_give(&engine->ids, request->id);
}

/* ---- callbacks */

/* The one that the calling thread runs, of any context or of one. */
static struct engine_delivery *own_delivery(struct vsresolv_loop *engine)
{
	struct engine_delivery *d;

	LIST_FOREACH(d, &engine->deliveries, link) {
		if (pthread_equal(d->thread, pthread_self()))
			return d;
	}
	return NULL;
}

bool engine_settle(struct vsresolv_loop *engine, const struct vsresolv *ctx)
{
	struct engine_delivery *d, *own = own_delivery(engine);
	int state = engine->cancel_state;

	if (own && own->ctx == ctx)
		own->ctx = NULL;
	LIST_FOREACH(d, &engine->deliveries, link) {
		if (d->ctx != ctx)
			continue;
		pthread_cond_wait(&engine->delivered, &engine->lock);
		engine->cancel_state = state;
		return false;
	}
	return true;
}

/* The context may be closed as soon as the lock is let go, and the request is nobody's but ours. */
static void deliver(struct vsresolv_loop *engine, struct request *request)
{
	struct engine_delivery d = {.thread = pthread_self(), .ctx = request->ctx};
	const uint64_t id = request->id;
	int state = engine->cancel_state;

	take_done(engine, request);
	request_ids_leave(&engine->ids, id);
	request_leave(request);
	LIST_INSERT_HEAD(&engine->deliveries, &d, link);
	pthread_mutex_unlock(&engine->lock);
	request->ops->deliver(request);
	request_destroy(request);
	pthread_mutex_lock(&engine->lock);
	engine->cancel_state = state;
	LIST_REMOVE(&d, link);
	request_ids_give(&engine->ids, id);
	pthread_cond_broadcast(&engine->delivered);
}

/* No more than there are now: a callback that starts requests, which the cache answers, would
 * keep it for ever. */
static int deliver_all(struct vsresolv_loop *engine)
{
	const unsigned count = engine->done_count;
	unsigned delivered = 0;
	struct request *request;

	while (delivered < count && (request = TAILQ_FIRST(&engine->done)) != NULL) {
		deliver(engine, request);
		delivered++;
	}
	return (int)delivered;
}

int vsresolv_process(struct vsresolv_loop *loop)
{
	int rc = -EBUSY;

	if (!loop)
		return -EINVAL;
	if (engine_is_foreign(loop))
		return -EPROTOTYPE;
	engine_lock(loop);
	if (!own_delivery(loop)) {
		loop->turning = true;
		engine_turn(loop);
		loop->turning = false;
		rc = deliver_all(loop);
		ring(loop);
		/* What the timer was set for has been done. */
		if (loop->armed <= engine_now())
			engine_arm(loop, loop_due(loop->loop));
		engine_rearm(loop);
	}
	engine_unlock(loop);
	return rc;
}

int vsresolv_cancel(struct vsresolv_loop *loop, uint64_t id)
{
	struct request *request;
	int rc;

	if (!loop)
		return -EINVAL;
	if (engine_is_foreign(loop))
		return -EPROTOTYPE;
	engine_lock(loop);
	rc = request_ids_find(&loop->ids, id, &request);
	if (rc == 0 && !request)
		rc = -EINPROGRESS;
	if (rc == 0)
		request_abandon(request);
	engine_rearm(loop);
	engine_unlock(loop);
	if (rc == 0)
		request_destroy(request);
	return rc;
}
