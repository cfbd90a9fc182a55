/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many queries the contexts of one loop have under way together, dealt out fairly: a context that
 * has hundreds waiting does not keep back one that has a single one. Under the engine's lock.
 */
#ifndef NSAUX_SHARE_H
#define NSAUX_SHARE_H

#include <sys/queue.h>

struct share;

struct share_member { /* one context; embedded */
	TAILQ_ENTRY(share_member) link; /* of those that wait */
	void (*turn)(struct share_member *member); /* one more may begin: exactly one share_take() */
	unsigned taken;
	int waits;
};

/* max: queries under way at once in the loop. */
int share_new(struct share **share, unsigned max);
void share_free(struct share *share);
/* True: one more is under way. False: it waits, and turn() is called when it may; in turns with the other
 * members. */
int share_take(struct share *share, struct share_member *member);
void share_give(struct share *share, struct share_member *member);
void share_leave(struct share *share, struct share_member *member);

#endif
