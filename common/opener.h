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
struct fdstore;
struct inherited;

struct opener_hooks {
	/* The daemon's settings as the server should see them; borrowed. */
	const struct ini_doc *(*settings)(void *arg);
	/* Adds the settings of one VS to doc. 0 or -ENOMEM. */
	int (*vs_settings)(void *arg, struct vs *vs, struct ini_doc *doc);
	/* What the settings that vs_settings gave mean for the opener. 0 or -errno. */
	int (*vs_policy)(void *arg, const struct ini_doc *settings,
		struct opener_vs_policy *policy);
	bool (*serves_host)(void *arg);
	/* Reads the configuration again, with all that follows. 0 or -errno with a reason. */
	int (*reload)(void *arg, char *text, size_t size);
	void (*ready)(void *arg, const char *status);
	/* The server hung up or broke the protocol; its process is to be ended and replaced. */
	void (*lost)(void *arg, int error);
	/* The whole is to restart in place; opener_answer() tells what came of it. */
	void (*restart)(void *arg, uint32_t call);
	/* The server has answered opener_ping(). */
	void (*alive)(void *arg);
	void *arg;
};

/* reg, policy and hooks are borrowed and outlive the opener. */
int opener_new(struct opener **opener, struct loop *loop, struct vs_reg *reg,
	const struct opener_policy *policy, const struct opener_hooks *hooks);
void opener_free(struct opener *opener); /* closes all sockets; NULL is allowed */

/*
 * Once, before there is a server: keeps those of the inherited sockets that it would make itself,
 * and closes the others. store, or NULL, is taken over; what is kept is put there.
 */
void opener_inherit(struct opener *opener, struct fdstore *store, const struct inherited *list,
	size_t count);
/* The sockets that are kept, for the next self; their descriptors stay the opener's. *list is to be
 * freed. 0 or -ENOMEM. */
int opener_kept(const struct opener *opener, struct inherited **list, size_t *count);
/* Brings the store up to date, for at most a second. 0 or -errno, told. */
int opener_flush_store(struct opener *opener);
/* Will this socket, OPENER_PATH or OPENER_CONTROL, be listened on when we are gone: by what is in
 * the store, or by a socket unit? */
bool opener_outlived(const struct opener *opener, enum opener_kind kind);

/* Ends a call of the server's that waits. rc: 0 or -errno with a reason. */
int opener_answer(struct opener *opener, uint32_t call, int rc, const char *text);
void opener_ping(struct opener *opener);

/* A new server at the other end of fd is told everything. fd is taken over in any case. */
int opener_attach(struct opener *opener, int fd);

/* At the end: removes the local sockets of single VSs, but for those that are listened on when we
 * are gone. */
void opener_remove_locals(struct opener *opener);

/* Is what stands at the path of the policy the socket that we listen on? */
bool opener_owns_path(const struct opener *opener);

/* After a reload: differences of the registry go to opener_vs_event by vs_reg_reload(), and
 * opener_refresh() then sends the settings again. */
void opener_vs_event(struct vs *vs, enum vs_event event, void *opener);
int opener_refresh(struct opener *opener); /* 0, or -errno: told, and the server knows nothing new */

#endif
