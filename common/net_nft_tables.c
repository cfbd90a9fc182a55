/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crc32.h"
#include "net_nft_tables.h"
#include "netlink.h"
#include "netns.h"

#define PREFIX "nsaux-"
#define DIGITS 8
#define TRIES 10 /* somebody changes the tables while they are read */

void net_nft_name(char name[NET_NFT_NAME_MAX], uint32_t file, const uint32_t *made)
{
	int n = snprintf(name, NET_NFT_NAME_MAX, PREFIX "%08x", file);

	if (made && n > 0)
		snprintf(name + n, NET_NFT_NAME_MAX - (size_t)n, "-%08x", *made);
}

static bool parse_sum(const char *text, uint32_t *sum)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t value = 0;

	for (unsigned i = 0; i < DIGITS; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (!digit)
			return false;
		value = value << 4 | (uint32_t)(digit - digits);
	}
	*sum = value;
	return true;
}

static bool take_ours(struct net_nft_tables *tables, const char *name)
{
	uint32_t file, made = 0;
	const char *rest;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	name += strlen(PREFIX);
	if (!parse_sum(name, &file))
		return false;
	rest = name + DIGITS;
	if (*rest && (*rest != '-' || !parse_sum(rest + 1, &made) || rest[1 + DIGITS]))
		return false;
	tables->ours++;
	tables->file = file;
	tables->has_others = *rest;
	tables->made = made;
	return true;
}

void net_nft_tables_add(struct net_nft_tables *tables, unsigned family, const char *name)
{
	const uint8_t byte = (uint8_t)family;

	if (family == NFPROTO_INET && take_ours(tables, name))
		return;
	tables->others++;
	/* A sum of sums: the kernel's order is not that of the file. */
	tables->sum += crc32_add(crc32_add(0, &byte, 1), name, strlen(name));
}

/* One marker without a list is that of a transaction that was not followed by its second one; there
 * was nothing before it. */
bool net_nft_tables_are_ours(const struct net_nft_tables *t)
{
	if (t->ours == 0)
		return t->others == 0;
	return t->ours == 1 && (!t->has_others || t->made == t->sum);
}

static int take_table(const struct netlink_message *m, void *arg)
{
	struct nfgenmsg head;
	const unsigned char *name;
	size_t len = 0;

	if (m->head.nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	if (m->len < sizeof(head))
		return -EPROTO;
	memcpy(&head, m->body, sizeof(head));
	name = netlink_attr(m, sizeof(head), NFTA_TABLE_NAME, &len);
	if (!name || len == 0 || name[len - 1] != '\0')
		return -EPROTO;
	net_nft_tables_add(arg, head.nfgen_family, (const char *)name);
	return 0;
}

static int dump(int ns_fd, uint64_t cookie, struct net_nft_tables *tables)
{
	const struct {
		struct nlmsghdr head;
		struct nfgenmsg body;
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = 1},
		.body = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0},
	};
	int sock = netns_socket(ns_fd, cookie, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	int rc = sock < 0 ? sock : netlink_connect(sock);

	if (rc == 0)
		rc = netlink_dump(sock, &request, sizeof(request), take_table, tables);
	if (sock >= 0)
		close(sock);
	return rc;
}

int net_nft_tables_read(int ns_fd, uint64_t cookie, struct net_nft_tables *tables)
{
	struct net_nft_tables found;
	int rc = -EINTR;

	for (int tries = 0; tries < TRIES && rc == -EINTR; tries++) {
		memset(&found, 0, sizeof(found));
		rc = dump(ns_fd, cookie, &found);
	}
	if (rc == 0)
		*tables = found;
	return rc == -EPROTONOSUPPORT || rc == -EINVAL ? -EOPNOTSUPP : rc;
}
