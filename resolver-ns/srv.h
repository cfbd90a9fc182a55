/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_srv(): the records, then the addresses of all targets side by side. For srv*.c. */
#ifndef NSAUX_SRV_H
#define NSAUX_SRV_H

#include "front.h"
#include "lookup.h"

#define SRV_TARGETS_MAX 64
#define SRV_READ_MAX 512 /* records of a message that are looked at */
#define SRV_ADDRS_MAX 64 /* of a target, half of them of a family */

struct srv;
struct srv_target;

/* The addresses of one family. */
struct srv_part {
	struct query_waiter waiter; /* waits for an answer while waiter.query is set */
	struct srv_target *target;
	uint16_t type;
	bool is_wanted, is_asked;
	int status; /* EAI_*, if it brings no address */
};

struct srv_target {
	struct srv *srv;
	struct dns_srv record; /* its target in lower case */
	struct srv_part parts[2];
	bool is_done;
	int status; /* EAI_* or 0: of the addresses */
	unsigned count;
	bool has_canonical; /* which it is otherwise the target itself */
	struct dns_name canonical;
	union netview_addr addrs[SRV_ADDRS_MAX];
};

struct srv {
	struct request request;
	struct front_hints hints;
	int family;         /* of the hints, made narrower by AI_ADDRCONFIG */
	bool has_no_family; /* the VS has none that is wanted */
	unsigned flags;     /* VSRESOLV_SRV_* */
	int first_ms;
	int invalid;  /* EAI_*: what is wrong with the arguments */
	bool is_late; /* nothing is asked any more */
	bool first_is_over;
	struct loop_timer first;
	struct dns_question question;
	struct query_waiter waiter;
	struct answer *records; /* a reference */
	size_t count;
	struct srv_target *targets; /* in order */
	struct vsresolv_srv *res;   /* the user's to be */
	vsresolv_srv_fn *fn;        /* NULL: synchronous */
	void *arg;
};

/* srv_target.c. srv_target_begin: what is at hand, and asks for the rest; the target may be done at
 * once. srv_target_answered: one that was waited for. */
void srv_target_begin(struct srv_target *target);
void srv_target_answered(struct srv_part *part, int status, const struct answer *answer);
/* It is to be done now: with what has come; with what is at hand by srv->is_late, too. */
void srv_target_settle(struct srv_target *target);
void srv_target_expire(struct srv_target *target);
/* Leaves; harmless if nothing is under way. */
void srv_target_stop(struct srv_target *target);

/* srv_result.c: all of it in one block. 0 or EAI_MEMORY. */
int srv_result(struct srv *srv);

#endif
