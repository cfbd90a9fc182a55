/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of a question: the response of a server, and how it came. Stored in the cache as a
 * whole, under its question alone, so that nothing in its additional section is ever an answer to
 * another question.
 */
#ifndef NSAUX_ANSWER_H
#define NSAUX_ANSWER_H

#include "cache.h"
#include "dns_message.h"
#include "rconf.h"
#include "vsresolv.h"

#define ANSWER_MEMO 0xff01u /* cache_key.space of the front end's sorted lists of addresses */

union answer_server {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Belongs to one engine: its references are counted under the engine's lock. */
struct answer {
	unsigned refs;
	enum vsresolv_source source;
	struct dns_summary summary;
	union answer_server server;
	uint64_t written, expires; /* nanoseconds, CLOCK_BOOTTIME */
	size_t len;
	uint8_t message[]; /* as it came */
};

/* server may be NULL. Takes message, which dns_is_reply() has passed. -EBADMSG, -ENOMEM. One
 * reference for the caller. */
int answer_new(struct answer **answer, const struct dns_question *question, const uint8_t *message,
	size_t len, const struct sockaddr *server, uint64_t now);
struct answer *answer_ref(struct answer *answer);
void answer_unref(struct answer *answer); /* NULL is allowed */

/* Seconds left at `now`, 0 for a stale one. */
uint32_t answer_ttl(const struct answer *answer, uint64_t now);
/* 0 (positive), EAI_NODATA, EAI_NONAME, EAI_AGAIN (SERVFAIL and what is like it), EAI_FAIL
 * (REFUSED, NOTIMP, FORMERR). */
int answer_status(const struct answer *answer);
/* Fills source, rcode, ad (trust_ad alone), ttl and server. */
void answer_info(
	const struct answer *answer, uint64_t now, bool trust_ad, struct vsresolv_info *info);

/* To the cache: positive ones, and negative ones that have a TTL (RFC 2308); a DNS_FAILURE is not
 * kept, nor are types from 0xff00 on (private use), which other things in the cache have for their
 * space. What was there is gone when it is not kept, too, unless it says nothing of the question: a
 * DNS_FAILURE, or truncated. stale_seconds as in vsresolv_config. */
void answer_store(struct cache *cache, const struct dns_question *question,
	const struct answer *answer, unsigned stale_seconds);
/* From the cache. flags as of cache_get(). *prefetch: the entry has been used at least twice and a
 * tenth of its time, at least a second, is what is left. -ENOENT, -ENOMEM. Needs no lock. */
int answer_find(struct cache *cache, const struct dns_question *question, uint64_t now,
	unsigned flags, struct answer **answer, bool *prefetch);

#endif
