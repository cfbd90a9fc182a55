/* SPDX-License-Identifier: BSD-3-Clause */
/* Between net_make.c and net_undo.c. */
#ifndef NSAUX_NET_MAKE_PRIVATE_H
#define NSAUX_NET_MAKE_PRIVATE_H

#include "net_batch.h"
#include "net_make.h"
#include "net_step.h"

#define NO_STEP SIZE_MAX
#define NET_SYSCTL_SAVED_MAX 1024

/* What a request in a batch is for. */
struct net_request {
	size_t step; /* of the plan, or NO_STEP */
	enum net_role role;
	const struct net_link *link; /* of NET_ROLE_LOOK */
};

struct net_side {
	struct net_batch batch;
	struct net_request requests[NET_BATCH_MAX];
};

/* What a step was before: a sysctl's value, or the nft ruleset (a memory file). */
struct net_saved {
	size_t step;
	int ruleset; /* -1: none */
	char value[NET_SYSCTL_SAVED_MAX];
	struct net_saved *next;
};

struct net_failure {
	size_t step;
	int error; /* 0: none */
	char text[NET_BATCH_TEXT];
};

struct net_maker {
	int parent_fd;
	struct net_side inside, outside; /* at home inside alone is used */
	const struct net_ground *ground;
	const struct net_plan *plan;
	struct net_site site;
	unsigned char *roles; /* of each step: those of its requests that were done */
	size_t roles_size, made_size;
	struct net_saved *saved; /* the last one first */
	/* The namespace is new and all its devices are veth: nothing gets in before their other ends
	 * are up. Until then one send will do for steps of all kinds. */
	bool is_dark;
	struct net_waiting *waiting; /* other ends, of all dark namespaces */
	size_t waiting_count, waiting_size;
	bool has_late, is_clean;
	size_t current; /* step that requests are taken for */
	struct net_failure failure; /* the first */
};

struct net_waiting {
	struct nl_msg *msg;
	void *owner;
};

/* net_light.c: takes over the message. 0 or -ENOMEM. */
int net_maker_wait(struct net_maker *maker, struct nl_msg *msg);
void net_maker_forget(struct net_maker *maker, size_t count); /* all but the first `count` */

/* Adds a request to the batch where it belongs; a net_request_fn. */
int net_maker_take(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg);
/* Adds the requests of a step for `current`, and notes devices that it makes. */
int net_maker_step(struct net_maker *maker, const struct net_step *step);
/* Sends what there is, the parent's first if so told. Failures are noted. */
int net_maker_flush(struct net_maker *maker, bool is_parent_first);

/* The first `count` steps. Returns how many could not be undone. */
size_t net_maker_undo(struct net_maker *maker, size_t count);

#endif
