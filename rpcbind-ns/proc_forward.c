/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls passed on to a service of the VS: CALLIT (versions 2 and 3), BCAST (4) and INDIRECT (4);
 * RFC 1833 sections 2.2.1 and 3.2.
 *
 * CALLIT and BCAST say nothing unless the service answered with success, because a whole
 * network may have been asked; INDIRECT reports what went wrong. With remote_calls off both
 * behave as if the service could not be reached, as stock does: silence, and SYSTEM_ERR for a
 * program that is registered, PROG_UNAVAIL for one that is not.
 *
 * UDP only, as in stock, which says nothing at all on other transports; there INDIRECT is
 * answered with PROC_UNAVAIL, so that its client need not wait.
 *
 * The service sees a call from this machine, so that the caller borrows its trust. What became
 * known as a way in is refused (silence, or AUTH_TOOWEAK for INDIRECT): rpcbind itself, and all
 * but the harmless procedures of the programs in the table below. The NULL procedure does
 * nothing anywhere.
 */
#include <errno.h>

#include "proc_private.h"

/* Programs of which only procedures up to last may be called. */
static const struct {
	uint32_t prog, last;
} restricted[] = {
	{100003, 0}, /* nfs */
	{100004, 2}, /* ypserv: DOMAIN and DOMAIN_NONACK, by which ypbind finds its server */
	{100005, 0}, /* mountd */
	{100007, 1}, /* ypbind: DOMAIN */
	{100009, 0}, /* yppasswdd */
	{100011, 0}, /* rquotad */
	{100028, 0}, /* ypupdated */
	{100029, 0}, /* keyserv */
};

static bool is_refused(uint32_t prog, uint32_t proc)
{
	if (prog == REGS_PROG_RPCBIND)
		return true;
	for (size_t i = 0; i < sizeof(restricted) / sizeof(restricted[0]); i++) {
		if (prog == restricted[i].prog)
			return proc > restricted[i].last;
	}
	return false;
}

static bool get_args(struct proc_ctx *ctx, struct proc_forward *forward)
{
	return rpcmsg_get_u32(&ctx->in, &forward->prog) &&
	       rpcmsg_get_u32(&ctx->in, &forward->vers) &&
	       rpcmsg_get_u32(&ctx->in, &forward->proc) &&
	       rpcmsg_get_opaque(&ctx->in, SIZE_MAX, &forward->args, &forward->args_len);
}

/* Why there is no entry for this call, as INDIRECT reports it. */
static enum proc_result explain(struct proc_ctx *ctx, const struct proc_forward *forward)
{
	if (!ctx->vs->remote_calls)
		return regs_has_program(ctx->vs->regs, forward->prog) ? RESULT_SYSTEM_ERR
								      : RESULT_PROG_UNAVAIL;
	if (regs_versions(ctx->vs->regs, forward->prog, ctx->caller->netid, proc_contacted(ctx),
		    ctx->caller->inside, &ctx->low, &ctx->high))
		return RESULT_PROG_MISMATCH;
	return RESULT_PROG_UNAVAIL;
}

static enum proc_result forward_call(struct proc_ctx *ctx, bool indirect)
{
	struct proc_forward forward = {
		.xid = ctx->call.xid,
		.rpcb_vers = ctx->call.vers,
		.rpcb_proc = ctx->call.proc,
		.silent = !indirect,
		.cred = ctx->call.cred,
		.cred_len = ctx->call.cred_len,
	};

	if (!get_args(ctx, &forward))
		return RESULT_GARBAGE_ARGS;
	if (ctx->vs->remote_calls && is_refused(forward.prog, forward.proc))
		return RESULT_TOO_WEAK;
	forward.entry = regs_find(ctx->vs->regs, forward.prog, forward.vers, ctx->caller->netid,
		proc_contacted(ctx), ctx->caller->inside, false);
	stats_count_rmt(ctx->vs->stats, ctx->call.vers, forward.prog, forward.vers, forward.proc,
		ctx->caller->netid, indirect, forward.entry != NULL);
	if (!ctx->vs->remote_calls || !forward.entry)
		return explain(ctx, &forward);
	*ctx->forward = forward;
	return RESULT_FORWARD;
}

enum proc_result proc_callit(struct proc_ctx *ctx)
{
	if (!proc_is_datagram(ctx->caller->netid))
		return RESULT_DROP;
	return forward_call(ctx, false) == RESULT_FORWARD ? RESULT_FORWARD : RESULT_DROP;
}

enum proc_result proc_indirect(struct proc_ctx *ctx)
{
	if (!proc_is_datagram(ctx->caller->netid))
		return RESULT_PROC_UNAVAIL;
	return forward_call(ctx, true);
}

int proc_forward_call(const struct proc_forward *forward, uint32_t xid, struct proc_reply *reply)
{
	struct rpcmsg_out out;

	rpcmsg_out_init(&out, reply);
	rpcmsg_put_u32(&out, xid);
	rpcmsg_put_u32(&out, CALL);
	rpcmsg_put_u32(&out, RPC_MSG_VERSION);
	rpcmsg_put_u32(&out, forward->prog);
	rpcmsg_put_u32(&out, forward->vers);
	rpcmsg_put_u32(&out, forward->proc);
	rpcmsg_put_bytes(&out, forward->cred, forward->cred_len);
	rpcmsg_put_u32(&out, AUTH_NONE);
	rpcmsg_put_u32(&out, 0);
	rpcmsg_put_bytes(&out, forward->args, forward->args_len);
	return rpcmsg_out_done(&out) ? 0 : -EMSGSIZE;
}

/* The port that the reply of version 2 tells; its callers know no other kind of address. */
static bool put_port(struct rpcmsg_out *out, const char *text)
{
	struct uaddr uaddr;

	if (uaddr_parse(AF_INET, text, &uaddr) < 0 && uaddr_parse(AF_INET6, text, &uaddr) < 0)
		return false;
	rpcmsg_put_u32(out, uaddr.port);
	return true;
}

static enum proc_outcome put_results(const struct proc_forward *forward, const char *text,
	struct rpcmsg_in *in, struct proc_reply *reply)
{
	struct rpcmsg_out out;
	const uint8_t *results;
	size_t len;

	rpcmsg_get_rest(in, &results, &len);
	rpcmsg_out_init(&out, reply);
	rpcmsg_put_accepted(&out, forward->xid, SUCCESS);
	if (forward->rpcb_vers != PMAPVERS)
		rpcmsg_put_string(&out, text);
	else if (!put_port(&out, text))
		return PROC_DROP;
	rpcmsg_put_opaque(&out, results, len);
	return rpcmsg_out_done(&out) ? PROC_REPLY : PROC_DROP;
}

/* The service's own error, with its versions; anything unheard of becomes SYSTEM_ERR. */
static enum proc_outcome put_error(const struct proc_forward *forward, struct rpcmsg_in *in,
	uint32_t stat, struct proc_reply *reply)
{
	uint32_t low = 0, high = 0;
	struct rpcmsg_out out;

	if (stat > SYSTEM_ERR || stat == SUCCESS)
		stat = SYSTEM_ERR;
	if (stat == PROG_MISMATCH && (!rpcmsg_get_u32(in, &low) || !rpcmsg_get_u32(in, &high)))
		stat = SYSTEM_ERR;
	rpcmsg_out_init(&out, reply);
	rpcmsg_put_accepted(&out, forward->xid, (enum accept_stat)stat);
	if (stat == PROG_MISMATCH) {
		rpcmsg_put_u32(&out, low);
		rpcmsg_put_u32(&out, high);
	}
	return rpcmsg_out_done(&out) ? PROC_REPLY : PROC_DROP;
}

enum proc_outcome proc_forward_reply(const struct proc_forward *forward, const char *text,
	const void *msg, size_t len, struct proc_reply *reply)
{
	enum proc_outcome outcome = PROC_DROP;
	uint32_t stat = SYSTEM_ERR;
	struct rpcmsg_in in;

	rpcmsg_in_init(&in, msg, len);
	if (rpcmsg_get_accepted(&in, &stat) && stat == SUCCESS)
		outcome = put_results(forward, text, &in, reply);
	if (outcome == PROC_DROP && !forward->silent)
		outcome = put_error(forward, &in, stat, reply);
	return outcome;
}
