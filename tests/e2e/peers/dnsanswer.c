/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dnsanswer.h"
#include "dnswrite.h"

#define MANY_HUGE 2300  /* addresses of IPv6 that fill a message of TCP */
#define TEXTS_HUGE 1500
#define CHAIN_MAX 500

static void put_soa(struct out *o, const struct zone_plan *plan)
{
	if (zone_says(plan, ZONE_NOSOA))
		return;
	put16(o, o->rest);
	put_rest(o, ZONE_SOA, plan->ttl, 24);
	put16(o, o->rest);
	put16(o, o->rest);
	for (unsigned i = 0; i < 4; i++)
		put32(o, 3600);
	put32(o, plan->minimum);
	o->count[WRITE_AUTHORITY]++;
}

/* "cN" under the rest; for 0 the name that was asked. */
static void put_link(struct out *o, unsigned n)
{
	char label[16];

	if (n) {
		label[0] = (char)snprintf(label + 1, sizeof(label) - 1, "c%u", n);
		put(o, label, 1 + (size_t)label[0]);
	}
	put16(o, n ? o->rest : WRITE_OWNER);
}

/* Returns where the target is in the message. */
static size_t put_cname(struct out *o, uint32_t ttl, unsigned from, unsigned to)
{
	size_t at;

	put_link(o, from);
	put_rest(o, ZONE_CNAME, ttl, 0);
	at = o->len;
	put_link(o, to);
	o->count[WRITE_ANSWER]++;
	if (!o->is_full)
		o->p[at - 1] = (uint8_t)(o->len - at);
	return at;
}

/* Returns a pointer to the owner of what is at its end. */
static unsigned put_chain(struct out *o, const struct zone_question *q,
	const struct zone_plan *plan)
{
	unsigned owner = WRITE_OWNER;
	unsigned links = q->type == ZONE_CNAME ? plan->chain > 0 : plan->chain;

	for (unsigned i = 0; i < links && i < CHAIN_MAX; i++)
		owner = (unsigned)(0xc000 | put_cname(o, plan->ttl, i, i + 1));
	if (!zone_says(plan, ZONE_LOOPCNAME))
		return owner;
	put_cname(o, plan->ttl, links, links + 1);
	put_cname(o, plan->ttl, links + 1, links);
	return owner;
}

static bool has_family(const struct zone_plan *plan, int family)
{
	if (plan->family)
		return plan->family == family;
	return !zone_says(plan, family == AF_INET ? ZONE_ONLY6 : ZONE_ONLY4);
}

static void address_of(uint8_t address[16], int family, const struct zone_plan *plan,
	unsigned number, uint64_t hash, unsigned index)
{
	const struct in_addr in4 = zone_address4(number, hash, index);
	const struct in6_addr in6 = zone_address6(number, hash, index);

	if (zone_says(plan, ZONE_LOOPBACK)) {
		memset(address, 0, 16);
		address[0] = family == AF_INET ? 127 : 0;
		address[family == AF_INET ? 3 : 15] = 1;
	} else if (plan->family) {
		memcpy(address, plan->address, 16);
	} else if (family == AF_INET) {
		memcpy(address, &in4, 4);
	} else if (zone_says(plan, ZONE_MAPPED)) {
		memcpy(address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		memcpy(address + 12, &in4, 4);
	} else {
		memcpy(address, &in6, 16);
	}
}

static void put_addresses(struct out *o, unsigned owner, int family, const struct zone_plan *plan,
	unsigned number, uint64_t hash)
{
	unsigned many = zone_says(plan, ZONE_HUGE) ? MANY_HUGE : plan->many;
	uint8_t address[16];

	if (!has_family(plan, family))
		return;
	for (unsigned i = 0; i < many && !o->is_full; i++) {
		address_of(address, family, plan, number, hash, i);
		put_address(o, owner, plan->ttl, family, address);
		o->count[WRITE_ANSWER]++;
	}
}

static void put_txt(struct out *o, unsigned owner, const struct zone_plan *plan, unsigned number,
	uint64_t hash)
{
	unsigned many = zone_says(plan, ZONE_HUGE) ? TEXTS_HUGE : 1;
	char text[64];
	int n = snprintf(text + 1, sizeof(text) - 1, "vs=%u hash=%016llx", number,
		(unsigned long long)hash);

	text[0] = (char)n;
	for (unsigned i = 0; i < many && !o->is_full; i++) {
		put16(o, owner);
		put_rest(o, ZONE_TXT, plan->ttl, (size_t)n + 1);
		put(o, text, (size_t)n + 1);
		o->count[WRITE_ANSWER]++;
	}
}

static void put_ns(struct out *o, unsigned owner, const struct zone_plan *plan)
{
	put16(o, owner);
	put_rest(o, ZONE_NS, plan->ttl, 5);
	put(o, "\2ns", 3);
	put16(o, o->rest);
	o->count[WRITE_ANSWER]++;
}

/* What the name has of the type that was asked for. */
static void put_records(struct out *o, const struct zone_question *q, const struct zone_plan *plan,
	unsigned number, unsigned *rcode)
{
	unsigned owner = put_chain(o, q, plan);
	bool any = q->type == ZONE_ANY;

	if (zone_says(plan, ZONE_BARE) || zone_says(plan, ZONE_LOOPCNAME))
		return;
	if (q->type == ZONE_PTR && put_ptr(o, q, plan, rcode))
		return;
	if (q->type == ZONE_SRV)
		put_srv(o, owner, q, plan, number);
	if (q->type == ZONE_NS)
		put_ns(o, owner, plan);
	if (any || q->type == ZONE_A)
		put_addresses(o, owner, AF_INET, plan, number, q->hash);
	if (any || q->type == ZONE_AAAA)
		put_addresses(o, owner, AF_INET6, plan, number, q->hash);
	if (any || q->type == ZONE_TXT)
		put_txt(o, owner, plan, number, q->hash);
}

static void write_all(struct out *o, const struct zone_question *q, const struct zone_plan *plan,
	unsigned number)
{
	bool negative = zone_says(plan, ZONE_NX) || zone_says(plan, ZONE_NODATA);
	unsigned rcode = zone_says(plan, ZONE_NX) ? 3 : plan->rcode;

	put_header(o, q, 0, zone_says(plan, ZONE_AD));
	if (zone_says(plan, ZONE_MIXED) && !rcode)
		put_strangers(o, plan);
	if (!negative && !rcode)
		put_records(o, q, plan, number, &rcode);
	else if (!plan->rcode)
		put_chain(o, q, plan);
	if (rcode == 3 || (!rcode && !o->count[WRITE_ANSWER]) || negative)
		put_soa(o, plan);
	if (zone_says(plan, ZONE_POISON))
		put_poison(o, plan);
	put_opt(o, q, rcode);
	if (o->is_full)
		return;
	o->p[3] = (uint8_t)((o->p[3] & 0xf0) | (rcode & 0xf));
	put_counts(o);
}

size_t answer_bare(uint8_t out[ANSWER_MAX], const struct zone_question *q, unsigned rcode,
	bool truncated)
{
	struct out o = { .p = out, .limit = ANSWER_MAX };

	put_header(&o, q, rcode, false);
	put_opt(&o, q, rcode);
	put_counts(&o);
	if (truncated)
		out[2] |= 0x02;
	return o.len;
}

size_t answer_forged(uint8_t out[ANSWER_MAX], const struct zone_question *q)
{
	const uint32_t forged = htonl(ANSWER_FORGED);
	struct out o = { .p = out, .limit = ANSWER_MAX };

	put_header(&o, q, 0, true);
	put_address(&o, WRITE_OWNER, 86400, AF_INET, &forged);
	o.count[WRITE_ANSWER] = 1;
	put_counts(&o);
	return o.len;
}

size_t answer_write(uint8_t out[ANSWER_MAX], size_t limit, const struct zone_question *q,
	const struct zone_plan *plan, unsigned number)
{
	struct out o = { .p = out, .limit = limit };

	write_all(&o, q, plan, number);
	return o.is_full ? answer_bare(out, q, 0, true) : o.len;
}
