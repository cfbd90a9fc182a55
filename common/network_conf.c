/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of a virtual server's file that are not a service's. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "network_private.h"
#include "vsdir.h"

static bool check_namespace(const char *value, char *reason, size_t size)
{
	if (value[0] == '\0' || value[0] == '/' || vs_name_is_good(value))
		return true;
	snprintf(reason, size, "is neither an absolute path nor a name");
	return false;
}

static bool check_mark(const char *value, char *reason, size_t size)
{
	uint32_t mark;

	if (*value == '\0' || network_read_number(value, &mark))
		return true;
	snprintf(reason, size, "is not a number from 1 to 4294967295");
	return false;
}

/* 253 to 255 are the kernel's default, main and local. */
static bool check_table(const char *value, char *reason, size_t size)
{
	uint32_t table;

	if (*value == '\0' ||
		(network_read_number(value, &table) && (table < 253 || table > 255)))
		return true;
	snprintf(reason, size, "is not a number from 1 to 4294967295 other than 253 to 255");
	return false;
}

static bool check_device(const char *value, char *reason, size_t size)
{
	struct network_device device;

	return network_read_device(value, &device, reason, size);
}

static bool check_address(const char *value, char *reason, size_t size)
{
	struct network_address address;

	return network_read_address(value, &address, reason, size);
}

static bool check_pool(const char *value, char *reason, size_t size)
{
	struct network_pool pool;

	return network_read_pool(value, &pool, reason, size);
}

static bool check_gateway(const char *value, char *reason, size_t size)
{
	struct network_route route;

	return network_read_gateway(value, &route, reason, size);
}

static bool check_route(const char *value, char *reason, size_t size)
{
	struct network_route route;

	return network_read_route(value, &route, reason, size);
}

static bool check_sysctl(const char *value, char *reason, size_t size)
{
	char path[INI_LINE_MAX + 1];
	const char *set_to;

	return network_read_sysctl(value, path, &set_to, reason, size);
}

static const char *const flavours[] = {"namespace", "mark", NULL};

#define FIELD(f) offsetof(struct network_values, f)

static const struct conf_item items[] = {
	{"VirtualServer", "Namespace", CONF_STR, FIELD(ns), "", 0, INI_LINE_MAX, NULL,
		check_namespace,
		"a path, or a name in the namespace directories; empty: the file's own name, of a "
		"mark VS the host's"},
	{"VirtualServer", "Enabled", CONF_BOOL, FIELD(enabled), "yes", 0, 0, NULL, NULL,
		"no: this name is passed over"},
	{"VirtualServer", "Flavour", CONF_ENUM, FIELD(flavour), "namespace", 0, 0, flavours, NULL,
		"namespace, or mark: shares one"},
	{"VirtualServer", "Mark", CONF_STR, FIELD(mark), "", 0, INI_LINE_MAX, NULL, check_mark,
		"the mark of a mark VS's sockets"},
	{"VirtualServer", "Table", CONF_STR, FIELD(table), "", 0, INI_LINE_MAX, NULL, check_table,
		"the routing table of a mark VS; empty: the number of the mark"},
	{"VirtualServer", "Default", CONF_BOOL, FIELD(is_default), "no", 0, 0, NULL, NULL,
		"among VSs that share a namespace: has what no address tells apart"},
	{"Network", "Device", CONF_LIST, FIELD(devices), "", 0, NETWORK_DEVICES_MAX, NULL,
		check_device, "NAME [KIND] [OPTIONS]"},
	{"Network", "Address", CONF_LIST, FIELD(addresses), "", 0, NETWORK_ADDRESSES_MAX, NULL,
		check_address, "ADDRESS/LENGTH [dev DEVICE] [gateway ADDRESS] [nodad]"},
	{"Network", "Pool", CONF_LIST, FIELD(pools), "", 0, NETWORK_POOLS_MAX, NULL, check_pool,
		"NETWORK/LENGTH whose addresses are a mark VS's"},
	{"Network", "Gateway", CONF_LIST, FIELD(gateways), "", 0, 2, NULL, check_gateway,
		"ADDRESS [dev DEVICE] [onlink]"},
	{"Network", "Route", CONF_LIST, FIELD(routes), "", 0, NETWORK_ROUTES_MAX, NULL, check_route,
		"NETWORK|default [via ADDRESS] [dev DEVICE] [OPTIONS]"},
	{"Network", "Sysctl", CONF_LIST, FIELD(sysctls), "", 0, NETWORK_SYSCTLS_MAX, NULL,
		check_sysctl, "KEY = VALUE, below net"},
	{"Network", "NftFile", CONF_PATH, FIELD(nft_file), "", 0, 0, NULL, NULL,
		"rules for nft, loaded inside the namespace"},
	{.section = NULL},
};

/* Of the services, which read them by vs_settings(). */
static const char *const foreign[] = {"Rpcbind", "Resolver", "Time", NULL};

const struct conf_schema network_schema = {.items = items, .foreign = foreign};
