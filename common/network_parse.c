/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of a document as one struct network. */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_private.h"

#define TEXT_MAX 512

struct build {
	struct network *network;
	struct network_errors *errors;
	struct network_place place; /* of the setting that is being taken */
	struct network_place flavour;
	const char *value;
};

void network_tell(struct network_errors *errors, const struct network_place *place,
	const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	errors->count++;
	if (errors->error)
		errors->error(errors->arg, place->file, place->line, text);
}

/* Room for one more at the end of an array, zeroed. The arrays are small, and of the size that they
 * need, because a registry keeps them. */
static void *one_more(void *array, size_t *count, size_t size)
{
	void **items = array;
	char *longer = reallocarray(*items, *count + 1, size);

	if (!longer)
		return NULL;
	*items = longer;
	memset(longer + *count * size, 0, size);
	return longer + (*count)++ * size;
}

/* The functions take_*() put one value into the network; an empty one drops what stood before. */

static int take_device(struct build *b)
{
	struct network *n = b->network;
	struct network_device *device;
	char reason[TEXT_MAX];

	if (!*b->value) {
		n->device_count = 0;
		return 0;
	}
	device = one_more(&n->devices, &n->device_count, sizeof(*device));
	if (!device)
		return -ENOMEM;
	if (!network_read_device(b->value, device, reason, sizeof(reason)))
		return -EINVAL;
	device->place = b->place;
	return 0;
}

static int take_address(struct build *b)
{
	struct network *n = b->network;
	struct network_address *address;
	char reason[TEXT_MAX];

	if (!*b->value) {
		n->address_count = 0;
		return 0;
	}
	address = one_more(&n->addresses, &n->address_count, sizeof(*address));
	if (!address)
		return -ENOMEM;
	if (!network_read_address(b->value, address, reason, sizeof(reason)))
		return -EINVAL;
	address->place = b->place;
	address->table = n->table;
	return 0;
}

static int take_pool(struct build *b)
{
	struct network *n = b->network;
	struct network_pool *pool;
	char reason[TEXT_MAX];

	if (!*b->value) {
		n->pool_count = 0;
		return 0;
	}
	pool = one_more(&n->pools, &n->pool_count, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	if (!network_read_pool(b->value, pool, reason, sizeof(reason)))
		return -EINVAL;
	pool->place = b->place;
	return 0;
}

/* Gateways and routes are in one array, and an empty value drops those of its own key. */
static void drop_routes(struct network *n, bool gateways)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->route_count; i++) {
		if (n->routes[i].is_gateway != gateways)
			n->routes[kept++] = n->routes[i];
	}
	n->route_count = kept;
}

static int take_path(struct build *b, bool is_gateway)
{
	struct network *n = b->network;
	struct network_route *route;
	char reason[TEXT_MAX];
	bool good;

	if (!*b->value) {
		drop_routes(n, is_gateway);
		return 0;
	}
	route = one_more(&n->routes, &n->route_count, sizeof(*route));
	if (!route)
		return -ENOMEM;
	if (is_gateway)
		good = network_read_gateway(b->value, route, reason, sizeof(reason));
	else
		good = network_read_route(b->value, route, reason, sizeof(reason));
	route->place = b->place;
	route->table = n->table;
	route->is_gateway = is_gateway;
	return good ? 0 : -EINVAL;
}

static int take_gateway(struct build *b)
{
	return take_path(b, true);
}

static int take_route(struct build *b)
{
	return take_path(b, false);
}

static void drop_sysctls(struct network *n)
{
	for (size_t i = 0; i < n->sysctl_count; i++)
		free((char *)(uintptr_t)n->sysctls[i].key);
	n->sysctl_count = 0;
}

static int take_sysctl(struct build *b)
{
	struct network *n = b->network;
	struct network_sysctl *sysctl;
	char path[INI_LINE_MAX + 1], reason[TEXT_MAX];
	const char *value;

	if (!*b->value) {
		drop_sysctls(n);
		return 0;
	}
	if (!network_read_sysctl(b->value, path, &value, reason, sizeof(reason)))
		return -EINVAL;
	sysctl = one_more(&n->sysctls, &n->sysctl_count, sizeof(*sysctl));
	if (!sysctl)
		return -ENOMEM;
	*sysctl = (struct network_sysctl){b->place, strdup(path), value};
	return sysctl->key ? 0 : -ENOMEM;
}

static int take_nft_file(struct build *b)
{
	b->network->nft_file = *b->value ? b->value : NULL;
	b->network->nft_place = b->place;
	return 0;
}

static int take_mark(struct build *b)
{
	b->network->mark_place = b->place;
	return 0;
}

static int take_table(struct build *b)
{
	b->network->table_place = b->place;
	return 0;
}

static int take_default(struct build *b)
{
	b->network->default_place = b->place;
	return 0;
}

static int take_flavour(struct build *b)
{
	b->flavour = b->place;
	return 0;
}

enum { OF_BOTH, OF_NAMESPACE, OF_MARK };

static const struct taker {
	const char *section, *key;
	int flavour;
	int (*take)(struct build *b);
} takers[] = {
	{"VirtualServer", "Flavour", OF_BOTH, take_flavour},
	{"VirtualServer", "Mark", OF_MARK, take_mark},
	{"VirtualServer", "Table", OF_MARK, take_table},
	{"VirtualServer", "Default", OF_BOTH, take_default},
	{"Network", "Device", OF_BOTH, take_device},
	{"Network", "Address", OF_BOTH, take_address},
	{"Network", "Pool", OF_MARK, take_pool},
	{"Network", "Gateway", OF_BOTH, take_gateway},
	{"Network", "Route", OF_BOTH, take_route},
	{"Network", "Sysctl", OF_NAMESPACE, take_sysctl},
	{"Network", "NftFile", OF_NAMESPACE, take_nft_file},
};

static const struct taker *find_taker(const struct ini_setting *s)
{
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (strcmp(takers[i].section, s->section) == 0 &&
			strcmp(takers[i].key, s->key) == 0)
			return &takers[i];
	}
	return NULL;
}

static int take(struct build *b, const struct ini_setting *s)
{
	const struct taker *taker = find_taker(s);

	if (strcmp(s->section, "Network") == 0)
		b->network->is_wanted = true;
	if (!taker)
		return 0;
	b->place = (struct network_place){s->file, s->line};
	b->value = s->value;
	if (*s->value && taker->flavour == (b->network->is_mark ? OF_NAMESPACE : OF_MARK)) {
		network_tell(b->errors, &b->place, "%s is not a key of Flavour=%s", s->key,
			b->network->is_mark ? "mark" : "namespace");
		return 0;
	}
	return taker->take(b);
}

static void take_numbers(struct build *b, const struct network_values *values)
{
	struct network *n = b->network;

	n->is_mark = values->flavour == 1;
	n->is_default = values->is_default;
	n->table = RT_TABLE_MAIN;
	n->table_count = 1;
	if (!n->is_mark)
		return;
	if (*values->mark)
		network_read_number(values->mark, &n->mark);
	n->table = n->mark;
	if (*values->table)
		network_read_number(values->table, &n->table);
}

static void check_numbers(struct build *b)
{
	const struct network *n = b->network;

	if (!n->is_mark)
		return;
	if (n->mark == 0)
		network_tell(b->errors, &b->flavour, "Flavour=mark wants a Mark");
	else if (n->table >= RT_TABLE_DEFAULT && n->table <= RT_TABLE_LOCAL)
		network_tell(b->errors, &n->mark_place,
			"Mark=%u wants a Table, because table %u is the kernel's", n->mark,
			n->table);
}

void network_free(struct network *network)
{
	if (!network)
		return;
	drop_sysctls(network);
	free(network->devices);
	free(network->addresses);
	free(network->pools);
	free(network->routes);
	free(network->sysctls);
	free(network);
}

int network_build(struct network **network, const struct network_values *values,
	const struct ini_doc *doc, ini_error_fn *error, void *arg)
{
	struct network_errors errors = {error, arg, 0};
	struct build b = {.network = calloc(1, sizeof(*b.network)), .errors = &errors};
	int rc = b.network ? 0 : -ENOMEM;

	if (rc == 0)
		take_numbers(&b, values);
	for (size_t i = 0; rc == 0 && i < ini_doc_count(doc); i++)
		rc = take(&b, ini_doc_get(doc, i));
	if (rc == 0) {
		check_numbers(&b);
		rc = network_check(b.network, &errors);
	}
	if (rc == 0 && errors.count > 0)
		rc = -EINVAL;
	if (rc == 0)
		*network = b.network;
	else
		network_free(b.network);
	return rc;
}

int network_parse(struct network **network, const struct ini_doc *doc, ini_error_fn *error,
	void *arg)
{
	struct network_values values = {.ns = NULL};
	int rc = conf_defaults(&network_schema, &values);

	if (rc < 0)
		return rc;
	rc = conf_apply(&network_schema, &values, doc, error, arg);
	if (rc == 0)
		rc = network_build(network, &values, doc, error, arg);
	conf_clear(&network_schema, &values);
	return rc;
}
