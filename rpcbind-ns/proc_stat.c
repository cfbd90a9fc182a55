/* SPDX-License-Identifier: BSD-3-Clause */
/* GETSTAT: rpcb_stat_byvers (RFC 1833 section 2.1), one rpcb_stat for each of three versions. */
#include <string.h>

#include "proc_private.h"

/* One element of a list: these words, and the name of the netid. */
static void put_item(struct rpcmsg_out *out, const uint32_t *words, size_t count, enum netid netid)
{
	const char *name = netid_info(netid)->name;
	size_t len = strlen(name);
	uint8_t *p = rpcmsg_reserve(out, count * BYTES_PER_XDR_UNIT + rpcmsg_string_size(len));

	if (!p)
		return;
	for (size_t i = 0; i < count; i++)
		p = rpcmsg_fill_u32(p, words[i]);
	rpcmsg_fill_string(p, name, len);
}

static void put_addr_list(struct rpcmsg_out *out, const struct stats *stats, uint32_t vers)
{
	const struct stats_addr *item;

	for (size_t i = 0; (item = stats_addr_get(stats, vers, i)); i++) {
		uint32_t words[] = {true, item->prog, item->vers, item->success, item->failure};
		put_item(out, words, sizeof(words) / sizeof(words[0]), item->netid);
	}
	rpcmsg_put_u32(out, false);
}

static void put_rmt_list(struct rpcmsg_out *out, const struct stats *stats, uint32_t vers)
{
	const struct stats_rmt *item;

	for (size_t i = 0; (item = stats_rmt_get(stats, vers, i)); i++) {
		uint32_t words[] = {true, item->prog, item->vers, item->proc, item->success,
			item->failure, item->indirect};
		put_item(out, words, sizeof(words) / sizeof(words[0]), item->netid);
	}
	rpcmsg_put_u32(out, false);
}

enum proc_result proc_getstat(struct proc_ctx *ctx)
{
	const struct stats *stats = ctx->vs->stats;

	if (!proc_may_list(ctx))
		return RESULT_SYSTEM_ERR;
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
