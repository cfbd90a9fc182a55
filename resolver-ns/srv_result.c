/* SPDX-License-Identifier: BSD-3-Clause */
/* What vsresolv_srv() returns, in one block: the targets, the lists of addresses, the names. */
#include "config.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "srv.h"

/* Names of one target as they come out. */
struct texts {
	char target[DNS_TEXT_MAX], canonical[DNS_TEXT_MAX], unicode[DNS_TEXT_MAX];
	const char *canonical_out; /* NULL: none is wanted */
};

static void texts_make(struct texts *texts, const struct srv_target *target)
{
	int flags = target->srv->hints.flags;

	/* A name on the wire is never longer than that. */
	(void)dns_name_text(&target->record.target, texts->target, sizeof(texts->target));
	texts->canonical_out = flags & AI_CANONNAME ? texts->target : NULL;
	if (!texts->canonical_out)
		return;
	if (target->has_canonical && front_is_hostlike(&target->canonical)) {
		(void)dns_name_text(&target->canonical, texts->canonical, sizeof(texts->canonical));
		texts->canonical_out = texts->canonical;
	}
	if (flags & AI_CANONIDN)
		texts->canonical_out = front_unicode(texts->canonical_out, texts->unicode);
}

static size_t aligned(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct front_hints hints_of(const struct srv_target *target)
{
	struct front_hints hints = target->srv->hints;

	for (unsigned i = 0; i < hints.kind_count; i++)
		hints.kinds[i].port = target->record.port;
	return hints;
}

static size_t list_size(const struct srv_target *target, const struct texts *texts)
{
	if (target->count == 0)
		return 0;
	return front_list_size(&target->srv->hints, target->count, texts->canonical_out);
}

/* What one takes behind the array of targets. */
static size_t size_of(const struct srv_target *target)
{
	struct texts texts;

	texts_make(&texts, target);
	return aligned(list_size(target, &texts) + strlen(texts.target) + 1);
}

/* Seconds that have passed since the records came. */
static uint32_t age_of(const struct srv *srv)
{
	uint64_t now = engine_now(), written = srv->records->written;
	uint64_t age = now > written ? (now - written) / LOOP_SEC : 0;

	return age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
}

/* Into `room`, of size_of() bytes. */
static void write_target(
	struct vsresolv_srv *out, const struct srv_target *target, uint32_t age, char *room)
{
	const struct dns_srv *record = &target->record;
	struct front_hints hints = hints_of(target);
	struct texts texts;
	size_t size;

	texts_make(&texts, target);
	size = list_size(target, &texts);
	*out = (struct vsresolv_srv){
		.next = out + 1,
		.status = target->status,
		.priority = record->priority,
		.weight = record->weight,
		.port = record->port,
		.ttl = record->ttl > age ? record->ttl - age : 0,
		.target = memcpy(room + size, texts.target, strlen(texts.target) + 1),
	};
	if (target->count > 0)
		out->addrs = front_list_write(
			&hints, target->addrs, target->count, texts.canonical_out, room);
}

int srv_result(struct srv *srv)
{
	size_t at = aligned(srv->count * sizeof(*srv->res)), size = at;
	uint32_t age = age_of(srv);
	char *block;

	for (size_t i = 0; i < srv->count; i++)
		size += size_of(&srv->targets[i]);
	block = malloc(size);
	if (!block)
		return EAI_MEMORY;
	srv->res = (struct vsresolv_srv *)(void *)block;
	for (size_t i = 0; i < srv->count; i++) {
		write_target(&srv->res[i], &srv->targets[i], age, block + at);
		at += size_of(&srv->targets[i]);
	}
	srv->res[srv->count - 1].next = NULL;
	return 0;
}
