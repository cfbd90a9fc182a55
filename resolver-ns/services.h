/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of services and their ports: of a file as in services(5), or of the table built in. */
#ifndef NSAUX_SERVICES_H
#define NSAUX_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICES_FILE_MAX (1u << 20)

enum services_proto { SERVICES_TCP = 1, SERVICES_UDP = 2, SERVICES_SCTP = 4, SERVICES_DCCP = 8 };

struct services;

typedef void services_log_fn(void *arg, unsigned line, const char *text);
int services_parse(struct services **services, const char *text, size_t len, services_log_fn *log,
	void *arg);
void services_free(struct services *services); /* NULL is allowed */

/* services NULL: the table built in (what network servers and their clients use). Aliases are found,
 * too. *port in host order. -ENOENT. */
int services_port(const struct services *services, const char *name, enum services_proto proto,
	uint16_t *port);
/* The official name, valid as long as the table; NULL: none. */
const char *services_name(const struct services *services, uint16_t port, enum services_proto proto);

#endif
