/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries out a plan in one namespace: the requests of one kind of step that follow each other in one
 * send (of all kinds where nothing gets in yet), sysctls and nft files between them. When a step fails, those before it are undone, the last
 * one first.
 */
#ifndef NSAUX_NET_MAKE_H
#define NSAUX_NET_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "net_state.h"

struct net_ground {
	const char *name; /* of the namespace, for messages */
	int ns_fd;
	uint64_t cookie;
	int sock;      /* net_batch_socket() */
	bool is_home;  /* it is the parent namespace */
	bool is_ours;  /* made by vsctl: so is its nft ruleset */
	bool is_new;   /* made for this plan: nobody is in it */
	void *owner;   /* for net_maker_light() */
	const struct net_state *parent, *have; /* what the plan was made from */
	net_report_fn *report; /* of every error, with the place that it comes from */
	void *arg;
};

struct net_maker;

/* parent_sock: net_batch_socket() of the parent namespace. Both are borrowed. */
int net_maker_new(struct net_maker **maker, int parent_fd, int parent_sock);
void net_maker_free(struct net_maker *maker); /* NULL is allowed */

/*
 * NET_DARK: done but for the other ends of its devices, which net_maker_light() sets up; until then
 * nothing gets in. That is so in new namespaces all of whose devices are veth. 0; 1: done up to late routes, whose sources are not usable yet, so that the namespace is to be
 * compared again in a while; -errno: told, and undone as far as that goes.
 */
int net_make(struct net_maker *maker, const struct net_ground *ground, const struct net_plan *plan);
#define NET_DARK 2

/*
 * Sets up what has been waiting: late and all at once, because Linux does the work that a carrier
 * brings under the lock that all of this needs. Tells of each owner for whom it failed.
 */
typedef void net_light_fn(void *arg, void *owner, int error, const char *text);
void net_maker_light(struct net_maker *maker, net_light_fn *failed, void *arg);
size_t net_maker_waiting(const struct net_maker *maker);

/* Of the last net_make(): was that step done? */
bool net_maker_did(const struct net_maker *maker, size_t step);
/* Of the last net_make() that failed: nothing is left of it. */
bool net_maker_is_clean(const struct net_maker *maker);

#endif
