/* SPDX-License-Identifier: BSD-3-Clause */
/* The rebinding guard: addresses that an answer of the DNS may not have. Thread-safe. */
#ifndef NSAUX_GUARD_H
#define NSAUX_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"
#include "vsresolv.h"

struct guard;

/* registry may be NULL. vs: the context's own, or NULL: then all VSs are others. */
int guard_new(struct guard **guard, struct vs_reg *registry, struct vs *vs);
void guard_free(struct guard *guard); /* NULL is allowed */
/* What is local in the VS's own namespace is asked by sockets of its place, which may have an
 * opener where this process must not enter. The place must outlive the guard. Before the first
 * use. */
void guard_ask_by(struct guard *guard, struct place *place);
/*
 * Loopback, the wildcard (IPv4-mapped too), and an address of another VS of the registry: false.
 * In the namespace of a mark VS vs_by_address() decides of what is local there; what is local and
 * nobody's is not allowed either. A namespace VS compares with the addresses of all other VSs,
 * too; of one that it has itself, they may have the same. The addresses are read at most once a
 * second, and not before they are asked for; while they cannot be read nothing is allowed but
 * what is decided without them. guard NULL: true.
 */
bool guard_allows(struct guard *guard, int family, const void *addr, uint64_t now);

#endif
