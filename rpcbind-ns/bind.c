/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "caller.h"

int bind_parse(const char *value, struct opener_address *address)
{
	struct opener_address a = {.family = strchr(value, ':') ? AF_INET6 : AF_INET};
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(a.family, value, a.addr) != 1)
		return -EINVAL;
	/* Broadcast and multicast are nobody's address, and what is mapped is an IPv4 address,
	 * which no packet of IPv6 has. */
	if (a.family == AF_INET) {
		memcpy(&in, a.addr, sizeof(in));
		if (IN_MULTICAST(ntohl(in.s_addr)) || in.s_addr == htonl(INADDR_BROADCAST))
			return -EINVAL;
	} else {
		memcpy(&in6, a.addr, sizeof(in6));
		if (IN6_IS_ADDR_MULTICAST(&in6) || IN6_IS_ADDR_V4MAPPED(&in6))
			return -EINVAL;
	}
	*address = a;
	return 0;
}

bool bind_check(const char *value, char *reason, size_t size)
{
	struct opener_address address;

	if (bind_parse(value, &address) == 0)
		return true;
	snprintf(reason, size, "is not an IPv4 or IPv6 address of one host");
	return false;
}

int bind_policy(char *const *list, struct opener_vs_policy *policy)
{
	struct opener_address *addresses;
	unsigned count = 0;

	while (list && list[count] && count < OPENER_BIND_MAX)
		count++;
	if (!count)
		return 0;
	addresses = calloc(count, sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		int rc = bind_parse(list[i], &addresses[i]);
		if (rc) {
			free(addresses);
			return rc;
		}
	}
	policy->bind = addresses;
	policy->bind_count = count;
	return 0;
}

bool bind_serves(char *const *list, const struct uaddr *contacted)
{
	static const uint8_t zero[sizeof(contacted->addr)];
	size_t size = contacted->family == AF_INET ? 4 : 16;
	struct opener_address a;

	if (!list || !list[0] || caller_is_loopback(contacted) ||
		(contacted->family != AF_INET && contacted->family != AF_INET6))
		return true;
	for (size_t i = 0; list[i]; i++) {
		if (bind_parse(list[i], &a) || a.family != contacted->family)
			continue;
		if (!memcmp(a.addr, contacted->addr, size) || !memcmp(a.addr, zero, size))
			return true;
	}
	return false;
}
