/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns: fair between VSs.
 *
 * In one turn of the loop a VS has TURN_SLICE for work of each kind. What it has more to do waits
 * with the VS in the list of the busy, and they are served one after the other after all events of
 * the turn: a VS that asks little does not wait for one that asks all the time, and that one costs
 * the others a slice of each kind a turn, however many sockets and connections it comes by.
 *
 * A call that has begun is ended, and by what it takes, and no more, a slice is exceeded. That is
 * a debt, of which a slice is paid off in each turn, and what passes without work for the VS:
 * between two calls that take a millisecond, the others have their turn many times.
 *
 * That each kind has time of its own is for the VS's own clients: neither datagrams nor calls over
 * streams nor new connections can starve the others. Streams wait in a queue; of the others, who
 * do not, one is served in each turn, debt or not, so that no socket keeps the next one out.
 *
 * The carrier of a namespace that VSs share (share.h) has a slice for each of them, up to
 * TURN_SLICES_MAX, to find out whose datagrams and connections are: what is done for them then is
 * their own.
 */
#ifndef RPCBIND_TURN_H
#define RPCBIND_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct server;
struct vserver;

#define TURN_SLICE (50000) /* nanoseconds */
#define TURN_SLICES_MAX 8  /* of a carrier */

enum turn_kind {
	TURN_UDP,
	TURN_STREAM,
	TURN_ACCEPT,
	TURN_KINDS,
};

struct turn {
	uint64_t at;                 /* the turn of the loop, by its time */
	uint64_t worked[TURN_KINDS]; /* nanoseconds, and what is left of earlier turns' debt */
	uint64_t spent;              /* in this turn, of all kinds */
	uint64_t since;
	unsigned more; /* slices, than one */
};

uint64_t turn_clock(void); /* nanoseconds */

/* Has the VS still time for this in the present turn? */
bool turn_has_time(struct vserver *vs, enum turn_kind kind);
/* Begins work for the VS... */
void turn_start(struct vserver *vs);
/* ...and notes what was done since then, or since the last note. */
void turn_lap(struct vserver *vs, enum turn_kind kind);

/* What was done for the VS meanwhile took so long. */
void turn_charge(struct vserver *vs, enum turn_kind kind, uint64_t took);

/* The VS has something that waits for a later turn. */
void turn_need(struct vserver *vs);
/* The VS goes. */
void turn_forget(struct vserver *vs);
void turn_init(struct server *server);

#endif
