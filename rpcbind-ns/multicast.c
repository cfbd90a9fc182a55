/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "multicast.h"

int multicast_set(struct multicast *m, const struct link_source *sources, size_t count)
{
	struct link_source *copy = count ? calloc(count, sizeof(*copy)) : NULL;

	free(m->sources);
	*m = (struct multicast){0};
	if (!count)
		return 0;
	if (!copy)
		return -ENOMEM;
	memcpy(copy, sources, count * sizeof(*copy));
	*m = (struct multicast){copy, count};
	return 0;
}

static bool is_link_local(const uint8_t *addr)
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

bool multicast_answer(const struct multicast *m, unsigned ifindex, struct udp_path *path,
	struct proc_caller *caller)
{
	bool on_link = is_link_local(caller->peer.addr);
	const struct link_source *found = NULL;

	for (size_t i = 0; i < m->count; i++) {
		const struct link_source *s = &m->sources[i];
		if (s->ifindex != ifindex)
			continue;
		/* To who is on the link any will do; who is not cannot reach what is. */
		if (is_link_local(s->addr.s6_addr) == on_link)
			found = s;
		else if (on_link && !found)
			found = s;
	}
	if (!found)
		return false;
	memcpy(caller->contacted.addr, found->addr.s6_addr, sizeof(caller->contacted.addr));
	path->info.v6.ipi6_addr = found->addr;
	return true;
}
