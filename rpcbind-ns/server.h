/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unprivileged server: all virtual servers, one event loop.
 */
#ifndef RPCBIND_SERVER_H
#define RPCBIND_SERVER_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "control.h"
#include "ghosts_watch.h"
#include "link.h"
#include "log.h"
#include "loop.h"
#include "settings.h"
#include "stream.h"
#include "udp.h"
#include "vserver.h"

struct status; /* calls from the control socket that wait for the opener */

struct server {
	struct loop *loop;
	struct link *link;
	struct control *control;
	struct status *status;
	struct vserver *by_id;
	struct vserver *by_cookie; /* those that have sockets: VSs that share nothing, and carriers */
	size_t unanswered; /* VSs whose first listeners have not come */
	bool sandboxed;    /* the first configuration has come */
	bool synced, ready;
	struct stream_listener path;
	int path_error;
	char path_holder[128];
	struct loop_timer path_timer;
	uint64_t path_hurry_until;
	bool warm_later; /* they were not taken before the host was answered */
	bool warm_start, warming;  /* WarmStart=; stock's files have been asked for */
	struct stream_server stream;
	struct ghosts_watch ghosts;
	struct udp_batch *batch;
	uint64_t boot[2]; /* in the heads of state files */
	struct siphash_key hash_key; /* of all tables that strangers fill */
	struct regs *builtins;       /* rpcbind's own entries, for all VSs */
};

/* The server process; fd is the socketpair to the opener. Returns the exit status. */
int server_main(int fd);

/* Whose is a local client of this namespace? NULL: nobody's, now. */
struct vserver *server_by_cookie(const struct server *server, uint64_t cookie);
/* A VS got its first listeners. */
void server_answered(struct server *server);
/* Another rpcbind is about to make room in the VS: what it holds is asked for each second. */
void server_hurry(struct server *server, struct vserver *vs);
/* Stock's files have been dealt with. */
void server_warmed(struct server *server);

#endif
