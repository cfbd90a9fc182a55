/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>
#include <time.h>

#include "container.h"
#include "ghosts_diag.h"
#include "ghosts_watch.h"
#include "parse.h"
#include "server.h"

/* Each VS is looked at once in half an interval, so that who is gone is known after one and a half
 * at most. */
#define LOOKS_PER_INTERVAL 2
/* In one turn of the loop: looks of GHOSTS_QUERIES_MAX registrations, and VSs passed over. */
#define LOOKS_PER_TURN 4
#define VISITS_PER_TURN 256
#define PAUSE_MIN (5 * LOOP_MSEC)
/*
 * What a look costs is in the hands of tenants: the kernel walks over all sockets of the machine,
 * compares each of the VS's own, and cannot be interrupted. A turn ends with the look that takes
 * it over TURN_MAX, and is followed by a pause so many times as long; where all others have
 * noticed that we stood still, by one so long that hardly any of their calls meets another.
 */
#define TURN_MAX (LOOP_MSEC / 5)
#define TURN_LONG (5 * LOOP_MSEC)
#define REST 16
#define REST_LONG 200
/* For one VS in a round. What is not looked at then is looked at in the next. */
#define VISIT_MAX (50 * LOOP_MSEC)
/* Lines of log: a tenant can make services come and go. */
#define LOG_BURST 100
#define LOG_INTERVAL LOOP_SEC

static void tell(struct ghosts_watch *w, const struct vserver *vs, const struct regs_entry *e,
	const char *what)
{
	char owner[REGS_OWNER_MAX];
	uint64_t dropped;

	if (!log_limit_ok(&w->limit, loop_now(w->server->loop), &dropped))
		return;
	regs_owner_text(&e->owner, owner);
	log_notice(vs->name, "program %u version %u, %s %s, owner %s: %s", e->prog, e->vers,
		netid_info(e->netid)->name, e->text, owner, what);
	if (dropped)
		log_notice(NULL, "%llu more messages of that kind were not logged",
			(unsigned long long)dropped);
}

static bool has_socket(void *arg, const struct ghosts_socket *s)
{
	return share_has_socket(arg, s);
}

static int look(struct vserver *vs, struct ghosts_query *queries, size_t count)
{
	const struct ghosts_scope scope = {has_socket, vs};

	return ghosts_look(vs->diag_fd, vs->shares ? &scope : NULL, queries, count);
}

/* True when it is removed. It may have come back since it was last looked for. */
static bool remove_ghost(struct ghosts_watch *w, struct vserver *vs, const struct regs_entry *e)
{
	static const struct regs_owner superuser = {.superuser = true};
	struct ghosts_query query = {.entry = e};
	struct regs_entry copy = *e;
	char text[UADDR_MAX];

	if (look(vs, &query, 1) != 0 || query.present ||
		copy_str(text, sizeof(text), e->text) != 0)
		return false;
	copy.text = text;
	if (regs_unset(vs->proc.regs, copy.prog, copy.vers, copy.netid, &copy.uaddr,
		    &superuser) != 1)
		return false;
	tell(w, vs, &copy, "removed");
	return true;
}

/* Number of entries that are no more. */
static size_t judge(struct ghosts_watch *w, struct vserver *vs, const struct ghosts_query *queries,
	size_t count)
{
	uint64_t now = loop_now(w->server->loop);
	size_t removed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct regs_entry *e = queries[i].entry;

		switch (ghosts_judge(vs->proc.regs, e, queries[i].present, now, w->interval)) {
		case GHOSTS_GONE:
			tell(w, vs, e, "nobody listens there any more");
			break;
		case GHOSTS_BACK:
			tell(w, vs, e, "somebody listens there again");
			break;
		case GHOSTS_NOTHING:
			break;
		}
		if (e->ghost && vs->conf.remove_ghosts && remove_ghost(w, vs, e))
			removed++;
	}
	return removed;
}

/* The registrations that come next. *seen is how many were passed, *last whether these were all. */
static size_t collect(const struct vserver *vs, struct ghosts_query *queries, size_t *seen,
	bool *last)
{
	const struct regs_entry *e = NULL;
	size_t count = 0, at = 0;

	while (count < GHOSTS_QUERIES_MAX && (e = regs_next(vs->proc.regs, e))) {
		if (at++ >= vs->ghosts_at && ghosts_protocol(e))
			queries[count++] = (struct ghosts_query){.entry = e};
	}
	*seen = at > vs->ghosts_at ? at - vs->ghosts_at : 0;
	*last = !e;
	return count;
}

/* Looks at some registrations of one VS. True when the VS is done with. */
static bool look_at(struct ghosts_watch *w, struct vserver *vs)
{
	struct ghosts_query queries[GHOSTS_QUERIES_MAX];
	size_t seen, removed = 0;
	bool last;
	size_t count = collect(vs, queries, &seen, &last);

	/* Without an answer nobody is judged. */
	if (count && look(vs, queries, count) == 0)
		removed = judge(w, vs, queries, count);
	vs->ghosts_at = last ? 0 : vs->ghosts_at + seen - removed;
	return last;
}

static bool is_worth_it(const struct vserver *vs)
{
	return vs->diag_fd >= 0 && vs->answered &&
	       regs_count(vs->proc.regs) > regs_builtin_count(vs->proc.regs);
}

static void go_on(struct ghosts_watch *w)
{
	w->next = w->next->by_id.next;
	w->spent = 0;
}

/* Our own time: what others of the machine did meanwhile is no reason to rest. */
static uint64_t cpu_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

/* Until something has been done that counts, or the round is over. How long it took. */
static uint64_t turn(struct ghosts_watch *w)
{
	uint64_t begin = cpu_clock(), took = 0, now;
	unsigned looks = 0;

	for (unsigned i = 0; i < VISITS_PER_TURN && looks < LOOKS_PER_TURN && w->next; i++) {
		if (!is_worth_it(w->next)) {
			go_on(w);
			continue;
		}
		looks++;
		bool done = look_at(w, w->next);
		now = cpu_clock();
		w->spent += now - begin - took;
		took = now - begin;
		if (done || w->spent >= VISIT_MAX)
			go_on(w);
		if (took >= TURN_MAX)
			break;
	}
	return took;
}

/* Spread over the time of a round; with a VS that has very many registrations as fast as may be. */
static uint64_t pause_of(const struct ghosts_watch *w, uint64_t period, uint64_t took)
{
	uint64_t turns = HASH_CNT(by_id, w->server->by_id) / LOOKS_PER_TURN + 1;
	uint64_t rest = took * (took < TURN_LONG ? REST : REST_LONG);
	uint64_t pause = w->spent || period / turns < PAUSE_MIN ? PAUSE_MIN : period / turns;

	return rest > pause ? rest : pause;
}

static void on_timer(struct loop_timer *timer)
{
	struct ghosts_watch *w = container_of(timer, struct ghosts_watch, timer);
	uint64_t now = loop_now(w->server->loop), period = w->interval / LOOKS_PER_INTERVAL;
	uint64_t pause;

	if (!w->next) {
		w->round = now;
		w->next = w->server->by_id;
		w->spent = 0;
	}
	pause = pause_of(w, period, turn(w));
	if (!w->next && w->round + period > now + pause)
		loop_timer_at(w->server->loop, timer, w->round + period);
	else
		loop_timer_in(w->server->loop, timer, pause);
}

void ghosts_watch_init(struct ghosts_watch *watch, struct server *server)
{
	*watch = (struct ghosts_watch){.server = server,
		.timer.fn = on_timer,
		.limit = {.burst = LOG_BURST, .interval = LOG_INTERVAL}};
}

int ghosts_watch_start(struct ghosts_watch *watch, unsigned seconds)
{
	watch->interval = seconds * LOOP_SEC;
	if (watch->next && loop_timer_set(&watch->timer))
		return 0;
	return loop_timer_in(watch->server->loop, &watch->timer,
		watch->interval / LOOKS_PER_INTERVAL);
}

void ghosts_watch_stop(struct ghosts_watch *watch)
{
	loop_timer_del(watch->server->loop, &watch->timer);
	watch->next = NULL;
}

void ghosts_watch_forget(struct ghosts_watch *watch, const struct vserver *vs)
{
	if (watch->next == vs)
		go_on(watch);
}
