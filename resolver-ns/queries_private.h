/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of queries.h: queries.c has the table of questions, the line of those that wait, and
 * the limits; query.c the servers and attempts of one question; query_reply.c what a response
 * means; query_end.c how it ends, stale answers included.
 */
#ifndef NSAUX_QUERIES_PRIVATE_H
#define NSAUX_QUERIES_PRIVATE_H

#include "dns_query.h"
#include "health.h"
#include "queries.h"
#include "randpool.h"
#include "siphash.h"
#include "tcp.h"
#include "udp.h"

#define QUERY_STALE_AFTER (1800 * LOOP_MSEC) /* RFC 8767 section 5 */
#define QUERY_BUSY_RETRY (10 * LOOP_MSEC)    /* when our own side had no room to send */
#define QUERY_BUSY_MAX (1 * LOOP_SEC)        /* so long; then it is an error */
#define QUERIES_GONE_LOOK (5 * LOOP_MSEC)    /* how seldom, when it is asked for often */
#define QUERIES_GONE_TICK (100 * LOOP_MSEC)  /* how often a VS that is asked for is looked at */

enum query_state {
	QUERY_WAITS,  /* for a slot, in the line */
	QUERY_ASKS,   /* a server, by UDP or TCP; the timer is the attempt's */
	QUERY_BUSY,   /* the timer tries the same server again */
	QUERY_FAILED, /* the timer ends it */
};

struct query {
	LIST_ENTRY(query) bucket;
	TAILQ_ENTRY(query) link; /* of queries->line or ->running */
	struct queries *queries;
	TAILQ_HEAD(, query_waiter) waiters;
	struct rconf *conf;
	struct answer *last_resort; /* a failure that a server answered */
	struct loop_timer timer, stale_timer;
	struct udp_exchange udp;
	struct tcp *tcp;
	uint64_t hash, began, attempt_began, busy_until;
	enum query_state state;
	int error;      /* what the last server failed by */
	bool timed_out; /* a server did */
	bool in_table;  /* others with the same question may join */
	bool keep;      /* goes on without waiters */
	bool probe;     /* is for the sake of a server's health; its answer is for nobody */
	bool edns, edns_refused; /* asked with it; the server refused it in this attempt */
	bool over_tcp;
	bool has_slot;           /* counts as under way */
	uint8_t round, position; /* the next to be asked is order.servers[position] */
	uint8_t server;          /* that is asked */
	uint8_t answered;        /* a bit for each that has answered with a failure */
	uint16_t id;
	struct health_order order;
	struct dns_question question;
	struct dns_name as_sent;
};

LIST_HEAD(query_bucket, query);
TAILQ_HEAD(query_list, query);

struct queries {
	struct queries_config config;
	struct share_member member;
	struct udp *udp;
	struct randpool random;
	struct siphash_key key;
	struct query_bucket *buckets;
	size_t bucket_count, in_table;
	struct query_list line, running;
	unsigned in_flight, waiting;
	struct loop_timer tick; /* looks whether the VS is gone, closes idle sockets */
	uint64_t looked; /* when it was last looked whether the VS is gone */
	bool gone;
};

/* queries.c */
void query_free(struct query *q);   /* out of all lists; waiters are forgotten */
void query_detach(struct query *q); /* nothing is under way for it any more, and nobody can join */
void queries_begin_waiting(struct queries *queries);
void queries_are_gone(struct queries *queries); /* the loop will end all by -ESTALE */
/* Asks one server alone, if there is room. */
void queries_probe(const struct query *like, uint8_t server);
void queries_log(const struct queries *queries, int priority, const struct rconf_server *server,
	const char *what);

/* query.c */
void query_init(struct query *q);
void query_begin(struct query *q);     /* it has a slot */
void query_next(struct query *q);      /* asks the next server, or fails */
void query_ask_again(struct query *q); /* the same one: without EDNS, or over TCP */
void query_stop(struct query *q);      /* closes what is under way */
/* The server that is asked failed by this error, and what it is to its health. */
void query_server_failed(struct query *q, int error);
const struct rconf_server *query_server(const struct query *q);

/* query_reply.c */
bool query_udp_reply(struct udp_exchange *x, const uint8_t *message, size_t len);
void query_udp_error(struct udp_exchange *x, int error);
void query_tcp_done(void *arg, int status, const uint8_t *message, size_t len);

/* query_end.c */
/* After each of these q is gone, and so may be struct queries: a waiter's owner may free it. */
void query_end(struct query *q, int status, struct answer *answer);
void query_exhausted(struct query *q); /* there is nobody left to ask */
void query_deliver(struct query *q, int status, struct answer *answer); /* q is detached */

void query_stale(struct loop_timer *timer);

#endif
