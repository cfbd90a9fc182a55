/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_srv(): records in the order of RFC 2782, and the addresses of their targets. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"
#include "randpool.h"
#include "srv.h"
#include "srv_order.h"

/* ---- the end */

/* Is there nothing to wait for any more? With VSRESOLV_SRV_FIRST, one that has addresses will do
 * when it is the best that can have any, or when the time for better ones is over; then those of
 * one family will do, too. */
static bool is_complete(const struct srv *srv)
{
	bool waits = false;

	for (size_t i = 0; i < srv->count; i++) {
		const struct srv_target *target = &srv->targets[i];

		if (!target->is_done)
			waits = true;
		if (target->count > 0 && (srv->flags & VSRESOLV_SRV_FIRST) &&
			(!waits || srv->first_is_over))
			return true;
	}
	return !waits;
}

/* Targets that decidedly have no address are a result, too; those that may have some are not. */
static int status_of(const struct srv *srv)
{
	int status = 0;

	for (size_t i = 0; i < srv->count; i++) {
		const struct srv_target *target = &srv->targets[i];

		if (target->count > 0)
			return 0;
		if (target->status == EAI_AGAIN || target->status == EAI_SYSTEM ||
			target->status == EAI_MEMORY)
			status = lookup_worse(status, target->status);
	}
	return status;
}

static int conclude(struct srv *srv)
{
	int status;

	for (size_t i = 0; i < srv->count; i++)
		srv_target_settle(&srv->targets[i]);
	status = status_of(srv);
	return status == 0 ? srv_result(srv) : status;
}

static void look(struct srv *srv)
{
	if (is_complete(srv))
		request_finish(&srv->request, conclude(srv));
}

/* ---- the addresses */

static void target_answered(struct query_waiter *w, int status, struct answer *answer)
{
	struct srv_part *part = container_of(w, struct srv_part, waiter);
	struct srv *srv = part->target->srv;

	if (status == -ESTALE) {
		request_finish(&srv->request, request_status(&srv->request, status, NULL));
		return;
	}
	srv_target_answered(part, status, answer);
	look(srv);
}

static void first_due(struct loop_timer *timer)
{
	struct srv *srv = container_of(timer, struct srv, first);

	srv->first_is_over = true;
	look(srv);
}

/* AI_ADDRCONFIG. 0 or EAI_*. */
static int narrow_family(struct srv *srv)
{
	struct request *r = &srv->request;
	bool has4, has6;
	int rc;

	srv->family = srv->hints.family;
	if (!(srv->hints.flags & AI_ADDRCONFIG))
		return 0;
	rc = netview_families(r->ctx->view, engine_now(), &has4, &has6);
	if (rc < 0)
		return lookup_status(r, rc, NULL);
	if (srv->family == AF_UNSPEC && has4 != has6)
		srv->family = has4 ? AF_INET : AF_INET6;
	srv->has_no_family =
		(srv->family == AF_INET && !has4) || (srv->family == AF_INET6 && !has6);
	return 0;
}

static int begin_targets(struct srv *srv)
{
	struct request *r = &srv->request;
	int status = narrow_family(srv);

	if (status)
		return status;
	for (size_t i = 0; i < srv->count; i++)
		srv_target_begin(&srv->targets[i]);
	if (!(srv->flags & VSRESOLV_SRV_FIRST) || srv->is_late)
		return 0;
	srv->first_is_over = srv->first_ms <= 0;
	if (!srv->first_is_over && loop_timer_in(engine_loop(r->ctx->engine), &srv->first,
					   (uint64_t)srv->first_ms * LOOP_MSEC) < 0)
		return EAI_MEMORY;
	return 0;
}

/* ---- the records */

/* A target that nobody could look up is none. */
static bool is_target(const struct dns_srv *record)
{
	return front_is_hostlike(&record->target);
}

static bool is_root(const struct dns_srv *record)
{
	return record->target.len == 1;
}

static void add_target(struct srv *srv, const struct dns_srv *record)
{
	struct srv_target *target = &srv->targets[srv->count++];

	target->srv = srv;
	target->record = *record;
	/* It may be a part of the question, whose case is random with VSRESOLV_0X20. */
	dns_name_lower(&target->record.target);
	for (unsigned i = 0; i < 2; i++) {
		target->parts[i].target = target;
		target->parts[i].waiter.fn = target_answered;
	}
}

/* Those that are targets, in order, up to SRV_TARGETS_MAX. */
static int order(struct srv *srv, const struct dns_srv *records, size_t count)
{
	struct srv_rank ranks[SRV_READ_MAX];
	struct randpool pool = {0};
	size_t left = 0;
	int rc;

	for (size_t i = 0; i < count; i++)
		if (is_target(&records[i]))
			ranks[left++] = (struct srv_rank){
				records[i].priority, records[i].weight, (uint16_t)i};
	rc = srv_order(ranks, left, srv_random, &pool);
	if (rc < 0)
		return lookup_status(&srv->request, rc, NULL);
	if (left > SRV_TARGETS_MAX)
		left = SRV_TARGETS_MAX;
	if (left == 0) /* RFC 2782: "." says so; anything else is no answer */
		return is_root(&records[0]) ? EAI_NODATA : EAI_FAIL;
	srv->targets = calloc(left, sizeof(*srv->targets));
	if (!srv->targets)
		return EAI_MEMORY;
	for (size_t i = 0; i < left; i++)
		add_target(srv, &records[ranks[i].at]);
	return 0;
}

static int read_records(struct srv *srv, const struct answer *answer)
{
	size_t count = answer->summary.records;
	struct dns_srv *records;
	int status = EAI_FAIL;

	if (count > SRV_READ_MAX)
		count = SRV_READ_MAX;
	records = calloc(count, sizeof(*records));
	if (!records)
		return EAI_MEMORY;
	if (dns_read_srv(answer->message, answer->len, &srv->question, &answer->summary, records,
		    count) >= count &&
		count > 0)
		status = order(srv, records, count);
	free(records);
	return status;
}

/* 0: the targets are looked up, of which some may be done; or EAI_*. */
static int take_records(struct srv *srv, int status, struct answer *answer)
{
	status = request_status(&srv->request, status, answer);
	if (status == 0)
		status = read_records(srv, answer);
	if (status != 0)
		return status;
	srv->records = answer_ref(answer);
	if (!(srv->flags & VSRESOLV_SRV_NO_ADDRS))
		return begin_targets(srv);
	for (size_t i = 0; i < srv->count; i++)
		srv->targets[i].is_done = true;
	return 0;
}

/* ---- the request */

static void records_came(struct srv *srv, int status, struct answer *answer)
{
	status = take_records(srv, status, answer);
	if (status != 0)
		request_finish(&srv->request, status);
	else
		look(srv);
}

static void records_answered(struct query_waiter *w, int status, struct answer *answer)
{
	records_came(container_of(w, struct srv, waiter), status, answer);
}

static void srv_begin(struct request *r)
{
	struct srv *srv = container_of(r, struct srv, request);
	struct answer *answer = NULL;
	int rc;

	if (srv->invalid) {
		request_finish(r, srv->invalid);
		return;
	}
	rc = request_ask(r, &srv->question, &srv->waiter, &answer);
	if (rc == 0)
		return;
	records_came(srv, rc > 0 ? 0 : rc, answer);
	answer_unref(answer);
}

static void srv_stop(struct request *r)
{
	struct srv *srv = container_of(r, struct srv, request);

	queries_leave(&srv->waiter);
	for (size_t i = 0; i < srv->count; i++)
		srv_target_stop(&srv->targets[i]);
	loop_timer_del(engine_loop(r->ctx->engine), &srv->first);
	answer_unref(srv->records);
	srv->records = NULL;
}

/* With what is there, and of the cache what may be told now although it has expired. */
static int srv_expire(struct request *r)
{
	struct srv *srv = container_of(r, struct srv, request);
	struct answer *answer;
	int status;

	srv->is_late = true;
	for (size_t i = 0; i < srv->count; i++)
		srv_target_expire(&srv->targets[i]);
	if (srv->count > 0)
		return conclude(srv);
	if (request_stale(r, &srv->question, &answer) < 0)
		return EAI_AGAIN;
	status = take_records(srv, 0, answer);
	answer_unref(answer);
	return status == 0 ? conclude(srv) : status;
}

static void srv_deliver(struct request *r)
{
	struct srv *srv = container_of(r, struct srv, request);
	struct vsresolv_srv *res = srv->res;

	srv->res = NULL;
	srv->fn(srv->arg, r->status, res, &r->info);
}

static void srv_destroy(struct request *r)
{
	struct srv *srv = container_of(r, struct srv, request);

	answer_unref(srv->records);
	free(srv->targets);
	free(srv->res);
	free(srv);
}

static const struct request_ops srv_ops = {
	.begin = srv_begin,
	.stop = srv_stop,
	.expire = srv_expire,
	.deliver = srv_deliver,
	.destroy = srv_destroy,
};

/* ---- the user's side */

/* 0 or EAI_*. Services are names below the domain of somebody; nobody has them below localhost. */
static int read_name(struct srv *srv, const char *name)
{
	char buf[FRONT_NODE_MAX];
	int e = name ? front_ascii(name, srv->hints.flags, buf, &name) : EAI_NONAME;

	if (e)
		return e;
	if (dns_name_parse(&srv->question.name, name) < 0 || front_special(name) != FRONT_ORDINARY)
		return EAI_NONAME;
	dns_name_lower(&srv->question.name);
	srv->question.type = DNS_SRV;
	return 0;
}

static struct srv *srv_new(struct vsresolv *ctx, const char *name, const struct addrinfo *hints,
	unsigned flags, int first_ms)
{
	struct srv *srv = calloc(1, sizeof(*srv));

	if (!srv)
		return NULL;
	request_init(&srv->request, ctx, &srv_ops);
	srv->waiter.fn = records_answered;
	srv->first.fn = first_due;
	srv->flags = flags;
	srv->first_ms = first_ms;
	/* Any node will do: it is the targets that are looked up. */
	srv->invalid = front_hints(&srv->hints, hints, "", NULL, NULL);
	if (!srv->invalid && (flags & ~(VSRESOLV_SRV_NO_ADDRS | VSRESOLV_SRV_FIRST)))
		srv->invalid = EAI_BADFLAGS;
	if (!srv->invalid)
		srv->invalid = read_name(srv, name);
	return srv;
}

int vsresolv_srv(struct vsresolv *ctx, const char *name, const struct addrinfo *hints,
	unsigned flags, int first_ms, int timeout_ms, struct vsresolv_srv **res,
	struct vsresolv_info *info)
{
	struct srv *srv = srv_new(ctx, name, hints, flags, first_ms);
	int status;

	if (!srv) {
		if (info)
			*info = (struct vsresolv_info){.rcode = -1};
		return EAI_MEMORY;
	}
	status = request_run(&srv->request, timeout_ms);
	if (info)
		*info = srv->request.info;
	if (status == 0) {
		*res = srv->res;
		srv->res = NULL;
	}
	request_destroy(&srv->request);
	return status;
}

int vsresolv_srv_start(struct vsresolv *ctx, const char *name, const struct addrinfo *hints,
	unsigned flags, int first_ms, int timeout_ms, vsresolv_srv_fn *fn, void *arg, uint64_t *id)
{
	struct srv *srv;

	if (!fn)
		return -EINVAL;
	srv = srv_new(ctx, name, hints, flags, first_ms);
	if (!srv)
		return -ENOMEM;
	srv->fn = fn;
	srv->arg = arg;
	return request_start(&srv->request, timeout_ms, id);
}
