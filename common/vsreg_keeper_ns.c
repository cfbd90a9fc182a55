/* SPDX-License-Identifier: BSD-3-Clause */
/* A namespace with mark VSs: its members, its sockets, and what is heard of it. */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crc32.h"
#include "netlink.h"
#include "vsreg_keeper.h"

/* A flood must not keep the caller here; what is left is heard next time. */
#define READS_MAX 256
/* Overflowing is cheap: that, too, means to look. */
#define EVENTS_ROOM (256 * 1024)
#define MESSAGE_MAX 8192

static void free_members(struct keeper_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		vs_unref(members[i].vs);
		vs_conf_unref(members[i].conf);
	}
	free(members);
}

struct keeper_ns *keeper_ns_new(uint64_t cookie)
{
	struct keeper_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->cookie = cookie;
	ns->events = ns->ask = -1;
	ns->due = NEVER;
	return ns;
}

void keeper_ns_shut(struct keeper_ns *ns)
{
	if (ns->events >= 0)
		close(ns->events);
	if (ns->ask >= 0)
		close(ns->ask);
	ns->events = ns->ask = -1;
}

void keeper_ns_free(struct keeper_ns *ns)
{
	if (!ns)
		return;
	keeper_ns_shut(ns);
	free_members(ns->members, ns->count);
	free(ns->wishes);
	free(ns->doomed.entries);
	free(ns);
}

static bool same_members(const struct keeper_ns *ns, const struct keeper_member *m, size_t count)
{
	if (ns->count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (ns->members[i].vs != m[i].vs || ns->members[i].conf != m[i].conf)
			return false;
	}
	return true;
}

int keeper_ns_set(struct keeper_ns *ns, struct keeper_member *members, size_t count)
{
	struct net_member *wishes;

	if (same_members(ns, members, count)) {
		free_members(members, count);
		return 0;
	}
	wishes = calloc(count, sizeof(*wishes));
	if (!wishes) {
		free_members(members, count);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const struct network *network = members[i].conf->network;
		bool is_kept = network->is_mark && network->is_wanted;

		wishes[i].name = members[i].conf->name;
		wishes[i].network = network;
		wishes[i].wish = is_kept ? NET_PRESENT : NET_LEAVE;
	}
	free_members(ns->members, ns->count);
	free(ns->wishes);
	ns->members = members;
	ns->wishes = wishes;
	ns->count = count;
	ns->told_count = 0;
	ns->backoff = 0;
	ns->due = reg_now();
	return 0;
}

/* ---- sockets */

static int open_events(struct vs *vs)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	const int room = EVENTS_ROOM;
	int rc, sock = vs_socket(vs, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (sock < 0)
		return sock;
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	/* With port 0 it would be passed over as the kernel's own. */
	rc = bind(sock, (const struct sockaddr *)&any, sizeof(any)) < 0 ? -errno : 0;
	for (size_t i = 0; rc == 0 && i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) < 0)
			rc = -errno;
	}
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

static int open_ask(struct vs *vs)
{
	int rc, sock = vs_socket(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	const int on = 1;

	if (sock < 0)
		return sock;
	rc = net_read_prepare(sock);
	/* Without them an error has no text, and brings the whole request back. */
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

int keeper_ns_open(struct vs_keeper *keeper, struct keeper_ns *ns)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ns};
	int events, ask;

	if (ns->events >= 0)
		return 0;
	events = open_events(ns->members[0].vs);
	if (events < 0)
		return events;
	ask = open_ask(ns->members[0].vs);
	if (ask < 0) {
		close(events);
		return ask;
	}
	if (epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, events, &event) < 0) {
		int rc = -errno;

		close(events);
		close(ask);
		return rc;
	}
	ns->events = events;
	ns->ask = ask;
	ns->is_heard = true;
	return 0;
}

void keeper_ns_listen(struct vs_keeper *keeper, struct keeper_ns *ns, bool on)
{
	struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = ns};

	if (ns->events < 0 || ns->is_heard == on)
		return;
	if (epoll_ctl(keeper->epoll, EPOLL_CTL_MOD, ns->events, &event) == 0)
		ns->is_heard = on;
}

/* ---- what is heard */

static bool is_our_table(const struct keeper_ns *ns, uint32_t table)
{
	for (size_t i = 0; i < ns->count; i++) {
		const struct net_member *m = &ns->wishes[i];

		if (m->wish == NET_PRESENT && table >= m->network->table &&
			table - m->network->table < m->network->table_count)
			return true;
	}
	return false;
}

/* Others may have many routes and change them all the time. */
static bool is_our_route(const struct keeper_ns *ns, const struct netlink_message *m)
{
	const size_t skip = NLMSG_ALIGN(sizeof(struct rtmsg));
	const unsigned char *attr;
	struct rtmsg route;
	uint32_t table;
	size_t len;

	if (m->len < sizeof(route))
		return false;
	memcpy(&route, m->body, sizeof(route));
	table = route.rtm_table;
	attr = netlink_attr(m, skip, RTA_TABLE, &len);
	if (attr && len == sizeof(table))
		memcpy(&table, attr, sizeof(table));
	return is_our_table(ns, table);
}

static bool matters(const struct keeper_ns *ns, const unsigned char *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;

	while (netlink_next(bytes, len, &pos, &m) > 0) {
		if ((m.head.nlmsg_type != RTM_NEWROUTE && m.head.nlmsg_type != RTM_DELROUTE) ||
			is_our_route(ns, &m))
			return true;
	}
	return false;
}

void keeper_ns_hear(struct keeper_ns *ns, uint64_t now)
{
	unsigned char bytes[MESSAGE_MAX];
	bool is_news = false;
	ssize_t n = 0;

	for (int i = 0; ns->events >= 0 && i < READS_MAX && n != -EAGAIN; i++) {
		n = netlink_receive(ns->events, bytes, sizeof(bytes));
		if (n > 0)
			is_news = is_news || matters(ns, bytes, (size_t)n);
		else if (n < 0 && n != -EAGAIN)
			is_news = true; /* lost, or too long */
	}
	if (!is_news)
		return;
	if (now < ns->not_before)
		now = ns->not_before;
	if (now < ns->due)
		ns->due = now;
}

/* ---- telling */

void keeper_ns_tell(struct vs_keeper *keeper, struct keeper_ns *ns, int priority, const char *text)
{
	uint32_t sum = crc32_add(0, text, strlen(text));

	for (size_t i = 0; i < ns->told_count && i < KEEPER_TOLD_MAX; i++) {
		if (ns->told[i] == sum)
			return;
	}
	ns->told[ns->told_count++ % KEEPER_TOLD_MAX] = sum;
	reg_log(keeper->reg, priority, ns->members[0].conf->name, "%s", text);
}
