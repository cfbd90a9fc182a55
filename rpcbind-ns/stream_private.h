/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by stream.c (listeners), stream_conn.c (a connection), stream_owner.c (whose it is) and
 * stream_queue.c (who waits for a turn), stream_reply.c (the room for replies). */
#ifndef RPCBIND_STREAM_PRIVATE_H
#define RPCBIND_STREAM_PRIVATE_H

#include "stream.h"

#define STREAM_SCRATCH 16384       /* read from one connection in one turn */
#define STREAM_REPLY_SMALL 65536   /* kept between replies */
#define STREAM_REPLY_MAX (4u << 20)
#define STREAM_JOIN 16384          /* bytes of replies from which on they are sent */
#define STREAM_SEND (128u << 10)   /* sent to one connection in one go */

/* stream_reply.c. A reply at work, behind those that wait to be sent and the room
 * for its record mark. */
struct stream_reply {
	struct proc_reply reply;
	struct stream_server *ss;
};
int stream_reply_init(struct stream_server *ss);
void stream_reply_clear(struct stream_server *ss);
void stream_reply_begin(struct stream_server *ss, struct stream_reply *r);
/* Memory, now the caller's, with the len bytes that stand in ss->reply, or with those behind the
 * first *sent of them, which is 0 then. NULL: there is none. */
uint8_t *stream_reply_take(struct stream_server *ss, size_t len, size_t *sent);
/* It comes back; size is that of the memory. */
void stream_reply_release(struct stream_server *ss, uint8_t *p, size_t size);
void stream_reply_reset(struct stream_server *ss); /* after each reply */
void stream_reply_trim(struct stream_server *ss);  /* from time to time */

/* The handlers of a new connection. */
void stream_conn_init(struct stream_conn *c);
/* stream_owner.c. The client's VS is known now; vs NULL: it is refused. */
void stream_conn_settle(struct stream_conn *c, struct vserver *vs);
void stream_need_sweep(struct server *server);
/* A client of an unknown namespace: the opener is asked to look again, not more often than it
 * can. */
void stream_need_rescan(struct server *server);

/* stream_queue.c. The connection goes on in a later turn; until then its descriptor is not
 * watched. */
void stream_enqueue(struct stream_conn *c);
void stream_dequeue(struct stream_conn *c);
/* Serves connections that wait, while there is time. */
void stream_resume(struct vserver *vs);
/* stream_conn.c: goes on with what waits, or with what can be read. */
void stream_conn_resume(struct stream_conn *c);

#endif
