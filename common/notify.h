/* SPDX-License-Identifier: BSD-3-Clause */
/* Word to the service manager (sd_notify(3)'s protocol: one datagram to $NOTIFY_SOCKET). */
#ifndef NSAUX_NOTIFY_H
#define NSAUX_NOTIFY_H

#include <stddef.h>

#define NOTIFY_FDS_MAX 16

/* Reads $NOTIFY_SOCKET once; *fd is a connected socket, or -1 when there is no manager. -EINVAL
 * for a name that is neither a path nor "@abstract", or what connect(2) gave. */
int notify_open(int *fd);
/* Lines such as "READY=1\nSTATUS=...", at most 1,023 bytes in all. Never blocks: -EAGAIN when the
 * manager does not keep up. Harmless with fd -1. */
int notify_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* With copies of descriptors, which stay the caller's. */
int notify_send_fds(int fd, const int *fds, size_t count, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
