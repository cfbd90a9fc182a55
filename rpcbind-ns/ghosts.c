/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>

#include "ghosts.h"

int ghosts_protocol(const struct regs_entry *entry)
{
	if (entry->builtin)
		return 0;
	switch (entry->netid) {
	case NETID_UDP:
	case NETID_UDP6:
		return IPPROTO_UDP;
	case NETID_TCP:
	case NETID_TCP6:
		return IPPROTO_TCP;
	default:
		return 0;
	}
}

/* The address of the entry's family that the socket has; NULL when it has none. */
static const uint8_t *address_in(int family, const struct ghosts_socket *s)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t zero[16];
	bool is_mapped;

	if (s->family == family && family == AF_INET)
		return s->addr;
	if (s->family != AF_INET6)
		return NULL;
	is_mapped = memcmp(s->addr, mapped, sizeof(mapped)) == 0;
	if (family == AF_INET6)
		return is_mapped ? NULL : s->addr;
	if (is_mapped)
		return s->addr + sizeof(mapped);
	return !s->v6_only && memcmp(s->addr, zero, sizeof(zero)) == 0 ? zero : NULL;
}

bool ghosts_serves(const struct regs_entry *entry, const struct ghosts_socket *socket)
{
	const uint8_t *address = address_in(entry->uaddr.family, socket);
	struct uaddr bound = {.family = entry->uaddr.family};

	if (!address || socket->port != entry->uaddr.port)
		return false;
	memcpy(bound.addr, address, bound.family == AF_INET ? 4 : 16);
	return uaddr_is_wildcard(&entry->uaddr) || uaddr_is_wildcard(&bound) ||
	       uaddr_same_host(&entry->uaddr, &bound);
}

enum ghosts_news ghosts_judge(struct regs *regs, const struct regs_entry *entry, bool present,
	uint64_t now, uint64_t interval)
{
	bool was = entry->ghost;

	if (present) {
		regs_mark(regs, entry, false, 0);
		return was ? GHOSTS_BACK : GHOSTS_NOTHING;
	}
	if (was)
		return GHOSTS_NOTHING;
	if (!entry->absent_since) {
		regs_mark(regs, entry, false, now);
		return GHOSTS_NOTHING;
	}
	if (now - entry->absent_since < interval)
		return GHOSTS_NOTHING;
	regs_mark(regs, entry, true, entry->absent_since);
	return GHOSTS_GONE;
}
