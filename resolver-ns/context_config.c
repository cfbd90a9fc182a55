/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "context_config.h"

#define NAME_MAX_BYTES 127
#define IN_FLIGHT_MAX 1024
#define WAITING_MAX (1u << 20)
#define STALE_MAX (7u * 24 * 3600) /* RFC 8767 section 5 suggests one to three days */
#define FLAGS_KNOWN                                                                                \
	(VSRESOLV_GUARD | VSRESOLV_NO_GUARD | VSRESOLV_0X20 | VSRESOLV_NO_CACHE |                  \
		VSRESOLV_NO_PREFETCH)

int context_config_read(struct vsresolv_config *config, const struct vsresolv_config *given)
{
	const unsigned char *bytes = (const unsigned char *)given;
	struct vsresolv_config read = VSRESOLV_CONFIG_INIT;
	size_t size;

	if (!given) {
		*config = read;
		return 0;
	}
	size = given->size;
	if (size < offsetof(struct vsresolv_config, name))
		return -EINVAL;
	for (size_t i = sizeof(read); i < size; i++) {
		if (bytes[i] != 0)
			return -EINVAL;
	}
	memcpy(&read, given, size < sizeof(read) ? size : sizeof(read));
	/* A descriptor has its place whole or not at all. */
	if (size < offsetof(struct vsresolv_config, netns_fd) + sizeof(read.netns_fd))
		read.netns_fd = -1;
	read.size = sizeof(read);
	*config = read;
	return 0;
}

struct check {
	const struct vsresolv_config *config;
	const char *name;
	int rc;
};

__attribute__((format(printf, 2, 3)))
static void complain(struct check *check, const char *format, ...)
{
	const struct vsresolv_config *config = check->config;
	char text[256];
	va_list ap;

	check->rc = -EINVAL;
	if (!config->log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	config->log(config->log_arg, LOG_ERR, check->name, text);
}

static void check_place(struct check *check, bool of_vs)
{
	const struct vsresolv_config *config = check->config;
	const bool has_netns = config->netns_path || config->netns_fd >= 0;

	if (of_vs && (config->socket || has_netns || config->mark != 0))
		complain(check,
			"socket, netns_path, netns_fd and mark are the virtual server's own");
	if (config->socket && has_netns)
		complain(check, "socket and netns_path or netns_fd: one place too many");
	if (config->netns_path && config->netns_path[0] != '/')
		complain(check, "netns_path \"%s\" is not absolute", config->netns_path);
	if (config->device && (config->device[0] == '\0' || strlen(config->device) >= IF_NAMESIZE))
		complain(check, "device \"%s\" is no name of a device", config->device);
}

static void check_addresses(struct check *check)
{
	const struct vsresolv_config *config = check->config;
	struct in6_addr addr;

	if (config->bind4 && inet_pton(AF_INET, config->bind4, &addr) != 1)
		complain(check, "bind4 \"%s\" is no IPv4 address", config->bind4);
	if (config->bind6 && inet_pton(AF_INET6, config->bind6, &addr) != 1)
		complain(check, "bind6 \"%s\" is no IPv6 address", config->bind6);
}

static void check_file(struct check *check, const char *field, const char *path)
{
	if (path && path[0] != '/')
		complain(check, "%s \"%s\" is not absolute", field, path);
}

int context_config_check(const struct vsresolv_config *config, const char *name, int of_vs)
{
	struct check check = {.config = config, .name = name};

	if (config->flags & ~FLAGS_KNOWN)
		complain(&check, "flags 0x%x are not known", config->flags & ~FLAGS_KNOWN);
	if ((config->flags & VSRESOLV_GUARD) && (config->flags & VSRESOLV_NO_GUARD))
		complain(&check, "VSRESOLV_GUARD and VSRESOLV_NO_GUARD exclude each other");
	if (strlen(name) > NAME_MAX_BYTES)
		complain(&check, "the name is longer than %d bytes", NAME_MAX_BYTES);
	if (config->in_flight > IN_FLIGHT_MAX)
		complain(&check, "in_flight %u is more than %d", config->in_flight, IN_FLIGHT_MAX);
	if (config->waiting > WAITING_MAX)
		complain(&check, "waiting %u is more than %u", config->waiting, WAITING_MAX);
	if (config->stale_seconds > STALE_MAX)
		complain(&check, "stale_seconds %u is more than %u", config->stale_seconds,
			STALE_MAX);
	check_place(&check, of_vs != 0);
	check_addresses(&check);
	check_file(&check, "resolv_conf", config->resolv_conf);
	check_file(&check, "hosts_file", config->hosts_file);
	check_file(&check, "services_file", config->services_file);
	return check.rc;
}
