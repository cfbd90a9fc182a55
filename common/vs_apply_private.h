/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NSAUX_VS_APPLY_PRIVATE_H
#define NSAUX_VS_APPLY_PRIVATE_H

#include <stdarg.h>
#include <syslog.h>

#include "net_make.h"
#include "vs_apply.h"

struct vs_apply {
	const struct vs_apply_config *config;
	struct vs_conf *confs;
	struct vs_journal *journal; /* NULL: there is none (a dry run) */
	struct vs_group *groups;
	int lock;
	int home, home_sock;     /* the namespace that vsctl runs in */
	uint64_t home_cookie;
	struct net_state parent; /* its devices */
	struct net_state gifts;  /* what it will have, or (without a name) not have, once all is done */
	struct net_look look;    /* of the namespace at hand */
	struct net_maker *maker;
	bool is_netns_dir_ready, has_ipv6;
	bool is_waiting;         /* for something of somebody else's, which was told */
	int status;              /* the first error */
};

/* A namespace at hand. ns is -1 where there is none yet. */
struct vs_place {
	int ns, sock;
	uint64_t cookie;
	bool is_new; /* nobody was in it */
};

void vs_tell(struct vs_apply *a, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE: TEXT", or without a place "VS NAME: TEXT". */
void vs_tell_place(struct vs_apply *a, int priority, const struct vs_group *group,
	const struct network_place *place, const char *text);
/* The step that is done with the namespace itself: "make", "remove". */
void vs_tell_namespace(struct vs_apply *a, const struct vs_group *group, const char *what);
/* Of a group, and notes it as the status of the whole. Returns rc. */
int vs_fail(struct vs_apply *a, const struct vs_group *group, int rc, const char *what);

/* vs_compare.c. find: 0, also when there is nothing; errors are told. open: only where there was
 * something when the group was looked up. */
int vs_place_find(struct vs_apply *a, const struct vs_group *group, struct vs_place *place);
int vs_place_open(struct vs_apply *a, const struct vs_group *group, struct vs_place *place);
int vs_place_use(struct vs_apply *a, struct vs_place *place); /* its socket */
void vs_place_close(const struct vs_apply *a, struct vs_place *place);
int vs_read_parent(struct vs_apply *a);
/* Into a->look. 0 or an error; conflicts are reported, other errors not. */
int vs_compare(struct vs_apply *a, const struct vs_group *group, const struct vs_place *place,
	net_report_fn *report, void *arg);

/* vs_check.c: all groups; those that have something to do are pending then. */
int vs_check(struct vs_apply *a);

/* vs_change.c: 0; 1: it waits for an address; an error, which was told. The group may be dark then. */
int vs_change(struct vs_apply *a, struct vs_group *group);
/* Ends the darkness of all groups: they are made, or taken down again. */
void vs_light(struct vs_apply *a);

#endif
