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

/* What the VSs of one namespace have in common, as long as there are mark VSs among them. */
struct opener_share {
	struct claim *claims; /* as last told; owned */
	size_t count;
	uint64_t default_vs, rest_vs;
	bool stale;     /* other claims may have to be told */
	bool full;      /* and there were too many, which was told */
	bool failed;    /* they could not be told, and that was */
	uint64_t after; /* not looked at again before that; loop time */
};

/* A VS, or the carrier of a namespace that VSs share. */
struct opener_entry {
	UT_hash_handle by_id, by_vs, by_cookie;
	uint64_t id;
	struct vs *vs;   /* a reference; of a carrier any of those that it carries */
	uint64_t cookie; /* of its namespace */
	uint64_t key;    /* in the store */
	bool told;       /* the server knows it */
	struct opener_share *share; /* of a carrier; else NULL */
	int kept[OPENER_KIND_COUNT];
	uint64_t state_inode; /* of the state file that the server writes; 0: it has none */
	uint32_t unclaimed; /* of these, inherited and not asked for yet */
	struct opener_vs_policy policy;
	struct opener_multicast multicast;
	/* What stands where its own local socket was made; path NULL: there is none. */
	struct {
		char *path;
		dev_t dev;
		ino_t ino;
	} local;
};

struct opener {
	struct loop *loop;
	struct vs_reg *reg;
	const struct opener_policy *policy;
	const struct opener_hooks *hooks;
	struct loop_io reg_io;
	struct channel *channel; /* NULL while there is no server */
	struct opener_entry *by_id, *by_vs;
	struct opener_entry *carriers; /* those of by_id that are no VSs, by cookie */
	uint64_t last_id;
	int global[2]; /* kept: OPENER_PATH, OPENER_CONTROL */
	dev_t path_dev; /* what was at the path when the socket was bound there */
	ino_t path_ino;
	struct loop_timer path_check;
	struct fdstore *store; /* NULL: there is none */
	struct opener_warm warm;
	struct loop_timer multicast_timer; /* set while an entry is stale */
	struct loop_timer share_timer;     /* likewise a carrier, or one is to be looked at */
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

/* opener.c: the table of entries, and what the server is told of them. */
struct opener_entry *opener_entry_of(const struct opener *opener, const struct vs *vs);
bool opener_is_announced(const struct opener *opener, const struct opener_entry *e);
/* Of a VS in by_vs, of a carrier in carriers. NULL: no memory. */
struct opener_entry *opener_add_entry(struct opener *opener, struct vs *vs, bool carrier);
void opener_remove_entry(struct opener *opener, struct opener_entry *e);
void opener_tell_vs(struct opener *opener, struct opener_entry *e);
void opener_tell_gone(struct opener *opener, struct opener_entry *e);

/* opener_share.c: VSs that share a namespace. */
struct opener_entry *opener_carrier(const struct opener *opener, uint64_t cookie);
/* Is this VS served by the sockets of a carrier? */
bool opener_shares(const struct opener *opener, const struct opener_entry *e);
/* Which kinds of socket may it have? */
uint32_t opener_kinds_of(const struct opener *opener, const struct opener_entry *e);
/* There is something new about the VSs of this namespace. Makes its carrier when the first mark VS
 * is there, and lets it go with the last; leaving: not to be counted any more, or NULL. */
void opener_share_follow(
	struct opener *opener, uint64_t cookie, const struct opener_entry *leaving);
/* The claims are to be told: soon, or now. */
void opener_claims_soon(struct opener *opener, uint64_t cookie);
void opener_claims_now(struct opener *opener);
void opener_on_share_timer(struct loop_timer *timer);
void opener_share_forget(struct opener_share *share); /* the server is another one */
/* The VS that has loopback, the wildcard and multicasts in the namespace of a carrier, or NULL. */
struct opener_entry *opener_default_of(const struct opener *opener, const struct opener_entry *e);

/* opener_local.c: the local socket that a VS has for itself. */
struct opener_socket opener_get_local(struct opener *opener, struct opener_entry *e);
/* Closes it, and removes it from its path. */
void opener_drop_local(struct opener *opener, struct opener_entry *e);
/* The policy has changed. */
void opener_follow_local(struct opener *opener, struct opener_entry *e);
/* Those that somebody removed or replaced are made again, and given to the server. */
void opener_check_locals(struct opener *opener);
/* An inherited one now stands where its path is. */
int opener_note_local(struct opener_entry *e);

/* The name that the state file of this VS has, "" when it is its namespace's. */
const char *opener_state_name(const struct opener_entry *e);

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
