/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by opener.c, which follows the registry, and opener_request.c, which answers. */
#ifndef NSAUX_OPENER_PRIVATE_H
#define NSAUX_OPENER_PRIVATE_H

#define HASH_NONFATAL_OOM 1
#include <sys/types.h>
#include <uthash.h>

#include "channel.h"
#include "opener.h"
#include "opener_proto.h"
#include "opener_warm.h"

/* Which interfaces the UDP6 socket of a VS is a member of ff02::202 on. */
struct opener_multicast {
	uint64_t socket;   /* the cookie of that socket; 0: none */
	unsigned *members; /* interface indexes; owned */
	unsigned count;
	bool stale;        /* the addresses have changed */
	bool failed;       /* and that was told */
};

struct opener_entry {
	UT_hash_handle by_id, by_vs;
	uint64_t id;
	struct vs *vs; /* a reference */
	bool told;     /* the server knows it */
	int kept[OPENER_KIND_COUNT];
	uint64_t state_inode; /* of the state file that the server writes; 0: it has none */
	uint32_t unclaimed; /* of these, inherited and not asked for yet */
	struct opener_vs_policy policy;
	struct opener_multicast multicast;
};

struct opener {
	struct loop *loop;
	struct vs_reg *reg;
	const struct opener_policy *policy;
	const struct opener_hooks *hooks;
	struct loop_io reg_io;
	struct channel *channel; /* NULL while there is no server */
	struct opener_entry *by_id, *by_vs;
	uint64_t last_id;
	int global[2]; /* kept: OPENER_PATH, OPENER_CONTROL */
	dev_t path_dev; /* what was at the path when the socket was bound there */
	ino_t path_ino;
	struct loop_timer path_check;
	struct fdstore *store; /* NULL: there is none */
	struct opener_warm warm;
	struct loop_timer multicast_timer; /* set while an entry is stale */
	int lock; /* of policy->lock; -1: not held */
	bool lock_refused; /* and that was told */
	uint8_t out[CHANNEL_MESSAGE_MAX];
};

/* One message is written at a time, into opener->out. */
void opener_begin(struct opener *opener, struct buf_writer *w, uint8_t type);
/* 0 as well when there is no server to send to. */
int opener_send(struct opener *opener, const struct buf_writer *w, const int *fds, size_t fd_count);

/* 0, or -EPROTO and the like: the server is not to be trusted further. */
int opener_request(struct opener *opener, struct channel_message *message);

/* What now stands at the path of the policy is our socket. */
void opener_note_path(struct opener *opener);
/* The server has asked for all that it wants: what was inherited beyond that is closed. */
void opener_settled(struct opener *opener);
/* sockets: of the kinds in mask. */
int opener_answer_listen(struct opener *opener, struct vs *vs, uint64_t id, uint32_t mask,
	const struct opener_socket *sockets);

/* Lets no socket of these serve what the policy of the VS forbids; one that would is an error. */
void opener_restrict(struct opener *opener, struct opener_entry *e, uint32_t mask,
	struct opener_socket *sockets);
/* The settings of the VS are told: its sockets follow them. */
void opener_apply_policy(struct opener *opener, struct opener_entry *e);

/* Joins and leaves as the policy and the addresses of the VS want it. */
void opener_multicast_now(struct opener *opener, struct opener_entry *e);
void opener_multicast_soon(struct opener *opener, struct opener_entry *e);
/* Looks after the VSs whose addresses nobody announces. */
void opener_multicast_check(struct opener *opener);
void opener_multicast_clear(struct opener_entry *e);
void opener_on_multicast_timer(struct loop_timer *timer);

/* A server that writes to a state file which is not in its place any more is told. */
void opener_check_states(struct opener *opener);

/* Takes the lock of the host, or lets it go, as it is served or not. */
void opener_check_lock(struct opener *opener);

/* The path socket that somebody removed or replaced is made again, and given to the server. */
void opener_check_path(struct opener *opener);

#endif
