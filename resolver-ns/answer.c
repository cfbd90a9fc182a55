/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define SECOND 1000000000ull
#define TYPES_END 0xff00u /* from here on cache_key.space has other things than responses */

/* In the cache: a byte that tells how long the server's address is, the address, the message. Up to
 * this size no memory is taken for it: what comes by UDP. */
#define SMALL 1536

static socklen_t server_len(const union answer_server *server)
{
	switch (server->sa.sa_family) {
	case AF_INET:
		return sizeof(server->in4);
	case AF_INET6:
		return sizeof(server->in6);
	default:
		return 0;
	}
}

int answer_new(struct answer **answer, const struct dns_question *question, const uint8_t *message,
	size_t len, const struct sockaddr *server, uint64_t now)
{
	struct answer *a;
	int rc;

	if (len > DNS_MESSAGE_MAX)
		return -EBADMSG;
	a = malloc(sizeof(*a) + len);
	if (!a)
		return -ENOMEM;
	*a = (struct answer){.refs = 1, .source = VSRESOLV_NETWORK, .written = now, .len = len};
	rc = dns_summarise(message, len, question, &a->summary);
	if (rc < 0) {
		free(a);
		return rc;
	}
	if (server && server->sa_family == AF_INET)
		memcpy(&a->server.in4, server, sizeof(a->server.in4));
	else if (server && server->sa_family == AF_INET6)
		memcpy(&a->server.in6, server, sizeof(a->server.in6));
	a->expires = now + a->summary.ttl * SECOND;
	memcpy(a->message, message, len);
	*answer = a;
	return 0;
}

struct answer *answer_ref(struct answer *answer)
{
	answer->refs++;
	return answer;
}

void answer_unref(struct answer *answer)
{
	if (answer && --answer->refs == 0)
		free(answer);
}

/* Rounded up, as dns_age() is given whole seconds that have passed. */
uint32_t answer_ttl(const struct answer *answer, uint64_t now)
{
	if (now >= answer->expires)
		return 0;
	return (uint32_t)((answer->expires - now + SECOND - 1) / SECOND);
}

int answer_status(const struct answer *answer)
{
	switch (answer->summary.kind) {
	case DNS_POSITIVE:
		return 0;
	case DNS_NODATA:
		return EAI_NODATA;
	case DNS_NO_NAME:
		return EAI_NONAME;
	case DNS_FAILURE:
		break;
	}
	switch (answer->summary.rcode) {
	case DNS_REFUSED:
	case DNS_NOTIMP:
	case DNS_FORMERR:
		return EAI_FAIL;
	default:
		return EAI_AGAIN;
	}
}

void answer_info(const struct answer *answer, uint64_t now, bool trust_ad,
	struct vsresolv_info *info)
{
	info->source = answer->source;
	info->rcode = answer->summary.rcode;
	info->ad = trust_ad && answer->summary.ad;
	info->ttl = answer_ttl(answer, now);
	memset(&info->server, 0, sizeof(info->server));
	memcpy(&info->server, &answer->server, sizeof(answer->server));
}

static bool key_of(const struct dns_question *question, struct cache_key *key)
{
	*key = (struct cache_key){
		.space = question->type, .len = question->name.len, .bytes = question->name.wire};
	return question->type < TYPES_END;
}

void answer_store(struct cache *cache, const struct dns_question *question,
	const struct answer *answer, unsigned stale_seconds)
{
	const struct cache_times times = {
		.written = answer->written,
		.expires = answer->expires,
		.stale = answer->expires + stale_seconds * SECOND,
	};
	size_t from = server_len(&answer->server), len = 1 + from + answer->len;
	uint8_t small[SMALL], *value = small, *large = NULL;
	struct cache_key key;

	if (!key_of(question, &key) || answer->summary.kind == DNS_FAILURE || answer->summary.tc)
		return;
	/* RFC 8767 section 4: it says what is true now, so that what was before is not stale but
	 * wrong. */
	if (answer->summary.ttl == 0 || len > CACHE_VALUE_MAX) {
		cache_drop(cache, &key);
		return;
	}
	if (len > sizeof(small))
		value = large = malloc(len);
	if (!value) { /* what is not kept is asked for again */
		cache_drop(cache, &key);
		return;
	}
	value[0] = (uint8_t)from;
	memcpy(value + 1, &answer->server, from);
	memcpy(value + 1 + from, answer->message, answer->len);
	(void)cache_put(cache, &key, &times, value, len);
	free(large);
}

static int restore(struct answer **answer, const struct dns_question *question,
	const uint8_t *value, size_t len, const struct cache_hit *hit, uint64_t now)
{
	union answer_server server = {.sa.sa_family = AF_UNSPEC};
	size_t from = value[0];
	int rc;

	memcpy(&server, value + 1, from);
	rc = answer_new(answer, question, value + 1 + from, len - 1 - from,
		from ? &server.sa : NULL, hit->times.written);
	if (rc < 0)
		return rc;
	(*answer)->expires = hit->times.expires;
	(*answer)->source = now < hit->times.expires ? VSRESOLV_CACHE : VSRESOLV_STALE;
	return 0;
}

static bool is_prefetch_due(const struct cache_hit *hit, uint64_t now)
{
	uint64_t tenth = (hit->times.expires - hit->times.written) / 10;

	return hit->hits >= 2 && now < hit->times.expires &&
	       hit->times.expires - now <= (tenth > SECOND ? tenth : SECOND);
}

int answer_find(struct cache *cache, const struct dns_question *question, uint64_t now,
	unsigned flags, struct answer **answer, bool *prefetch)
{
	uint8_t small[SMALL], *value = small, *large = NULL;
	struct cache_key key;
	struct cache_hit hit;
	long len;
	int rc;

	if (!key_of(question, &key))
		return -ENOENT;
	len = cache_get(cache, &key, now, flags, small, sizeof(small), &hit);
	if (len == -EMSGSIZE) {
		value = large = malloc(CACHE_VALUE_MAX);
		if (!large)
			return -ENOMEM;
		len = cache_get(cache, &key, now, flags, large, CACHE_VALUE_MAX, &hit);
	}
	rc = len < 0 ? (int)len : restore(answer, question, value, (size_t)len, &hit, now);
	free(large);
	if (rc == 0)
		*prefetch = is_prefetch_due(&hit, now);
	return rc;
}
