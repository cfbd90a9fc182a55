/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What any thread looks up, and its lock: many readers, each of which takes one stripe out of
 * several and so rarely meets another, and one writer, which takes all of them.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "vsreg_private.h"

static void free_stripes(struct reg_index *index, size_t count)
{
	while (count > 0)
		pthread_mutex_destroy(&index->stripes[--count].lock);
}

struct reg_index *index_new(void)
{
	struct reg_index *index = NULL;

	if (posix_memalign((void **)&index, _Alignof(struct reg_index), sizeof(*index)) != 0)
		return NULL;
	*index = (struct reg_index){.home = -1};
	atomic_init(&index->refs, 1);
	for (size_t i = 0; i < INDEX_STRIPES; i++) {
		if (pthread_mutex_init(&index->stripes[i].lock, NULL) != 0) {
			free_stripes(index, i);
			free(index);
			return NULL;
		}
	}
	return index;
}

struct reg_index *index_ref(struct reg_index *index)
{
	atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed);
	return index;
}

void index_unref(struct reg_index *index)
{
	if (atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (index->home >= 0)
		close(index->home);
	free_stripes(index, INDEX_STRIPES);
	free(index);
}

/* Threads have the variable at addresses that differ in their upper bits. */
struct stripe *index_read(struct reg_index *index)
{
	static _Thread_local char here;
	uint64_t mixed = (uint64_t)(uintptr_t)&here * UINT64_C(0x9e3779b97f4a7c15);
	struct stripe *stripe = &index->stripes[mixed >> 32 & (INDEX_STRIPES - 1)];

	pthread_mutex_lock(&stripe->lock);
	return stripe;
}

void index_read_end(struct stripe *stripe)
{
	pthread_mutex_unlock(&stripe->lock);
}

void index_write(struct reg_index *index)
{
	for (size_t i = 0; i < INDEX_STRIPES; i++)
		pthread_mutex_lock(&index->stripes[i].lock);
}

void index_write_end(struct reg_index *index)
{
	for (size_t i = INDEX_STRIPES; i > 0; i--)
		pthread_mutex_unlock(&index->stripes[i - 1].lock);
}
