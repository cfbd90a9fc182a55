/* SPDX-License-Identifier: BSD-3-Clause */
/* How a question ends, and what its waiters are told, stale answers included. */
#include "config.h"

#include <errno.h>

#include "container.h"
#include "queries_private.h"

/* A waiter may ask, leave, and free what it likes, struct queries included; q->keep keeps the query
 * from being freed by the last that leaves. */
static void tell_waiters(struct query *q, int status, struct answer *answer)
{
	struct query_waiter *w;

	q->keep = true;
	while ((w = TAILQ_FIRST(&q->waiters)) != NULL) {
		TAILQ_REMOVE(&q->waiters, w, link);
		w->query = NULL;
		w->fn(w, status, answer);
	}
}

void query_deliver(struct query *q, int status, struct answer *answer)
{
	tell_waiters(q, status, answer);
	query_free(q);
}

void query_end(struct query *q, int status, struct answer *answer)
{
	struct queries *queries = q->queries;

	query_detach(q);
	queries_begin_waiting(queries);
	query_deliver(q, status, answer);
}

/* NULL: there is none. */
static struct answer *find_stale(struct query *q)
{
	struct queries_config *config = &q->queries->config;
	struct answer *answer;
	bool prefetch;

	if (!config->cache || config->stale_seconds == 0 || TAILQ_EMPTY(&q->waiters))
		return NULL;
	if (answer_find(config->cache, &q->question, loop_now(config->loop), CACHE_STALE, &answer,
		    &prefetch) < 0)
		return NULL;
	return answer;
}

static int failure_status(const struct query *q)
{
	if (q->queries->gone)
		return -ESTALE;
	return q->timed_out ? -ETIMEDOUT : q->error;
}

void query_exhausted(struct query *q)
{
	struct answer *stale = q->queries->gone ? NULL : find_stale(q);
	/* Of the last resort the reference is q's, which lives until all have been told. */
	struct answer *answer = stale ? stale : q->last_resort;

	query_end(q, answer ? 0 : failure_status(q), answer);
	answer_unref(stale);
}

/* RFC 8767 section 5: who waits is given what there is, and the question goes on for the next. */
void query_stale(struct loop_timer *timer)
{
	struct query *q = container_of(timer, struct query, stale_timer);
	struct answer *stale = find_stale(q);
	struct query told = {.waiters = TAILQ_HEAD_INITIALIZER(told.waiters)};
	struct query_waiter *w;

	if (!stale)
		return;
	q->keep = true;
	TAILQ_CONCAT(&told.waiters, &q->waiters, link);
	TAILQ_FOREACH (w, &told.waiters, link)
		w->query = &told;
	tell_waiters(&told, 0, stale);
	answer_unref(stale);
}
