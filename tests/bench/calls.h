/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls that are measured, and whether the answers are right. */
#ifndef NSAUX_BENCH_CALLS_H
#define NSAUX_BENCH_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_MAX 256
#define CALLS_NETIDS 3
#define CALLS_FIRST 0x20000000U /* the first program number: "user" ones (RFC 5531 section 8.4) */

enum call_proc { CALL_NULL, CALL_GETPORT, CALL_GETADDR, CALL_SELF, CALL_SET, CALL_UNSET };

struct call_plan {
	enum call_proc proc; /* CALL_SELF: GETADDR of rpcbind itself */
	bool echo;           /* the other side is an echo: only the xid is looked at */
	uint32_t programs;   /* the index goes round modulo this */
	uint16_t port;       /* that was called */
	const char *hint;    /* r_addr of GETADDR: the contacted address, as libtirpc sends it */
};

/* False: there is no call of that name. */
bool call_by_name(const char *name, enum call_proc *proc);
/* Its length, at most CALL_MAX. A program is registered on CALLS_NETIDS netids, one after the other,
 * since GETADDR answers for the transport that it came by. */
size_t call_make(const struct call_plan *plan, uint32_t xid, uint32_t index, uint8_t *msg);
/* Is it the right answer to that call? The xid has been looked at. */
bool call_check(const struct call_plan *plan, uint32_t index, const uint8_t *reply, size_t len);

#endif
