/* SPDX-License-Identifier: BSD-3-Clause */
/* What an inherited descriptor is, as the kernel tells. */
#ifndef NSAUX_OPENER_JUDGE_H
#define NSAUX_OPENER_JUDGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "opener_socket.h"

struct opener_judged {
	enum opener_kind kind;
	uint64_t cookie; /* of the socket's namespace */
};

/* Is it a socket as the opener makes them by this policy? NULL when it is, else why it is not, for
 * the log. Nothing is done to it. */
const char *opener_judge(int fd, const struct opener_policy *policy, struct opener_judged *judged);

/* The same for the local socket of one VS, which stands at path or is none of it. */
const char *opener_judge_local(int fd, const char *path, struct opener_judged *judged);

/* Gives it the options that the opener's own have, and has a stream socket listen. 0 or -errno. */
int opener_make_ready(int fd, enum opener_kind kind);

/* "tcp6 [::]:111", "unix /run/rpcbind.sock", "unix @name": for the log. */
void opener_describe(int fd, char *text, size_t size);

/* The file that a bound AF_UNIX socket made, wherever that was renamed to since. 0 or -errno. */
int opener_socket_file(int fd, struct stat *st);

#endif
