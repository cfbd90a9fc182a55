/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of a VS that has access rules or an access log. */
#include "proc_private.h"

/* The program and version that the arguments begin with, in the procedures that have them. */
static void get_service(const struct proc_ctx *ctx, struct proc_event *event)
{
	static const uint32_t named = 1u << RPCBPROC_SET | 1u << RPCBPROC_UNSET |
				      1u << RPCBPROC_GETADDR | 1u << RPCBPROC_CALLIT |
				      1u << RPCBPROC_GETVERSADDR | 1u << RPCBPROC_INDIRECT |
				      1u << RPCBPROC_GETADDRLIST;
	struct rpcmsg_in in = ctx->in;
	struct rpcmsg_in rest;
	const uint8_t *data;
	size_t len;

	if (event->prog != REGS_PROG_RPCBIND || event->proc > RPCBPROC_GETSTAT ||
		!(named & 1u << event->proc))
		return;
	rpcmsg_get_rest(&in, &data, &len);
	rpcmsg_in_init(&rest, data, len);
	event->has_service = rpcmsg_get_u32(&rest, &event->service_prog) &&
			     rpcmsg_get_u32(&rest, &event->service_vers);
}

bool proc_admitted(const struct proc_ctx *ctx, const struct proc_vs *vs,
	const struct proc_subject *subject)
{
	const struct proc_watch *watch = vs->watch;
	struct proc_event event = {.prog = ctx->call.prog,
		.vers = ctx->call.vers,
		.proc = ctx->call.proc,
		.has_service = true,
		.service_prog = subject->prog,
		.service_vers = subject->vers};

	if (!watch)
		return true;
	event.denied = !access_allows(
		watch->rules, watch->rule_count, &ctx->caller->peer, event.proc);
	if (watch->tell_all || event.denied)
		watch->tell(watch->arg, ctx->caller, &event);
	return !event.denied;
}

enum proc_result proc_watched(struct proc_ctx *ctx, proc_fn *dispatch)
{
	const struct proc_watch *watch = ctx->vs->watch;
	struct proc_event event = {
		.prog = ctx->call.prog, .vers = ctx->call.vers, .proc = ctx->call.proc};
	uint32_t proc = event.prog == REGS_PROG_RPCBIND ? event.proc : ACCESS_PROC_OTHER;
	bool barred = !access_allows(watch->rules, watch->rule_count, &ctx->caller->peer, proc);
	enum proc_result result = RESULT_TOO_WEAK;

	if (watch->tell_all || barred)
		get_service(ctx, &event);
	if (!barred)
		result = dispatch(ctx);
	event.denied = result == RESULT_TOO_WEAK;
	if (watch->tell_all || barred)
		watch->tell(watch->arg, ctx->caller, &event);
	/* A broadcast asks a whole network, and only who can serve it answers. */
	if (barred && proc == RPCBPROC_CALLIT)
		return RESULT_DROP;
	return result;
}
