/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many queries the contexts of one loop have under way together, dealt out fairly: a context
 * that has hundreds waiting does not keep back one that has a single one. Under the engine's lock.
 *
 * A query of a dead server holds its slot for seconds. So no member may have more slots than are
 * still free: one that wants all gets half, two a third each, and there is room for the next
 * one that comes, at once.
 */
#ifndef NSAUX_SHARE_H
#define NSAUX_SHARE_H

#include <stdbool.h>
#include <sys/queue.h>

#define SHARE_MAX 4096 /* of a loop, unless it has reasons of its own: a context alone gets half   \
			*/

struct share;

struct share_member {                   /* one context; embedded */
	TAILQ_ENTRY(share_member) link; /* of those that wait */
	/* Its turn has come: the next share_take() succeeds. It takes as often as it has something
	 * to begin; where share_take() says no it waits again, behind the others. */
	void (*turn)(struct share_member *member);
	unsigned taken;
	int waits;
};

/* max: queries under way at once in the loop. */
int share_new(struct share **share, unsigned max);
void share_free(struct share *share); /* NULL is allowed */
/* True: one more is under way. False: it waits, and turn() is called when it may; in turns with the
 * other members. */
bool share_take(struct share *share, struct share_member *member);
/* One less; others may have their turn before it returns. */
void share_give(struct share *share, struct share_member *member);
/* Nobody has a turn any more, for good. */
void share_freeze(struct share *share);
/* It does not wait any more. What it has taken is given back one by one, before. */
void share_leave(struct share *share, struct share_member *member);

#endif
