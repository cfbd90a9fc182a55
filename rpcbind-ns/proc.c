/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "proc_private.h"

static enum proc_result proc_null(struct proc_ctx *ctx)
{
	(void)ctx;
	return RESULT_SUCCESS;
}

static proc_fn *const pmap_procs[] = {
	[NULLPROC] = proc_null,
	[PMAPPROC_SET] = proc_pmap_set,
	[PMAPPROC_UNSET] = proc_pmap_unset,
	[PMAPPROC_GETPORT] = proc_pmap_getport,
	[PMAPPROC_DUMP] = proc_pmap_dump,
	[PMAPPROC_CALLIT] = proc_callit,
};

/* Version 3 ends before GETVERSADDR. */
static proc_fn *const rpcb_procs[] = {
	[NULLPROC] = proc_null,
	[RPCBPROC_SET] = proc_rpcb_set,
	[RPCBPROC_UNSET] = proc_rpcb_unset,
	[RPCBPROC_GETADDR] = proc_rpcb_getaddr,
	[RPCBPROC_DUMP] = proc_rpcb_dump,
	[RPCBPROC_CALLIT] = proc_callit,
	[RPCBPROC_GETTIME] = proc_rpcb_gettime,
	[RPCBPROC_UADDR2TADDR] = proc_rpcb_uaddr2taddr,
	[RPCBPROC_TADDR2UADDR] = proc_rpcb_taddr2uaddr,
	[RPCBPROC_GETVERSADDR] = proc_rpcb_getversaddr,
	[RPCBPROC_INDIRECT] = proc_indirect,
	[RPCBPROC_GETADDRLIST] = proc_rpcb_getaddrlist,
	[RPCBPROC_GETSTAT] = proc_getstat,
};

const struct uaddr *proc_contacted(const struct proc_ctx *ctx)
{
	return ctx->caller->peer.family == AF_UNIX ? NULL : &ctx->caller->contacted;
}

bool proc_is_superuser(const struct proc_vs *vs, uid_t uid)
{
	if (uid == (uid_t)-1)
		return false;
	if (uid == 0 || uid == vs->owner_uid || uid == vs->root_uid)
		return true;
	for (size_t i = 0; i < vs->superuser_count; i++) {
		if (uid == vs->superusers[i])
			return true;
	}
	return false;
}

/* Who the caller is in this VS. */
static enum proc_result find_owner(const struct proc_ctx *ctx, const struct proc_vs *vs,
	struct regs_owner *owner)
{
	const struct proc_caller *caller = ctx->caller;
	struct regs_owner who = {.superuser = false, .uid = (uid_t)-1};
	bool sure = false;
	int rc;

	if (caller->inside) {
		rc = caller->peer_uid ? caller->peer_uid(caller->arg, &who.uid, &sure) : -ENOENT;
		if (rc)
			return rc == -EDQUOT ? RESULT_DROP : RESULT_TOO_WEAK;
		who.superuser = proc_is_superuser(vs, who.uid);
		/* Nobody becomes superuser by sharing a port with one. */
		if (who.superuser && !sure)
			return RESULT_TOO_WEAK;
	}
	*owner = who;
	return RESULT_SUCCESS;
}

enum proc_result proc_place(struct proc_ctx *ctx, const struct proc_subject *subject,
	struct proc_vs **vs, struct regs_owner *owner)
{
	const struct uaddr *host = subject->host;
	struct proc_vs *at = ctx->vs;
	enum proc_result result;

	if (!ctx->caller->inside && !ctx->vs->insecure)
		return RESULT_TOO_WEAK;
	if (host && uaddr_is_wildcard(host))
		host = NULL;
	if (at->place)
		at = at->place(at->place_arg, ctx->caller, host);
	if (at && at != ctx->vs && !proc_admitted(ctx, at, subject))
		return RESULT_TOO_WEAK;
	if (!at && ctx->vs->nobody)
		return RESULT_TOO_WEAK;
	result = at ? find_owner(ctx, at, owner) : RESULT_SUCCESS;
	if (result == RESULT_SUCCESS)
		*vs = at;
	return result;
}

bool proc_is_datagram(enum netid netid)
{
	return netid == NETID_UDP || netid == NETID_UDP6;
}

bool proc_may_list(const struct proc_ctx *ctx)
{
	return ctx->vs->udp_dump || ctx->caller->inside || !proc_is_datagram(ctx->caller->netid);
}

enum proc_result proc_changed(struct proc_ctx *ctx, struct proc_vs *vs, bool done,
	void (*count)(struct stats *stats, uint32_t rpcb_vers))
{
	if (done)
		count(vs->stats, ctx->call.vers);
	rpcmsg_put_u32(&ctx->out, done);
	return RESULT_SUCCESS;
}

/* RFC 1833 section 2.2: which procedure is it? NULL: none of this version. */
static proc_fn *find_proc(uint32_t vers, uint32_t proc)
{
	if (vers == PMAPVERS)
		return proc <= PMAPPROC_CALLIT ? pmap_procs[proc] : NULL;
	if (vers == RPCBVERS)
		return proc <= RPCBPROC_TADDR2UADDR ? rpcb_procs[proc] : NULL;
	return proc <= RPCBPROC_GETSTAT ? rpcb_procs[proc] : NULL;
}

/* Of those who come to no VS. */
static bool is_barred(struct proc_ctx *ctx)
{
	const struct rpcmsg_call *call = &ctx->call;

	if (!ctx->vs->nobody ||
		(call->prog == REGS_PROG_RPCBIND && call->vers >= PMAPVERS &&
			call->vers <= RPCBVERS4 &&
			(call->proc == RPCBPROC_SET || call->proc == RPCBPROC_UNSET)))
		return false;
	/* It has no host part, and the log tells. */
	ctx->vs->place(ctx->vs->place_arg, ctx->caller, NULL);
	return true;
}

static enum proc_result dispatch(struct proc_ctx *ctx)
{
	const struct rpcmsg_call *call = &ctx->call;
	proc_fn *fn;

	if (!ctx->vs || is_barred(ctx))
		return RESULT_TOO_WEAK;
	if (call->prog != REGS_PROG_RPCBIND)
		return RESULT_PROG_UNAVAIL;
	ctx->low = PMAPVERS;
	ctx->high = RPCBVERS4;
	if (call->vers < ctx->low || call->vers > ctx->high)
		return RESULT_PROG_MISMATCH;
	stats_count_proc(ctx->vs->stats, call->vers, call->proc);
	fn = find_proc(call->vers, call->proc);
	if (!fn)
		return RESULT_PROC_UNAVAIL;
	rpcmsg_put_accepted(&ctx->out, call->xid, SUCCESS);
	return fn(ctx);
}

static enum accept_stat accept_stat(enum proc_result result)
{
	switch (result) {
	case RESULT_GARBAGE_ARGS:
		return GARBAGE_ARGS;
	case RESULT_PROC_UNAVAIL:
		return PROC_UNAVAIL;
	case RESULT_PROG_UNAVAIL:
		return PROG_UNAVAIL;
	case RESULT_PROG_MISMATCH:
		return PROG_MISMATCH;
	default:
		return SYSTEM_ERR;
	}
}

static void put_error(struct proc_ctx *ctx, enum proc_result result)
{
	if (result == RESULT_TOO_WEAK) {
		rpcmsg_put_auth_error(&ctx->out, ctx->call.xid, AUTH_TOOWEAK);
		return;
	}
	rpcmsg_put_accepted(&ctx->out, ctx->call.xid, accept_stat(result));
	if (result == RESULT_PROG_MISMATCH) {
		rpcmsg_put_u32(&ctx->out, ctx->low);
		rpcmsg_put_u32(&ctx->out, ctx->high);
	}
}

static enum proc_outcome finish(
	struct proc_ctx *ctx, struct proc_reply *reply, enum proc_result result)
{
	if (result == RESULT_DROP)
		return PROC_DROP;
	if (result == RESULT_FORWARD)
		return PROC_FORWARD;
	if (result == RESULT_SUCCESS && rpcmsg_out_done(&ctx->out))
		return PROC_REPLY;
	/* An error, or results that do not fit. */
	rpcmsg_out_init(&ctx->out, reply);
	put_error(ctx, result);
	return rpcmsg_out_done(&ctx->out) ? PROC_REPLY : PROC_DROP;
}

enum proc_outcome proc_call(struct proc_vs *vs, const struct proc_caller *caller, const void *msg,
	size_t len, struct proc_reply *reply, struct proc_forward *forward)
{
	struct proc_ctx ctx = {.vs = vs, .caller = caller, .forward = forward};
	enum auth_stat why = AUTH_OK;

	rpcmsg_in_init(&ctx.in, msg, len);
	rpcmsg_out_init(&ctx.out, reply);
	switch (rpcmsg_get_call(&ctx.in, &ctx.call, &why)) {
	case RPCMSG_OK:
		if (vs && vs->watch)
			return finish(&ctx, reply, proc_watched(&ctx, dispatch));
		return finish(&ctx, reply, dispatch(&ctx));
	case RPCMSG_MISMATCH:
		rpcmsg_put_rpc_mismatch(&ctx.out, ctx.call.xid);
		break;
	case RPCMSG_DENIED:
		rpcmsg_put_auth_error(&ctx.out, ctx.call.xid, why);
		break;
	case RPCMSG_DROP:
	default:
		return PROC_DROP;
	}
	return rpcmsg_out_done(&ctx.out) ? PROC_REPLY : PROC_DROP;
}

enum proc_outcome proc_refuse(const void *msg, size_t len, struct proc_reply *reply)
{
	struct proc_ctx ctx = {.vs = NULL};
	enum auth_stat why;

	rpcmsg_in_init(&ctx.in, msg, len);
	if (rpcmsg_get_call(&ctx.in, &ctx.call, &why) != RPCMSG_OK)
		return PROC_DROP;
	return finish(&ctx, reply, RESULT_SYSTEM_ERR);
}
