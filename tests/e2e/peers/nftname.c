/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes an nftables table of family inet and any name, which nft(8) would not do.
 *
 * usage: nftname NAME
 */
#include "config.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_ROOM 256

struct request {
	struct nlmsghdr head;
	struct nfgenmsg gen;
};

struct batch {
	struct request begin;
	struct request table;
	struct nlattr attr;
	char name[NAME_ROOM];
};

static struct request request_of(uint16_t type, uint8_t family, uint16_t subsystem, size_t body)
{
	return (struct request){
		.head = {.nlmsg_len = (uint32_t)(sizeof(struct request) + body),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = 1},
		.gen = {.nfgen_family = family,
			.res_id = (uint16_t)(subsystem << 8 | subsystem >> 8)},
	};
}

static int make(int fd, const char *name)
{
	struct {
		struct batch batch;
		struct request end;
	} all = {.batch = {.attr = {sizeof(struct nlattr) + NAME_ROOM, NFTA_TABLE_NAME}}};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char room[1024];
	} answer = {.error = {.error = -EPROTO}};

	snprintf(all.batch.name, sizeof(all.batch.name), "%s", name);
	all.batch.begin = request_of(NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	all.batch.table = request_of(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NFPROTO_INET, 0,
		sizeof(struct nlattr) + NAME_ROOM);
	all.batch.table.head.nlmsg_flags |= NLM_F_ACK | NLM_F_CREATE;
	all.end = request_of(NFNL_MSG_BATCH_END, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	if (send(fd, &all, sizeof(all), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.error.error;
}

int main(int argc, char **argv)
{
	int rc, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (argc != 2 || fd < 0)
		return 2;
	rc = make(fd, argv[1]);
	if (rc < 0)
		fprintf(stderr, "nftname: %s\n", strerror(-rc));
	return rc < 0;
}
