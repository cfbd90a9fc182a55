/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <time.h>

#include "container.h"
#include "server.h"
#include "stream_private.h"
#include "turn.h"

#define DEBT_MAX (20 * LOOP_MSEC) /* when the machine stood still, nobody is to pay for it long */

uint64_t turn_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t slice_of(const struct vserver *vs)
{
	return (uint64_t)TURN_SLICE * (1 + vs->turn.more);
}

/* The loop's time is that of its turn. */
static void enter(struct vserver *vs)
{
	uint64_t now = loop_now(vs->server->loop), passed = now - vs->turn.at;
	uint64_t credit = slice_of(vs);

	if (!passed)
		return;
	if (passed > vs->turn.spent && passed - vs->turn.spent > credit)
		credit = passed - vs->turn.spent;
	for (unsigned k = 0; k < TURN_KINDS; k++) {
		uint64_t *worked = &vs->turn.worked[k];
		*worked = *worked > credit ? *worked - credit : 0;
		*worked = *worked < DEBT_MAX ? *worked : DEBT_MAX;
	}
	vs->turn.at = now;
	vs->turn.spent = 0;
}

bool turn_has_time(struct vserver *vs, enum turn_kind kind)
{
	enter(vs);
	return vs->turn.worked[kind] < slice_of(vs);
}

void turn_start(struct vserver *vs)
{
	enter(vs);
	vs->turn.since = turn_clock();
}

void turn_lap(struct vserver *vs, enum turn_kind kind)
{
	uint64_t now = turn_clock();

	vs->turn.worked[kind] += now - vs->turn.since;
	vs->turn.spent += now - vs->turn.since;
	vs->turn.since = now;
}

void turn_charge(struct vserver *vs, enum turn_kind kind, uint64_t took)
{
	enter(vs);
	vs->turn.worked[kind] += took;
	vs->turn.spent += took;
}

void turn_need(struct vserver *vs)
{
	struct server *server = vs->server;

	if (!vs->is_busy)
		TAILQ_INSERT_TAIL(&server->stream.busy, vs, in_busy);
	vs->is_busy = true;
	if (!loop_timer_set(&server->stream.work))
		loop_timer_in(server->loop, &server->stream.work, 0);
}

void turn_forget(struct vserver *vs)
{
	if (vs->is_busy)
		TAILQ_REMOVE(&vs->server->stream.busy, vs, in_busy);
	vs->is_busy = false;
}

/* What has still more to do says so again. */
static void serve(struct vserver *vs)
{
	udp_resume(&vs->udp4);
	udp_resume(&vs->udp6);
	stream_resume(vs);
}

/* A VS that is still busy comes again in the next turn, not in this one. */
static void on_work(struct loop_timer *timer)
{
	struct stream_server *ss = container_of(timer, struct stream_server, work);
	struct vserver_list now = TAILQ_HEAD_INITIALIZER(now);
	struct vserver *vs;

	TAILQ_CONCAT(&now, &ss->busy, in_busy);
	while ((vs = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, vs, in_busy);
		vs->is_busy = false;
		serve(vs);
	}
}

void turn_init(struct server *server)
{
	TAILQ_INIT(&server->stream.busy);
	server->stream.work.fn = on_work;
}
