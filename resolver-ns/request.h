/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request of the user under way, of whatever kind: its deadline, its end, and the way back to
 * the user: by the return of a synchronous call or by a callback. Each kind embeds it and brings
 * operations.
 */
#ifndef NSAUX_REQUEST_H
#define NSAUX_REQUEST_H

#include "context.h"

struct request;

struct request_ops {
	/* Lock held, context awake: asks what is to be asked. May finish the request at once. */
	void (*begin)(struct request *r);
	/* Lock held: leaves all its waiters. Called once, when it is finished, cancelled or
	 * closed; also before begin() when that is not reached. */
	void (*stop)(struct request *r);
	/* Lock held: the deadline has come. Returns the status to end with; may be NULL:
	 * EAI_AGAIN. */
	int (*expire)(struct request *r);
	/* No lock: calls the user's callback, giving away the results. r->ctx may be gone
	 * already, and is gone when the callback has closed it. */
	void (*deliver)(struct request *r);
	/* No lock: frees all that is left, and r; not r->conf. r->ctx may be gone. In a child
	 * after fork it comes without stop(): what it waits for is left as it is. */
	void (*destroy)(struct request *r);
};

struct request {
	LIST_ENTRY(request) link;      /* of the context */
	TAILQ_ENTRY(request) done_link; /* of the engine's finished ones */
	const struct request_ops *ops;
	struct vsresolv *ctx;
	struct rconf *conf; /* what it resolves by, from begin to end */
	uint64_t id;        /* 0: synchronous */
	uint64_t began;     /* engine_now() */
	struct loop_timer deadline;
	bool finished;
	bool at_hand_only; /* timeout_ms 0: it waits for no server */
	bool is_settled; /* set before the start: begin() finishes it, without r->conf */
	int status;
	struct vsresolv_info info;
};

/* Sets the fields; timeout_ms as in vsresolv.h. */
void request_init(struct request *r, struct vsresolv *ctx, const struct request_ops *ops);
/* request_snapshot: r->conf is there, or what request_run() would return. For who needs it
 * before. */
int request_snapshot(struct request *r);
/* Lets go of r->conf, and ops->destroy(). No lock. */
void request_destroy(struct request *r);

/*
 * request_run: begins, waits, returns the status; r is then the caller's to read and destroy
 * (request_destroy()). Everything that goes wrong before begin() is status, too (EAI_SYSTEM and
 * info.error).
 * request_start: 0 and *id, or -errno and r is destroyed.
 */
int request_run(struct request *r, int timeout_ms);
int request_start(struct request *r, int timeout_ms, uint64_t *id);

/* Lock held: it is over. The first call counts. With EAI_SYSTEM, r->info.error is set before. */
void request_finish(struct request *r, int status);
/* What the status of a query (see queries.h) or of request_ask() is to the user: 0 and an
 * answer, else EAI_*; sets info. */
int request_status(struct request *r, int status, const struct answer *answer);
/* What is told of two answers together is the weaker of each: source, TTL, and AD bit. */
void request_weaken(struct vsresolv_info *info, const struct vsresolv_info *other);

/* Lock held. The answer of the cache at once (1; a reference in *answer), or the query is asked
 * (0), or -errno, for request_status(). Begins a prefetch where that is due. */
int request_ask(struct request *r, const struct dns_question *question, struct query_waiter *w,
	struct answer **answer);

/* For expire(): what the cache has of it although it has expired, with stale_seconds (RFC 8767
 * section 5). 0 and a reference, or -errno. Needs no lock. */
int request_stale(struct request *r, const struct dns_question *question, struct answer **answer);

/*
 * Without the engine's lock, for what needs no network. request_cached: true: a reference to what
 * the cache has; false: it has nothing, or request_run() is to see to it that it is asked again
 * soon. r->conf is there. request_settle: r, which has not begun, is answered; request_run() is
 * not called any more. request_count: for what is no struct request at all: counts one that has
 * ended.
 */
bool request_cached(struct request *r, const struct dns_question *question, struct answer **answer);
void request_settle(struct request *r, int status);
void request_count(struct vsresolv *ctx, const struct vsresolv_info *info);

/* For the engine and the context, lock held. request_leave: of a finished one; its context goes on
 * without it. request_abandon: of one that is under way or not delivered yet: it is the caller's to
 * destroy. */
void request_leave(struct request *r);
void request_abandon(struct request *r);

#endif
