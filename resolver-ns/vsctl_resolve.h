/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl resolve: from what is asked to the answers as JSON, and those for people. */
#ifndef NSAUX_VSCTL_RESOLVE_H
#define NSAUX_VSCTL_RESOLVE_H

#include <jansson.h>

#include "vsctl.h"
#include "vsresolv.h"

#define RESOLVE_SCHEMA 1

enum resolve_kind {
	RESOLVE_ADDRESSES, /* as applications do: hosts file, search list, both families */
	RESOLVE_NAMES,     /* of an address */
	RESOLVE_SERVICE,   /* SRV, with the addresses of the targets */
	RESOLVE_RECORDS,   /* a question of any type as it is */
};

struct resolve_ask {
	const char *name;
	const char *type; /* as written; "" for RESOLVE_ADDRESSES and RESOLVE_NAMES */
	enum resolve_kind kind;
	uint16_t type_number;
	struct sockaddr_storage address; /* RESOLVE_NAMES */
	int timeout_ms;
};

/* The parts of an answer; NULL: no memory. */
json_t *resolve_addresses(const struct addrinfo *list);
json_t *resolve_names(const struct vsresolv_names *names);
json_t *resolve_services(const struct vsresolv_srv *list);
json_t *resolve_records(const uint8_t *message, size_t len);

/* "192.0.2.1" or "[2001:db8::1]:53" where a port is wanted; "" for no address. */
#define RESOLVE_ADDRESS_TEXT 80
void resolve_address_text(const struct sockaddr *address, int with_port,
	char text[static RESOLVE_ADDRESS_TEXT]);

/* answers: a list of objects, one for each VS. */
int resolve_print_one(const struct resolve_ask *ask, const json_t *answer);
int resolve_print_table(const struct resolve_ask *ask, const json_t *answers);

#endif
