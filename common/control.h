/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: Varlink framing, i.e. one JSON object and a NUL each way.
 *
 * Only root, the daemon's own uid, and the uids that the file's mode lets in get this far; a peer
 * whose uid is neither 0 nor the daemon's is answered PermissionDenied and hung up. Limits: 16
 * peers, 4 of which may be such strangers, for 10 s each; 64 KiB a request; a reply may be as
 * large as it must. Calls of one peer are served one after the other, each when the reply to
 * the one before is sent. A peer that does not read its reply is not read from, and is dropped
 * when the reply has made no way for 10 s. Whoever sends what is not a call is dropped. "oneway"
 * calls are not replied to; "more" gets a single reply. A peer that hangs up while a call is not
 * answered yet loses what it sent after that call.
 */
#ifndef NSAUX_CONTROL_H
#define NSAUX_CONTROL_H

#include <jansson.h>

#include "loop.h"

struct control;
struct control_call; /* one call that waits for its reply */

/*
 * A method. parameters is borrowed and always an object. The handler answers with exactly one of
 * control_reply() and control_error(), at once or later; after the peer hung up, and after
 * control_free(), the answer is discarded, but must still be given.
 */
struct control_method {
	const char *name; /* "interface.Method" */
	void (*fn)(struct control_call *call, json_t *parameters, void *arg);
};

/* fd: a listening AF_UNIX stream socket, taken over on success and made non-blocking. methods:
 * ends with a NULL name; must outlive it. org.varlink.service.GetInfo is answered by itself.
 * 0 or -errno. */
int control_new(struct control **control, struct loop *loop, int fd,
	const struct control_method *methods, void *arg);
/* Not in a method. NULL is allowed. */
void control_free(struct control *control);

/* Both take over the reference to parameters, an object or NULL for an empty one, and end call.
 * control_error: name as "interface.Error". */
void control_reply(struct control_call *call, json_t *parameters);
void control_error(struct control_call *call, const char *name, json_t *parameters);

/* The client's side, blocking, for vsctl: connects to path, calls, waits at most timeout_ms in
 * all. parameters is borrowed; NULL is an empty object. *reply is the reply's parameters (a new
 * reference). -EREMOTEIO for an error reply, in which case *reply is {"error": name,
 * "parameters": {...}}. Else -ETIMEDOUT, -EPROTO (a malformed reply), -ECONNRESET (hung up
 * without one), -EMSGSIZE (a reply over 64 MiB), -ENAMETOOLONG, or what connect(2), send(2) and
 * recv(2) give. */
int control_call_path(const char *path, const char *method, json_t *parameters, int timeout_ms,
	json_t **reply);

#endif
