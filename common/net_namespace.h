/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of network namespaces: a namespace bound to a file of a directory, as ip-netns(8) does it.
 *
 * The file below a mount of ours is told from one of ip-netns(8) by its mode, which it has from
 * birth: when a crash leaves one without a mount, it is known whose it is.
 */
#ifndef NSAUX_NET_NAMESPACE_H
#define NSAUX_NET_NAMESPACE_H

#include <stdint.h>

enum net_namespace_look {
	NET_NAMESPACE_NONE,     /* there is nothing */
	NET_NAMESPACE_THERE,    /* a namespace */
	NET_NAMESPACE_LEFTOVER, /* our file, and no namespace on it */
	NET_NAMESPACE_OTHER,    /* something else */
};

/* Makes the directory, and a shared mount of it, where they are missing. Two at once, here
 * or in ip-netns(8), wait for each other, at most five seconds (-EBUSY). 0 or -errno. */
int net_namespace_prepare(const char *dir);

/* What is at the path? With NET_NAMESPACE_THERE *fd is the caller's, and *cookie is its
 * cookie. One of the above, or -errno where it cannot be said. */
int net_namespace_look(const char *path, int *fd, uint64_t *cookie);

/* The cookie of a namespace, on any kernel. */
int net_namespace_cookie(int fd, uint64_t *cookie);

/* Gives the namespace behind fd a name. -EEXIST: something of somebody else is there. */
int net_namespace_bind(const char *path, int fd);

/* Takes the name from the namespace of that cookie, or what a crash left of it. What else may
 * be there is left alone. 0 or -errno. */
int net_namespace_unbind(const char *path, uint64_t cookie);

#endif
