/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The candidates, one after the other, the A and AAAA of each side by side. When to go on is
 * decided as by glibc's res_search: after NXDOMAIN, NODATA and SERVFAIL to the next one, after
 * other failures to the name as it is.
 */
#include "config.h"

#include <errno.h>

#include "gai.h"

#define GO_ON 2 /* to the next candidate */

/* ---- asking */

static void ask(struct gai *gai, struct gai_part *part)
{
	int rc = request_ask(&gai->request, &part->question, &part->waiter, &part->answer);

	part->asked = true;
	part->pending = rc == 0;
	part->status = rc < 0 ? rc : 0;
}

/* With single-request the second waits for the first. False: nothing is pending. */
static bool ask_wanted(struct gai *gai)
{
	bool pending = false;
	unsigned i;

	for (i = 0; i < GAI_PARTS; i++) {
		struct gai_part *part = &gai->parts[i];

		if (part->wanted && !part->asked && !(pending && gai->request.conf->single_request))
			ask(gai, part);
		pending = pending || part->pending;
	}
	return pending;
}

static void forget_answers(struct gai *gai)
{
	unsigned i;

	for (i = 0; i < GAI_PARTS; i++) {
		answer_unref(gai->parts[i].answer);
		gai->parts[i].answer = NULL;
		gai->parts[i].asked = false;
	}
}

/* False: there are no more. */
static bool next_candidate(struct gai *gai)
{
	struct dns_name name;
	unsigned i;

	forget_answers(gai);
	gai->as_is_first = gai->search.as_is_first;
	if (!front_search_next(&gai->search, gai->request.conf, &name))
		return false;
	for (i = 0; i < GAI_PARTS; i++)
		gai->parts[i].question.name = name;
	return true;
}

/* ---- what one candidate has brought */

static void part_verdict(struct gai *gai, const struct gai_part *part, struct gai_verdict *verdict)
{
	struct request *r = &gai->request;
	const struct answer *answer = part->answer;

	r->info = (struct vsresolv_info){ .rcode = -1 };
	verdict->status = request_status(r, part->status, answer);
	verdict->info = r->info;
	verdict->expires = answer ? answer->expires : UINT64_MAX;
	if (answer && answer->summary.kind != DNS_FAILURE && answer->expires < gai->until)
		gai->until = answer->expires;
}

/* Which of two counts: an answer is better than none, and that there is none of the other type
 * is known only if that has been told. */
static unsigned weight(int status)
{
	switch (status) {
	case 0:
		return 6;
	case EAI_SYSTEM: /* the VS is gone, and the like */
	case EAI_MEMORY:
		return 5;
	case EAI_NONAME: /* for one type is for all, RFC 8020 */
		return 4;
	case EAI_AGAIN:
		return 3;
	case EAI_FAIL:
		return 2;
	default:
		return 1;
	}
}

/* Of two answers that agree: the weaker of what they say. */
static void merge_equal(struct gai_verdict *verdict, const struct gai_verdict *other)
{
	request_weaken(&verdict->info, &other->info);
	if (other->expires < verdict->expires)
		verdict->expires = other->expires;
}

static void merge(struct gai_verdict *verdict, const struct gai_verdict *other)
{
	const int a = verdict->status, b = other->status;

	if (a == b)
		merge_equal(verdict, other);
	/* A server that says NXDOMAIN of one type and NODATA of the other has the name. */
	else if (a == EAI_NODATA && b == EAI_NONAME)
		return;
	else if ((a == EAI_NONAME && b == EAI_NODATA) || weight(b) > weight(a))
		*verdict = *other;
}

static void candidate_verdict(struct gai *gai, struct gai_verdict *verdict)
{
	struct gai_verdict second;

	*verdict = (struct gai_verdict){ .status = EAI_NODATA };
	if (gai->parts[GAI_V4].wanted)
		part_verdict(gai, &gai->parts[GAI_V4], verdict);
	if (!gai->parts[GAI_V6].wanted)
		return;
	part_verdict(gai, &gai->parts[GAI_V6], &second);
	if (gai->parts[GAI_V4].wanted)
		merge(verdict, &second);
	else
		*verdict = second;
}

/* No server has said anything; not that they failed. */
static bool lacks_answer(const struct gai *gai, int error)
{
	unsigned i;

	for (i = 0; i < GAI_PARTS; i++) {
		const struct gai_part *part = &gai->parts[i];

		if (part->wanted && part->status < 0 && (!error || part->status == error))
			return true;
	}
	return false;
}

/* ---- from candidate to candidate */

/* As res_search: what the name as it is had, if that was asked first; else that a name was
 * there without data; else that a server failed; else what the last one had. */
static unsigned rank_of(const struct gai *gai, int status)
{
	if (gai->as_is_first)
		return 4;
	if (status == EAI_NODATA)
		return 3;
	return status == EAI_AGAIN && !lacks_answer(gai, 0) ? 2 : 1;
}

static int judge_failure(struct gai *gai, struct gai_verdict *verdict)
{
	verdict->rank = rank_of(gai, verdict->status);
	if (verdict->rank > gai->verdict.rank || gai->verdict.rank == 1)
		gai->verdict = *verdict;
	if (verdict->status == EAI_AGAIN && lacks_answer(gai, 0)) {
		if (lacks_answer(gai, -ECONNREFUSED))
			return EAI_AGAIN;
		/* Behind the name as it is nothing comes: another one must not be the answer
		 * because servers were slow with that. */
		front_search_last(&gai->search);
	} else if (verdict->status == EAI_FAIL && !gai->as_is_first) {
		front_search_last(&gai->search);
	}
	return GO_ON;
}

static int judge(struct gai *gai)
{
	struct gai_verdict verdict;

	candidate_verdict(gai, &verdict);
	gai->request.info = verdict.info;
	/* What is at hand must be what would come if there were time. */
	if (gai->request.at_hand_only && lacks_answer(gai, -ETIMEDOUT))
		return EAI_AGAIN;
	if (verdict.status == 0)
		return gai_result_answers(gai, &verdict);
	if (verdict.status == EAI_SYSTEM || verdict.status == EAI_MEMORY)
		return verdict.status;
	return judge_failure(gai, &verdict);
}

static int end_search(struct gai *gai)
{
	gai->request.info = gai->verdict.info;
	gai_result_negative(gai, &gai->verdict);
	return gai->verdict.status;
}

static int step(struct gai *gai)
{
	int status;

	for (;;) {
		if (ask_wanted(gai))
			return GAI_PENDING;
		status = judge(gai);
		if (status != GO_ON)
			return status;
		if (!next_candidate(gai))
			return end_search(gai);
	}
}

int gai_search_begin(struct gai *gai)
{
	const struct rconf *conf = gai->request.conf;
	int e = front_search_begin(&gai->search, conf, gai->ascii);

	if (e)
		return e;
	gai->parts[GAI_V4].wanted = gai->family != AF_INET6 || gai->hints.flags & AI_V4MAPPED;
	gai->parts[GAI_V6].wanted = gai->family != AF_INET && !conf->no_aaaa;
	gai->parts[GAI_V4].question.type = DNS_A;
	gai->parts[GAI_V6].question.type = DNS_AAAA;
	if (!gai->parts[GAI_V4].wanted && !gai->parts[GAI_V6].wanted)
		return EAI_NODATA;
	return next_candidate(gai) ? step(gai) : EAI_NONAME;
}

int gai_search_answered(struct gai *gai, struct gai_part *part, int status, struct answer *answer)
{
	part->pending = false;
	part->status = status;
	part->answer = answer ? answer_ref(answer) : NULL;
	return gai->parts[GAI_V4].pending || gai->parts[GAI_V6].pending ? GAI_PENDING : step(gai);
}

int gai_search_expire(struct gai *gai)
{
	struct gai_verdict verdict;
	unsigned i;

	for (i = 0; i < GAI_PARTS; i++) {
		struct gai_part *part = &gai->parts[i];

		if (!part->wanted || (part->asked && !part->pending))
			continue;
		queries_leave(&part->waiter);
		part->pending = false;
		part->status = request_stale(&gai->request, &part->question, &part->answer);
		if (part->status < 0)
			part->status = -ETIMEDOUT;
	}
	candidate_verdict(gai, &verdict);
	gai->request.info = verdict.info;
	/* Not for the next time: with more patience there may be more. */
	gai->until = 0;
	return verdict.status == 0 ? gai_result_answers(gai, &verdict) : EAI_AGAIN;
}

void gai_search_stop(struct gai *gai)
{
	unsigned i;

	for (i = 0; i < GAI_PARTS; i++)
		queries_leave(&gai->parts[i].waiter);
	forget_answers(gai);
}
