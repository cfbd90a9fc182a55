/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The opener: the privileged side of a daemon. It owns the registry of virtual servers, makes
 * their sockets, keeps the listening ones over the life of a server, and answers the requests of
 * opener_proto.h. It reads nothing that comes from a network.
 */
#ifndef NSAUX_OPENER_H
#define NSAUX_OPENER_H

#include <stdbool.h>
#include <stddef.h>

#include "ini.h"
#include "loop.h"
#include "opener_socket.h"
#include "vsreg.h"

struct opener;

struct opener_hooks {
	/* The daemon's settings as the server should see them; borrowed. */
	const struct ini_doc *(*settings)(void *arg);
	/* Adds the settings of one VS to doc. 0 or -ENOMEM. */
	int (*vs_settings)(void *arg, struct vs *vs, struct ini_doc *doc);
	bool (*serves_host)(void *arg);
	/* Reads the configuration again, with all that follows. 0 or -errno with a reason. */
	int (*reload)(void *arg, char *text, size_t size);
	void (*ready)(void *arg, const char *status);
	/* The server hung up or broke the protocol; its process is to be ended and replaced. */
	void (*lost)(void *arg, int error);
	void *arg;
};

/* reg, policy and hooks are borrowed and outlive the opener. */
int opener_new(struct opener **opener, struct loop *loop, struct vs_reg *reg,
	const struct opener_policy *policy, const struct opener_hooks *hooks);
void opener_free(struct opener *opener); /* closes all sockets; NULL is allowed */

/* A new server at the other end of fd is told everything. fd is taken over in any case. */
int opener_attach(struct opener *opener, int fd);

/* Is what stands at the path of the policy the socket that we listen on? */
bool opener_owns_path(const struct opener *opener);

/* After a reload: differences of the registry go to opener_vs_event by vs_reg_reload(), and
 * opener_refresh() then sends the settings again. */
void opener_vs_event(struct vs *vs, enum vs_event event, void *opener);
int opener_refresh(struct opener *opener); /* 0, or -errno: told, and the server knows nothing new */

#endif
