/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by stream.c (listeners), stream_conn.c (a connection), stream_owner.c (whose it is) and
 * stream_queue.c (turns). */
#ifndef RPCBIND_STREAM_PRIVATE_H
#define RPCBIND_STREAM_PRIVATE_H

#include "stream.h"

#define STREAM_SCRATCH 65536       /* read from one connection in one turn */
#define STREAM_REPLY_SMALL 65536   /* kept between replies */
#define STREAM_REPLY_MAX (4u << 20)

/* The handlers of a new connection. */
void stream_conn_init(struct stream_conn *c);
/* stream_owner.c. The client's VS is known now; vs NULL: it is refused. */
void stream_conn_settle(struct stream_conn *c, struct vserver *vs);
void stream_need_sweep(struct server *server);
/* A client of an unknown namespace: the opener is asked to look again, not more often than it can. */
void stream_need_rescan(struct server *server);

/* stream_queue.c: turns. Has the VS still time in this one? */
bool stream_may_work(const struct vserver *vs);
/* Notes that it used some: since is of stream_clock(). */
uint64_t stream_clock(void);
void stream_worked(struct vserver *vs, uint64_t since);
/* The connection goes on in a later turn; until then its descriptor is not watched. */
void stream_enqueue(struct stream_conn *c);
void stream_dequeue(struct stream_conn *c);
void stream_queue_init(struct server *server);
/* stream_conn.c: goes on with what waits, or with what can be read. */
void stream_conn_resume(struct stream_conn *c);

#endif
