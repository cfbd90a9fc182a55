/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of SRV records, RFC 2782. Pure: where randomness comes from is the caller's. */
#ifndef NSAUX_SRV_ORDER_H
#define NSAUX_SRV_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct srv_rank {
	uint16_t priority, weight;
	uint16_t at; /* which record it is of; the caller's */
};

/* A number below `below` (at least 1), each as likely as the others. 0 or -errno. */
typedef int srv_random_fn(void *arg, uint32_t below, uint32_t *number);

/* The lowest priority first; within one at random by weight, those that are alike in any order.
 * -errno of random: the order is none in particular. The time is the square of count, which is at
 * most 65536. */
int srv_order(struct srv_rank *ranks, size_t count, srv_random_fn *random, void *arg);

/* One by the kernel's; arg is a struct randpool. */
int srv_random(void *arg, uint32_t below, uint32_t *number);

#endif
