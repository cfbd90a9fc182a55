/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of which the tables of services.h are made, and those that are built in. */
#ifndef NSAUX_SERVICES_TABLE_H
#define NSAUX_SERVICES_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct service {
	const char *name;
	const char *official; /* NULL: name is not an alias */
	uint16_t port;
	uint8_t protocols; /* bits of enum services_proto */
};

/* In order of strcmp(3), each name once. */
extern const struct service services_table[];
extern const size_t services_table_count;

#endif
