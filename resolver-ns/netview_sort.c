/* SPDX-License-Identifier: BSD-3-Clause */
/* A list of destinations put in order: facts from the kernel, the rules, the sortlist. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netview_private.h"
#include "sort6724.h"

_Static_assert(NETVIEW_SORT_MAX <= SORT6724_MAX, "one limit");
_Static_assert(_Alignof(struct sort6724_item) >= _Alignof(union netview_addr) &&
		       _Alignof(union netview_addr) >= _Alignof(unsigned),
	"one behind the other in one block");

struct list {
	size_t count;
	struct sort6724_item *items;
	union netview_addr *addrs; /* a copy */
	unsigned *devices;         /* of the sources; 0: not known */
};

static struct in6_addr destination_of(const union netview_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? netview_mapped(&addr->in4.sin_addr)
					     : addr->in6.sin6_addr;
}

/* A source that the table does not have, of a namespace with very many: the subnet is the device's
 * alone to know, so that rule 9 says nothing for IPv4, and for IPv6 what most have. */
static void add_facts(struct netview *view, struct sort6724_item *item, unsigned *device)
{
	const struct netview_entry *entry = netview_table_find(&view->table, &item->src);

	if (!entry) {
		item->src_prefix = IN6_IS_ADDR_V4MAPPED(&item->src) ? 128 : 64;
		return;
	}
	item->src_prefix = entry->prefix;
	item->deprecated = entry->deprecated;
	item->home = entry->home;
	*device = entry->ifindex;
}

static int fill(struct netview *view, struct list *list)
{
	int rc = 0;

	for (size_t i = 0; i < list->count && rc == 0; i++) {
		struct sort6724_item *item = &list->items[i];

		item->order = (unsigned)i;
		item->dst = destination_of(&list->addrs[i]);
		rc = netview_probe(view, &list->addrs[i], &item->src, &item->has_source);
		if (rc == 0 && item->has_source)
			add_facts(view, item, &list->devices[i]);
	}
	return rc;
}

/* Rule 7 tells something only where the sources are on several devices. */
static void find_tunnels(struct netview *view, struct list *list)
{
	unsigned first = 0, last = 0;
	bool is_same = true, is_tunnel = false;

	for (size_t i = 0; i < list->count; i++) {
		if (list->devices[i] == 0)
			continue;
		if (first == 0)
			first = list->devices[i];
		is_same = is_same && list->devices[i] == first;
	}
	for (size_t i = 0; i < list->count && !is_same; i++) {
		if (list->devices[i] == 0)
			continue;
		if (list->devices[i] != last)
			is_tunnel = netview_is_tunnel(view, list->devices[i]);
		last = list->devices[i];
		list->items[i].encapsulated = is_tunnel;
	}
}

/* ---- the sortlist */

static unsigned place_in_sortlist(const struct rconf *conf, const union netview_addr *addr)
{
	unsigned i;

	for (i = 0; i < conf->sort_count; i++) {
		const struct rconf_sort *s = &conf->sortlist[i];

		if (((addr->in4.sin_addr.s_addr ^ s->net) & s->mask) == 0)
			break;
	}
	return i;
}

/* IPv4 addresses take each other's places, stable. */
static void apply_sortlist(const struct rconf *conf, union netview_addr *addrs, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		union netview_addr addr = addrs[i];
		size_t at = i;
		unsigned rank;

		if (addr.sa.sa_family != AF_INET)
			continue;
		rank = place_in_sortlist(conf, &addr);
		for (size_t j = i; j-- > 0;) {
			if (addrs[j].sa.sa_family != AF_INET)
				continue;
			if (place_in_sortlist(conf, &addrs[j]) <= rank)
				break;
			addrs[at] = addrs[j];
			at = j;
		}
		addrs[at] = addr;
	}
}

/* ---- all of it */

static int sort_list(struct netview *view, uint64_t now, struct list *list)
{
	int rc = netview_hear(view);

	if (rc == 0)
		rc = netview_refresh(view, now);
	if (rc == 0)
		rc = fill(view, list);
	if (rc < 0)
		return rc;
	find_tunnels(view, list);
	sort6724(list->items, list->count);
	return 0;
}

static int list_new(struct list *list, const union netview_addr *addrs, size_t count)
{
	list->items = calloc(count, sizeof(*list->items) + sizeof(*list->addrs) +
					    sizeof(*list->devices));
	if (!list->items)
		return -ENOMEM;
	list->count = count;
	list->addrs = (union netview_addr *)(void *)(list->items + count);
	list->devices = (unsigned *)(void *)(list->addrs + count);
	memcpy(list->addrs, addrs, count * sizeof(*addrs));
	return 0;
}

int netview_sort(struct netview *view, uint64_t now, const struct rconf *conf,
	union netview_addr *addrs, size_t count)
{
	struct list list;
	int rc;

	if (count < 2)
		return 0;
	rc = list_new(&list, addrs, count < NETVIEW_SORT_MAX ? count : NETVIEW_SORT_MAX);
	if (rc < 0)
		return rc;
	rc = sort_list(view, now, &list);
	for (size_t i = 0; i < list.count && rc == 0; i++)
		addrs[i] = list.addrs[list.items[i].order];
	if (rc == 0 && conf && conf->sort_count > 0)
		apply_sortlist(conf, addrs, list.count);
	free(list.items);
	return rc;
}
