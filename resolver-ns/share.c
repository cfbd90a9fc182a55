/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit of a member is what nobody has taken: dynamic thresholds, as switches share their
 * buffers between ports (Choudhury and Hahne, 1998). Those that wait stand in one line.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "share.h"

/* How many of those that wait are looked at when a slot becomes free. Who is passed over goes to
 * the end, so that all are looked at in turn. */
#define LOOKS 16

struct share {
	unsigned max, taken;
	TAILQ_HEAD(, share_member) waiting;
	const struct share_member *turn; /* whose turn it is, until it has taken */
};

int share_new(struct share **out, unsigned max)
{
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return -ENOMEM;
	share->max = max;
	TAILQ_INIT(&share->waiting);
	*out = share;
	return 0;
}

void share_free(struct share *share)
{
	free(share);
}

static bool may_take(const struct share *share, const struct share_member *member)
{
	return member->taken < share->max - share->taken;
}

static void wait_in_line(struct share *share, struct share_member *member)
{
	if (member->waits)
		return;
	TAILQ_INSERT_TAIL(&share->waiting, member, link);
	member->waits = 1;
}

void share_leave(struct share *share, struct share_member *member)
{
	if (!member->waits)
		return;
	TAILQ_REMOVE(&share->waiting, member, link);
	member->waits = 0;
}

/* A newcomer does not go past those in line that may take, too; they are not far behind, since
 * whoever may is at the head, or stands behind those that had their look. */
bool share_take(struct share *share, struct share_member *member)
{
	const struct share_member *first = TAILQ_FIRST(&share->waiting);
	bool mine = share->turn == member;

	if (!may_take(share, member) || (!mine && first && may_take(share, first))) {
		wait_in_line(share, member);
		return false;
	}
	share->turn = NULL;
	share->taken++;
	member->taken++;
	return true;
}

static void next_turn(struct share *share)
{
	struct share_member *member = TAILQ_FIRST(&share->waiting);

	share_leave(share, member);
	if (!may_take(share, member)) {
		wait_in_line(share, member);
		return;
	}
	share->turn = member;
	member->turn(member);
	share->turn = NULL;
}

/* The turn of nobody, who never takes. */
void share_freeze(struct share *share)
{
	static const struct share_member nobody;

	share->turn = &nobody;
}

void share_give(struct share *share, struct share_member *member)
{
	share->taken--;
	member->taken--;
	/* Within a turn the one below goes on. */
	if (share->turn)
		return;
	for (unsigned i = 0; i < LOOKS && share->taken < share->max; i++) {
		if (TAILQ_EMPTY(&share->waiting))
			return;
		next_turn(share);
	}
}
