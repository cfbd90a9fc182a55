/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: Varlink framing, i.e. one JSON object and a NUL each way.
 *
 * Only root, the daemon's own uid, and the uids that the file's mode lets in get this far; a peer
 * whose uid is neither 0 nor the daemon's is answered PermissionDenied. Limits: 16 peers,
 * 64 KiB a request; a reply may be as large as it must. A peer that does not read its replies
 * is not read from, and is dropped after 10 s.
 */
#ifndef NSAUX_CONTROL_H
#define NSAUX_CONTROL_H

#include <jansson.h>

#include "loop.h"

struct control;
struct control_call; /* one call that waits for its reply */

/*
 * A method. parameters is borrowed and always an object. The handler answers with exactly one of
 * control_reply() and control_error(), at once or later; after the peer hung up the answer is
 * discarded, but must still be given.
 */
struct control_method {
	const char *name; /* "interface.Method" */
	void (*fn)(struct control_call *call, json_t *parameters, void *arg);
};

/* fd: a listening AF_UNIX stream socket, taken over on success. methods: ends with a NULL name;
 * must outlive it. org.varlink.service.GetInfo is answered by itself. */
int control_new(struct control **control, struct loop *loop, int fd,
	const struct control_method *methods, void *arg);
void control_free(struct control *control);

/* Both take over the reference to parameters. control_error: name as "interface.Error". */
void control_reply(struct control_call *call, json_t *parameters);
void control_error(struct control_call *call, const char *name, json_t *parameters);

/* The client's side, blocking, for vsctl: connects to path, calls, waits at most timeout_ms.
 * *reply is the reply's parameters (a new reference). -EPROTO for a malformed reply; -EREMOTEIO for an error
 * reply, in which case *reply is {"error": name, "parameters": {...}}. */
int control_call_path(const char *path, const char *method, json_t *parameters, int timeout_ms,
	json_t **reply);

#endif
