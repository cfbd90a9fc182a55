/* SPDX-License-Identifier: BSD-3-Clause */
/* One step of a plan as netlink requests. No I/O. */
#ifndef NSAUX_NET_STEP_H
#define NSAUX_NET_STEP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "net_state.h"

struct nl_msg;

/* A device that the run made, brought in or made again. */
struct net_made {
	char name[IF_NAMESIZE];
	unsigned index;
	unsigned old_index; /* before it was made again; 0: it is new */
};

/* Where a plan is carried out. */
struct net_site {
	int ns_fd, parent_fd;
	bool is_home;    /* the namespace is its own parent */
	int parent_nsid; /* how the namespace calls its parent */
	const struct net_state *parent; /* the links there; of a home those of the namespace itself */
	const struct net_state *have;   /* what was there before the first step */
	struct net_made *made;
	size_t made_count;
};

/* What a request does for its step; for which of them to undo when another one fails. */
enum net_role {
	NET_ROLE_ONLY = 1,      /* the step is this request */
	NET_ROLE_CREATE = 2,    /* makes or moves the device */
	NET_ROLE_ALTNAME = 4,
	NET_ROLE_LOOK = 8,      /* RTM_GETLINK, for its index */
	NET_ROLE_PEER = 16,
	NET_ROLE_OLD_NAME = 32, /* an alternative name that an earlier owner has left */
};

/* The message is the callee's. A result below 0 ends net_step_requests(), which returns it. */
typedef int net_request_fn(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg);

/*
 * The requests of a step, in order. 0; -ENODEV: it needs a device that is not made yet; -ENOMEM; -EINVAL:
 * it is not one for netlink. All of those for one namespace that follow each other belong in one
 * send: a device is never without its alternative name, whenever the process ends.
 */
int net_step_requests(const struct net_step *step, const struct net_site *site,
	net_request_fn *put, void *arg);

/* The index of a device of the namespace: that which it had when the state was read, or (0) that of a
 * name. 0: there is none. */
unsigned net_site_index(const struct net_site *site, unsigned index, const char *name);

#define NET_REQUEST_MAX 640 /* bytes */
/* An empty one. NULL: no memory. */
struct nl_msg *net_request(int type, int flags);

/* Has the namespace choose a number for the one behind fd (RTM_NEWNSID), or asks for that
 * (RTM_GETNSID). NULL: no memory. */
struct nl_msg *net_request_nsid(int type, int fd);

#endif
