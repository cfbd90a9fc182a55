/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the VS's own network says of addresses: which families it has (AI_ADDRCONFIG), and in
 * which order destinations are best tried (RFC 6724), by source addresses that the kernel chooses
 * inside the VS. Used under the lock of the context's engine.
 */
#ifndef NSAUX_NETVIEW_H
#define NSAUX_NETVIEW_H

#include <stdatomic.h>

#include "loop.h"
#include "place.h"
#include "rconf.h"

struct netview;

#define NETVIEW_SORT_MAX 256        /* of one list; those beyond stay behind, unsorted */
#define NETVIEW_KEEP (1 * LOOP_SEC) /* how long what the kernel said counts at most */

/* loop: with one, changes are heard by netlink while descriptors are open; NULL: only time
 * counts. No descriptor is opened. */
int netview_new(struct netview **view, struct place *place, struct loop *loop);
void netview_free(struct netview *view); /* NULL is allowed */
/* Closes the descriptors (probe sockets, netlink); they are opened again at need. */
void netview_rest(struct netview *view);

/*
 * Another number after each change that netlink reported (since descriptors were opened). A list
 * that was sorted counts as long as the number is what it was right after netview_sort(). One
 * change is reported; the next only when somebody has asked the view anew.
 */
uint32_t netview_generation(const struct netview *view);
/* For who looks without the lock: *epoch is counted up at each such change, too. It must outlive
 * the view; NULL: nobody. */
void netview_tell(struct netview *view, atomic_uint *epoch);

/*
 * Does the VS have an address of that family, loopback and IPv6 link-local apart? AI_ADDRCONFIG, as
 * glibc and RFC 3493 section 6.1 mean it. Of a mark VS of the registry its own addresses count, not
 * those of others in its namespace. -errno.
 */
int netview_families(struct netview *view, uint64_t now, bool *has4, bool *has6);

/* Sorts destinations by RFC 6724 section 6, all rules that can apply, stable (rule 10); then the
 * sortlist of conf, if it has one (or is not NULL), for IPv4: those change places among
 * themselves. The scope of link-local ones is in sin6_scope_id. -errno: nothing is sorted. */
union netview_addr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};
int netview_sort(struct netview *view, uint64_t now, const struct rconf *conf,
	union netview_addr *addrs, size_t count);

#endif
