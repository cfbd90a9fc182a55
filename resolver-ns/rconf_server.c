/* SPDX-License-Identifier: BSD-3-Clause */
/* A name server in words. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "network_words.h"
#include "parse.h"
#include "rconf.h"

#define SERVER_PORT 53
#define SERVER_TEXT_MAX 80 /* "[", an address, "%", a device, "]:65535" */

/* Takes "[ADDRESS]" or "ADDRESS", and what stands behind it: the text of a port, or NULL. An IPv6
 * address without brackets has no port. */
static int split(char *text, char **address, const char **port)
{
	char *end;

	*port = NULL;
	*address = text;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*address = text + 1;
		*port = end[1] ? end + 2 : NULL;
		*end = '\0';
		return strchr(*address, ':') ? 0 : -EINVAL;
	}
	end = strchr(text, ':');
	if (end && !strchr(end + 1, ':')) {
		*port = end + 1;
		*end = '\0';
	}
	return 0;
}

static int set_in4(struct rconf_server *server, const struct in_addr *addr)
{
	/* 0.0.0.0 would be the caller's own host. */
	if (addr->s_addr == INADDR_ANY || IN_MULTICAST(ntohl(addr->s_addr)) ||
		addr->s_addr == INADDR_BROADCAST)
		return -EINVAL;
	server->addr.in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = *addr};
	return 0;
}

static int set_in6(struct rconf_server *server, const struct in6_addr *addr, const char *device)
{
	struct in_addr mapped;

	if (device && !IN6_IS_ADDR_LINKLOCAL(addr))
		return -EINVAL;
	if (device && words_device(server->device, device))
		return -EINVAL;
	if (IN6_IS_ADDR_UNSPECIFIED(addr) || IN6_IS_ADDR_MULTICAST(addr))
		return -EINVAL;
	if (IN6_IS_ADDR_V4MAPPED(addr)) {
		memcpy(&mapped, addr->s6_addr + 12, sizeof(mapped));
		return set_in4(server, &mapped);
	}
	server->addr.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = *addr};
	return 0;
}

/* Four numbers with dots, or IPv6: what inet_aton(3) would take, too ("192.0.2" is 192.0.0.2) is
 * rather a line that was cut. */
static int set_address(struct rconf_server *server, char *text)
{
	char *device = strchr(text, '%');
	struct in6_addr in6;
	struct in_addr in4;

	if (!device && inet_pton(AF_INET, text, &in4) == 1)
		return set_in4(server, &in4);
	if (device)
		*device++ = '\0';
	return inet_pton(AF_INET6, text, &in6) == 1 ? set_in6(server, &in6, device) : -EINVAL;
}

int rconf_parse_server(struct rconf_server *server, const char *text)
{
	char copy[SERVER_TEXT_MAX], *address;
	struct rconf_server s = {.device = ""};
	uint64_t port = SERVER_PORT;
	const char *port_text;

	if (copy_str(copy, sizeof(copy), text) < 0 || split(copy, &address, &port_text) < 0 ||
		set_address(&s, address) < 0)
		return -EINVAL;
	if (port_text && parse_u64(port_text, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	if (s.addr.sa.sa_family == AF_INET)
		s.addr.in4.sin_port = htons((uint16_t)port);
	else
		s.addr.in6.sin6_port = htons((uint16_t)port);
	*server = s;
	return 0;
}
