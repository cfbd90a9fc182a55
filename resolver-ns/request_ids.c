/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "request_ids.h"

/* An id is the slot, counted from 1, below the times that it has been taken. */
#define SLOT_BITS 24
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)
#define TIMES_MAX ((UINT64_C(1) << (64 - SLOT_BITS)) - 1)

_Static_assert(REQUEST_IDS_MAX < SLOT_MASK, "a slot has its bits");

struct request_slot {
	struct request *request;
	uint64_t times;
	uint32_t next; /* free one */
	bool taken;
};

void request_ids_clear(struct request_ids *ids)
{
	free(ids->slots);
	*ids = (struct request_ids){0};
}

static int add_slots(struct request_ids *ids)
{
	uint32_t room = ids->room ? ids->room * 2 : 16;
	struct request_slot *slots;

	if (ids->count < ids->room)
		return 0;
	if (room > REQUEST_IDS_MAX)
		return -ENOBUFS;
	slots = reallocarray(ids->slots, room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	ids->slots = slots;
	ids->room = room;
	return 0;
}

int request_ids_take(struct request_ids *ids, struct request *request, uint64_t *id)
{
	struct request_slot *slot;
	uint32_t number = ids->free;
	int rc;

	if (number == 0) {
		rc = add_slots(ids);
		if (rc < 0)
			return rc;
		number = ++ids->count;
		ids->slots[number - 1] = (struct request_slot){0};
	}
	slot = &ids->slots[number - 1];
	if (number == ids->free)
		ids->free = slot->next;
	slot->times++;
	slot->request = request;
	slot->taken = true;
	*id = slot->times << SLOT_BITS | number;
	return 0;
}

static struct request_slot *find(const struct request_ids *ids, uint64_t id)
{
	uint64_t number = id & SLOT_MASK;
	struct request_slot *slot;

	if (number == 0 || number > ids->count)
		return NULL;
	slot = &ids->slots[number - 1];
	return slot->taken && slot->times == id >> SLOT_BITS ? slot : NULL;
}

int request_ids_find(const struct request_ids *ids, uint64_t id, struct request **request)
{
	const struct request_slot *slot = find(ids, id);

	if (!slot)
		return -ENOENT;
	*request = slot->request;
	return 0;
}

void request_ids_leave(struct request_ids *ids, uint64_t id)
{
	struct request_slot *slot = find(ids, id);

	if (slot)
		slot->request = NULL;
}

void request_ids_give(struct request_ids *ids, uint64_t id)
{
	struct request_slot *slot = find(ids, id);

	if (!slot)
		return;
	slot->request = NULL;
	slot->taken = false;
	if (slot->times == TIMES_MAX)
		return;
	slot->next = ids->free;
	ids->free = (uint32_t)(id & SLOT_MASK);
}
