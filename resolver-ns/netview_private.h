/* SPDX-License-Identifier: BSD-3-Clause */
/* struct netview, for its files. */
#ifndef NSAUX_NETVIEW_PRIVATE_H
#define NSAUX_NETVIEW_PRIVATE_H

#include "netview.h"
#include "netview_table.h"

struct netview {
	struct place *place;
	struct loop *loop;    /* may be NULL */
	struct loop_io news;  /* what netlink reports; watched until the first change */
	int listener;         /* its socket, or -1 */
	int probe4, probe6;   /* disconnected between uses, or -1 */
	uint32_t generation;
	atomic_uint *epoch;   /* may be NULL */
	struct netview_table table;
	uint64_t table_until, families_until; /* when they are to be read again; 0: now */
	bool has4, has6;
};

/* Takes in what netlink has reported, and hears from now on. Before anything is asked of the
 * kernel. */
int netview_hear(struct netview *view);
/* The table of addresses, read again when it is not what counts any more. */
int netview_refresh(struct netview *view, uint64_t now);

/* The source address for a destination, both as in sort6724_item, in *src; false: it cannot be
 * reached. */
int netview_probe(struct netview *view, const union netview_addr *to, struct in6_addr *src,
	bool *is_reached);
/* Is the device a tunnel of IP in IP? */
bool netview_is_tunnel(const struct netview *view, unsigned ifindex);

#endif
