/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold after each step of a plan, from one configuration to another:
 *
 *   an address of ours that is up is routed by a table that is its own before or after, and
 *   there by the route of its network; the table has its end. Of an address that goes the network
 *   may be out of reach already;
 *   no rule for a mark leads to a route that leaves the source to the kernel or names another VS's.
 */
#ifndef NSAUX_TESTS_NET_WATCH_H
#define NSAUX_TESTS_NET_WATCH_H

#include "net_rig.h"

#define WATCH_MAX 512

struct watch {
	struct watch_entry {
		struct ip_prefix prefix; /* as configured */
		char dev[IF_NAMESIZE];
		bool is_pool, is_mark;
		uint32_t table;              /* of the address */
		uint32_t first, table_count; /* of the VS */
	} entries[WATCH_MAX];
	size_t count;
	size_t before;   /* how many of them are of the first configuration */
	unsigned checks; /* of addresses that were up */
};

/* What the VSs of the rig have now; for both configurations. */
void watch_note(struct watch *watch, const struct rig *rig);
/* For rig->watch; watch_arg is the struct. */
void watch_step(struct rig *rig, const struct net_step *step);

#endif
