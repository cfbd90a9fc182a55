/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of Bind=: which of its addresses a VS is served on, besides loopback. */
#ifndef RPCBIND_BIND_H
#define RPCBIND_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "opener_filter.h"
#include "uaddr.h"

/* An address of one host, or 0.0.0.0 or :: for all of a family. 0 or -EINVAL. */
int bind_parse(const char *value, struct opener_address *address);
/* conf_item.check */
bool bind_check(const char *value, char *reason, size_t size);
/* The list of a VS as the opener wants it. list may be NULL, and was checked. 0 or -ENOMEM. */
int bind_policy(char *const *list, struct opener_vs_policy *policy);
/* Is a VS with this list served at this address? Loopback and local sockets always are. */
bool bind_serves(char *const *list, const struct uaddr *contacted);

#endif
