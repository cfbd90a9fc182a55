/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>

#include "front.h"
#include "lookup.h"

int lookup_ask(struct request *r, bool is_late, const struct dns_question *question,
	struct query_waiter *w, struct answer **answer)
{
	if (!is_late)
		return request_ask(r, question, w, answer);
	if (request_cached(r, question, answer) || request_stale(r, question, answer) == 0)
		return 1;
	return -ETIMEDOUT;
}

int lookup_status(struct request *r, int status, const struct answer *answer)
{
	struct vsresolv_info decided = r->info;

	status = request_status(r, status, answer);
	if (status == 0)
		request_weaken(&decided, &r->info);
	else if (status == EAI_SYSTEM)
		decided.error = r->info.error;
	r->info = decided;
	return status;
}

size_t lookup_guard(struct request *r, union netview_addr *addrs, size_t number)
{
	uint64_t now = engine_now();
	size_t left = 0;

	for (size_t i = 0; i < number; i++) {
		const union netview_addr *a = &addrs[i];
		const void *bytes = a->sa.sa_family == AF_INET ? (const void *)&a->in4.sin_addr
							       : &a->in6.sin6_addr;

		if (guard_allows(r->ctx->guard, a->sa.sa_family, bytes, now))
			addrs[left++] = *a;
		else
			count(&r->ctx->counters.guarded);
	}
	return left;
}

size_t lookup_addresses(struct request *r, const struct dns_question *question,
	const struct answer *answer, union netview_addr *addrs, size_t max)
{
	union dns_address found[LOOKUP_ADDRS_MAX];
	size_t count;

	if (max > LOOKUP_ADDRS_MAX)
		max = LOOKUP_ADDRS_MAX;
	count = dns_read_addresses(
		answer->message, answer->len, question, &answer->summary, found, max);
	if (count > max)
		count = max;
	for (size_t i = 0; i < count; i++)
		front_addr(&addrs[i], question->type == DNS_A ? AF_INET : AF_INET6, &found[i]);
	return lookup_guard(r, addrs, count);
}

static unsigned weight_of(int status)
{
	switch (status) {
	case EAI_SYSTEM:
	case EAI_MEMORY:
		return 4;
	case EAI_AGAIN:
		return 3;
	case EAI_FAIL:
		return 2;
	case EAI_NODATA: /* the name is there, whatever is said of another type */
		return 1;
	default:
		return 0;
	}
}

int lookup_worse(int a, int b)
{
	return weight_of(b) > weight_of(a) ? b : a;
}
