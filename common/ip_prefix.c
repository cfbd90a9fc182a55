/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "network.h"
#include "parse.h"

static unsigned longest(unsigned family)
{
	return family == AF_INET ? 32 : 128;
}

/* The first `bits` bits are the same? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

bool ip_prefix_contains(const struct ip_prefix *net, const struct ip_prefix *address)
{
	return net->family != 0 && net->family == address->family &&
	       same_bits(net->bytes, address->bytes, net->length);
}

bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->length <= b->length ? ip_prefix_contains(a, b) : ip_prefix_contains(b, a);
}

bool ip_prefix_same_address(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_prefix_has_host_bits(const struct ip_prefix *p)
{
	unsigned bits = longest(p->family);
	uint8_t net[sizeof(p->bytes)] = {0};

	if (p->length >= bits)
		return false;
	memcpy(net, p->bytes, p->length / 8);
	if (p->length % 8 != 0)
		net[p->length / 8] = p->bytes[p->length / 8] & (uint8_t)(0xff00u >> p->length % 8);
	return memcmp(net, p->bytes, sizeof(net)) != 0;
}

bool ip_prefix_is_whole(const struct ip_prefix *p)
{
	return p->length == longest(p->family);
}

int ip_prefix_parse(const char *text, struct ip_prefix *prefix)
{
	struct ip_prefix p = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	uint64_t length = longest(p.family);

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(p.family, address, p.bytes) != 1)
		return -EINVAL;
	if (slash && parse_u64(slash + 1, 0, longest(p.family), &length) < 0)
		return -EINVAL;
	p.length = (uint8_t)length;
	*prefix = p;
	return 0;
}

void ip_prefix_print(const struct ip_prefix *prefix, char *text)
{
	char address[INET6_ADDRSTRLEN] = "none";

	if (prefix->family != 0)
		inet_ntop(prefix->family, prefix->bytes, address, sizeof(address));
	if (prefix->family == 0 || prefix->length == longest(prefix->family))
		snprintf(text, IP_PREFIX_TEXT, "%s", address);
	else
		snprintf(text, IP_PREFIX_TEXT, "%s/%u", address, prefix->length);
}
