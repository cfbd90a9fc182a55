/* SPDX-License-Identifier: BSD-3-Clause */
/* The patterns for clients of hosts_access(5). */
#ifndef RPCBIND_HOSTS_PATTERN_H
#define RPCBIND_HOSTS_PATTERN_H

#define HOSTS_ADDRESS_MAX 64

/*
 * The address of an access rule that matches the same callers as the word of a client list: "any",
 * an address, or an address and prefix length. NULL, or why there is none, as the end of a
 * sentence about the word; address is then untouched.
 */
const char *hosts_pattern(const char *word, char address[HOSTS_ADDRESS_MAX]);

#endif
