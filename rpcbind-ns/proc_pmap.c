/* SPDX-License-Identifier: BSD-3-Clause */
/* Version 2, the port mapper (RFC 1833 section 3): udp and tcp over IPv4, and no addresses. */
#include <netinet/in.h>

#include "proc_private.h"

struct pmap_args {
	uint32_t prog, vers, prot, port;
};

static bool get_args(struct proc_ctx *ctx, struct pmap_args *args)
{
	uint32_t words[4];

	if (!rpcmsg_get_words(&ctx->in, words, 4))
		return false;
	*args = (struct pmap_args){words[0], words[1], words[2], words[3]};
	return true;
}

static enum netid prot_netid(uint32_t prot)
{
	if (prot == IPPROTO_TCP)
		return NETID_TCP;
	return prot == IPPROTO_UDP ? NETID_UDP : NETID_NONE;
}

/* The protocol number of an entry that version 2 can show; 0: it cannot. */
static uint32_t netid_prot(enum netid netid)
{
	if (netid == NETID_TCP)
		return IPPROTO_TCP;
	return netid == NETID_UDP ? IPPROTO_UDP : 0;
}

static bool set(struct proc_vs *vs, const struct pmap_args *args, const struct regs_owner *owner)
{
	struct uaddr any = {.family = AF_INET, .port = (uint16_t)args->port};
	char text[UADDR_MAX];

	if (args->port > UINT16_MAX)
		return false;
	uaddr_format(&any, text, sizeof(text));
	return regs_set(vs->regs, args->prog, args->vers, prot_netid(args->prot), text,
		       owner) == 0;
}

/* There are no host parts. */
static enum proc_result place(struct proc_ctx *ctx, const struct pmap_args *args,
	struct proc_vs **vs, struct regs_owner *owner)
{
	const struct proc_subject subject = {args->prog, args->vers, NULL};

	return proc_place(ctx, &subject, vs, owner);
}

enum proc_result proc_pmap_set(struct proc_ctx *ctx)
{
	struct regs_owner owner;
	struct pmap_args args;
	enum proc_result result;
	struct proc_vs *vs;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	result = place(ctx, &args, &vs, &owner);
	if (result != RESULT_SUCCESS)
		return result;
	return proc_changed(ctx, vs, vs && set(vs, &args, &owner), stats_count_set);
}

enum proc_result proc_pmap_unset(struct proc_ctx *ctx)
{
	struct regs_owner owner;
	struct pmap_args args;
	enum proc_result result;
	struct proc_vs *vs;
	bool done;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	result = place(ctx, &args, &vs, &owner);
	if (result != RESULT_SUCCESS)
		return result;
	done = vs && regs_unset_pmap(vs->regs, args.prog, args.vers, &owner) >= 0;
	return proc_changed(ctx, vs, done, stats_count_unset);
}

enum proc_result proc_pmap_getport(struct proc_ctx *ctx)
{
	const struct regs_entry *entry = NULL;
	struct pmap_args args;
	enum netid netid;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	netid = prot_netid(args.prot);
	if (netid != NETID_NONE) {
		entry = regs_find(ctx->vs->regs, args.prog, args.vers, netid, proc_contacted(ctx),
			ctx->caller->inside, true);
		stats_count_addr(
			ctx->vs->stats, ctx->call.vers, args.prog, args.vers, netid, entry != NULL);
	}
	rpcmsg_put_u32(&ctx->out, entry ? entry->uaddr.port : 0);
	return RESULT_SUCCESS;
}

/* One element of pmaplist. */
static void put_mapping(struct rpcmsg_out *out, const struct regs_entry *entry)
{
	uint8_t *p = rpcmsg_reserve(out, (size_t)5 * BYTES_PER_XDR_UNIT);

	if (!p)
		return;
	p = rpcmsg_fill_u32(p, true);
	p = rpcmsg_fill_u32(p, entry->prog);
	p = rpcmsg_fill_u32(p, entry->vers);
	p = rpcmsg_fill_u32(p, netid_prot(entry->netid));
	rpcmsg_fill_u32(p, entry->uaddr.port);
}

enum proc_result proc_pmap_dump(struct proc_ctx *ctx)
{
	const struct regs_entry *entry = NULL;

	if (!proc_may_list(ctx))
		return RESULT_SYSTEM_ERR;
	while ((entry = regs_next(ctx->vs->regs, entry)) && !ctx->out.failed) {
		if (netid_prot(entry->netid) != 0 && entry->port_listed)
			put_mapping(&ctx->out, entry);
	}
	rpcmsg_put_u32(&ctx->out, false);
	return RESULT_SUCCESS;
}
