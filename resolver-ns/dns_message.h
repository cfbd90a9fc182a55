/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading DNS messages, RFC 1035 section 4, within their bounds. The only place that looks into
 * what a server sent. Nothing is allocated; a message is read where it lies.
 */
#ifndef NSAUX_DNS_MESSAGE_H
#define NSAUX_DNS_MESSAGE_H

#include <netinet/in.h>

#include "dns_name.h"

#define DNS_HEADER 12
#define DNS_MESSAGE_MAX 65535
#define DNS_RECORDS_MAX 4096 /* a message that claims more is malformed to us */
#define DNS_CHAIN_MAX 16     /* CNAMEs that are followed */

enum dns_type {
	DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16,
	DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35, DNS_OPT = 41, DNS_ANY = 255, DNS_URI = 256,
};

enum dns_rcode {
	DNS_NOERROR = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4,
	DNS_REFUSED = 5, DNS_BADVERS = 16,
};

enum dns_section { DNS_ANSWER = 1, DNS_AUTHORITY = 2, DNS_ADDITIONAL = 3 };

struct dns_question {
	struct dns_name name; /* in lower case */
	uint16_t type;
};

struct dns_header {
	uint16_t id;
	bool qr, aa, tc, rd, ra, ad, cd;
	uint8_t opcode;
	uint16_t rcode; /* of the header alone; that of EDNS is put together by dns_summarise() */
	uint16_t count[4]; /* question, answer, authority, additional */
};

struct dns_record {
	enum dns_section section;
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl; /* seconds; with the top bit set it is 0 (RFC 2181 section 8) */
	size_t ttl_at; /* offsets in the message */
	size_t data, data_len;
};

/* A walk over all records: zero is not a beginning, dns_walk_begin() is. */
struct dns_walk {
	const uint8_t *message;
	size_t len, pos;
	uint16_t left[4];
};

int dns_header_read(const uint8_t *message, size_t len, struct dns_header *header); /* -EBADMSG */
/* Passes over the questions. -EBADMSG. */
int dns_walk_begin(struct dns_walk *walk, const uint8_t *message, size_t len);
/* 1, 0 at the end, -EBADMSG; after that no more may be asked for, and what is in *record is
 * undefined. */
int dns_walk_next(struct dns_walk *walk, struct dns_record *record);

/*
 * dns_is_reply: does the message answer this question? A response of opcode QUERY, with that id,
 * the question once (type, class IN, name; as written in `as_sent`, case included, if that is not
 * NULL), and the records that its header claims, whole (a truncated one may end early). A server
 * that does not know EDNS may leave the question out of a FORMERR or NOTIMP (RFC 6891 section 7).
 * 0, or -EBADMSG: to be ignored.
 */
int dns_is_reply(const uint8_t *message, size_t len, uint16_t id,
	const struct dns_question *question, const struct dns_name *as_sent);

/* What a reply says of its question. */
enum dns_kind {
	DNS_POSITIVE, /* has a record of the type behind its CNAMEs */
	DNS_NODATA,   /* RFC 2308 section 2.2 */
	DNS_NO_NAME,  /* NXDOMAIN, RFC 2308 section 2.1, behind CNAMEs, too */
	DNS_FAILURE,  /* another rcode; a chain of CNAMEs that is a loop or too long; a referral;
		       * nothing but records of the type that cannot be read, or nothing before a
		       * truncation */
};

struct dns_summary {
	enum dns_kind kind;
	uint16_t rcode;   /* with EDNS's upper bits */
	bool ad, tc, ra;
	bool has_opt;
	/* Seconds that it may be kept: the smallest TTL of the chain and of the records (positive),
	 * or of the SOA and its MINIMUM (negative, RFC 2308 section 5); 0: not to be kept. Not more
	 * than a day, and negative not more than three hours. Truncated ones are not to be kept. */
	uint32_t ttl;
	struct dns_name final; /* at the end of the CNAMEs, as the server writes it; without CNAMEs
				* the question's */
	unsigned records;      /* of the type, at `final`, that can be read; 0 unless positive */
};

/* message: one that dns_is_reply() has passed. 0 or -EBADMSG. */
int dns_summarise(const uint8_t *message, size_t len, const struct dns_question *question,
	struct dns_summary *summary);

/* What is in the records of question->type at summary->final. Each returns how many there are, of
 * which the first `max` are written; records whose data has the wrong length are passed over. */
union dns_address {
	struct in_addr in4;
	struct in6_addr in6;
};
size_t dns_read_addresses(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, union dns_address *addresses, size_t max);

struct dns_srv {
	uint16_t priority, weight, port;
	uint32_t ttl;
	struct dns_name target;
};
size_t dns_read_srv(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, struct dns_srv *srv, size_t max);
/* PTR and NS and CNAME */
size_t dns_read_names(const uint8_t *message, size_t len, const struct dns_question *question,
	const struct dns_summary *summary, struct dns_name *names, size_t max);
/* Of `type` (A or AAAA) and this owner in the additional section; *ttl: the smallest. */
size_t dns_read_additional(const uint8_t *message, size_t len, const struct dns_name *owner,
	uint16_t type, union dns_address *addresses, size_t max, uint32_t *ttl);

/* Takes `seconds` off every TTL (not below 0; OPT has none). message: passed by dns_is_reply(). */
void dns_age(uint8_t *message, size_t len, uint32_t seconds);

#endif
