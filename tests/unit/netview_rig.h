/* SPDX-License-Identifier: BSD-3-Clause */
/* A view of a namespace, with a clock of the test's, and lists of addresses as text. */
#ifndef NSAUX_TESTS_NETVIEW_RIG_H
#define NSAUX_TESTS_NETVIEW_RIG_H

#include "netview.h"
#include "resolv_net_rig.h"

#define VIEWER_MAX 16

struct viewer {
	struct place *place;
	struct netview *view;
	struct loop *loop; /* NULL: without one */
	const struct rconf *conf;
	uint64_t now;
	int ns; /* the viewer's; -1: none */
};

/* Of the namespace at a path, of which ns (which it takes over) is a descriptor. */
struct viewer *viewer_new(struct nst *t, int ns, const char *path, bool loop);
struct viewer *viewer_new_config(const struct vsresolv_config *config, int ns, bool loop);
/* Of a VS. */
struct viewer *viewer_new_vs(struct vs *vs, bool loop);
void viewer_free(struct viewer *v);

/* Sorts "2001:db8::1 192.0.2.1 fe80::1%b0"; the order must be this. */
void viewer_expect(struct viewer *v, const char *list, const char *sorted);
void viewer_expect_error(struct viewer *v, const char *list, int error);
void viewer_families(struct viewer *v, bool *has4, bool *has6);
/* The loop turns as long as there is something. */
void viewer_turn(struct viewer *v);
/* Sorts until nothing is reported any more. */
void viewer_settle(struct viewer *v, const char *list);

#endif
