/* SPDX-License-Identifier: BSD-3-Clause */
/* What a response means for its question: the answer, another attempt, or another server. */
#include "config.h"

#include <errno.h>
#include <syslog.h>

#include "container.h"
#include "queries_private.h"

static void note_alive(struct query *q)
{
	struct queries *queries = q->queries;

	if (health_answered(
		    queries->config.health, query_server(q), loop_now(queries->config.loop)))
		queries_log(queries, LOG_NOTICE, query_server(q), "answers again");
}

/* RFC 6891 section 7: it does not know EDNS, and says so in one of these ways. */
static bool refuses_edns(const struct answer *answer)
{
	return answer->summary.rcode == DNS_FORMERR || answer->summary.rcode == DNS_NOTIMP;
}

/* Of several failures, one that may pass is told rather than a refusal. */
static void keep_failure(struct query *q, struct answer *answer)
{
	if (q->last_resort && q->last_resort->summary.rcode == DNS_SERVFAIL) {
		answer_unref(answer);
		return;
	}
	answer_unref(q->last_resort);
	q->last_resort = answer;
}

static void take_failure(struct query *q, struct answer *answer)
{
	if (q->edns && refuses_edns(answer)) {
		answer_unref(answer);
		q->edns = false;
		q->edns_refused = true;
		query_ask_again(q);
		return;
	}
	keep_failure(q, answer);
	q->answered |= (uint8_t)(1u << q->server);
	query_stop(q);
	query_next(q);
}

static void take(struct query *q, struct answer *answer)
{
	struct queries_config *config = &q->queries->config;

	if (q->edns_refused && !refuses_edns(answer))
		health_refused_edns(config->health, query_server(q), loop_now(config->loop));
	if (q->probe) {
		answer_unref(answer);
		query_end(q, 0, NULL);
		return;
	}
	if (answer->summary.kind == DNS_FAILURE) {
		take_failure(q, answer);
		return;
	}
	if (config->cache)
		answer_store(config->cache, &q->question, answer, config->stale_seconds);
	query_end(q, 0, answer);
	answer_unref(answer);
}

/* A whole response. -EBADMSG: it is none, after all. Otherwise it is done with, and q may be gone.
 */
static int take_message(struct query *q, const uint8_t *message, size_t len)
{
	struct answer *answer;
	int rc = answer_new(&answer, &q->question, message, len, &q->udp.peer.sa,
		loop_now(q->queries->config.loop));

	if (rc == -EBADMSG)
		return rc;
	note_alive(q);
	if (rc < 0)
		query_end(q, rc, NULL);
	else
		take(q, answer);
	return 0;
}

static void ask_by_tcp(struct query *q)
{
	q->over_tcp = true;
	query_ask_again(q);
}

static bool is_truncated(const uint8_t *message, size_t len)
{
	struct dns_header header;

	return dns_header_read(message, len, &header) == 0 && header.tc;
}

/* A reply but for the case of its letters: of a server that does not keep it, or of somebody who
 * guesses. TCP tells which. */
static bool is_other_case(const struct query *q, const uint8_t *message, size_t len)
{
	return q->queries->config.flags & VSRESOLV_0X20 &&
	       dns_is_reply(message, len, q->id, &q->question, NULL) == 0;
}

bool query_udp_reply(struct udp_exchange *x, const uint8_t *message, size_t len)
{
	struct query *q = container_of(x, struct query, udp);
	const struct dns_name *as_sent =
		q->queries->config.flags & VSRESOLV_0X20 ? &q->as_sent : NULL;

	if (dns_is_reply(message, len, q->id, &q->question, as_sent) < 0) {
		if (!is_other_case(q, message, len))
			return false;
		count(&q->queries->config.counters->ignored);
		ask_by_tcp(q);
		return true;
	}
	if (is_truncated(message, len) && !q->probe) {
		note_alive(q);
		ask_by_tcp(q);
		return true;
	}
	return take_message(q, message, len) == 0;
}

/* Somebody guesses, who knows the port, or the server wants to keep us busy: TCP tells. */
void query_udp_error(struct udp_exchange *x, int error)
{
	struct query *q = container_of(x, struct query, udp);

	if (error == -EBADMSG && !q->probe)
		ask_by_tcp(q);
	else
		query_server_failed(q, error);
}

void query_tcp_done(void *arg, int status, const uint8_t *message, size_t len)
{
	struct query *q = arg;

	if (status == 0 && (dns_is_reply(message, len, q->id, &q->question, NULL) < 0 ||
				   is_truncated(message, len) || take_message(q, message, len) < 0))
		status = -EBADMSG;
	if (status < 0)
		query_server_failed(q, status);
}
