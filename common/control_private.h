/* SPDX-License-Identifier: BSD-3-Clause */
/* Between control.c (connections) and control_call.c (calls). */
#ifndef NSAUX_CONTROL_PRIVATE_H
#define NSAUX_CONTROL_PRIVATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "control.h"

#define CONTROL_PEERS_MAX 16
/* How many of these may be strangers, who are answered PermissionDenied: they must not be able to
 * keep the administrator out. */
#define CONTROL_STRANGERS_MAX 4
#define CONTROL_REQUEST_MAX (64 * 1024) /* with the NUL */
#define CONTROL_PATIENCE (10 * LOOP_SEC)

struct control_peer {
	LIST_ENTRY(control_peer) link;
	struct control *control;
	struct loop_io io;
	struct loop_timer patience; /* a stranger's stay, or how long a reply has made no way */
	struct control_call *call;  /* not answered yet; its calls are served one by one */
	bool stranger;
	bool ended;   /* nothing more is read */
	bool broken;  /* to be dropped */
	bool serving; /* in peer_advance(), which does what else there is to do */
	char *out;    /* the one reply that is not sent wholly, or NULL */
	size_t out_len, out_sent;
	size_t in_start, in_end; /* what is left of in */
	char in[CONTROL_REQUEST_MAX];
};

struct control {
	struct loop *loop;
	struct loop_io listener;
	struct loop_timer retry; /* accept(2) lacked something */
	const struct control_method *methods;
	void *arg;
	LIST_HEAD(control_peers, control_peer) peers;
	unsigned peer_count, stranger_count;
};

struct control_call {
	struct control_peer *peer; /* NULL: hung up */
	bool oneway;
};

/* Parses one message, without its NUL, and calls the method. A message that is no call breaks
 * the connection. */
void control_call_start(struct control_peer *peer, const char *text, size_t len);

/* Takes over text (malloc'ed; NULL: no memory, which breaks the connection) and sends it
 * with its NUL. */
void control_peer_send(struct control_peer *peer, char *text);
/* After a change of call: serves what is to be served. May free the peer. */
void control_peer_advance(struct control_peer *peer);

#endif
