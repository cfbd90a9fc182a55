/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions of one context under way to its name servers: the same question is asked once, however
 * many wait for it; retried, over UDP (a new random port for each attempt) and TCP, by the
 * servers' order and health; within the limits of the context and its share of the loop. Answers
 * are stored in the cache.
 *
 * Under the lock of the engine. Nobody is called back from inside queries_ask().
 */
#ifndef NSAUX_QUERIES_H
#define NSAUX_QUERIES_H

#include <sys/queue.h>

#include "answer.h"
#include "counters.h"
#include "loop.h"
#include "place.h"
#include "rconf.h"
#include "share.h"

struct queries;
struct query;
struct health; /* what is known of the servers of a context; outlives struct queries */

int health_new(struct health **health);
void health_free(struct health *health); /* NULL is allowed */
void health_forget(struct health *health); /* all are thought well of again */

/*
 * status 0: with an answer, of any kind (a DNS_FAILURE: every server failed so, or refused). With
 * stale_seconds, it may be VSRESOLV_STALE. Otherwise answer is NULL: -ETIMEDOUT; -EBADMSG (what
 * came by TCP was no response); -ECONNREFUSED, -ENETUNREACH and the like when it was no other thing
 * for any server; -EDESTADDRREQ: conf has no server; -ESTALE: the VS is gone; -ENOMEM, -EMFILE,
 * -ENOBUFS: so for a second; -EPERM... The answer is borrowed for the call; take a reference. fn
 * may ask, leave, free w, and free struct queries.
 */
struct query_waiter {
	TAILQ_ENTRY(query_waiter) link;
	struct query *query; /* NULL: waits for nothing */
	void (*fn)(struct query_waiter *w, int status, struct answer *answer);
};

struct queries_config { /* what it points to outlives struct queries */
	const char *name; /* of the VS */
	struct loop *loop;
	struct place *place;
	struct cache *cache;   /* may be NULL */
	struct health *health;
	struct share *share;
	struct counters *counters;
	unsigned flags;         /* VSRESOLV_0X20 */
	unsigned in_flight, waiting;
	unsigned stale_seconds;
	void (*log)(void *arg, int priority, const char *vs, const char *text); /* may be NULL */
	void *log_arg;
};

int queries_new(struct queries **queries, const struct queries_config *config);
void queries_free(struct queries *queries); /* nobody is called; NULL is allowed */
/* In a child after fork, before queries_free(): the parent's queries go on, and nobody's begins
 * here. */
void queries_forsake(struct queries *queries); /* NULL is allowed */
/* True: nothing is under way and no socket is open. */
bool queries_are_idle(const struct queries *queries);
/* Closes the sockets that are kept for the next query (by itself after VSRESOLV_LINGER_MS). */
void queries_rest(struct queries *queries);

/*
 * The cache is not looked at: that is done already. conf: a reference is taken; who asks with
 * another snapshot is not joined. -ENOBUFS: too many wait (counted as refused); -ESTALE; -ENOMEM.
 * w->fn comes later, by the loop.
 */
int queries_ask(struct queries *queries, struct rconf *conf, const struct dns_question *question,
	struct query_waiter *w);
/* No more interest; harmless when w waits for nothing. A query that nobody waits for any more
 * ends. */
void queries_leave(struct query_waiter *w);
/* Asks for the cache's sake, if there is room at once; nobody waits. */
void queries_prefetch(
	struct queries *queries, struct rconf *conf, const struct dns_question *question);

#endif
