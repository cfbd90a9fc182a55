/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The nft ruleset of a namespace, from one file.
 *
 * A file is loaded in one transaction, which empties the ruleset, loads the file, and leaves a table
 * without chains whose name has the file's checksum: "nsaux-1234abcd". The same file is told by a
 * dump of the tables. In a namespace that vsctl did not make, the ruleset is somebody else's, unless
 * there is none, or it has just the tables that a file of ours has made; for that, their checksum is
 * in the name too, "nsaux-1234abcd-5678abcd", by a second transaction.
 *
 * libnftables ends its process when there is no memory, and looks at devices of the namespace that
 * its thread is in: it works in a child process.
 */
#ifndef NSAUX_NET_NFT_H
#define NSAUX_NET_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_NFT_FILE_MAX (4u << 20) /* bytes */

/*
 * *is_right: this file is loaded. -EPERM: it is not, and the ruleset is somebody else's;
 * -EOPNOTSUPP: made without libnftables, or no nftables in the kernel; else -errno of reading the
 * file or the ruleset.
 */
int net_nft_check(
	int ns_fd, uint64_t cookie, const char *file, bool is_ours, bool *is_right);

/* *old: the ruleset before, for net_nft_restore(); the caller's to close. On -EINVAL text is what
 * nft says, cut to size. */
int net_nft_load(int ns_fd, uint64_t cookie, const char *file, bool is_ours, int *old, char *text,
	size_t size);
int net_nft_restore(int ns_fd, uint64_t cookie, int old);

/* Takes away what was loaded from a file, where that can be told; else nothing. */
int net_nft_unload(int ns_fd, uint64_t cookie);

#endif
