/* SPDX-License-Identifier: BSD-3-Clause */
/* The nft tables of a namespace, and which of them says what was loaded. */
#ifndef NSAUX_NET_NFT_TABLES_H
#define NSAUX_NET_NFT_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_NFT_NAME_MAX 40 /* of a table of ours */

struct net_nft_tables {
	size_t others;   /* tables that are not ours */
	uint32_t sum;    /* checksum of their families and names, whatever their order */
	size_t ours;
	uint32_t file;   /* of the last of ours: checksum of the file */
	bool has_others; /* it tells what tables the file has made: */
	uint32_t made;
};

/* Dumps them. 0, -EOPNOTSUPP (this kernel has no nftables) or -errno. */
int net_nft_tables_read(int ns_fd, uint64_t cookie, struct net_nft_tables *tables);
/* Adds a table as the dump shows it. */
void net_nft_tables_add(struct net_nft_tables *tables, unsigned family, const char *name);
/* All that is there is what we loaded, or there is nothing. */
bool net_nft_tables_are_ours(const struct net_nft_tables *tables);

/* "nsaux-1234abcd", and with made "nsaux-1234abcd-5678abcd". */
void net_nft_name(char name[NET_NFT_NAME_MAX], uint32_t file, const uint32_t *made);

#endif
