/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of network.h:
 *
 *   network_conf.c     the keys of [VirtualServer] and [Network]: one schema table
 *   network_words.c    one value as words; network_device.c, network_address.c and
 *                      network_sysctl.c know those of each key
 *   network_parse.c    the values of a document as one struct network
 *   network_check.c    what does not fit together in it
 *   network_members.c  what does not fit together among several
 */
#ifndef NSAUX_NETWORK_PRIVATE_H
#define NSAUX_NETWORK_PRIVATE_H

#include "conf.h"
#include "network.h"

/* The two sections as text. */
struct network_values {
	char *ns; /* Namespace= */
	bool enabled;
	int flavour; /* index: 0 namespace, 1 mark */
	char *mark, *table;
	bool is_default;
	char **devices, **addresses, **pools, **gateways, **routes, **sysctls;
	char *nft_file;
};

extern const struct conf_schema network_schema;

/* Where errors go; count: how many there were. */
struct network_errors {
	ini_error_fn *error;
	void *arg;
	unsigned count;
};

void network_tell(struct network_errors *errors, const struct network_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * The text of one value. False: reason has the end of a sentence ("has no peer"). A device
 * that is not said to be of a kind is of kind 0, with `link` its own name.
 */
bool network_read_device(
	const char *value, struct network_device *device, char *reason, size_t size);
bool network_read_address(
	const char *value, struct network_address *address, char *reason, size_t size);
bool network_read_pool(const char *value, struct network_pool *pool, char *reason, size_t size);
bool network_read_gateway(
	const char *value, struct network_route *route, char *reason, size_t size);
bool network_read_route(const char *value, struct network_route *route, char *reason, size_t size);
/* path: at least INI_LINE_MAX + 1 bytes; *set_to is in value. */
bool network_read_sysctl(
	const char *value, char *path, const char **set_to, char *reason, size_t size);
/* A mark or a table, decimal or 0x... */
bool network_read_number(const char *value, uint32_t *number);

/* values: all of doc, without an error (conf_apply() of network_schema). 0, -EINVAL, -ENOMEM. */
int network_build(struct network **network, const struct network_values *values,
	const struct ini_doc *doc, ini_error_fn *error, void *arg);

/* Checks one network, and gives its devices, addresses and routes what follows from the others:
 * kind, link_is_own, dev. 0 or -ENOMEM; the errors are counted. */
int network_check(struct network *network, struct network_errors *errors);

#endif
