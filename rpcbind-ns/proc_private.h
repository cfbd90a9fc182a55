/* SPDX-License-Identifier: BSD-3-Clause */
/* What proc.c and the procedures of program 100000 share. */
#ifndef RPCBIND_PROC_PRIVATE_H
#define RPCBIND_PROC_PRIVATE_H

#include <rpc/rpc.h>
#include <rpc/pmap_prot.h>
#include <rpc/rpcb_prot.h>

#include "proc.h"
#include "rpcmsg.h"

/* What becomes of a call. */
enum proc_result {
	RESULT_SUCCESS, /* the results are in ctx->out */
	RESULT_GARBAGE_ARGS,
	RESULT_SYSTEM_ERR,
	RESULT_PROC_UNAVAIL,
	RESULT_PROG_UNAVAIL,
	RESULT_PROG_MISMATCH, /* ctx->low and ctx->high */
	RESULT_TOO_WEAK,
	RESULT_DROP,
	RESULT_FORWARD, /* *ctx->forward is filled */
};

/* One call at work. */
struct proc_ctx {
	struct proc_vs *vs;
	const struct proc_caller *caller;
	struct rpcmsg_call call;
	struct rpcmsg_in in;
	struct rpcmsg_out out; /* past the header of a SUCCESS reply */
	struct proc_forward *forward;
	uint32_t low, high;
};

typedef enum proc_result proc_fn(struct proc_ctx *ctx);

/* The address that the caller contacted; NULL on the local socket. */
const struct uaddr *proc_contacted(const struct proc_ctx *ctx);

/* What a SET or UNSET is about. */
struct proc_subject {
	uint32_t prog, vers;
	const struct uaddr *host; /* NULL: none is told */
};

/*
 * May the caller SET and UNSET that, in which VS, and as whom? RESULT_SUCCESS, and *vs is NULL
 * when it is nowhere: the answer is FALSE then. Or RESULT_TOO_WEAK, RESULT_DROP.
 */
enum proc_result proc_place(struct proc_ctx *ctx, const struct proc_subject *subject,
	struct proc_vs **vs, struct regs_owner *owner);

/* Do the rules of this VS, which is not the caller's, let him do so? Tells its log. */
bool proc_admitted(const struct proc_ctx *ctx, const struct proc_vs *vs,
	const struct proc_subject *subject);

/* May the caller have a list that is far longer than his call? Not over UDP, where his address may
 * be another's, who would be flooded with it. */
bool proc_may_list(const struct proc_ctx *ctx);

/* Is what this transport carries a datagram? */
bool proc_is_datagram(enum netid netid);

/* Answers a SET or UNSET in this VS, and has count() count it when it was done. */
enum proc_result proc_changed(struct proc_ctx *ctx, struct proc_vs *vs, bool done,
	void (*count)(struct stats *stats, uint32_t rpcb_vers));

/* Calls dispatch() unless a rule of ctx->vs->watch denies the call, and tells of it. */
enum proc_result proc_watched(struct proc_ctx *ctx, proc_fn *dispatch);

proc_fn proc_pmap_set, proc_pmap_unset, proc_pmap_getport, proc_pmap_dump;
proc_fn proc_rpcb_set, proc_rpcb_unset, proc_rpcb_getaddr, proc_rpcb_getversaddr,
	proc_rpcb_getaddrlist, proc_rpcb_dump;
proc_fn proc_rpcb_gettime, proc_rpcb_uaddr2taddr, proc_rpcb_taddr2uaddr;
proc_fn proc_callit, proc_indirect;
proc_fn proc_getstat;

#endif
