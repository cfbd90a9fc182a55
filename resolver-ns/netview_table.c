/* SPDX-License-Identifier: BSD-3-Clause */
/* One dump of a namespace's addresses, by a socket that is there. */
#include "config.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"
#include "netview_table.h"

#define TRIES_MAX 3 /* of a dump that the kernel calls interrupted by a change */
#define LOOKS_MAX 8192 /* how many are looked at before the rest is left */
#define ENOUGH 1

struct dump {
	struct netview_table *table;
	size_t looks, count4, count6;
	bool interrupted;
};

struct in6_addr netview_mapped(const struct in_addr *addr)
{
	struct in6_addr mapped = {.s6_addr = {[10] = 0xff, 0xff}};

	memcpy(mapped.s6_addr + 12, addr, sizeof(*addr));
	return mapped;
}

static int append(struct netview_table *table, const struct netview_entry *entry)
{
	size_t size = table->size ? table->size * 2 : 16;
	struct netview_entry *longer;

	if (table->count == table->size) {
		longer = reallocarray(table->entries, size, sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		table->entries = longer;
		table->size = size;
	}
	table->entries[table->count++] = *entry;
	return 0;
}

/* IFA_LOCAL is the own end of a point-to-point link; IPv6 mostly has IFA_ADDRESS alone. */
static bool take_attributes(const struct netlink_message *m, size_t len, uint8_t bytes[static 16],
	uint32_t *flags)
{
	struct netlink_attrs attrs = netlink_attrs(m, sizeof(struct ifaddrmsg));
	bool has_local = false, has_address = false;
	struct netlink_value v;

	while (netlink_attr_next(&attrs, &v)) {
		if (v.type == IFA_FLAGS && v.len == sizeof(*flags))
			memcpy(flags, v.bytes, sizeof(*flags));
		if (v.len != len || (v.type != IFA_LOCAL && (v.type != IFA_ADDRESS || has_local)))
			continue;
		memcpy(bytes, v.bytes, len);
		has_local = v.type == IFA_LOCAL;
		has_address = true;
	}
	return has_address;
}

static bool fill(struct netview_entry *entry, const struct netlink_message *m)
{
	struct ifaddrmsg head;
	struct in_addr addr4;
	uint8_t bytes[16];
	uint32_t flags;
	bool is4;

	if (m->head.nlmsg_type != RTM_NEWADDR || m->len < sizeof(head))
		return false;
	memcpy(&head, m->body, sizeof(head));
	is4 = head.ifa_family == AF_INET;
	flags = head.ifa_flags;
	if ((!is4 && head.ifa_family != AF_INET6) || head.ifa_prefixlen > (is4 ? 32 : 128) ||
		!take_attributes(m, is4 ? 4 : 16, bytes, &flags) || flags & IFA_F_DADFAILED)
		return false;
	*entry = (struct netview_entry){
		.ifindex = head.ifa_index,
		.prefix = (uint8_t)(head.ifa_prefixlen + (is4 ? 96 : 0)),
		.deprecated = flags & IFA_F_DEPRECATED,
		.home = flags & IFA_F_HOMEADDRESS,
	};
	if (is4) {
		memcpy(&addr4, bytes, sizeof(addr4));
		entry->addr = netview_mapped(&addr4);
	} else {
		memcpy(&entry->addr, bytes, sizeof(entry->addr));
	}
	return true;
}

/* Each family has its own limit, so that very many of the one do not hide the other. */
static int take(const struct netlink_message *m, void *arg)
{
	struct dump *dump = arg;
	struct netview_entry entry;
	size_t *count;

	if (m->head.nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	if (dump->looks++ == LOOKS_MAX) {
		dump->interrupted = false; /* the rest of this dump bars another */
		return ENOUGH;
	}
	if (!fill(&entry, m))
		return 0;
	count = IN6_IS_ADDR_V4MAPPED(&entry.addr) ? &dump->count4 : &dump->count6;
	if (*count == NETVIEW_TABLE_MAX)
		return 0;
	(*count)++;
	return append(dump->table, &entry);
}

static void count_families(struct netview_table *table, size_t from)
{
	for (size_t i = from; i < table->count; i++) {
		const struct in6_addr *a = &table->entries[i].addr;

		if (!IN6_IS_ADDR_V4MAPPED(a)) {
			table->has6 |= !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_LINKLOCAL(a);
			continue;
		}
		table->has4 |= a->s6_addr[12] != 127;
	}
}

int netview_table_add(struct netview_table *table, int sock)
{
	const struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} request = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			     .nlmsg_type = RTM_GETADDR,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	size_t before = table->count;
	struct dump dump = {.interrupted = true};
	int rc = netlink_connect(sock);

	for (int i = 0; i < TRIES_MAX && rc == 0 && dump.interrupted; i++) {
		table->count = before;
		dump = (struct dump){.table = table};
		rc = netlink_dump(sock, &request, request.head.nlmsg_len, take, &dump);
	}
	if (rc < 0)
		table->count = before;
	else
		count_families(table, before);
	return rc < 0 ? rc : 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct netview_entry *)a)->addr,
		&((const struct netview_entry *)b)->addr, sizeof(struct in6_addr));
}

void netview_table_end(struct netview_table *table)
{
	if (table->count > 1)
		qsort(table->entries, table->count, sizeof(*table->entries), compare);
}

const struct netview_entry *netview_table_find(
	const struct netview_table *table, const struct in6_addr *addr)
{
	const struct netview_entry key = {.addr = *addr};

	if (table->count == 0)
		return NULL;
	return bsearch(&key, table->entries, table->count, sizeof(key), compare);
}

void netview_table_free(struct netview_table *table)
{
	free(table->entries);
	*table = (struct netview_table){0};
}
