/* SPDX-License-Identifier: BSD-3-Clause */
/* What an rpcbind that listens on a local socket has registered. */
#ifndef NSAUX_VSCTL_LIVE_H
#define NSAUX_VSCTL_LIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rpcbind-ns/warmstart.h"

struct vsctl_dump {
	enum warmstart_kind kind;
	uint8_t *data; /* the list; to be freed */
	size_t len;
};

/* The process that listens on the AF_UNIX stream socket at path; 0 when the kernel cannot say. */
int vsctl_listener(const char *path, pid_t *pid);

/*
 * DUMP of version 4, or of version 2 where the other end does not know that. Waits at most
 * timeout_ms in all, takes at most 64 MiB. -EPROTO: what came is no answer; -EOPNOTSUPP: it
 * dumps in neither version; else as connect(2), send(2) and recv(2), or -ETIMEDOUT.
 */
int vsctl_dump(const char *path, int timeout_ms, struct vsctl_dump *dump);

#endif
