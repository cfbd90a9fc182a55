/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections of a VS that wait for their turn (turn.h). */
#include "config.h"

#include "server.h"
#include "stream.h"
#include "stream_private.h"
#include "turn.h"

void stream_enqueue(struct stream_conn *c)
{
	loop_io_del(c->server->loop, &c->io);
	TAILQ_INSERT_TAIL(&c->vs->queue, c, in_queue);
	c->is_queued = true;
	turn_need(c->vs);
}

void stream_dequeue(struct stream_conn *c)
{
	if (c->is_queued)
		TAILQ_REMOVE(&c->vs->queue, c, in_queue);
	c->is_queued = false;
}

/* Each connection that is taken out goes to the end of the queue if it has still more to do. */
void stream_resume(struct vserver *vs)
{
	struct stream_conn *c;

	while (turn_has_time(vs, TURN_STREAM) && (c = TAILQ_FIRST(&vs->queue))) {
		stream_dequeue(c);
		stream_conn_resume(c);
	}
	if (!TAILQ_EMPTY(&vs->queue))
		turn_need(vs);
}
