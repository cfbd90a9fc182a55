/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "front.h"
#include "lookup.h"
#include "ptr.h"

#define READ_MAX 128 /* PTR records that are looked at */

/* ---- names */

static int make_room(struct ptr *ptr, size_t count)
{
	ptr->names = calloc(count, sizeof(*ptr->names));
	return ptr->names ? 0 : EAI_MEMORY;
}

/* Not those that are there already. */
static struct ptr_name *add_name(struct ptr *ptr, const struct dns_name *name)
{
	struct ptr_name *added = &ptr->names[ptr->count];

	for (size_t i = 0; i < ptr->count; i++)
		if (dns_name_equal(&ptr->names[i].name, name))
			return NULL;
	added->ptr = ptr;
	added->name = *name;
	ptr->count++;
	return added;
}

/*
 * Whoever has the address in his zone may write there what he likes: a name for the host that asks
 * ("localhost"), or one that getaddrinfo() would take for an address ("0x7f000001").
 */
static bool is_credible(const struct dns_name *name)
{
	char text[DNS_TEXT_MAX], device[IF_NAMESIZE];
	union netview_addr addr;

	return dns_name_is_host(name) && dns_name_text(name, text, sizeof(text)) == 0 &&
	       front_special(text) == FRONT_ORDINARY &&
	       front_digits(text, AF_UNSPEC, 0, &addr, device) == 1;
}

/* The good ones move up. */
static int conclude(struct ptr *ptr)
{
	size_t left = 0;

	for (size_t i = 0; i < ptr->count; i++)
		if (ptr->names[i].is_good)
			ptr->names[left++].name = ptr->names[i].name;
	ptr->count = left;
	if (left > 0)
		return 0;
	return ptr->undecided ? ptr->undecided : EAI_NONAME;
}

/* ---- what needs no server */

static bool is_loopback(const struct ptr *ptr)
{
	if (ptr->family == AF_INET)
		return ntohl(ptr->addr.in4.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&ptr->addr.in6);
}

/* Of the hosts file: they need no confirmation. 1: it has none. */
static int take_hosts(struct ptr *ptr)
{
	struct hosts_addr key = {.family = ptr->family};
	const char *found[VSRESOLV_PTR_MAX];
	struct ptr_name *added;
	struct dns_name name;
	size_t count;

	memcpy(key.addr, &ptr->addr, ptr->family == AF_INET ? 4 : 16);
	count = hosts_find_addr(ptr->request.conf->hosts, &key, found, VSRESOLV_PTR_MAX);
	if (count == 0)
		return 1;
	if (make_room(ptr, count))
		return EAI_MEMORY;
	for (size_t i = 0; i < count; i++) {
		if (dns_name_parse(&name, found[i]) < 0 || !dns_name_is_host(&name))
			continue;
		added = add_name(ptr, &name);
		if (added)
			added->is_good = true;
	}
	if (ptr->count > 0) {
		ptr->request.info.source = VSRESOLV_HOSTS;
		return 0;
	}
	free(ptr->names);
	ptr->names = NULL;
	return 1;
}

/* RFC 6761 section 6.3: no server is asked for it. */
static int take_loopback(struct ptr *ptr)
{
	struct dns_name name;

	if (!is_loopback(ptr))
		return 1;
	if (make_room(ptr, 1) || dns_name_parse(&name, "localhost") < 0)
		return EAI_MEMORY;
	add_name(ptr, &name)->is_good = true;
	ptr->request.info.source = VSRESOLV_LOCAL;
	return 0;
}

/* EAI_* or 0; 1: a server is to be asked. */
static int take_local(struct ptr *ptr)
{
	int e;

	if (ptr->invalid)
		return ptr->invalid;
	e = take_hosts(ptr);
	return e == 1 ? take_loopback(ptr) : e;
}

/* ---- confirmation */

static bool is_same(const struct ptr *ptr, int family, const void *bytes)
{
	return family == ptr->family && memcmp(bytes, &ptr->addr, family == AF_INET ? 4 : 16) == 0;
}

static struct dns_question addresses_of(const struct ptr_name *name)
{
	struct dns_question question = {
		.name = name->name,
		.type = name->ptr->family == AF_INET ? DNS_A : DNS_AAAA,
	};

	dns_name_lower(&question.name);
	return question;
}

static void take_addresses(struct ptr_name *name, int status, const struct answer *answer)
{
	struct ptr *ptr = name->ptr;
	struct dns_question question = addresses_of(name);
	union netview_addr addrs[LOOKUP_ADDRS_MAX];
	size_t count;

	/* What it says of itself counts only if the name is told. */
	struct vsresolv_info before = ptr->request.info;

	status = lookup_status(&ptr->request, status, answer);
	if (status != 0) {
		if (status != EAI_NONAME && status != EAI_NODATA)
			ptr->undecided = lookup_worse(ptr->undecided, status);
		return;
	}
	count = lookup_addresses(&ptr->request, &question, answer, addrs, LOOKUP_ADDRS_MAX);
	for (size_t i = 0; i < count && !name->is_good; i++)
		name->is_good = is_same(ptr, addrs[i].sa.sa_family,
			ptr->family == AF_INET ? (const void *)&addrs[i].in4.sin_addr
					       : &addrs[i].in6.sin6_addr);
	if (!name->is_good)
		ptr->request.info = before;
}

/* The hosts file has the last word on a name, as it has for getaddrinfo. */
static bool take_hosts_of(struct ptr_name *name)
{
	const struct ptr *ptr = name->ptr;
	struct hosts_addr found[HOSTS_ADDRS_MAX];
	char text[DNS_TEXT_MAX];
	size_t count;

	if (dns_name_text(&name->name, text, sizeof(text)) < 0)
		return true;
	count = hosts_find(
		ptr->request.conf->hosts, text, ptr->family, found, HOSTS_ADDRS_MAX, NULL);
	for (size_t i = 0; i < count && i < HOSTS_ADDRS_MAX && !name->is_good; i++)
		name->is_good = is_same(ptr, found[i].family, found[i].addr);
	return count > 0;
}

static void confirm(struct ptr_name *name)
{
	struct ptr *ptr = name->ptr;
	struct dns_question question = addresses_of(name);
	struct answer *answer = NULL;
	int rc;

	if (take_hosts_of(name) || (question.type == DNS_AAAA && ptr->request.conf->no_aaaa))
		return;
	rc = lookup_ask(&ptr->request, ptr->is_late, &question, &name->waiter, &answer);
	if (rc == 0)
		return;
	take_addresses(name, rc > 0 ? 0 : rc, answer);
	answer_unref(answer);
}

static bool is_pending(const struct ptr *ptr)
{
	for (size_t i = 0; i < ptr->count; i++)
		if (ptr->names[i].waiter.query)
			return true;
	return false;
}

static void addresses_answered(struct query_waiter *w, int status, struct answer *answer)
{
	struct ptr_name *name = container_of(w, struct ptr_name, waiter);
	struct request *r = &name->ptr->request;

	if (status == -ESTALE) {
		request_finish(r, request_status(r, status, NULL));
		return;
	}
	take_addresses(name, status, answer);
	if (!is_pending(name->ptr))
		request_finish(r, conclude(name->ptr));
}

/* ---- the PTR records */

static struct dns_question question_of(const struct ptr *ptr)
{
	struct dns_question question = {.type = DNS_PTR};

	dns_name_reverse(&question.name, ptr->family, &ptr->addr);
	return question;
}

static int read_names(struct ptr *ptr, const struct answer *answer)
{
	struct dns_question question = question_of(ptr);
	size_t count = answer->summary.records;
	struct dns_name *found;

	if (count > READ_MAX)
		count = READ_MAX;
	found = calloc(count, sizeof(*found));
	if (!found || make_room(ptr, count < VSRESOLV_PTR_MAX ? count : VSRESOLV_PTR_MAX)) {
		free(found);
		return EAI_MEMORY;
	}
	if (dns_read_names(answer->message, answer->len, &question, &answer->summary, found,
		    count) < count)
		count = 0;
	for (size_t i = 0; i < count && ptr->count < VSRESOLV_PTR_MAX; i++)
		if (is_credible(&found[i]))
			(void)add_name(ptr, &found[i]);
	free(found);
	return 0;
}

/* Reads the names, and asks for those to be confirmed. EAI_*, or 0: they are there, of which some
 * may be pending. */
static int take_records(struct ptr *ptr, int status, const struct answer *answer)
{
	status = request_status(&ptr->request, status, answer);
	if (status == EAI_NODATA)
		return EAI_NONAME;
	if (status == 0)
		status = read_names(ptr, answer);
	if (status != 0)
		return status;
	for (size_t i = 0; i < ptr->count; i++) {
		ptr->names[i].waiter.fn = addresses_answered;
		ptr->names[i].is_good = !ptr->confirm;
		if (ptr->confirm)
			confirm(&ptr->names[i]);
	}
	return 0;
}

static void records_came(struct ptr *ptr, int status, const struct answer *answer)
{
	status = take_records(ptr, status, answer);
	if (status != 0 || !is_pending(ptr))
		request_finish(&ptr->request, status ? status : conclude(ptr));
}

static void records_answered(struct query_waiter *w, int status, struct answer *answer)
{
	records_came(container_of(w, struct ptr, waiter), status, answer);
}

/* ---- the request */

void ptr_begin(struct request *r)
{
	struct ptr *ptr = container_of(r, struct ptr, request);
	struct dns_question question;
	struct answer *answer = NULL;
	int e = take_local(ptr), rc;

	if (e != 1) {
		request_finish(r, e);
		return;
	}
	question = question_of(ptr);
	rc = request_ask(r, &question, &ptr->waiter, &answer);
	if (rc == 0)
		return;
	records_came(ptr, rc > 0 ? 0 : rc, answer);
	answer_unref(answer);
}

void ptr_stop(struct request *r)
{
	struct ptr *ptr = container_of(r, struct ptr, request);

	queries_leave(&ptr->waiter);
	for (size_t i = 0; i < ptr->count; i++)
		queries_leave(&ptr->names[i].waiter);
}

/* With what is there, and of the cache what may be told now although it has expired. */
static int expire_records(struct ptr *ptr)
{
	struct dns_question question = question_of(ptr);
	struct answer *answer;
	int status;

	if (request_stale(&ptr->request, &question, &answer) < 0)
		return EAI_AGAIN;
	status = take_records(ptr, 0, answer);
	answer_unref(answer);
	return status ? status : conclude(ptr);
}

int ptr_expire(struct request *r)
{
	struct ptr *ptr = container_of(r, struct ptr, request);

	ptr->is_late = true;
	if (!ptr->names)
		return expire_records(ptr);
	for (size_t i = 0; i < ptr->count; i++) {
		struct ptr_name *name = &ptr->names[i];

		if (!name->waiter.query)
			continue;
		queries_leave(&name->waiter);
		confirm(name);
	}
	return conclude(ptr);
}

void ptr_init(struct ptr *ptr, struct vsresolv *ctx, const struct request_ops *ops,
	const struct sockaddr *addr, socklen_t addr_len, bool confirm_names)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	request_init(&ptr->request, ctx, ops);
	ptr->waiter.fn = records_answered;
	ptr->confirm = confirm_names;
	ptr->invalid = EAI_FAMILY;
	if (!addr || addr_len < sizeof(addr->sa_family))
		return;
	if (addr->sa_family == AF_INET && addr_len >= sizeof(in4)) {
		memcpy(&in4, addr, sizeof(in4));
		ptr->family = AF_INET;
		ptr->addr.in4 = in4.sin_addr;
	} else if (addr->sa_family == AF_INET6 && addr_len >= sizeof(in6)) {
		memcpy(&in6, addr, sizeof(in6));
		ptr->family = AF_INET6;
		ptr->addr.in6 = in6.sin6_addr;
	} else {
		return;
	}
	ptr->invalid = 0;
	if (ptr->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		ptr->family = AF_INET;
		memcpy(&ptr->addr.in4, in6.sin6_addr.s6_addr + 12, 4);
	}
}

bool ptr_at_hand(struct ptr *ptr)
{
	struct request *r = &ptr->request;
	struct dns_question question;
	struct answer *answer;
	int status;

	if (!context_is_ours(r->ctx) || request_snapshot(r) != 0)
		return false;
	status = take_local(ptr);
	if (status != 1) {
		request_settle(r, status);
		return true;
	}
	question = question_of(ptr);
	if (ptr->confirm || !request_cached(r, &question, &answer))
		return false;
	status = take_records(ptr, 0, answer);
	answer_unref(answer);
	request_settle(r, status ? status : conclude(ptr));
	return true;
}

void ptr_clear(struct ptr *ptr)
{
	free(ptr->names);
	ptr->names = NULL;
}
