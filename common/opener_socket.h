/* SPDX-License-Identifier: BSD-3-Clause */
/* Making the sockets of a VS: all that are asked for in one visit to its namespace. */
#ifndef NSAUX_OPENER_SOCKET_H
#define NSAUX_OPENER_SOCKET_H

#include <stdint.h>

#include "opener_filter.h"
#include "opener_proto.h"
#include "vsreg.h"

#define OPENER_BACKLOG 1024 /* of a socket of one VS */
/* Clients of all VSs come by one path socket, and whoever fills its queue has the others wait
 * behind it. Where it is full connect(2) waits, and those who wait are let in in turn. */
#define OPENER_PATH_BACKLOG 128

struct opener_policy {
	uint16_t port;           /* of the UDP and TCP sockets */
	const char *abstract;    /* name without the leading NUL; NULL or "": none */
	const char *path;        /* of the path socket; NULL or "": none */
	const char *control;     /* of the control socket */
	const char *state;       /* directory of the state files; NULL or "": none are kept */
	const char *warm_dir;    /* of stock's warm-start files; NULL: leave them alone */
	const char *lock;        /* locked while the host is served; NULL or "": none */
	uint32_t absent;         /* kinds that no VS has: EOPNOTSUPP */
};

/* What became of one socket: fd >= 0, or error (a positive errno). */
struct opener_socket {
	int fd;
	int error;
};

/*
 * Makes the sockets of mask inside vs. result has OPENER_KIND_COUNT elements, of which those in
 * mask are written. The descriptors are non-blocking and the caller's.
 */
void opener_make_sockets(struct vs *vs, const struct opener_policy *policy,
	const struct opener_vs_policy *vs_policy, uint32_t mask, struct opener_socket *result);

/*
 * Room in the receive queues of the UDP sockets of mask, which VSs share: what comes for one of
 * them stands in the way of the others until the server has read it, which has to be given time to
 * run.
 */
#define OPENER_SHARED_QUEUE (4 << 20) /* bytes, by the kernel's reckoning twice as many */
void opener_widen(uint32_t mask, const struct opener_socket *sockets);

/*
 * A listening AF_UNIX stream socket at path with mode, in the caller's namespace. A socket
 * there that nobody listens on is replaced, atomically, so that no client finds nothing.
 * fd, or -EADDRINUSE when somebody listens there, or -errno.
 */
int opener_listen_path(const char *path, unsigned mode);

#endif
