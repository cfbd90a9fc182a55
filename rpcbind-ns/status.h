/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control socket tells: the methods of the interface org.nsaux.rpcbind. */
#ifndef RPCBIND_STATUS_H
#define RPCBIND_STATUS_H

#include "control.h"
#include "server.h"

#define STATUS_SCHEMA 1 /* version of the replies; additions keep it */

int status_new(struct status **status, struct server *server);
void status_free(struct status *status);

extern const struct control_method status_methods[]; /* arg: struct status * */

/* The opener's answers to what a call asked for. */
void status_addresses(struct status *status, uint32_t call, uint64_t vs, const char *const *text,
	size_t count);
void status_reloaded(struct status *status, uint32_t call, int error, const char *text);

/* The VS of the parameter "name", or NULL, and then the call is answered. */
struct vserver *status_vserver(struct status *status, struct control_call *call,
	json_t *parameters);

/* The method Import (status_import.c): registrations of another rpcbind are added to a VS. */
void status_import(struct control_call *call, json_t *parameters, void *arg);

#endif
