/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vsisol.h"

#define PATIENCE 3000 /* ms */

static const char *const prefixes[] = { "", "", "", "", "", "many3.", "chain2.", "tc.", "noedns." };
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static enum kind choose(uint64_t *random, char name[128], unsigned *many)
{
	enum kind kind = (enum kind)(isol_random(random) % KINDS);
	const char *prefix = prefixes[isol_random(random) % PREFIXES];
	unsigned i = (unsigned)(isol_random(random) % NAMES);

	*many = prefix[0] == 'm' ? 3 : 1;
	snprintf(name, 128, "%s%sn%u.iso.test", kind == KIND_SRV ? "_x._tcp." : "", prefix, i);
	return kind;
}

static int family_of(enum kind kind)
{
	return kind == KIND_A ? AF_INET : kind == KIND_AAAA ? AF_INET6 : AF_UNSPEC;
}

/* ---- is it right? */

static bool are_addresses_right(const struct addrinfo *res, unsigned number, uint64_t hash,
	unsigned many)
{
	for (; res; res = res->ai_next)
		if (!zone_is_right(res->ai_addr, number, hash, many))
			return false;
	return true;
}

static bool is_text_right(const struct ask *ask, const uint8_t *message, size_t len)
{
	char want[64];

	snprintf(want, sizeof(want), "vs=%u hash=%016llx", ask->number,
		(unsigned long long)ask->hash);
	return memmem(message, len, want, strlen(want)) != NULL;
}

static bool are_targets_right(const struct ask *ask, const struct vsresolv_srv *srv)
{
	for (; srv; srv = srv->next) {
		uint64_t hash = zone_hash_text(srv->target);

		if (!are_addresses_right(srv->addrs, ask->number, hash, ask->many))
			return false;
	}
	return true;
}

static void count_failure(struct isol *t, int status, const struct vsresolv_info *info)
{
	if (status == EAI_SYSTEM && info->error == -ESTALE)
		t->gone++;
	else if (status == EAI_AGAIN)
		t->timeouts++;
	else
		t->failed++;
}

static void count_answer(struct isol *t, bool is_right, unsigned number, const struct sockaddr *sa,
	const struct vsresolv_info *info)
{
	t->answers++;
	if (info->source == VSRESOLV_NETWORK)
		t->network++;
	else
		t->cached++;
	if (is_right)
		return;
	if (t->wrong++ < 10)
		fprintf(stderr, "vsisol: VS %u was given an answer of %d\n", number,
			sa ? zone_owner(sa) : -2);
}

/* ---- asynchronous requests */

/* False: the callback should not have come. */
static bool finish(struct ask *ask, int status, const struct vsresolv_info *info)
{
	struct isol *t = ask->t;

	if (ask->is_over || ask->is_cancelled) {
		t->late++;
		return false;
	}
	ask->is_over = true;
	t->under_way--;
	if (status)
		count_failure(t, status, info);
	return status == 0;
}

static void got_addresses(void *arg, int status, struct addrinfo *res,
	const struct vsresolv_info *info)
{
	struct ask *ask = arg;

	if (finish(ask, status, info))
		count_answer(ask->t, are_addresses_right(res, ask->number, ask->hash, ask->many),
			ask->number, res->ai_addr, info);
	vsresolv_freeaddrinfo(res);
	/* Cancelling is allowed in here, too. */
	if (isol_random(&ask->t->random) % 100 < ask->t->o.cancel_percent)
		isol_cancel_some(ask->t);
}

static void got_text(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	struct ask *ask = arg;

	if (finish(ask, status, info))
		count_answer(ask->t, is_text_right(ask, message, len), ask->number, NULL, info);
	vsresolv_free(message);
}

static void got_targets(void *arg, int status, struct vsresolv_srv *res,
	const struct vsresolv_info *info)
{
	struct ask *ask = arg;

	if (finish(ask, status, info))
		count_answer(ask->t, are_targets_right(ask, res), ask->number, NULL, info);
	vsresolv_free(res);
}

/* A place in the ring whose request is over. */
static struct ask *new_ask(struct isol *t)
{
	struct ask **place;

	do
		place = &t->ring[t->next_ask++ % RING];
	while (*place && !(*place)->is_over && !(*place)->is_cancelled);
	free(*place);
	*place = calloc(1, sizeof(**place));
	if (!*place)
		isol_die("memory", -ENOMEM);
	return *place;
}

static int start(struct ask *ask, const char *name)
{
	struct addrinfo hints = { .ai_family = family_of(ask->kind), .ai_socktype = SOCK_STREAM };

	if (ask->kind == KIND_TXT)
		return vsresolv_query_start(ask->ctx, name, ZONE_TXT, PATIENCE, got_text, ask,
			&ask->id);
	if (ask->kind == KIND_SRV)
		return vsresolv_srv_start(ask->ctx, name, &hints, 0, 0, PATIENCE, got_targets, ask,
			&ask->id);
	return vsresolv_getaddrinfo_start(ask->ctx, name, NULL, &hints, PATIENCE, got_addresses,
		ask, &ask->id);
}

void isol_ask(struct isol *t, struct vsresolv *ctx, unsigned number, uint64_t *random)
{
	struct ask *ask = new_ask(t);
	char name[128];
	int rc;

	*ask = (struct ask){ .t = t, .ctx = ctx, .number = number };
	ask->kind = choose(random, name, &ask->many);
	ask->hash = zone_hash_text(name);
	rc = start(ask, name);
	if (rc)
		isol_die("a request", rc);
	t->under_way++;
}

void isol_cancel_some(struct isol *t)
{
	unsigned back = (unsigned)(isol_random(&t->random) % (t->o.window * 2)) + 1;
	struct ask *ask = back <= t->next_ask ? t->ring[(t->next_ask - back) % RING] : NULL;
	int rc;

	if (!ask || ask->is_cancelled)
		return;
	rc = vsresolv_cancel(t->loop, ask->id);
	if (rc == 0 && !ask->is_over) {
		ask->is_cancelled = true;
		t->under_way--;
		t->cancelled++;
	} else if (rc == 0) {
		t->late++; /* it had been called back, and yet it was there */
	}
}

void isol_forget(struct isol *t, const struct vsresolv *ctx)
{
	for (unsigned i = 0; i < RING; i++) {
		struct ask *ask = t->ring[i];

		if (!ask || ask->ctx != ctx)
			continue;
		ask->ctx = NULL;
		if (ask->is_over || ask->is_cancelled)
			continue;
		ask->is_cancelled = true;
		t->under_way--;
		t->cancelled++;
	}
}

/* ---- requests that block */

static void block_once(struct isol *t, struct vs *vs, uint64_t *random)
{
	struct vsresolv_info info = { 0 };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *res = NULL;
	char name[128];
	unsigned many;
	enum kind kind = choose(random, name, &many);
	int status;

	hints.ai_family = family_of(kind);
	status = vsresolv_getaddrinfo(vs->ctx, name, NULL, &hints, PATIENCE, &res, &info);
	if (status) {
		count_failure(t, status, &info);
		return;
	}
	count_answer(t, are_addresses_right(res, vs->number, zone_hash_text(name), many),
		vs->number, res->ai_addr, &info);
	vsresolv_freeaddrinfo(res);
}

void *isol_block(void *arg)
{
	struct isol *t = arg;
	uint64_t random = t->o.seed * 2654435761U ^ (uintptr_t)&random;

	random |= 1;
	while (!atomic_load(&t->is_over)) {
		struct vs *vs = &t->vss[isol_random(&random) % t->vs_count];

		if (pthread_mutex_trylock(&vs->lock))
			continue;
		if (vs->ctx)
			block_once(t, vs, &random);
		pthread_mutex_unlock(&vs->lock);
	}
	return NULL;
}
