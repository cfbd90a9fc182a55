/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses of one target, as getaddrinfo has them of a name that is absolute: digits and
 * localhost, the hosts file, the additional section of the records, the servers.
 */
#include "config.h"

#include <string.h>

#include "srv.h"

#define PART_ADDRS_MAX (SRV_ADDRS_MAX / 2)

enum { V6, V4 };

static bool is_pending(const struct srv_part *part)
{
	return part->waiter.query != NULL;
}

static struct request *request_of(const struct srv_target *target)
{
	return &target->srv->request;
}

/* ---- when all of them are there */

static bool maps_v4(const struct srv_target *target)
{
	return target->srv->hints.family == AF_INET6 && (target->srv->hints.flags & AI_V4MAPPED);
}

/* IPv4 ones for who wants IPv6, RFC 3493 section 6.1: if there are no others, or with AI_ALL. */
static void map_v4(struct srv_target *target)
{
	unsigned count6 = 0, left = 0;
	bool drop;

	for (unsigned i = 0; i < target->count; i++)
		count6 += target->addrs[i].sa.sa_family == AF_INET6;
	drop = count6 > 0 && !(target->srv->hints.flags & AI_ALL);
	for (unsigned i = 0; i < target->count; i++) {
		union netview_addr addr = target->addrs[i];

		if (addr.sa.sa_family == AF_INET && drop)
			continue;
		if (addr.sa.sa_family == AF_INET)
			front_map_v4(&addr);
		target->addrs[left++] = addr;
	}
	target->count = left;
}

static void finish(struct srv_target *target, int status)
{
	struct request *r = request_of(target);
	int rc;

	target->is_done = true;
	if (target->count > 0 && maps_v4(target))
		map_v4(target);
	/* Of nothing that was asked, or what the guard has left. */
	target->status = status == 0 && target->count == 0 ? EAI_NODATA : status;
	if (target->count < 2)
		return;
	rc = netview_sort(r->ctx->view, engine_now(), r->conf, target->addrs, target->count);
	if (rc < 0) {
		target->status = lookup_status(r, rc, NULL);
		target->count = 0;
	}
}

static void finish_parts(struct srv_target *target)
{
	const struct srv_part *a = &target->parts[0], *b = &target->parts[1];

	finish(target, target->count > 0 ? 0 : lookup_worse(a->status, b->status));
}

/* ---- what is at hand */

static bool is_wanted_family(const struct srv_target *target, int family)
{
	int wanted = target->srv->family;

	return wanted == AF_UNSPEC || wanted == family || maps_v4(target);
}

/* A target may be one that no server is asked for. The guard looks at those, too: it is a server
 * that told the name. */
static bool take_local(struct srv_target *target, const char *name)
{
	char device[IF_NAMESIZE];
	size_t count = 0;
	int e = front_local(&target->srv->hints, name, target->addrs, &count, device);

	if (e > 0)
		return false;
	if (e == 0)
		target->count = (unsigned)lookup_guard(request_of(target), target->addrs, count);
	finish(target, e);
	return true;
}

static bool take_hosts(struct srv_target *target, const char *name)
{
	const struct hosts *hosts = request_of(target)->conf->hosts;
	int family = maps_v4(target) ? AF_UNSPEC : target->srv->family;
	struct hosts_addr found[HOSTS_ADDRS_MAX];
	const char *canonical = NULL;
	size_t count = hosts_find(hosts, name, family, found, HOSTS_ADDRS_MAX, &canonical);

	_Static_assert(HOSTS_ADDRS_MAX <= SRV_ADDRS_MAX, "each address has its place");
	if (count == 0)
		return false;
	for (size_t i = 0; i < count && i < HOSTS_ADDRS_MAX; i++)
		front_addr(&target->addrs[target->count++], found[i].family, found[i].addr);
	target->has_canonical = dns_name_parse(&target->canonical, canonical) == 0;
	finish(target, 0);
	return true;
}

/*
 * The additional section may be older than its TTL when the records are from the cache. It is not
 * covered by the AD bit (RFC 4035 section 3.2.3): who relies on that has the addresses asked for.
 */
static bool take_additional(struct srv_target *target, struct srv_part *part)
{
	struct request *r = request_of(target);
	const struct answer *records = target->srv->records;
	uint64_t now = engine_now(), age = now > records->written ? now - records->written : 0;
	union dns_address found[PART_ADDRS_MAX];
	union netview_addr *addrs = target->addrs + target->count;
	size_t count;
	uint32_t ttl;

	if (r->info.ad)
		return false;
	count = dns_read_additional(records->message, records->len, &target->record.target,
		part->type, found, PART_ADDRS_MAX, &ttl);
	if (count == 0 || (records->source != VSRESOLV_NETWORK && age >= ttl * LOOP_SEC))
		return false;
	if (count > PART_ADDRS_MAX)
		count = PART_ADDRS_MAX;
	for (size_t i = 0; i < count; i++)
		front_addr(&addrs[i], part->type == DNS_A ? AF_INET : AF_INET6, &found[i]);
	target->count += (unsigned)lookup_guard(r, addrs, count);
	ttl -= (uint32_t)(age / LOOP_SEC) < ttl ? (uint32_t)(age / LOOP_SEC) : ttl;
	if (ttl < r->info.ttl)
		r->info.ttl = ttl;
	return true;
}

/* ---- asking */

static struct dns_question question_of(const struct srv_part *part)
{
	return (struct dns_question){.name = part->target->record.target, .type = part->type};
}

static void take_answer(struct srv_part *part, int status, const struct answer *answer)
{
	struct srv_target *target = part->target;
	struct dns_question question = question_of(part);
	union netview_addr addrs[PART_ADDRS_MAX];
	size_t count;

	status = lookup_status(request_of(target), status, answer);
	part->status = status == 0 ? EAI_NODATA : status; /* should none be left */
	if (status != 0)
		return;
	count = lookup_addresses(request_of(target), &question, answer, addrs, PART_ADDRS_MAX);
	memcpy(target->addrs + target->count, addrs, count * sizeof(*addrs));
	target->count += (unsigned)count;
	if (count > 0 && !target->has_canonical) {
		target->has_canonical = true;
		target->canonical = answer->summary.final;
		dns_name_lower(&target->canonical);
	}
}

static void ask(struct srv_target *target, struct srv_part *part)
{
	struct dns_question question = question_of(part);
	struct answer *answer = NULL;
	int rc = lookup_ask(
		request_of(target), target->srv->is_late, &question, &part->waiter, &answer);

	part->is_asked = true;
	if (rc == 0)
		return;
	take_answer(part, rc > 0 ? 0 : rc, answer);
	answer_unref(answer);
}

/* With single-request the second waits for the first. */
static void ask_wanted(struct srv_target *target)
{
	bool one_by_one = request_of(target)->conf->single_request;
	bool pending = false;

	for (unsigned i = 0; i < 2; i++) {
		struct srv_part *part = &target->parts[i];

		if (part->is_wanted && !part->is_asked && !(pending && one_by_one))
			ask(target, part);
		pending = pending || is_pending(part);
	}
	if (!pending)
		finish_parts(target);
}

void srv_target_begin(struct srv_target *target)
{
	const struct rconf *conf = request_of(target)->conf;
	char name[DNS_TEXT_MAX];

	if (target->srv->has_no_family ||
		dns_name_text(&target->record.target, name, sizeof(name)) < 0) {
		finish(target, EAI_NODATA);
		return;
	}
	if (take_local(target, name) || take_hosts(target, name))
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct srv_part *part = &target->parts[i];

		part->type = i == V4 ? DNS_A : DNS_AAAA;
		part->is_wanted = is_wanted_family(target, i == V4 ? AF_INET : AF_INET6) &&
				  !(part->type == DNS_AAAA && conf->no_aaaa);
		part->is_asked = part->is_wanted && take_additional(target, part);
		part->status = part->is_wanted ? EAI_NODATA : EAI_NONAME;
	}
	ask_wanted(target);
}

void srv_target_answered(struct srv_part *part, int status, const struct answer *answer)
{
	take_answer(part, status, answer);
	ask_wanted(part->target);
}

void srv_target_settle(struct srv_target *target)
{
	if (target->is_done)
		return;
	srv_target_stop(target);
	finish(target, target->count > 0 ? 0 : EAI_AGAIN);
}

void srv_target_expire(struct srv_target *target)
{
	for (unsigned i = 0; i < 2; i++) {
		struct srv_part *part = &target->parts[i];

		if (!is_pending(part) && (part->is_asked || !part->is_wanted))
			continue;
		queries_leave(&part->waiter);
		ask(target, part);
	}
	if (!target->is_done)
		finish_parts(target);
}

void srv_target_stop(struct srv_target *target)
{
	for (unsigned i = 0; i < 2; i++)
		queries_leave(&target->parts[i].waiter);
}
