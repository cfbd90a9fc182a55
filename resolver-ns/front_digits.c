/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses in digits, and those that nobody needs to be asked for. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "front.h"
#include "parse.h"

/* -1: no digit of this base. */
static int digit_value(char c, unsigned base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

/* A number as in C: 0x for hexadecimal, 0 for octal. Moves *text behind it; false: there is
 * none, or it is above 32 bits. */
static bool part_read(const char **text, uint32_t *part)
{
	const char *p = *text;
	unsigned base = 10;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return false;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
		if (digit_value(*p, base) < 0)
			return false;
	} else if (p[0] == '0') {
		base = 8;
	}
	for (; digit_value(*p, base) >= 0; p++) {
		value = value * base + (unsigned)digit_value(*p, base);
		if (value > UINT32_MAX)
			return false;
	}
	*text = p;
	*part = (uint32_t)value;
	return true;
}

/* inet_aton(3): one to four parts, of which the last has all the bytes that are left. */
static bool aton_read(const char *text, struct in_addr *addr)
{
	static const uint32_t last_max[4] = { UINT32_MAX, 0xffffff, 0xffff, 0xff };
	uint32_t sum = 0, part;
	unsigned n;

	for (n = 0; n < 4; n++) {
		if (!part_read(&text, &part))
			return false;
		if (!*text)
			break;
		if (*text++ != '.' || part > 0xff)
			return false;
		sum |= part << (24 - 8 * n);
	}
	if (n == 4 || part > last_max[n])
		return false;
	addr->s_addr = htonl(sum | part);
	return true;
}

/* The part before a '%', if it is an IPv6 address. *scope: behind the '%', or NULL. */
static bool pton6_read(const char *text, struct in6_addr *addr, const char **scope)
{
	char digits[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (len >= sizeof(digits) || !memchr(text, ':', len))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	*scope = text[len] ? text + len + 1 : NULL;
	return inet_pton(AF_INET6, digits, addr) == 1;
}

void front_addr(union netview_addr *addr, int family, const void *bytes)
{
	memset(addr, 0, sizeof(*addr));
	addr->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		memcpy(&addr->in4.sin_addr, bytes, sizeof(addr->in4.sin_addr));
	else
		memcpy(&addr->in6.sin6_addr, bytes, sizeof(addr->in6.sin6_addr));
}

void front_map_v4(union netview_addr *addr)
{
	struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(mapped.s6_addr + 12, &addr->in4.sin_addr, 4);
	front_addr(addr, AF_INET6, &mapped);
}

static int digits4(struct in_addr in4, int family, int flags, union netview_addr *addr)
{
	if (family == AF_INET6 && !(flags & AI_V4MAPPED))
		return EAI_ADDRFAMILY;
	front_addr(addr, AF_INET, &in4);
	if (family == AF_INET6)
		front_map_v4(addr);
	return 0;
}

/* A number counts for any address, a device's name for those of a link only. */
static int scope_read(const char *scope, struct sockaddr_in6 *in6, char device[static IF_NAMESIZE])
{
	const struct in6_addr *a = &in6->sin6_addr;
	uint64_t number;

	if (parse_u64(scope, 0, UINT32_MAX, &number) == 0) {
		in6->sin6_scope_id = (uint32_t)number;
		return 0;
	}
	if (!IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_MC_LINKLOCAL(a))
		return EAI_NONAME;
	return scope[0] && copy_str(device, IF_NAMESIZE, scope) == 0 ? 0 : EAI_NONAME;
}

static int digits6(const struct in6_addr *in6, const char *scope, int family,
	union netview_addr *addr, char device[static IF_NAMESIZE])
{
	int e = 0;

	if (family == AF_INET && !IN6_IS_ADDR_V4MAPPED(in6))
		return EAI_ADDRFAMILY;
	front_addr(addr, AF_INET6, in6);
	if (scope)
		e = scope_read(scope, &addr->in6, device);
	if (!e && family == AF_INET)
		front_addr(addr, AF_INET, in6->s6_addr + 12);
	return e;
}

int front_digits(const char *node, int family, int flags, union netview_addr *addr,
	char device[static IF_NAMESIZE])
{
	struct in_addr in4;
	struct in6_addr in6;
	const char *scope;

	device[0] = '\0';
	if (aton_read(node, &in4))
		return digits4(in4, family, flags, addr);
	if (pton6_read(node, &in6, &scope))
		return digits6(&in6, scope, family, addr, device);
	return 1;
}

/* The order is the one that RFC 6724 gives where both families are at work: ::1 before 127.0.0.1 by
 * its precedence, but 0.0.0.0 before :: by rule 5 (the label of :: is not that of its source). */
size_t front_loopback(const struct front_hints *hints, bool wildcard, union netview_addr addrs[2])
{
	const struct in_addr in4 = { htonl(wildcard ? INADDR_ANY : INADDR_LOOPBACK) };
	bool want4 = hints->family != AF_INET6, want6 = hints->family != AF_INET;
	size_t n = 0;

	if (want4 && wildcard)
		front_addr(&addrs[n++], AF_INET, &in4);
	if (want6)
		front_addr(&addrs[n++], AF_INET6, wildcard ? &in6addr_any : &in6addr_loopback);
	if (want4 && !wildcard)
		front_addr(&addrs[n++], AF_INET, &in4);
	return n;
}

int front_local(const struct front_hints *hints, const char *node, union netview_addr addrs[2],
	size_t *count, char device[static IF_NAMESIZE])
{
	int e;

	device[0] = '\0';
	if (!node) {
		*count = front_loopback(hints, hints->flags & AI_PASSIVE, addrs);
		return 0;
	}
	e = front_digits(node, hints->family, hints->flags, addrs, device);
	if (e <= 0) {
		*count = 1;
		return e;
	}
	if (hints->flags & AI_NUMERICHOST)
		return EAI_NONAME;
	switch (front_special(node)) {
	case FRONT_LOCALHOST:
		*count = front_loopback(hints, false, addrs);
		return 0;
	case FRONT_NEVER:
		return EAI_NONAME;
	case FRONT_ORDINARY:
		break;
	}
	return 1;
}
