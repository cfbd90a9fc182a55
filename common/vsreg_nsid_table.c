/* SPDX-License-Identifier: BSD-3-Clause */
/* Which VSs have which nsid: all of one namespace, and those that are gone, up to its end. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vsreg_private.h"

struct nsid_entry *nsid_find(const struct vs_reg *reg, int nsid)
{
	struct nsid_entry *entry;

	HASH_FIND(hh, reg->nsid.table, &nsid, sizeof(nsid), entry);
	return entry;
}

static void free_entry(struct vs_reg *reg, struct nsid_entry *entry)
{
	index_write(reg->index);
	HASH_DELETE(hh, reg->nsid.table, entry);
	index_write_end(reg->index);
	free(entry);
}

void nsid_forget(struct vs_reg *reg, struct vs *vs)
{
	struct nsid_entry *entry = vs->of_nsid;

	if (!entry)
		return;
	vs->of_nsid = NULL;
	atomic_store(&vs->nsid, NSID_NONE);
	index_write(reg->index);
	TAILQ_REMOVE(&entry->members, vs, same_nsid);
	index_write_end(reg->index);
	if (TAILQ_EMPTY(&entry->members))
		free_entry(reg, entry);
}

/* The namespace is no more. Of a VS that is still served the names are looked at. */
static void end_vs(struct vs_reg *reg, struct vs *vs)
{
	struct label *label;

	nsid_forget(reg, vs);
	vs->nsid_ended = true;
	if (atomic_load(&vs->gone)) {
		held_end(reg, vs);
		return;
	}
	TAILQ_FOREACH(label, &vs->labels, of_vs) {
		label->named = true;
		label_ask(reg, label);
	}
}

void nsid_end(struct vs_reg *reg, int nsid)
{
	struct nsid_entry *entry;

	while ((entry = nsid_find(reg, nsid)))
		end_vs(reg, TAILQ_FIRST(&entry->members));
}

/* Has it come back, in the namespace that it had? */
static bool is_again(const struct vs *old, const struct vs *vs)
{
	return atomic_load(&old->gone) && (old->mark != 0) == (vs->mark != 0) &&
	       (vs->mark == 0 || strcmp(vs_name(old), vs_name(vs)) == 0);
}

/* Whoever had the nsid before has none now, if his namespace is another one: it ended. Who was
 * let go in this one and is here again has not ended. */
static void evict(struct vs_reg *reg, struct nsid_entry *entry, const struct vs *vs)
{
	struct vs *old, *next;
	size_t left = 0;

	if (TAILQ_FIRST(&entry->members)->cookie != vs->cookie) {
		nsid_end(reg, entry->nsid);
		return;
	}
	TAILQ_FOREACH(old, &entry->members, same_nsid)
		left++;
	/* With the last one the entry is freed. */
	for (old = TAILQ_FIRST(&entry->members); left > 0; left--, old = next) {
		next = TAILQ_NEXT(old, same_nsid);
		if (is_again(old, vs))
			held_drop(reg, old);
	}
}

static struct nsid_entry *new_entry(struct vs_reg *reg, int nsid)
{
	struct nsid_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->nsid = nsid;
	TAILQ_INIT(&entry->members);
	index_write(reg->index);
	HASH_ADD(hh, reg->nsid.table, nsid, sizeof(entry->nsid), entry);
	index_write_end(reg->index);
	if (entry->hh.tbl)
		return entry;
	free(entry);
	return NULL;
}

int nsid_insert(struct vs_reg *reg, struct vs *vs, int nsid)
{
	struct nsid_entry *entry = nsid_find(reg, nsid);

	if (entry) {
		evict(reg, entry, vs);
		entry = nsid_find(reg, nsid);
	}
	if (!entry)
		entry = new_entry(reg, nsid);
	if (!entry)
		return -ENOMEM;
	index_write(reg->index);
	TAILQ_INSERT_TAIL(&entry->members, vs, same_nsid);
	index_write_end(reg->index);
	vs->of_nsid = entry;
	atomic_store(&vs->nsid, nsid);
	return 0;
}
