/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The names of an address: of the hosts file, of localhost, or by PTR, and whether they are
 * confirmed. A kind of request to build on, for vsresolv_ptr() and vsresolv_getnameinfo().
 */
#ifndef NSAUX_PTR_H
#define NSAUX_PTR_H

#include "dns_message.h"
#include "request.h"

struct ptr;

struct ptr_name {
	struct dns_name name;
	struct query_waiter waiter; /* its addresses, for the confirmation */
	struct ptr *ptr;
	bool is_good; /* to be told */
};

struct ptr {
	struct request request;
	int invalid;  /* EAI_*: what is wrong with the arguments */
	bool confirm; /* VSRESOLV_NI_CONFIRM */
	bool is_late; /* nothing is asked any more */
	int family;   /* that of an IPv4-mapped address is AF_INET */
	union dns_address addr;
	struct query_waiter waiter; /* for the PTR records */
	int undecided;              /* EAI_*: why a name could not be confirmed or denied; 0 */
	size_t count;               /* with status 0, when it is over: at least one */
	struct ptr_name *names;
};

/* EAI_FAMILY goes to ptr->invalid. */
void ptr_init(struct ptr *ptr, struct vsresolv *ctx, const struct request_ops *ops,
	const struct sockaddr *addr, socklen_t addr_len, bool confirm);
/* Without a lock of the engine: the request is settled; false: request_run() is to be called. */
bool ptr_at_hand(struct ptr *ptr);
void ptr_clear(struct ptr *ptr); /* for destroy() */

/* For the struct request_ops. EAI_NONAME: no name that can be told. */
void ptr_begin(struct request *r);
void ptr_stop(struct request *r);
int ptr_expire(struct request *r);

#endif
