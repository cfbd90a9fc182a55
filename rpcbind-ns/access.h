/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access rules: who may call which procedure of rpcbind. The first rule that matches decides;
 * where none does the call is allowed. Pure: no allocation, no I/O.
 */
#ifndef RPCBIND_ACCESS_H
#define RPCBIND_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uaddr.h"

#define ACCESS_DEFAULTS_MAX 64 /* rules for all virtual servers */
#define ACCESS_RULES_MAX 320   /* rules of one */

/* Stands for every procedure that has no name. */
#define ACCESS_PROC_OTHER 31u

struct access_rule {
	uint32_t procs;  /* bit n: procedure n, or ACCESS_PROC_OTHER */
	bool allow;
	uint8_t family;  /* AF_INET, AF_INET6; AF_UNSPEC: any address */
	uint8_t bits;    /* of addr that count */
	uint8_t addr[16];
};

/*
 * "allow|deny PROCEDURES ADDRESS": PROCEDURES is "all" or names with commas between them, ADDRESS
 * "any", an IP address, or ADDRESS/LENGTH without host bits. An IPv4-mapped address is an IPv4
 * address. 0, or -EINVAL with the end of a sentence about the text in reason.
 */
int access_parse(const char *text, struct access_rule *rule, char *reason, size_t size);

/* A list of texts, ended by NULL; NULL: none. *count is set on success. 0, -EINVAL, or -E2BIG when
 * there are more than size. */
int access_compile(char *const *texts, struct access_rule *rules, size_t size, size_t *count);

/* May a caller at this address call this procedure? AF_UNIX: always. */
bool access_allows(const struct access_rule *rules, size_t count, const struct uaddr *peer,
	uint32_t proc);

/* "getport" in version 2 where it is "getaddr" later; NULL: no such procedure in any version. */
const char *access_proc_name(uint32_t vers, uint32_t proc);

#endif
