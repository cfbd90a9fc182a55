/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_query(): one question as it is asked, and the response as it came. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "request.h"

struct raw {
	struct request request;
	struct dns_question question;
	struct query_waiter waiter;
	int invalid;      /* EAI_*: what is wrong with the question */
	uint8_t *message; /* the user's to be */
	size_t len;
	vsresolv_query_fn *fn; /* NULL: synchronous */
	void *arg;
};

/* ---- the response */

/* Addresses of the response that the guard does not let through. Of additional ones, those that
 * belong to the answer of another type (SRV, MX), but not those of the name servers of this
 * one. */
static unsigned count_guarded(const struct raw *raw, const struct answer *answer)
{
	const bool is_address = raw->question.type == DNS_A || raw->question.type == DNS_AAAA;
	const uint64_t now = engine_now();
	struct dns_record record;
	struct dns_walk walk;
	unsigned guarded = 0;

	if (dns_walk_begin(&walk, answer->message, answer->len) < 0)
		return 1;
	while (dns_walk_next(&walk, &record) > 0) {
		const uint8_t *data = answer->message + record.data;

		if (record.section != DNS_ANSWER &&
			(is_address || record.section != DNS_ADDITIONAL))
			continue;
		if (record.type == DNS_A && record.data_len == 4)
			guarded += !guard_allows(raw->request.ctx->guard, AF_INET, data, now);
		else if (record.type == DNS_AAAA && record.data_len == 16)
			guarded += !guard_allows(raw->request.ctx->guard, AF_INET6, data, now);
	}
	return guarded;
}

static int copy_message(struct raw *raw, const struct answer *answer)
{
	const uint64_t now = engine_now();
	uint64_t age = now > answer->written ? (now - answer->written) / LOOP_SEC : 0;
	uint8_t *message = malloc(answer->len);

	if (!message)
		return -ENOMEM;
	memcpy(message, answer->message, answer->len);
	dns_age(message, answer->len, age < UINT32_MAX ? (uint32_t)age : UINT32_MAX);
	raw->message = message;
	raw->len = answer->len;
	return 0;
}

/* The status of the request, from request_ask(), its waiter, or the cache. */
static int take(struct raw *raw, int status, const struct answer *answer)
{
	struct request *r = &raw->request;
	unsigned guarded;

	status = request_status(r, status, answer);
	if (status != 0 && status != EAI_NODATA && status != EAI_NONAME)
		return status;
	guarded = r->ctx->guard ? count_guarded(raw, answer) : 0;
	if (guarded > 0) {
		atomic_fetch_add(&r->ctx->counters.guarded, guarded);
		return EAI_NODATA;
	}
	return copy_message(raw, answer) < 0 ? EAI_MEMORY : status;
}

/* ---- the request */

static void answered(struct query_waiter *w, int status, struct answer *answer)
{
	struct raw *raw = container_of(w, struct raw, waiter);

	request_finish(&raw->request, take(raw, status, answer));
}

static void raw_begin(struct request *r)
{
	struct raw *raw = container_of(r, struct raw, request);
	struct answer *answer = NULL;
	int rc;

	if (raw->invalid) {
		request_finish(r, raw->invalid);
		return;
	}
	rc = request_ask(r, &raw->question, &raw->waiter, &answer);
	if (rc == 0)
		return;
	request_finish(r, take(raw, rc > 0 ? 0 : rc, answer));
	answer_unref(answer);
}

static void raw_stop(struct request *r)
{
	queries_leave(&container_of(r, struct raw, request)->waiter);
}

static int raw_expire(struct request *r)
{
	struct raw *raw = container_of(r, struct raw, request);
	struct answer *answer;
	int status;

	if (request_stale(r, &raw->question, &answer) < 0)
		return EAI_AGAIN;
	status = take(raw, 0, answer);
	answer_unref(answer);
	return status;
}

static void raw_deliver(struct request *r)
{
	struct raw *raw = container_of(r, struct raw, request);
	uint8_t *message = raw->message;

	raw->message = NULL;
	raw->fn(raw->arg, r->status, message, raw->len, &r->info);
}

static void raw_destroy(struct request *r)
{
	struct raw *raw = container_of(r, struct raw, request);

	free(raw->message);
	free(raw);
}

static const struct request_ops raw_ops = {
	.begin = raw_begin,
	.stop = raw_stop,
	.expire = raw_expire,
	.deliver = raw_deliver,
	.destroy = raw_destroy,
};

/* ---- the user's side */

/* What has no records of its own, or is a transfer of a zone (RFC 6895 section 3.1). */
static bool is_question_type(uint16_t type)
{
	return type != 0 && type != DNS_OPT && !(type >= 249 && type <= 254);
}

/* 0 or EAI_*. */
static int read_question(struct raw *raw, const char *name, uint16_t type)
{
	int rc = name ? dns_name_parse(&raw->question.name, name) : -EINVAL;

	if (rc == -EILSEQ)
		return EAI_IDN_ENCODE;
	if (rc < 0)
		return EAI_NONAME;
	dns_name_lower(&raw->question.name);
	raw->question.type = type;
	if (is_question_type(type))
		return 0;
	raw->request.info.error = -EOPNOTSUPP;
	return EAI_SYSTEM;
}

static struct raw *raw_new(struct vsresolv *ctx, const char *name, uint16_t type)
{
	struct raw *raw = calloc(1, sizeof(*raw));

	if (!raw)
		return NULL;
	request_init(&raw->request, ctx, &raw_ops);
	raw->waiter.fn = answered;
	raw->invalid = read_question(raw, name, type);
	return raw;
}

/* Without the engine: wrong questions, and what is in the cache. */
static bool is_at_hand(struct raw *raw)
{
	struct request *r = &raw->request;
	struct answer *answer;
	int status;

	if (!context_is_ours(r->ctx))
		return false;
	if (raw->invalid) {
		request_settle(r, raw->invalid);
		return true;
	}
	if (request_snapshot(r) != 0 || !request_cached(r, &raw->question, &answer))
		return false;
	status = take(raw, 0, answer);
	answer_unref(answer);
	request_settle(r, status);
	return true;
}

int vsresolv_query(struct vsresolv *ctx, const char *name, uint16_t type, int timeout_ms,
	uint8_t **message, size_t *len, struct vsresolv_info *info)
{
	struct raw *raw = raw_new(ctx, name, type);
	int status;

	if (!raw)
		return EAI_MEMORY;
	if (!is_at_hand(raw))
		request_run(&raw->request, timeout_ms);
	status = raw->request.status;
	if (info)
		*info = raw->request.info;
	if (raw->message) {
		*message = raw->message;
		*len = raw->len;
		raw->message = NULL;
	}
	request_destroy(&raw->request);
	return status;
}

int vsresolv_query_start(struct vsresolv *ctx, const char *name, uint16_t type, int timeout_ms,
	vsresolv_query_fn *fn, void *arg, uint64_t *id)
{
	struct raw *raw;

	if (!fn)
		return -EINVAL;
	raw = raw_new(ctx, name, type);
	if (!raw)
		return -ENOMEM;
	raw->fn = fn;
	raw->arg = arg;
	return request_start(&raw->request, timeout_ms, id);
}

void vsresolv_free(void *pointer)
{
	free(pointer);
}
