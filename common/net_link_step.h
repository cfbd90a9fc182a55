/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of net_step.h that is about devices. */
#ifndef NSAUX_NET_LINK_STEP_H
#define NSAUX_NET_LINK_STEP_H

#include "net_step.h"

struct nl_msg;

/* For what undoes a step. All return NULL without memory. name may be NULL. */
struct nl_msg *net_link_message(int type, int flags, unsigned index, const char *name);
void net_link_set_up(struct nl_msg *msg, bool is_up);
/* RTM_NEWLINKPROP or RTM_DELLINKPROP, of a device by its index or its name. */
struct nl_msg *net_link_altname(int type, const char *name, unsigned index, const char *altname);

int net_link_requests(const struct net_step *step, const struct net_site *site,
	net_request_fn *put, void *arg);

#endif
