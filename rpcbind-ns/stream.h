/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RPC over streams: TCP in a VS, its abstract socket, and the path socket of all VSs.
 *
 * A local connection belongs to the VS whose namespace its client's socket was made in: the
 * kernel tells by the cookie of the accepted socket. A cookie that no VS has is looked for once
 * more, for at most a second, and then refused.
 *
 * Fair between VSs: turn.h. Connections that have more to do than there is time for wait in a queue of
 * their VS.
 *
 * Limits, per VS: connections of each kind, bytes that wait for peers who do not read; for all:
 * clients that wait for their VS to be found. A TCP connection that is idle, or stuck in the
 * middle of a record or of a reply, is closed; of local ones only the stuck.
 */
#ifndef RPCBIND_STREAM_H
#define RPCBIND_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "list.h"
#include "log.h"
#include "loop.h"
#include "proc.h"
#include "record.h"

struct server;
struct vserver;

#define STREAM_REMOTE_MAX 256    /* TCP connections from outside, per VS */
#define STREAM_INSIDE_MAX 1024   /* local and loopback connections, per VS... */
#define STREAM_PER_UID_MAX 256   /* ...of which one uid that is not root may have */
#define STREAM_WAITING_MAX 64    /* clients of no known VS */
#define STREAM_REFUSED_MAX 64    /* clients that are being refused */
#define STREAM_WAITING_PER_UID 16 /* of these, from one uid that is not root */
#define STREAM_RESERVE 64        /* descriptors that connections must leave free */
#define STREAM_BACKLOG_MAX (16u << 20) /* bytes of replies that peers have not read to the end, per VS */

struct stream_listener {
	struct loop_io io;
	int fd; /* -1: none */
	enum netid netid; /* TCP, TCP6 or LOCAL */
	struct server *server;
	struct vserver *vs; /* NULL: the client's cookie says */
	bool is_own;        /* a local socket of this VS alone */
	/* The socket takes no connections any more: somebody destroyed it. It is closed. */
	void (*lost)(struct stream_listener *l);
};

struct stream_conn {
	TAILQ_ENTRY(stream_conn) in_vs;     /* in its VS's list, or among those that wait */
	TAILQ_ENTRY(stream_conn) in_server;
	TAILQ_ENTRY(stream_conn) in_queue;  /* of its VS, while is_queued */
	bool is_queued;
	struct server *server;
	struct vserver *vs; /* NULL while unknown, and for ever when refused */
	struct loop_io io;
	int fd;
	uint64_t cookie; /* local connections */
	unsigned ifindex; /* where a link-local address was contacted; else 0 */
	uid_t uid;       /* local: SO_PEERCRED; loopback: once it was asked for */
	bool uid_known;
	pid_t pid;
	bool refused;
	bool has_asked;         /* and was answered */
	struct loop_timer hold; /* while the VS is looked for */
	struct proc_caller caller;
	struct record_reader in;
	uint8_t *stash;         /* input that waits until the reply before it is sent */
	size_t stash_len;
	uint8_t *out;           /* a reply that the peer has not taken to its end */
	size_t out_len, out_sent;
	uint64_t active;        /* loop time of the last progress */
};
TAILQ_HEAD(stream_list, stream_conn);
TAILQ_HEAD(vserver_list, vserver);

/* What all streams of a server share. */
struct stream_server {
	uint16_t port;
	struct stream_list all, waiting;
	size_t count, waiting_count, refused_count;
	struct loop_timer sweep;
	size_t sweep_left;             /* connections that the present sweep has still to look at */
	struct loop_timer work;        /* set while a VS has something queued */
	struct vserver_list busy;      /* VSs with something queued */
	struct loop_timer rescan;
	uint64_t rescan_after;
	uint8_t *reply;    /* stream_reply.c: small, unless a large reply is at work */
	size_t reply_size;
	size_t joined;     /* bytes of replies in it that are still to be sent */
	uint8_t *small, *spare;
	size_t spare_size;
	uint8_t *scratch;
	int fd_limit;      /* a descriptor from here on means that few are left */
	int reserve_fd;    /* given up to accept and close when descriptors run out */
	struct log_limit refused_limit, exhausted_limit;
};

int stream_server_init(struct server *server);
void stream_server_clear(struct server *server);

void stream_listener_init(struct stream_listener *l, struct server *server, struct vserver *vs,
	enum netid netid, void (*lost)(struct stream_listener *l));
int stream_listener_open(struct stream_listener *l, int fd); /* takes fd over on success */
void stream_listener_close(struct stream_listener *l);

/* stream_owner.c: a new connection; takes fd over in any case. vs NULL: wait or refuse. */
void stream_conn_start(struct stream_listener *l, int fd, const struct sockaddr_storage *peer,
	socklen_t peer_len);
void stream_conn_close(struct stream_conn *c);
/* Closes the connection of this VS that is missed least. False: it has none. */
bool stream_conn_evict(struct vserver *vs);

/* A VS came: the clients that wait for its cookie are served. It goes: they are closed. */
void stream_adopt(struct server *server, struct vserver *vs);
void stream_close_all(struct vserver *vs);

#endif
