/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing of DNS messages for the test name server, and what is written by several of its files. */
#ifndef NSAUX_TESTS_DNSWRITE_H
#define NSAUX_TESTS_DNSWRITE_H

#include "dnszone.h"

#define WRITE_OWNER 0xc00cu /* a pointer to the question's name */
#define WRITE_VICTIM "victim.test"

enum write_section { WRITE_ANSWER = 1, WRITE_AUTHORITY = 2, WRITE_ADDITIONAL = 3 };

struct out {
	uint8_t *p;
	size_t len, limit;
	bool is_full; /* something did not fit; nothing more is written */
	uint16_t count[4];
	uint16_t rest; /* a pointer to the question's name without its first label */
};

void put(struct out *o, const void *data, size_t len);
void put16(struct out *o, unsigned v);
void put32(struct out *o, uint32_t v);
void put_name(struct out *o, const char *text); /* not compressed */
/* What is behind the owner: type, class IN, TTL, and the length of the data that comes. */
void put_rest(struct out *o, unsigned type, uint32_t ttl, size_t data_len);
/* owner: a pointer. Does not count. */
void put_address(struct out *o, unsigned owner, uint32_t ttl, int family, const void *address);
/* Header and question. */
void put_header(struct out *o, const struct zone_question *q, unsigned rcode, bool ad);
void put_opt(struct out *o, const struct zone_question *q, unsigned rcode);
void put_counts(struct out *o);

/* dnsrecords.c; each counts what it writes. */
void put_srv(struct out *o, unsigned owner, const struct zone_question *q,
	const struct zone_plan *plan, unsigned number);
/* False: it is no name of an address. *rcode is set for those that are answered so. */
bool put_ptr(struct out *o, const struct zone_question *q, const struct zone_plan *plan,
	unsigned *rcode);
/* Records that must not be taken for the answer: of another owner, of another class, of a length
 * that is not that of an address. */
void put_strangers(struct out *o, const struct zone_plan *plan);
/* In the additional section: an address of somebody who was not asked for. */
void put_poison(struct out *o, const struct zone_plan *plan);

#endif
