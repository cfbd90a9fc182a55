/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces with addresses, routes and rules, for the tests of place, netview and guard. */
#ifndef NSAUX_TESTS_RESOLV_NET_RIG_H
#define NSAUX_TESTS_RESOLV_NET_RIG_H

#include "nstest.h"

/* ip(8) with these words, in the namespace behind ns (-1: where the caller is); it must succeed. */
void rig_ip(int ns, const char *words);
/* The same for each of several, ended by NULL. */
void rig_ips(int ns, const char *const *lines);
/* Is there an ip(8)? Else the reason is printed, as of nst_begin(). */
bool rig_begin(int *status);

/* A new namespace under NST_NETNS, lo up, with a bridge b0 that is up. The descriptor is the
 * caller's. */
int rig_add(const char *name);
/* A netlink socket there, for nst_add_address() and its like. */
int rig_netlink(int ns);
/* Descriptors of this process. */
unsigned rig_count_fds(void);

/* The effective capabilities of the calling thread: taken away, and given back. */
struct rig_privilege {
	uint32_t words[2][3];
};
void rig_drop(struct rig_privilege *before);
void rig_restore(const struct rig_privilege *before);

#endif
