/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the keeper.
 *
 *   vsreg_keeper.c          what is waited for: the registry's word, netlink and time
 *   vsreg_keeper_ns.c       a namespace with mark VSs, and what is heard of it
 *   vsreg_keeper_look.c     a look: the difference between what is and what should be...
 *   vsreg_keeper_make.c     ...and the making of it
 *   vsreg_keeper_address.c  an address comes or goes
 *
 * Everything is level-triggered: whatever is heard of a namespace means that it is to be looked at,
 * and a look does not care what was heard. What should be follows from the files and from the
 * addresses and devices that there are, and from nothing that a keeper remembers; so several of
 * them, in several processes, want the same.
 *
 * The keeper's sockets keep a namespace alive, and then the kernel never tells of its end. But
 * its name goes, the registry sees that, and the sockets are closed.
 */
#ifndef VSREG_KEEPER_H
#define VSREG_KEEPER_H

#include "net_batch.h"
#include "net_state.h"
#include "vsreg_private.h"

#define KEEPER_PAUSE (10 * NSEC_PER_MSEC) /* between two looks at a namespace, at least */
/* For so long a network's route may be ahead of its address, which somebody is adding, and a mark
 * be closed. */
#define KEEPER_GRACE (2 * NSEC_PER_SEC)
/* And a rule behind it: for so long Linux tries by default to send what is left of a TCP connection
 * (tcp_retries2), and with IPv6 it does that though the address is gone. Without its rule what is
 * not marked would leave as the host's. */
#define KEEPER_LINGER (950 * NSEC_PER_SEC)
#define KEEPER_LINGER_MAX 1024 /* such rules and routes in a namespace; what is more goes at once */

/* What passes by itself within a few tries is not told of: while others are at work, what was read
 * may be wrong a moment later. */
#define KEEPER_TELL (400 * NSEC_PER_MSEC)

struct keeper_member {
	struct vs *vs;        /* a reference */
	struct vs_conf *conf; /* a reference */
};

/* Something that nobody needs, so far. */
struct keeper_doomed {
	uint32_t what; /* a checksum of the step that takes it away */
	uint64_t since;
	bool is_seen; /* in this look */
};

struct keeper_doomed_list {
	struct keeper_doomed *entries;
	size_t count, size;
};

#define KEEPER_TOLD_MAX 16

struct keeper_ns {
	TAILQ_ENTRY(keeper_ns) list;
	uint64_t cookie;
	struct keeper_member *members; /* all VSs of the namespace that have a file */
	struct net_member *wishes;     /* the same for the engine */
	size_t count;
	int events; /* rtnetlink's groups; -1: not open */
	int ask;    /* connected to the kernel */
	bool is_heard;      /* events is waited for */
	uint64_t due;       /* the next look; NEVER */
	uint64_t not_before;
	uint64_t backoff;   /* after a look that did not get all it wanted; 0 */
	unsigned heat;      /* looks with changes, of which one is forgotten each HEAT_TIME */
	uint64_t heated;
	struct keeper_doomed_list doomed;
	uint32_t told[KEEPER_TOLD_MAX]; /* checksums */
	size_t told_count;
};

TAILQ_HEAD(keeper_ns_list, keeper_ns);

struct vs_keeper {
	TAILQ_ENTRY(vs_keeper) of_reg;
	struct vs_reg *reg;
	int epoll;
	int poke; /* eventfd: the VSs are different now */
	int timer;
	uint64_t armed; /* when it goes off; NEVER */
	struct keeper_ns_list namespaces;
	bool is_short; /* the VSs could not be taken in for want of memory: again before long */
	uint64_t short_until;
	uint64_t linger; /* KEEPER_LINGER; tests have less time */
	struct net_look look;
	struct net_batch batch;
};

/* ---- vsreg_keeper.c */

/* Takes in which VSs there are. 0 or -ENOMEM. */
int keeper_refresh(struct vs_keeper *keeper);
struct keeper_ns *keeper_find(struct vs_keeper *keeper, uint64_t cookie);

/* ---- vsreg_keeper_ns.c */

struct keeper_ns *keeper_ns_new(uint64_t cookie);
void keeper_ns_free(struct keeper_ns *ns);
/* Takes over the members, with their references; due if they are others than before. */
int keeper_ns_set(struct keeper_ns *ns, struct keeper_member *members, size_t count);
/* 0, or why it cannot be entered. */
int keeper_ns_open(struct vs_keeper *keeper, struct keeper_ns *ns);
/* The sockets, which are opened again by the next look. */
void keeper_ns_shut(struct keeper_ns *ns);
/* Takes in what there is, up to a limit. */
void keeper_ns_hear(struct keeper_ns *ns, uint64_t now);
/* Waits for more of it, or not. */
void keeper_ns_listen(struct vs_keeper *keeper, struct keeper_ns *ns, bool on);
/* Each text is told once in a while. */
void keeper_ns_tell(struct vs_keeper *keeper, struct keeper_ns *ns, int priority, const char *text);

/* ---- vsreg_keeper_look.c */

/* How the look should take things that are not so, or not so yet. */
struct keeper_pretence {
	const struct net_addr *comes; /* its rule and route should be there already */
	const struct ip_prefix *goes; /* taken not to be there */
};

/* Looks, and puts right what is wrong. pretence may be NULL. 0, or the first failure. */
int keeper_look(struct vs_keeper *keeper, struct keeper_ns *ns,
	const struct keeper_pretence *pretence);

/* ---- vsreg_keeper_make.c */

/* Does the steps of keeper->look.plan, but for those that may wait, and makes *due earlier when
 * one of these is due before. 0, or the first failure other than that it was done already. */
int keeper_make(struct vs_keeper *keeper, struct keeper_ns *ns, uint64_t *due, bool *changed);

#endif
