/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns: a VS whose clients ask more than it has time for is served a slice at a time, so that its
 * flood costs the other VSs one slice a turn, however many connections it comes by.
 */
#include "config.h"

#include <time.h>

#include "container.h"
#include "server.h"
#include "stream.h"
#include "stream_private.h"

uint64_t stream_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

/* The loop's time is that of its turn. */
bool stream_may_work(const struct vserver *vs)
{
	return vs->turn != loop_now(vs->server->loop) || vs->worked < STREAM_TURN;
}

void stream_worked(struct vserver *vs, uint64_t since)
{
	if (vs->turn != loop_now(vs->server->loop))
		vs->worked = 0;
	vs->turn = loop_now(vs->server->loop);
	vs->worked += stream_clock() - since;
}

void stream_enqueue(struct stream_conn *c)
{
	struct server *server = c->server;
	struct vserver *vs = c->vs;

	loop_io_del(server->loop, &c->io);
	if (TAILQ_EMPTY(&vs->queue))
		TAILQ_INSERT_TAIL(&server->stream.busy, vs, in_busy);
	TAILQ_INSERT_TAIL(&vs->queue, c, in_queue);
	c->is_queued = true;
	if (!loop_timer_set(&server->stream.work))
		loop_timer_in(server->loop, &server->stream.work, 0);
}

void stream_dequeue(struct stream_conn *c)
{
	if (!c->is_queued)
		return;
	c->is_queued = false;
	TAILQ_REMOVE(&c->vs->queue, c, in_queue);
	if (TAILQ_EMPTY(&c->vs->queue))
		TAILQ_REMOVE(&c->server->stream.busy, c->vs, in_busy);
}

/* Each connection that is taken out goes to the end of the queue if it has still more to do. */
static void serve_queue(struct vserver *vs)
{
	struct stream_conn *c, *last = TAILQ_LAST(&vs->queue, stream_list);

	while (stream_may_work(vs) && (c = TAILQ_FIRST(&vs->queue))) {
		bool is_last = c == last;
		stream_dequeue(c);
		stream_conn_resume(c);
		if (is_last)
			return;
	}
}

static void on_work(struct loop_timer *timer)
{
	struct stream_server *ss = container_of(timer, struct stream_server, work);
	struct server *server = container_of(ss, struct server, stream);
	struct vserver *vs, *next;

	/* A VS that is still busy puts itself at the end of the list, which is not reached again. */
	struct vserver *last = TAILQ_LAST(&ss->busy, vserver_list);
	TAILQ_FOREACH_MUT(vs, &ss->busy, in_busy, next) {
		bool is_last = vs == last;
		serve_queue(vs);
		if (is_last)
			break;
	}
	if (!TAILQ_EMPTY(&ss->busy) && !loop_timer_set(&ss->work))
		loop_timer_in(server->loop, &ss->work, 0);
}

void stream_queue_init(struct server *server)
{
	TAILQ_INIT(&server->stream.busy);
	server->stream.work.fn = on_work;
}
