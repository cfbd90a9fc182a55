/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "queries_private.h"

#define BUCKETS_MIN 32

static void queries_tick(struct loop_timer *timer);

static void share_turn(struct share_member *member)
{
	queries_begin_waiting(container_of(member, struct queries, member));
}

int queries_new(struct queries **out, const struct queries_config *config)
{
	struct queries *queries = calloc(1, sizeof(*queries));
	int rc = -ENOMEM;

	if (!queries)
		return rc;
	queries->config = *config;
	queries->member.turn = share_turn;
	queries->tick.fn = queries_tick;
	TAILQ_INIT(&queries->line);
	TAILQ_INIT(&queries->running);
	queries->bucket_count = BUCKETS_MIN;
	queries->buckets = calloc(BUCKETS_MIN, sizeof(*queries->buckets));
	if (queries->buckets)
		rc = randpool_get(&queries->random, &queries->key, sizeof(queries->key));
	if (rc == 0)
		rc = udp_new(&queries->udp, config->loop, config->place, config->counters);
	if (rc < 0) {
		free(queries->buckets);
		free(queries);
		return rc;
	}
	*out = queries;
	return 0;
}

static void free_all(struct query_list *list)
{
	struct query *q;

	while ((q = TAILQ_FIRST(list)) != NULL) {
		query_detach(q);
		query_free(q);
	}
}

void queries_free(struct queries *queries)
{
	if (!queries)
		return;
	free_all(&queries->line);
	free_all(&queries->running);
	share_leave(queries->config.share, &queries->member);
	loop_timer_del(queries->config.loop, &queries->tick);
	udp_free(queries->udp);
	free(queries->buckets);
	free(queries);
}

void queries_forsake(struct queries *queries)
{
	if (!queries)
		return;
	udp_forsake(queries->udp);
	share_freeze(queries->config.share);
}

bool queries_are_idle(const struct queries *queries)
{
	return TAILQ_EMPTY(&queries->running) && TAILQ_EMPTY(&queries->line) &&
	       !udp_has_sockets(queries->udp);
}

void queries_rest(struct queries *queries)
{
	udp_rest(queries->udp);
}

/* The table of questions under way, by name, type and configuration: after a change of that the
 * servers may be others. */

static uint64_t hash_question(const struct queries *queries, const struct dns_question *question)
{
	return siphash(&queries->key, question->name.wire, question->name.len) + question->type;
}

static struct query_bucket *bucket_of(struct queries *queries, uint64_t hash)
{
	return &queries->buckets[hash & (queries->bucket_count - 1)];
}

static struct query *find(struct queries *queries, const struct rconf *conf,
	const struct dns_question *question, uint64_t hash)
{
	struct query *q;

	LIST_FOREACH (q, bucket_of(queries, hash), bucket) {
		if (q->hash == hash && q->conf == conf && q->question.type == question->type &&
			dns_name_equal(&q->question.name, &question->name))
			return q;
	}
	return NULL;
}

/* Without memory the chains become longer, no more. */
static void grow(struct queries *queries)
{
	size_t old_count = queries->bucket_count;
	struct query_bucket *old = queries->buckets;
	struct query_bucket *buckets = calloc(old_count * 2, sizeof(*buckets));

	if (!buckets)
		return;
	queries->buckets = buckets;
	queries->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		struct query *q;

		while ((q = LIST_FIRST(&old[i])) != NULL) {
			LIST_REMOVE(q, bucket);
			LIST_INSERT_HEAD(bucket_of(queries, q->hash), q, bucket);
		}
	}
	free(old);
}

static void insert(struct queries *queries, struct query *q)
{
	if (queries->in_table >= queries->bucket_count * 2)
		grow(queries);
	LIST_INSERT_HEAD(bucket_of(queries, q->hash), q, bucket);
	queries->in_table++;
	q->in_table = true;
}

static bool start_tick(struct queries *queries)
{
	return loop_timer_set(&queries->tick) ||
	       loop_timer_in(queries->config.loop, &queries->tick, QUERIES_GONE_TICK) == 0;
}

/* The timer is armed from the start, so that there is always memory to arm it again. */
static struct query *query_new(struct queries *queries, struct rconf *conf,
	const struct dns_question *question, uint64_t hash)
{
	struct loop *loop = queries->config.loop;
	struct query *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	query_init(q);
	if (loop_timer_at(loop, &q->timer, UINT64_MAX) < 0 || !start_tick(queries)) {
		loop_timer_del(loop, &q->timer);
		free(q);
		return NULL;
	}
	TAILQ_INIT(&q->waiters);
	q->queries = queries;
	q->conf = rconf_ref(conf);
	q->question = *question;
	q->hash = hash;
	q->began = loop_now(loop);
	return q;
}

void query_free(struct query *q)
{
	struct query_waiter *w;

	TAILQ_FOREACH (w, &q->waiters, link)
		w->query = NULL;
	answer_unref(q->last_resort);
	rconf_unref(q->conf);
	free(q);
}

static void show_counts(const struct queries *queries)
{
	struct counters *counters = queries->config.counters;

	atomic_store_explicit(&counters->in_flight, queries->in_flight, memory_order_relaxed);
	atomic_store_explicit(&counters->waiting, queries->waiting, memory_order_relaxed);
}

void query_detach(struct query *q)
{
	struct queries *queries = q->queries;

	query_stop(q);
	loop_timer_del(queries->config.loop, &q->timer);
	loop_timer_del(queries->config.loop, &q->stale_timer);
	if (q->in_table) {
		LIST_REMOVE(q, bucket);
		queries->in_table--;
		q->in_table = false;
	}
	if (q->state == QUERY_WAITS) {
		TAILQ_REMOVE(&queries->line, q, link);
		queries->waiting--;
		if (queries->waiting == 0)
			share_leave(queries->config.share, &queries->member);
	} else {
		TAILQ_REMOVE(&queries->running, q, link);
	}
	if (q->has_slot) {
		q->has_slot = false;
		queries->in_flight--;
		share_give(queries->config.share, &queries->member);
	}
	show_counts(queries);
}

static bool take_slot(struct queries *queries)
{
	if (queries->in_flight >= queries->config.in_flight ||
		!share_take(queries->config.share, &queries->member))
		return false;
	queries->in_flight++;
	return true;
}

static void run(struct query *q, bool has_slot)
{
	struct queries *queries = q->queries;

	TAILQ_INSERT_TAIL(&queries->running, q, link);
	q->has_slot = has_slot;
	show_counts(queries);
	count(&queries->config.counters->queries);
	query_begin(q);
}

void queries_begin_waiting(struct queries *queries)
{
	struct query *q;

	while ((q = TAILQ_FIRST(&queries->line)) != NULL && !queries->gone && take_slot(queries)) {
		TAILQ_REMOVE(&queries->line, q, link);
		queries->waiting--;
		run(q, true);
	}
}

static void wait_in_line(struct query *q)
{
	TAILQ_INSERT_TAIL(&q->queries->line, q, link);
	q->queries->waiting++;
	q->state = QUERY_WAITS;
	show_counts(q->queries);
}

static void wait_for(struct query *q, struct query_waiter *w)
{
	w->query = q;
	TAILQ_INSERT_TAIL(&q->waiters, w, link);
}

static int begin(struct queries *queries, struct rconf *conf, const struct dns_question *question,
	uint64_t hash, struct query_waiter *w)
{
	bool in_turn = TAILQ_EMPTY(&queries->line);
	struct query *q;

	if (!in_turn && queries->waiting >= queries->config.waiting) {
		count(&queries->config.counters->refused);
		return -ENOBUFS;
	}
	q = query_new(queries, conf, question, hash);
	if (!q)
		return -ENOMEM;
	insert(queries, q);
	wait_for(q, w);
	if (queries->config.stale_seconds > 0)
		loop_timer_in(queries->config.loop, &q->stale_timer, QUERY_STALE_AFTER);
	if (in_turn && take_slot(queries))
		run(q, true);
	else
		wait_in_line(q);
	return 0;
}

/* For a namespace by its path it is a system call, which is not worth one for each question:
 * sockets that are open are the VS's as long as they live. */
static bool is_gone(struct queries *queries, uint64_t now)
{
	if (queries->gone || now - queries->looked < QUERIES_GONE_LOOK)
		return queries->gone;
	queries->looked = now;
	queries->gone = place_is_gone(queries->config.place);
	return queries->gone;
}

int queries_ask(struct queries *queries, struct rconf *conf, const struct dns_question *question,
	struct query_waiter *w)
{
	uint64_t now = loop_refresh(queries->config.loop);
	uint64_t hash = hash_question(queries, question);
	struct query *q;

	w->query = NULL;
	if (is_gone(queries, now))
		return -ESTALE;
	q = find(queries, conf, question, hash);
	if (!q)
		return begin(queries, conf, question, hash, w);
	wait_for(q, w);
	count(&queries->config.counters->joined);
	/* The time after which a stale answer is given is over already. */
	if (queries->config.stale_seconds > 0 && now - q->began >= QUERY_STALE_AFTER)
		loop_timer_at(queries->config.loop, &q->stale_timer, now);
	return 0;
}

void queries_leave(struct query_waiter *w)
{
	struct query *q = w->query;
	struct queries *queries;

	if (!q)
		return;
	TAILQ_REMOVE(&q->waiters, w, link);
	w->query = NULL;
	if (!TAILQ_EMPTY(&q->waiters) || q->keep)
		return;
	queries = q->queries;
	query_detach(q);
	query_free(q);
	queries_begin_waiting(queries);
}

/* Only where there is room at once: what nobody waits for keeps back nobody. */
void queries_prefetch(
	struct queries *queries, struct rconf *conf, const struct dns_question *question)
{
	uint64_t hash = hash_question(queries, question);
	struct query *q;

	loop_refresh(queries->config.loop);
	if (queries->gone || !TAILQ_EMPTY(&queries->line) || find(queries, conf, question, hash))
		return;
	if (!take_slot(queries)) {
		share_leave(queries->config.share, &queries->member);
		return;
	}
	q = query_new(queries, conf, question, hash);
	if (!q) {
		queries->in_flight--;
		share_give(queries->config.share, &queries->member);
		return;
	}
	q->keep = true;
	insert(queries, q);
	run(q, true);
}

/* Takes no slot: there is one a second for each server, at most. */
void queries_probe(const struct query *like, uint8_t server)
{
	struct query *q = query_new(like->queries, like->conf, &like->question, like->hash);

	if (!q)
		return;
	q->keep = true;
	q->probe = true;
	q->order = (struct health_order){.count = 1, .servers = {server}, .probe = -1};
	run(q, false);
}

void queries_are_gone(struct queries *queries)
{
	queries->gone = true;
	/* Armed since the query came; see query_new(). */
	loop_timer_at(queries->config.loop, &queries->tick, 0);
}

/* Nothing of queries is touched once the first waiter has been told. */
static void end_all(struct queries *queries)
{
	struct query_list ended = TAILQ_HEAD_INITIALIZER(ended);
	struct query *q;

	while ((q = TAILQ_FIRST(&queries->line)) != NULL ||
		(q = TAILQ_FIRST(&queries->running)) != NULL) {
		query_detach(q);
		TAILQ_INSERT_TAIL(&ended, q, link);
	}
	udp_rest(queries->udp);
	while ((q = TAILQ_FIRST(&ended)) != NULL) {
		TAILQ_REMOVE(&ended, q, link);
		query_deliver(q, -ESTALE, NULL);
	}
}

/* Goes on as long as there is something to look after, and not beyond. */
static void queries_tick(struct loop_timer *timer)
{
	struct queries *queries = container_of(timer, struct queries, tick);
	uint64_t now = loop_now(queries->config.loop), due;

	if (queries->gone || place_is_gone(queries->config.place)) {
		queries->gone = true;
		end_all(queries);
		return;
	}
	due = udp_sweep(queries->udp, now);
	if (!TAILQ_EMPTY(&queries->running) || !TAILQ_EMPTY(&queries->line))
		due = due < now + QUERIES_GONE_TICK ? due : now + QUERIES_GONE_TICK;
	if (due != UINT64_MAX)
		loop_timer_at(queries->config.loop, timer, due);
}

void queries_log(const struct queries *queries, int priority, const struct rconf_server *server,
	const char *what)
{
	char address[INET6_ADDRSTRLEN] = "", text[160];
	const void *from = server->addr.sa.sa_family == AF_INET6
				   ? (const void *)&server->addr.in6.sin6_addr
				   : (const void *)&server->addr.in4.sin_addr;

	if (!queries->config.log)
		return;
	inet_ntop(server->addr.sa.sa_family, from, address, sizeof(address));
	snprintf(text, sizeof(text), "name server %s%s%s port %u %s", address,
		server->device[0] ? "%" : "", server->device, ntohs(server->addr.in4.sin_port),
		what);
	queries->config.log(queries->config.log_arg, priority, queries->config.name, text);
}
