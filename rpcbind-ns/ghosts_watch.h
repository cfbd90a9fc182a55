/* SPDX-License-Identifier: BSD-3-Clause */
/* Goes round the VSs, a little at a time, and looks for services that are gone. */
#ifndef RPCBIND_GHOSTS_WATCH_H
#define RPCBIND_GHOSTS_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "loop.h"

struct server;
struct vserver;

struct ghosts_watch {
	struct server *server;
	struct loop_timer timer;
	uint64_t interval;    /* GhostInterval= */
	uint64_t round;       /* when this round was begun */
	struct vserver *next; /* who is looked at next; NULL between rounds */
	uint64_t spent;       /* on him in this round */
	struct log_limit limit;
};

void ghosts_watch_init(struct ghosts_watch *watch, struct server *server);
/* Begins, or goes on with another interval. 0 or -ENOMEM. */
int ghosts_watch_start(struct ghosts_watch *watch, unsigned seconds);
void ghosts_watch_stop(struct ghosts_watch *watch);
/* vs is about to go; it still stands in the server's table. */
void ghosts_watch_forget(struct ghosts_watch *watch, const struct vserver *vs);

#endif
