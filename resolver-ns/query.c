/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The servers and attempts of one question, as resolv.conf(5) has them: each server in turn gets
 * timeout_ms to answer, and all of that `attempts` times. The time is the same for each attempt,
 * and not doubled: "timeout:1 attempts:3" and two servers are six seconds. What goes over to TCP
 * has that time once more. A server that has answered with a failure is not asked again.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "container.h"
#include "queries_private.h"

_Static_assert(RCONF_SERVERS_MAX <= 8, "query.answered has a bit for each");

static void on_timer(struct loop_timer *timer);

void query_init(struct query *q)
{
	q->timer.fn = on_timer;
	q->stale_timer.fn = query_stale;
	q->udp.reply = query_udp_reply;
	q->udp.error = query_udp_error;
}

static uint64_t now_of(const struct query *q)
{
	return loop_now(q->queries->config.loop);
}

/* Never fails: see query_new() and on_timer(). */
static void set_timer(struct query *q, enum query_state state, uint64_t delay)
{
	q->state = state;
	loop_timer_in(q->queries->config.loop, &q->timer, delay);
}

const struct rconf_server *query_server(const struct query *q)
{
	return &q->conf->servers[q->server];
}

void query_stop(struct query *q)
{
	udp_end(&q->udp);
	tcp_close(q->tcp);
	q->tcp = NULL;
}

/* Nobody is called back from where this may have begun: the loop does it. */
static void fail_later(struct query *q, int error)
{
	query_stop(q);
	q->error = error;
	set_timer(q, QUERY_FAILED, 0);
}

/* The next server that has not answered. False: there is none, or all attempts are done. */
static bool choose(struct query *q)
{
	unsigned rounds = q->probe ? 1 : q->conf->attempts;

	while (q->round < rounds) {
		while (q->position < q->order.count) {
			uint8_t server = q->order.servers[q->position++];

			if (q->answered & 1u << server)
				continue;
			q->server = server;
			return true;
		}
		q->position = 0;
		q->round++;
	}
	return false;
}

static int write_query(struct query *q, uint8_t message[static DNS_QUERY_MAX])
{
	struct queries *queries = q->queries;
	struct dns_query_options options = {.edns = q->edns, .ad = q->conf->trust_ad};
	int rc = randpool_get(&queries->random, &q->id, sizeof(q->id));

	/* Over TCP nobody can guess. */
	if (rc == 0 && queries->config.flags & VSRESOLV_0X20 && !q->over_tcp)
		rc = randpool_get(&queries->random, options.case_bits, sizeof(options.case_bits));
	if (rc < 0)
		return rc;
	options.id = q->id;
	return dns_query_write(&q->question, &options, message, &q->as_sent);
}

static int send_query(struct query *q)
{
	struct queries *queries = q->queries;
	struct queries_config *config = &queries->config;
	uint8_t message[DNS_QUERY_MAX];
	int len, rc;

	rc = health_address(
		config->health, config->place, query_server(q), now_of(q), &q->udp.peer);
	if (rc < 0)
		return rc;
	len = write_query(q, message);
	if (len < 0)
		return len;
	if (q->over_tcp) {
		rc = tcp_open(&q->tcp, config->loop, config->place, &q->udp.peer, message,
			(size_t)len, query_tcp_done, q);
		if (rc == 0)
			count(&config->counters->tcp);
		return rc;
	}
	rc = udp_open(queries->udp, &q->udp, q->udp.peer.sa.sa_family);
	return rc < 0 ? rc : udp_send(&q->udp, message, (size_t)len);
}

/* Nothing that a server could do something about. */
static bool is_shortage(int error)
{
	return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM || error == -EMFILE ||
	       error == -ENFILE;
}

static void wait_for_room(struct query *q, int error)
{
	query_stop(q);
	udp_rest(q->queries->udp);
	if (q->busy_until == 0)
		q->busy_until = now_of(q) + QUERY_BUSY_MAX;
	if (now_of(q) >= q->busy_until)
		fail_later(q, error);
	else
		set_timer(q, QUERY_BUSY, QUERY_BUSY_RETRY);
}

/* The time of an attempt begins with the first that is sent, and not again when the same is asked
 * without EDNS. */
static uint64_t time_left(struct query *q)
{
	uint64_t timeout = q->conf->timeout_ms * LOOP_MSEC, now = now_of(q);

	if (q->busy_until != 0)
		q->attempt_began = now;
	q->busy_until = 0;
	if (q->over_tcp)
		return timeout;
	return now - q->attempt_began < timeout ? q->attempt_began + timeout - now : 0;
}

/* False: this server cannot be asked. */
static bool try_server(struct query *q)
{
	int rc = send_query(q);

	if (rc == 0) {
		set_timer(q, QUERY_ASKS, time_left(q));
	} else if (rc == -ESTALE) {
		queries_are_gone(q->queries);
		fail_later(q, rc);
	} else if (is_shortage(rc)) {
		wait_for_room(q, rc);
	} else {
		query_stop(q);
		q->error = rc;
		return false;
	}
	return true;
}

/* Who was silent the first time may have a firewall before it that knows no EDNS. */
static bool takes_edns(const struct query *q)
{
	return q->conf->edns0 && q->round == 0 &&
	       health_takes_edns(q->queries->config.health, query_server(q), q->attempt_began);
}

void query_next(struct query *q)
{
	do {
		if (!choose(q)) {
			fail_later(q, q->error);
			return;
		}
		q->attempt_began = now_of(q);
		q->edns_refused = false;
		q->over_tcp = q->conf->use_vc;
		q->edns = takes_edns(q);
	} while (!try_server(q));
}

void query_ask_again(struct query *q)
{
	query_stop(q);
	if (!try_server(q))
		query_next(q);
}

void query_begin(struct query *q)
{
	struct queries *queries = q->queries;

	if (!q->probe)
		health_order(queries->config.health, q->conf, now_of(q), &q->order);
	if (q->order.probe >= 0)
		queries_probe(q, (uint8_t)q->order.probe);
	/* Who has waited for dead servers before does not do it again (RFC 8767 section 5). */
	if (q->order.all_dead && loop_timer_set(&q->stale_timer))
		loop_timer_in(queries->config.loop, &q->stale_timer, 0);
	q->error = -EDESTADDRREQ;
	query_next(q);
}

void query_server_failed(struct query *q, int error)
{
	struct queries *queries = q->queries;
	const struct rconf_server *server = query_server(q);

	if (health_failed(queries->config.health, server, q->attempt_began, now_of(q)))
		queries_log(queries, LOG_WARNING, server, "does not answer");
	query_stop(q);
	if (error == -ETIMEDOUT)
		q->timed_out = true;
	else
		q->error = error;
	query_next(q);
}

static void on_timer(struct loop_timer *timer)
{
	struct query *q = container_of(timer, struct query, timer);

	/* It keeps its place in the loop's heap, so that it can always be set. */
	loop_timer_at(q->queries->config.loop, timer, UINT64_MAX);
	switch (q->state) {
	case QUERY_ASKS:
		count(&q->queries->config.counters->timeouts);
		query_server_failed(q, -ETIMEDOUT);
		break;
	case QUERY_BUSY:
		query_ask_again(q);
		break;
	case QUERY_FAILED:
		query_exhausted(q);
		break;
	case QUERY_WAITS:
		break;
	}
}
