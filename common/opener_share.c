/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VSs that share a namespace. As soon as there is a mark VS in it, the sockets of a namespace
 * belong to none of its VSs but to their carrier: the one set, on the wildcard, from which the
 * server serves all of them. A namespace VS that had them before gives them to the carrier as they
 * are, and gets them back when the last mark VS goes, so that no client is refused meanwhile.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "container.h"
#include "log.h"
#include "opener_claims.h"
#include "opener_private.h"

/* Where nobody tells that addresses change, and after an error. */
#define CLAIMS_POLL (1 * LOOP_SEC)
/* While they change the pause is this many times as long as a look takes: an address that has moved
 * by its device is told as the former owner's for so long, and no flood of changes takes more of the
 * processor than a part of that. */
#define CLAIMS_PAUSE 8
#define CLAIMS_PAUSE_MAX (100 * LOOP_MSEC)

struct opener_entry *opener_carrier(const struct opener *opener, uint64_t cookie)
{
	struct opener_entry *e;

	HASH_FIND(by_cookie, opener->carriers, &cookie, sizeof(cookie), e);
	return e;
}

bool opener_shares(const struct opener *opener, const struct opener_entry *e)
{
	return !e->share &&
	       (vs_flavour(e->vs) == VS_MARK || opener_carrier(opener, e->cookie) != NULL);
}

uint32_t opener_kinds_of(const struct opener *opener, const struct opener_entry *e)
{
	uint32_t all = (1u << OPENER_KIND_COUNT) - 1;

	if (e->share)
		return OPENER_CARRIED | OPENER_BIT(OPENER_DIAG);
	return all & ~OPENER_GLOBAL & ~(opener_shares(opener, e) ? OPENER_CARRIED : 0);
}

/* The entry of the namespace VS, served or not; NULL: it is not taken. */
static struct opener_entry *namespace_entry(const struct opener *opener, uint64_t cookie)
{
	struct vs *vs = vs_by_cookie(opener->reg, cookie);
	struct opener_entry *e = vs ? opener_entry_of(opener, vs) : NULL;

	vs_unref(vs);
	return e;
}

static struct opener_entry *find_mark(const struct opener *opener, uint64_t cookie,
	const struct opener_entry *leaving)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (!e->share && e != leaving && e->cookie == cookie &&
			vs_flavour(e->vs) == VS_MARK)
			return e;
	return NULL;
}

/* Under the same key of the store. */
static void hand_over(struct opener_entry *from, struct opener_entry *to)
{
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		if (!(OPENER_CARRIED & (1u << k)))
			continue;
		to->kept[k] = from->kept[k];
		from->kept[k] = -1;
	}
	to->unclaimed |= from->unclaimed & OPENER_CARRIED;
	from->unclaimed &= ~OPENER_CARRIED;
	/* What the socket is a member of is found out anew. */
	opener_multicast_clear(from);
}

static void make_carrier(struct opener *opener, const struct opener_entry *mark)
{
	struct opener_entry *carrier = opener_add_entry(opener, mark->vs, true);
	struct opener_entry *own = namespace_entry(opener, mark->cookie);

	if (!carrier) {
		log_err(vs_name(mark->vs), "out of memory, not served");
		return;
	}
	if (own) {
		hand_over(own, carrier);
		if (own->told)
			opener_tell_vs(opener, own);
	}
	opener_tell_vs(opener, carrier);
	opener_apply_policy(opener, carrier);
}

static void drop_carrier(struct opener *opener, struct opener_entry *carrier)
{
	struct opener_entry *own = namespace_entry(opener, carrier->cookie);

	if (own && !opener_is_announced(opener, own))
		own = NULL;
	opener_tell_gone(opener, carrier);
	if (own)
		hand_over(carrier, own);
	opener_remove_entry(opener, carrier);
	if (own) {
		opener_tell_vs(opener, own);
		opener_apply_policy(opener, own);
	}
}

void opener_share_follow(struct opener *opener, uint64_t cookie, const struct opener_entry *leaving)
{
	struct opener_entry *mark = find_mark(opener, cookie, leaving);
	struct opener_entry *carrier = opener_carrier(opener, cookie);

	if (mark && !carrier)
		make_carrier(opener, mark);
	else if (!mark && carrier)
		drop_carrier(opener, carrier);
	else if (mark && leaving && carrier->vs == leaving->vs) {
		vs_unref(carrier->vs);
		carrier->vs = vs_ref(mark->vs);
	}
	opener_claims_soon(opener, cookie);
}

struct opener_entry *opener_default_of(const struct opener *opener, const struct opener_entry *e)
{
	struct vs *vs = vs_default(opener->reg, e->cookie);
	struct opener_entry *found = vs ? opener_entry_of(opener, vs) : NULL;

	vs_unref(vs);
	return found && opener_is_announced(opener, found) ? found : NULL;
}

void opener_share_forget(struct opener_share *share)
{
	free(share->claims);
	*share = (struct opener_share){.stale = true};
}

static void wake_at(struct opener *opener, uint64_t due)
{
	if (loop_timer_set(&opener->share_timer) && opener->share_timer.due <= due)
		return;
	if (loop_timer_at(opener->loop, &opener->share_timer, due))
		log_err(NULL, "out of memory, addresses are not followed");
}

void opener_claims_soon(struct opener *opener, uint64_t cookie)
{
	struct opener_entry *carrier = opener_carrier(opener, cookie);

	if (!carrier)
		return;
	carrier->share->stale = true;
	wake_at(opener, carrier->share->after);
}

static uint64_t cpu_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

/* Brings the server up to date about one carrier. */
static void follow(struct opener *opener, struct opener_entry *carrier)
{
	struct opener_share *share = carrier->share;
	uint64_t now = loop_now(opener->loop), begin = cpu_clock(), pause;
	int rc = carrier->told ? opener_claims_tell(opener, carrier) : 0;

	pause = CLAIMS_PAUSE * (cpu_clock() - begin);
	if (pause > CLAIMS_PAUSE_MAX)
		pause = CLAIMS_PAUSE_MAX;
	share->stale = rc != 0;
	share->after = now + (rc ? CLAIMS_POLL : pause);
	if (rc && rc != -ESTALE && !share->failed)
		log_err(vs_name(carrier->vs), "its namespace's addresses cannot be told to the "
					      "server: %s", strerror(-rc));
	share->failed = rc != 0;
	if (rc || vs_nsid(carrier->vs) < 0)
		wake_at(opener, now + CLAIMS_POLL);
	/* Whose settings count, and which addresses are his, may be different now. */
	opener_multicast_now(opener, carrier);
}

void opener_claims_now(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_cookie, opener->carriers, e, next)
		follow(opener, e);
}

void opener_on_share_timer(struct loop_timer *timer)
{
	struct opener *opener = container_of(timer, struct opener, share_timer);
	uint64_t now = loop_now(opener->loop);
	struct opener_entry *e, *next;

	HASH_ITER(by_cookie, opener->carriers, e, next) {
		if (!e->share->stale && vs_nsid(e->vs) >= 0)
			continue;
		if (e->share->after <= now)
			follow(opener, e);
		else
			wake_at(opener, e->share->after);
	}
}
