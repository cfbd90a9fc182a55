/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of struct addrinfo, in one block: the entries with their addresses, then the name. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "front.h"

struct entry {
	struct addrinfo info;
	union netview_addr addr;
};

size_t front_list_size(const struct front_hints *hints, size_t count, const char *canonical)
{
	return count * hints->kind_count * sizeof(struct entry) +
	       (canonical ? strlen(canonical) + 1 : 0);
}

static void entry_fill(struct entry *entry, const union netview_addr *addr,
	const struct front_hints *hints, const struct front_kind *kind)
{
	entry->info = (struct addrinfo){
		.ai_flags = hints->flags,
		.ai_family = addr->sa.sa_family,
		.ai_socktype = kind->socktype,
		.ai_protocol = kind->protocol,
		.ai_addr = &entry->addr.sa,
		.ai_next = &(entry + 1)->info,
	};
	entry->addr = *addr;
	if (addr->sa.sa_family == AF_INET) {
		entry->info.ai_addrlen = sizeof(addr->in4);
		entry->addr.in4.sin_port = htons(kind->port);
	} else {
		entry->info.ai_addrlen = sizeof(addr->in6);
		entry->addr.in6.sin6_port = htons(kind->port);
	}
}

struct addrinfo *front_list_write(const struct front_hints *hints, const union netview_addr *addrs,
	size_t count, const char *canonical, void *block)
{
	struct entry *first = block, *entry = first;
	size_t i;
	unsigned k;

	for (i = 0; i < count; i++)
		for (k = 0; k < hints->kind_count; k++)
			entry_fill(entry++, &addrs[i], hints, &hints->kinds[k]);
	(entry - 1)->info.ai_next = NULL;
	if (canonical)
		first->info.ai_canonname = memcpy(entry, canonical, strlen(canonical) + 1);
	return &first->info;
}

int front_list(const struct front_hints *hints, const union netview_addr *addrs, size_t count,
	const char *canonical, struct addrinfo **res)
{
	void *block = malloc(front_list_size(hints, count, canonical));

	if (!block)
		return EAI_MEMORY;
	*res = front_list_write(hints, addrs, count, canonical, block);
	return 0;
}
