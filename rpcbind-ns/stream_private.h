/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by stream.c (listeners) and stream_conn.c (connections). */
#ifndef RPCBIND_STREAM_PRIVATE_H
#define RPCBIND_STREAM_PRIVATE_H

#include "stream.h"

#define STREAM_SCRATCH 65536       /* read from one connection in one turn */
#define STREAM_REPLY_SMALL 65536   /* kept between replies */
#define STREAM_REPLY_MAX (4u << 20)

/* The client's VS is known now; vs NULL: it is refused. */
void stream_conn_settle(struct stream_conn *c, struct vserver *vs);
void stream_need_sweep(struct server *server);

#endif
