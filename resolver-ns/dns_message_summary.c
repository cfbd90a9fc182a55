/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reply says of its question: its CNAMEs, RFC 2308, and the extended rcode of EDNS. */
#include "config.h"

#include <errno.h>

#include "dns_message_records.h"
#include "dns_wire.h"

#define TTL_MAX 86400u
#define TTL_NEGATIVE_MAX 10800u /* RFC 2308 section 5 */
#define LINKS_MAX (2 * DNS_CHAIN_MAX) /* CNAMEs in the answers, of whatever name */
#define SOA_FIXED 20            /* five integers behind two names; MINIMUM is the last */

struct reading {
	const uint8_t *message;
	size_t len;
	const struct dns_question *question;
	struct dns_summary *out;
	struct dns_record record;
	struct dns_walk at[LINKS_MAX]; /* CNAMEs in the answers */
	unsigned found;
	unsigned links;     /* that were followed */
	bool moved;         /* one of them in this round */
	bool endless;       /* they are a loop, or too many */
	unsigned unsound;   /* records of the type that cannot be read */
	uint32_t chain_ttl, records_ttl, negative_ttl; /* the smallest so far */
	bool has_soa, has_ns;
};

static void take_least(uint32_t *least, uint32_t ttl)
{
	if (ttl < *least)
		*least = ttl;
}

/* CNAMEs are followed unless they are what was asked for (RFC 1034 section 3.6.2). */
static bool is_link(const struct reading *r)
{
	uint16_t asked = r->question->type;

	return r->record.type == DNS_CNAME && asked != DNS_CNAME && asked != DNS_ANY;
}

static int follow(struct reading *r)
{
	struct dns_name target;

	if (r->links == DNS_CHAIN_MAX) {
		r->endless = true;
		return 0;
	}
	if (dns_record_name(r->message, r->len, &r->record, 0, &target) < 0)
		return -EBADMSG;
	r->out->final = target;
	take_least(&r->chain_ttl, r->record.ttl);
	r->links++;
	r->moved = true;
	return 0;
}

static void read_answer(struct reading *r)
{
	uint16_t asked = r->question->type;

	if ((asked != DNS_ANY && r->record.type != asked) ||
		!dns_name_equal(&r->record.owner, &r->out->final))
		return;
	if (!dns_record_is_sound(r->message, r->len, &r->record)) {
		r->unsound++;
		return;
	}
	r->out->records++;
	take_least(&r->records_ttl, r->record.ttl);
}

/* RFC 2308 section 3: the SOA's MINIMUM or its own TTL, whichever is less. */
static void read_soa(struct reading *r)
{
	size_t pos = r->record.data, end = pos + r->record.data_len;
	struct dns_name name;

	r->has_soa = true;
	if (!dns_name_ends(&r->out->final, &r->record.owner))
		return; /* of another zone: it tells nothing of this name */
	if (dns_name_read(&name, r->message, r->len, &pos) < 0 ||
		dns_name_read(&name, r->message, r->len, &pos) < 0 || pos + SOA_FIXED != end)
		return;
	take_least(&r->negative_ttl, r->record.ttl);
	take_least(&r->negative_ttl, dns_get32(r->message + end - 4));
}

/* RFC 6891 section 6.1.3. Its class is a size, its TTL the upper bits of the rcode, and flags. */
static int read_opt(struct reading *r)
{
	if (r->out->has_opt || r->record.owner.len != 1)
		return -EBADMSG;
	r->out->has_opt = true;
	r->out->rcode = (uint16_t)(r->out->rcode | r->message[r->record.ttl_at] << 4);
	return 0;
}

static int read_other(struct reading *r)
{
	if (r->record.section == DNS_AUTHORITY && r->record.class == DNS_CLASS_IN) {
		if (r->record.type == DNS_SOA)
			read_soa(r);
		else if (r->record.type == DNS_NS)
			r->has_ns = true;
	}
	if (r->record.section == DNS_ADDITIONAL && r->record.type == DNS_OPT)
		return read_opt(r);
	return 0;
}

/* Of those that read_section() has found: a step of the chain for each in its turn, and again as
 * long as there is one. A chain in its order, which is what servers write, takes one round. */
static int follow_links(struct reading *r)
{
	do {
		r->moved = false;
		for (unsigned i = 0; i < r->found && !r->endless; i++) {
			struct dns_walk at = r->at[i];
			int rc = dns_walk_next(&at, &r->record);

			if (rc > 0 && dns_name_equal(&r->record.owner, &r->out->final))
				rc = follow(r);
			if (rc < 0)
				return rc;
		}
	} while (r->moved && !r->endless);
	return 0;
}

/* The answers, from begin to end. */
static int read_section(struct reading *r, struct dns_walk *walk, bool find_links)
{
	struct dns_walk here;
	int rc;

	r->out->records = r->unsound = 0;
	r->records_ttl = UINT32_MAX;
	while (walk->left[DNS_ANSWER] > 0) {
		here = *walk;
		rc = dns_walk_next(walk, &r->record);
		if (rc < 0)
			return rc;
		if (r->record.class != DNS_CLASS_IN)
			continue;
		if (!is_link(r))
			read_answer(r);
		else if (find_links && r->found < LINKS_MAX)
			r->at[r->found++] = here;
		else if (find_links)
			r->endless = true;
	}
	return 0;
}

/*
 * The answers are gone over once more if there is a chain, whose end alone tells which records
 * count. Not once for each step: a server would choose how much that is to cost.
 */
static int read_answers(struct reading *r, struct dns_walk *walk)
{
	const struct dns_walk begin = *walk;
	int rc = read_section(r, walk, true);

	if (rc == 0 && !r->endless)
		rc = follow_links(r);
	if (rc < 0 || r->links == 0)
		return rc;
	*walk = begin;
	return read_section(r, walk, false);
}

static int read_all(struct reading *r, struct dns_walk *walk)
{
	int rc = read_answers(r, walk);

	while (rc >= 0) {
		rc = dns_walk_next(walk, &r->record);
		if (rc <= 0)
			return rc;
		rc = read_other(r);
	}
	return rc;
}

static enum dns_kind kind_of(const struct reading *r)
{
	const struct dns_summary *out = r->out;

	if (r->endless)
		return DNS_FAILURE;
	if (out->rcode == DNS_NXDOMAIN)
		return DNS_NO_NAME;
	if (out->rcode != DNS_NOERROR)
		return DNS_FAILURE;
	if (out->records > 0)
		return DNS_POSITIVE;
	/* What is not there may be what was cut off, or what cannot be read. */
	if (out->tc || r->unsound > 0)
		return DNS_FAILURE;
	/* RFC 2308 section 2.2: NS without a SOA is a referral. */
	return r->has_ns && !r->has_soa ? DNS_FAILURE : DNS_NODATA;
}

static uint32_t ttl_of(const struct reading *r)
{
	uint32_t ttl = r->chain_ttl, max = TTL_MAX;

	if (r->out->tc || r->out->kind == DNS_FAILURE)
		return 0;
	if (r->out->kind == DNS_POSITIVE) {
		take_least(&ttl, r->records_ttl);
	} else {
		if (r->negative_ttl == UINT32_MAX)
			return 0; /* RFC 2308 section 5: without a SOA it is not kept */
		take_least(&ttl, r->negative_ttl);
		max = TTL_NEGATIVE_MAX;
	}
	return ttl < max ? ttl : max;
}

int dns_summarise(const uint8_t *message, size_t len, const struct dns_question *question,
	struct dns_summary *summary)
{
	struct dns_summary out;
	struct dns_header header;
	struct dns_walk walk;
	struct reading r = {
		.message = message, .len = len, .question = question, .out = &out,
		.chain_ttl = UINT32_MAX, .records_ttl = UINT32_MAX, .negative_ttl = UINT32_MAX,
	};

	if (dns_header_read(message, len, &header) < 0 || dns_walk_begin(&walk, message, len) < 0)
		return -EBADMSG;
	out = (struct dns_summary){
		.rcode = header.rcode, .ad = header.ad, .tc = header.tc, .ra = header.ra,
		.final = question->name,
	};
	if (read_all(&r, &walk) < 0 && !out.tc)
		return -EBADMSG;
	out.kind = kind_of(&r);
	if (out.kind != DNS_POSITIVE)
		out.records = 0;
	out.ttl = ttl_of(&r);
	*summary = out;
	return 0;
}
