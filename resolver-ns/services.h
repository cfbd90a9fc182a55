/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of services and their ports: of a file as in services(5), or of the table built in. */
#ifndef NSAUX_SERVICES_H
#define NSAUX_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICES_FILE_MAX (1u << 20)
#define SERVICES_NAMES_MAX (1u << 16) /* aliases included */
#define SERVICES_NAME_MAX 63          /* bytes; a line with a longer name is wrong */

enum services_proto { SERVICES_TCP = 1, SERVICES_UDP = 2, SERVICES_SCTP = 4, SERVICES_DCCP = 8 };

struct services;

/* Told of each line that is wrong and passed over (the first 20). Other protocols than these four
 * are not wrong, only of no use. */
typedef void services_log_fn(void *arg, unsigned line, const char *text);
/* -ENOMEM, -EFBIG. */
int services_parse(
	struct services **services, const char *text, size_t len, services_log_fn *log, void *arg);
struct services *services_ref(struct services *services); /* NULL gives NULL */
void services_free(struct services *services); /* gives a reference back; NULL is allowed */

/* services NULL: the table built in (what network servers and their clients use). Aliases are
 * found, too; case matters. Of two lines the first counts. *port in host order. -ENOENT. */
int services_port(const struct services *services, const char *name, enum services_proto proto,
	uint16_t *port);
/* The official name, valid as long as the table; NULL: none. */
const char *services_name(
	const struct services *services, uint16_t port, enum services_proto proto);

#endif
