/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table holds the counters of one kind and rpcbind version in the order of their first use,
 * with an open-addressed index beside them. It starts empty and doubles up to STATS_MAX, so that
 * a VS that nobody asks costs nothing and one that is flooded with program numbers stays small.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define TABLE_FIRST 8 /* counters a table starts with; a power of two, like STATS_MAX */
#define SLOTS(capacity) ((size_t)(capacity)*2)

#define KIND_INDIRECT 256U

struct key {
	uint32_t prog, vers, proc;
	uint32_t kind; /* netid, and KIND_INDIRECT */
};

struct counter {
	struct key key;
	union {
		struct stats_addr addr;
		struct stats_rmt rmt;
	} u;
};

struct table {
	struct counter *counters;
	uint16_t *slots; /* SLOTS(capacity) of them: index of the counter + 1, or 0 */
	size_t count, capacity;
};

struct version {
	uint32_t procs[STATS_PROCS];
	uint32_t set, unset;
	struct table addr, rmt;
};

struct stats {
	uint64_t requests;
	struct version versions[STATS_VERS];
};

static uint32_t mix(uint32_t hash, uint32_t word)
{
	hash = (hash ^ word) * UINT32_C(0x9e3779b1);
	return hash ^ hash >> 15;
}

/* The slot of key: the one that holds it, or the free one where it belongs. */
static uint16_t *table_slot(const struct table *table, const struct key *key)
{
	size_t mask = SLOTS(table->capacity) - 1;
	size_t i = mix(mix(mix(mix(0, key->prog), key->vers), key->proc), key->kind) & mask;

	while (table->slots[i] > 0 &&
		memcmp(&table->counters[table->slots[i] - 1].key, key, sizeof(*key)) != 0)
		i = (i + 1) & mask;
	return &table->slots[i];
}

static int table_grow(struct table *table)
{
	struct table grown = {.count = table->count};
	size_t size;

	grown.capacity = table->capacity > 0 ? table->capacity * 2 : TABLE_FIRST;
	if (grown.capacity > STATS_MAX)
		return -ENOSPC;
	size = grown.capacity * sizeof(*grown.counters);
	grown.slots = calloc(SLOTS(grown.capacity), sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	grown.counters = realloc(table->counters, size);
	if (!grown.counters) {
		free(grown.slots);
		return -ENOMEM;
	}
	for (size_t i = 0; i < grown.count; i++)
		*table_slot(&grown, &grown.counters[i].key) = (uint16_t)(i + 1);
	free(table->slots);
	*table = grown;
	return 0;
}

/* The counter of key, made when it is new (*fresh). NULL: no more room for new ones. */
static struct counter *table_get(struct table *table, const struct key *key, bool *fresh)
{
	struct counter *counter;
	uint16_t *slot;

	*fresh = true;
	if (table->capacity > 0) {
		slot = table_slot(table, key);
		*fresh = *slot == 0;
		if (!*fresh)
			return &table->counters[*slot - 1];
	}
	if (table->count == table->capacity && table_grow(table) < 0)
		return NULL;
	slot = table_slot(table, key);
	counter = &table->counters[table->count++];
	*slot = (uint16_t)table->count;
	memset(counter, 0, sizeof(*counter));
	counter->key = *key;
	return counter;
}

static void table_free(struct table *table)
{
	free(table->counters);
	free(table->slots);
}

static size_t version_at(uint32_t rpcb_vers)
{
	assert(rpcb_vers >= 2 && rpcb_vers < 2 + STATS_VERS);
	return rpcb_vers - 2;
}

int stats_new(struct stats **stats)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*stats = s;
	return 0;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < STATS_VERS; i++) {
		table_free(&stats->versions[i].addr);
		table_free(&stats->versions[i].rmt);
	}
	free(stats);
}

void stats_count_proc(struct stats *stats, uint32_t rpcb_vers, uint32_t proc)
{
	stats->requests++;
	if (proc < STATS_PROCS)
		stats->versions[version_at(rpcb_vers)].procs[proc]++;
}

void stats_count_set(struct stats *stats, uint32_t rpcb_vers)
{
	stats->versions[version_at(rpcb_vers)].set++;
}

void stats_count_unset(struct stats *stats, uint32_t rpcb_vers)
{
	stats->versions[version_at(rpcb_vers)].unset++;
}

void stats_count_addr(struct stats *stats, uint32_t rpcb_vers, uint32_t prog, uint32_t vers,
	enum netid netid, bool success)
{
	struct table *table = &stats->versions[version_at(rpcb_vers)].addr;
	struct key key = {prog, vers, 0, (uint32_t)netid};
	bool fresh;
	struct counter *counter = table_get(table, &key, &fresh);

	if (!counter)
		return;
	if (fresh)
		counter->u.addr = (struct stats_addr){prog, vers, netid, 0, 0};
	if (success)
		counter->u.addr.success++;
	else
		counter->u.addr.failure++;
}

void stats_count_rmt(struct stats *stats, uint32_t rpcb_vers, uint32_t prog, uint32_t vers,
	uint32_t proc, enum netid netid, bool indirect, bool success)
{
	struct table *table = &stats->versions[version_at(rpcb_vers)].rmt;
	struct key key = {prog, vers, proc, (uint32_t)netid | (indirect ? KIND_INDIRECT : 0)};
	bool fresh;
	struct counter *counter = table_get(table, &key, &fresh);

	if (!counter)
		return;
	if (fresh)
		counter->u.rmt = (struct stats_rmt){prog, vers, proc, netid, indirect, 0, 0};
	if (success)
		counter->u.rmt.success++;
	else
		counter->u.rmt.failure++;
}

uint64_t stats_requests(const struct stats *stats)
{
	return stats->requests;
}

uint32_t stats_proc(const struct stats *stats, uint32_t rpcb_vers, uint32_t proc)
{
	return proc < STATS_PROCS ? stats->versions[version_at(rpcb_vers)].procs[proc] : 0;
}

uint32_t stats_set(const struct stats *stats, uint32_t rpcb_vers)
{
	return stats->versions[version_at(rpcb_vers)].set;
}

uint32_t stats_unset(const struct stats *stats, uint32_t rpcb_vers)
{
	return stats->versions[version_at(rpcb_vers)].unset;
}

const struct stats_addr *stats_addr_get(const struct stats *stats, uint32_t rpcb_vers, size_t i)
{
	const struct table *table = &stats->versions[version_at(rpcb_vers)].addr;

	return i < table->count ? &table->counters[i].u.addr : NULL;
}

const struct stats_rmt *stats_rmt_get(const struct stats *stats, uint32_t rpcb_vers, size_t i)
{
	const struct table *table = &stats->versions[version_at(rpcb_vers)].rmt;

	return i < table->count ? &table->counters[i].u.rmt : NULL;
}
