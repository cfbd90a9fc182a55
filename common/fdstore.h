/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service manager's store of descriptors: what is put there, it hands to the next start as
 * LISTEN_FDS (FileDescriptorStoreMax= in systemd.service(5)), so that the sockets outlive us.
 *
 * It is in use when $FDSTORE says how many descriptors the manager keeps. A stored socket pins its
 * namespace, and is taken back when its VS goes. All sockets of a VS are under one name, "n" and
 * the cookie to the base 36; those that belong to no VS are under key 0, and that of a mark VS,
 * which shares its cookie with others, under a number that no cookie has. The names of all are one
 * string in the environment of the next start, which exec(2) refuses above 128 KiB: what would go
 * beyond is not stored. A cookie has as many digits as the machine made namespaces since it was
 * booted: up to 1.6 million of them, 4,230 VSs with five sockets each fit.
 *
 * What the manager should have is compared with what it was told: nothing is queued but keys, and
 * a manager that does not keep up is told the rest later. Every function but fdstore_name() and
 * fdstore_key() takes NULL for a store that is not in use.
 */
#ifndef NSAUX_FDSTORE_H
#define NSAUX_FDSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "opener_proto.h"

#define FDSTORE_NAME_SIZE 15
/* Bytes of all names; the rest of 128 KiB is for the names of the units' own sockets. */
#define FDSTORE_NAMES_MAX (124 * 1024)
#define FDSTORE_KINDS                                                                              \
	(OPENER_BIT(OPENER_UDP4) | OPENER_BIT(OPENER_UDP6) | OPENER_BIT(OPENER_TCP4) |             \
		OPENER_BIT(OPENER_TCP6) | OPENER_BIT(OPENER_ABSTRACT) |                           \
		OPENER_BIT(OPENER_LOCAL) | OPENER_GLOBAL)

struct fdstore;

void fdstore_name(uint64_t key, char name[FDSTORE_NAME_SIZE]);
int fdstore_key(const char *name, uint64_t *key); /* -EINVAL: no name of ours */

/* How many descriptors the manager keeps, by $FDSTORE; 0: none, as without $NOTIFY_SOCKET. */
size_t fdstore_limit(void);

/* notify_fd is borrowed. 0 or -errno. */
int fdstore_new(struct fdstore **store, struct loop *loop, int notify_fd, size_t limit);
/* Until then nothing is told to the manager: READY=1 is not to wait behind 1,000 messages. */
void fdstore_start(struct fdstore *store);
void fdstore_free(struct fdstore *store); /* what is stored stays so */

/* fd is to be stored, and stays open until it is dropped. Kinds not in FDSTORE_KINDS are not. */
void fdstore_put(struct fdstore *store, uint64_t key, enum opener_kind kind, int fd);
/* As put, but the manager has handed it to us under this key, and so has it. */
void fdstore_found(struct fdstore *store, uint64_t key, enum opener_kind kind, int fd);
/* To be called before the descriptor is closed. */
void fdstore_drop(struct fdstore *store, uint64_t key, enum opener_kind kind);
/* Whatever the manager has under the key is to go, but for what is put there. */
void fdstore_stale(struct fdstore *store, uint64_t key);
void fdstore_drop_all(struct fdstore *store, uint64_t key);

/* Has the manager been told that it keeps this one? */
bool fdstore_has(const struct fdstore *store, uint64_t key, enum opener_kind kind);
/* Blocks until the manager was told everything. -ETIMEDOUT after so many milliseconds. */
int fdstore_flush(struct fdstore *store, int timeout_ms);

#endif
