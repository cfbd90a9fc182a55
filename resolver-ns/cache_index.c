/* SPDX-License-Identifier: BSD-3-Clause */
/* Open addressing with linear probing: mostly a look-up reads one line here, and the entry. */
#include "config.h"

#include <string.h>

#include "cache_private.h"

static bool is_key_of(const struct entry *entry, const struct cache_key *key)
{
	return entry->space == key->space && entry->key_len == key->len &&
		!memcmp(entry->bytes, key->bytes, key->len);
}

struct cell *index_find(const struct cache_store *store, const struct cache_key *key, uint32_t tag)
{
	struct cell *cell;

	if (!store->cells)
		return NULL;
	for (uint32_t i = tag;; i++) {
		cell = &store->cells[i & store->mask];
		if (!cell->position)
			return NULL;
		if (cell->tag == tag && is_key_of(entry_of(store, cell->position), key))
			return cell;
	}
}

/* There is one. */
struct cell *index_cell(const struct cache_store *store, uint32_t tag, uint32_t position)
{
	uint32_t i = tag & store->mask;

	while (store->cells[i].position != position)
		i = (i + 1) & store->mask;
	return &store->cells[i];
}

void index_insert(struct cell *cells, uint32_t mask, struct cell cell)
{
	uint32_t i = cell.tag & mask;

	while (cells[i].position)
		i = (i + 1) & mask;
	cells[i] = cell;
}

/* What comes behind moves up, if the hole lies on its way: so no way has a gap. */
void index_remove(struct cache_store *store, struct cell *cell)
{
	struct cell *cells = store->cells;
	uint32_t mask = store->mask;
	uint32_t hole = (uint32_t)(cell - cells);

	for (uint32_t i = (hole + 1) & mask; cells[i].position; i = (i + 1) & mask) {
		if (((i - cells[i].tag) & mask) < ((i - hole) & mask))
			continue;
		cells[hole] = cells[i];
		hole = i;
	}
	cells[hole] = (struct cell){0};
}

bool index_has_room(const struct cache_store *store, size_t entries)
{
	return store->cells && entries < ((size_t)store->mask + 1) / 4 * 3;
}
