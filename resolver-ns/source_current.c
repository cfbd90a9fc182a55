/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>

#include "source_private.h"

#define SLOT_SHIFT 56
#define TAKEN_MASK ((UINT64_C(1) << SLOT_SHIFT) - 1)
#define NO_SLOT CURRENT_SLOTS
/* More than will ever be given back while it is in force. */
#define IN_FORCE (UINT64_C(1) << 62)

void current_init(struct current *current)
{
	*current = (struct current){.slots = {NULL}};
	atomic_init(&current->word, (uint64_t)NO_SLOT << SLOT_SHIFT);
}

bool current_is_set(const struct current *current)
{
	return atomic_load_explicit(&current->word, memory_order_acquire) >> SLOT_SHIFT != NO_SLOT;
}

struct rconf *current_peek(const struct current *current)
{
	uint64_t slot = atomic_load_explicit(&current->word, memory_order_acquire) >> SLOT_SHIFT;

	return slot == NO_SLOT ? NULL : current->slots[slot];
}

/* The slot is not used for another one before this reference is given back, so that it may be read
 * after the addition. */
struct rconf *current_get(struct current *current)
{
	uint64_t word;

	if (!current_is_set(current))
		return NULL;
	word = atomic_fetch_add_explicit(&current->word, 1, memory_order_acquire);
	return current->slots[word >> SLOT_SHIFT];
}

/* Nobody can take a reference from a former one, so that one that is ours alone stays so. */
static void release(struct current *current, uint64_t slot)
{
	struct rconf *conf = current->slots[slot];

	if (!conf || atomic_load_explicit(&conf->refs, memory_order_acquire) != 1)
		return;
	current->slots[slot] = NULL;
	rconf_unref(conf);
}

void current_sweep(struct current *current)
{
	uint64_t in_force = atomic_load_explicit(&current->word, memory_order_relaxed);

	for (uint64_t i = 0; i < CURRENT_SLOTS; i++)
		if (i != in_force >> SLOT_SHIFT)
			release(current, i);
}

/* What was taken by way of the word is put on the account of the snapshot itself. */
static void settle(struct current *current, uint64_t word)
{
	if (word >> SLOT_SHIFT != NO_SLOT)
		atomic_fetch_add_explicit(&current->slots[word >> SLOT_SHIFT]->refs,
			(word & TAKEN_MASK) - IN_FORCE, memory_order_relaxed);
}

int current_set(struct current *current, struct rconf *conf)
{
	uint64_t slot = 0;

	current_sweep(current);
	while (slot < CURRENT_SLOTS && current->slots[slot])
		slot++;
	if (slot == CURRENT_SLOTS)
		return -EBUSY;
	atomic_fetch_add_explicit(&conf->refs, IN_FORCE, memory_order_relaxed);
	current->slots[slot] = conf;
	settle(current,
		atomic_exchange_explicit(&current->word, slot << SLOT_SHIFT, memory_order_acq_rel));
	current_sweep(current);
	return 0;
}

void current_clear(struct current *current)
{
	settle(current, atomic_exchange_explicit(&current->word, (uint64_t)NO_SLOT << SLOT_SHIFT,
				memory_order_acq_rel));
	for (uint64_t i = 0; i < CURRENT_SLOTS; i++) {
		rconf_unref(current->slots[i]);
		current->slots[i] = NULL;
	}
}
