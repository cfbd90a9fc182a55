/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns: fair between VSs.
 *
 * In one turn of the loop a VS is served for at most TURN_SLICE. What it has more to do, over UDP or
 * over streams, waits with the VS in the list of the busy, and they are served one after the other after
 * all events of the turn: a VS that asks little does not wait for one that asks all the time, and
 * that one costs the others a slice a turn, however many sockets and connections it comes by.
 *
 * Within a VS UDP has half of the slice, so that neither it nor the streams can starve the other; each
 * does at least one call in a turn in which it is served. One call is the most that a slice is exceeded by.
 */
#ifndef RPCBIND_TURN_H
#define RPCBIND_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct server;
struct vserver;

#define TURN_SLICE (100000) /* nanoseconds of a VS in a turn */
#define TURN_UDP (TURN_SLICE / 2)

uint64_t turn_clock(void); /* nanoseconds */

/* Begins work for the VS... */
void turn_start(struct vserver *vs);
/* ...notes what was done since then or since the last of these. Nanoseconds, in this turn. */
uint64_t turn_lap(struct vserver *vs);
/* Has the VS still time in this turn? */
bool turn_has_time(const struct vserver *vs);

/* The VS has something that waits for a later turn. */
void turn_need(struct vserver *vs);
/* The VS goes. */
void turn_forget(struct vserver *vs);
void turn_init(struct server *server);

#endif
