/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids of asynchronous requests: a slot, and how often the slot has been taken. No id is given
 * twice: a slot that has been taken as often as can be counted is left alone for ever.
 */
#ifndef NSAUX_REQUEST_IDS_H
#define NSAUX_REQUEST_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_IDS_MAX (1u << 20) /* at once */

struct request;
struct request_slot;

struct request_ids { /* zero is empty */
	struct request_slot *slots;
	uint32_t count, room;
	uint32_t free; /* the first free slot, counted from 1 */
};

void request_ids_clear(struct request_ids *ids);
/* -ENOMEM, -ENOBUFS: there are too many. */
int request_ids_take(struct request_ids *ids, struct request *request, uint64_t *id);
/* -ENOENT; 0: *request, NULL if request_ids_leave() has been called. */
int request_ids_find(const struct request_ids *ids, uint64_t id, struct request **request);
/* The id stays, without its request. */
void request_ids_leave(struct request_ids *ids, uint64_t id);
void request_ids_give(struct request_ids *ids, uint64_t id);

#endif
