/* SPDX-License-Identifier: BSD-3-Clause */
/* GETSTAT: rpcb_stat_byvers (RFC 1833 section 2.1), one rpcb_stat for each of three versions. */
#include "proc_private.h"

static void put_addr_list(struct rpcmsg_out *out, const struct stats *stats, uint32_t vers)
{
	const struct stats_addr *item;

	for (size_t i = 0; (item = stats_addr_get(stats, vers, i)); i++) {
		rpcmsg_put_u32(out, true);
		rpcmsg_put_u32(out, item->prog);
		rpcmsg_put_u32(out, item->vers);
		rpcmsg_put_u32(out, item->success);
		rpcmsg_put_u32(out, item->failure);
		rpcmsg_put_string(out, netid_info(item->netid)->name);
	}
	rpcmsg_put_u32(out, false);
}

static void put_rmt_list(struct rpcmsg_out *out, const struct stats *stats, uint32_t vers)
{
	const struct stats_rmt *item;

	for (size_t i = 0; (item = stats_rmt_get(stats, vers, i)); i++) {
		rpcmsg_put_u32(out, true);
		rpcmsg_put_u32(out, item->prog);
		rpcmsg_put_u32(out, item->vers);
		rpcmsg_put_u32(out, item->proc);
		rpcmsg_put_u32(out, item->success);
		rpcmsg_put_u32(out, item->failure);
		rpcmsg_put_u32(out, item->indirect);
		rpcmsg_put_string(out, netid_info(item->netid)->name);
	}
	rpcmsg_put_u32(out, false);
}

enum proc_result proc_getstat(struct proc_ctx *ctx)
{
	const struct stats *stats = ctx->vs->stats;

	for (uint32_t vers = PMAPVERS; vers < PMAPVERS + STATS_VERS; vers++) {
		for (uint32_t proc = 0; proc < STATS_PROCS; proc++)
			rpcmsg_put_u32(&ctx->out, stats_proc(stats, vers, proc));
		rpcmsg_put_u32(&ctx->out, stats_set(stats, vers));
		rpcmsg_put_u32(&ctx->out, stats_unset(stats, vers));
		put_addr_list(&ctx->out, stats, vers);
		put_rmt_list(&ctx->out, stats, vers);
	}
	return RESULT_SUCCESS;
}
