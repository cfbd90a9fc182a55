/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a context's sockets are made: inside its VS, with everything that makes them the VS's, or
 * not at all. Holds no descriptor. Thread-safe.
 */
#ifndef NSAUX_PLACE_H
#define NSAUX_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "vsresolv.h"

struct place;

/*
 * The place of a VS of the registry (takes a reference), or of the fields of config from
 * netns_path to bind6 if vs is NULL. config may have device and binds with a VS, too, and an
 * opener: then what the opener returns must be of the VS's namespace, and have its mark. config
 * may be NULL with a VS. Errors as of vsresolv_open().
 *
 * Without a VS, the first socket of an opener tells the namespace, which the others must have, too.
 */
int place_new(struct place **place, struct vs *vs, const struct vsresolv_config *config);
/* The same without features of newer kernels (NETNS_NO_*). */
int place_new_without(struct place **place, struct vs *vs, const struct vsresolv_config *config,
	unsigned without);
void place_free(struct place *place); /* NULL is allowed */

/*
 * A socket of AF_INET, AF_INET6 or AF_NETLINK; close-on-exec, non-blocking; with mark and device,
 * IPv6 only, and bound to the source address that is configured for its family, without a port
 * (IP_BIND_ADDRESS_NO_PORT). type has no flags. -ESTALE: the VS is gone, or what has its name is
 * another one. -EPROTO: what the opener returned is not what it was asked for. -EADDRNOTAVAIL:
 * the source address is not the VS's. -EPERM, -ENODEV, -EMFILE...
 */
int place_socket(struct place *place, int family, int type, int protocol);
/* The number of a device of the VS, asked of a socket made there. -ENODEV. */
int place_ifindex(struct place *place, const char *device, unsigned *ifindex);
bool place_is_mark(const struct place *place);
/* Gone? Of the registry's VSs, as that knows; with netns_path, when that no longer leads there (a
 * system call); else never known, but by -ESTALE of a socket. */
bool place_is_gone(const struct place *place);
/* The VS of the registry, borrowed, or NULL. */
struct vs *place_vs(const struct place *place);

#endif
