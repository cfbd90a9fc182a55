/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Versions 3 and 4 (RFC 1833 section 2). An address is asked for on the transport of the request,
 * whatever r_netid says, and for the address that the client contacted, whatever hint r_addr gives:
 * stock's choice among its interfaces sends clients of one virtual server to another.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "proc_private.h"

#define NETID_TEXT_MAX 32
#define NETBUF_MAX 9000 /* RPC_MAXDATASIZE, xdr_netbuf's own limit */

struct rpcb_args {
	uint32_t prog, vers;
	char netid[NETID_TEXT_MAX];
	char addr[UADDR_MAX];
};

/* r_owner is passed over: the kernel knows better who calls. */
static bool get_args(struct proc_ctx *ctx, struct rpcb_args *args)
{
	const uint8_t *owner;
	size_t owner_len;

	return rpcmsg_get_u32(&ctx->in, &args->prog) && rpcmsg_get_u32(&ctx->in, &args->vers) &&
	       rpcmsg_get_string(&ctx->in, args->netid, sizeof(args->netid)) &&
	       rpcmsg_get_string(&ctx->in, args->addr, sizeof(args->addr)) &&
	       rpcmsg_get_opaque(&ctx->in, SIZE_MAX, &owner, &owner_len);
}

enum proc_result proc_rpcb_set(struct proc_ctx *ctx)
{
	struct proc_subject subject = {.host = NULL};
	struct regs_owner owner;
	struct rpcb_args args;
	enum proc_result result;
	struct proc_vs *vs;
	struct uaddr host;
	enum netid netid;
	bool done;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	netid = netid_parse(args.netid);
	subject.prog = args.prog;
	subject.vers = args.vers;
	if (netid != NETID_NONE && uaddr_parse(netid_info(netid)->family, args.addr, &host) == 0)
		subject.host = &host;
	result = proc_place(ctx, &subject, &vs, &owner);
	if (result != RESULT_SUCCESS)
		return result;
	done = vs && regs_set(vs->regs, args.prog, args.vers, netid, args.addr, &owner) == 0;
	return proc_changed(ctx, vs, done, stats_count_set);
}

/* The host part that an UNSET is about. Without a netid only IP addresses say which family. */
static bool parse_host(enum netid netid, const char *text, struct uaddr *host)
{
	if (netid != NETID_NONE)
		return uaddr_parse(netid_info(netid)->family, text, host) == 0;
	return uaddr_parse(AF_INET, text, host) == 0 || uaddr_parse(AF_INET6, text, host) == 0;
}

static bool unset(struct proc_vs *vs, const struct rpcb_args *args, const struct uaddr *only,
	const struct regs_owner *owner)
{
	enum netid netid = netid_parse(args->netid);

	if (netid == NETID_NONE && args->netid[0] != '\0')
		return true; /* nothing can be registered there */
	return regs_unset(vs->regs, args->prog, args->vers, netid, only, owner) >= 0;
}

enum proc_result proc_rpcb_unset(struct proc_ctx *ctx)
{
	struct proc_subject subject = {.host = NULL};
	struct regs_owner owner;
	struct rpcb_args args;
	enum proc_result result;
	struct proc_vs *vs;
	struct uaddr host;
	enum netid netid;
	bool good = true;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	netid = netid_parse(args.netid);
	subject.prog = args.prog;
	subject.vers = args.vers;
	if (ctx->call.vers == RPCBVERS4 && args.addr[0] != '\0' &&
		(netid != NETID_NONE || args.netid[0] == '\0')) {
		good = parse_host(netid, args.addr, &host);
		subject.host = good ? &host : NULL;
	}
	result = proc_place(ctx, &subject, &vs, &owner);
	if (result != RESULT_SUCCESS)
		return result;
	good = good && vs && unset(vs, &args, subject.host, &owner);
	return proc_changed(ctx, vs, good, stats_count_unset);
}

static enum proc_result getaddr(struct proc_ctx *ctx, bool any_version)
{
	enum netid netid = ctx->caller->netid;
	const struct regs_entry *entry;
	struct rpcb_args args;
	char text[UADDR_MAX] = "";

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	entry = regs_find(ctx->vs->regs, args.prog, args.vers, netid, proc_contacted(ctx),
		ctx->caller->inside, any_version);
	stats_count_addr(
		ctx->vs->stats, ctx->call.vers, args.prog, args.vers, netid, entry != NULL);
	if (entry)
		regs_merge(entry, proc_contacted(ctx), text);
	rpcmsg_put_string(&ctx->out, text);
	return RESULT_SUCCESS;
}

enum proc_result proc_rpcb_getaddr(struct proc_ctx *ctx)
{
	return getaddr(ctx, true);
}

enum proc_result proc_rpcb_getversaddr(struct proc_ctx *ctx)
{
	return getaddr(ctx, false);
}

/* One element of rpcb_entry_list. */
static void put_entry(struct proc_ctx *ctx, const struct regs_entry *entry)
{
	const struct netid_info *info = netid_info(entry->netid);
	char text[UADDR_MAX];

	regs_merge(entry, proc_contacted(ctx), text);
	rpcmsg_put_u32(&ctx->out, true);
	rpcmsg_put_string(&ctx->out, text);
	rpcmsg_put_string(&ctx->out, info->name);
	rpcmsg_put_u32(&ctx->out, info->semantics);
	rpcmsg_put_string(&ctx->out, info->protofmly);
	rpcmsg_put_string(&ctx->out, info->proto);
}

enum proc_result proc_rpcb_getaddrlist(struct proc_ctx *ctx)
{
	int family = netid_info(ctx->caller->netid)->family;
	const struct regs_entry *entry;
	struct rpcb_args args;
	bool found = false;

	if (!get_args(ctx, &args))
		return RESULT_GARBAGE_ARGS;
	for (int i = NETID_NONE + 1; i < NETID_COUNT; i++) {
		if (netid_info((enum netid)i)->family != family)
			continue;
		entry = regs_find(ctx->vs->regs, args.prog, args.vers, (enum netid)i,
			proc_contacted(ctx), ctx->caller->inside, false);
		if (entry)
			put_entry(ctx, entry);
		found = found || entry;
	}
	rpcmsg_put_u32(&ctx->out, false);
	stats_count_addr(
		ctx->vs->stats, ctx->call.vers, args.prog, args.vers, ctx->caller->netid, found);
	return RESULT_SUCCESS;
}

/* One element of rpcblist. */
static void put_registration(struct rpcmsg_out *out, const struct regs_entry *entry)
{
	const char *netid = netid_info(entry->netid)->name;
	char owner[REGS_OWNER_MAX];
	size_t netid_len = strlen(netid), text_len = strlen(entry->text),
	       owner_len = regs_owner_text(&entry->owner, owner);
	uint8_t *p = rpcmsg_reserve(out, (size_t)3 * BYTES_PER_XDR_UNIT +
			rpcmsg_string_size(netid_len) + rpcmsg_string_size(text_len) +
			rpcmsg_string_size(owner_len));

	if (!p)
		return;
	p = rpcmsg_fill_u32(p, true);
	p = rpcmsg_fill_u32(p, entry->prog);
	p = rpcmsg_fill_u32(p, entry->vers);
	p = rpcmsg_fill_string(p, netid, netid_len);
	p = rpcmsg_fill_string(p, entry->text, text_len);
	rpcmsg_fill_string(p, owner, owner_len);
}

enum proc_result proc_rpcb_dump(struct proc_ctx *ctx)
{
	const struct regs_entry *entry = NULL;

	if (!proc_may_list(ctx))
		return RESULT_SYSTEM_ERR;
	while ((entry = regs_next(ctx->vs->regs, entry)) && !ctx->out.failed)
		put_registration(&ctx->out, entry);
	rpcmsg_put_u32(&ctx->out, false);
	return RESULT_SUCCESS;
}

enum proc_result proc_rpcb_gettime(struct proc_ctx *ctx)
{
	rpcmsg_put_u32(&ctx->out, (uint32_t)ctx->caller->wall_seconds);
	return RESULT_SUCCESS;
}

/* libtirpc 1.3.5 writes an abstract name with an '@' for its NUL; older ones have none. */
static socklen_t path_to_sockaddr(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path); /* uaddr_parse() has seen to it that it fits */

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len);
	if (path[0] == '@')
		sun->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void put_netbuf(struct proc_ctx *ctx, size_t maxlen, const void *data, size_t len)
{
	rpcmsg_put_u32(&ctx->out, (uint32_t)maxlen);
	rpcmsg_put_opaque(&ctx->out, data, len);
}

/* A socket address of this machine's byte order and layout: RFC 1833 leaves it to the system. */
enum proc_result proc_rpcb_uaddr2taddr(struct proc_ctx *ctx)
{
	int family = netid_info(ctx->caller->netid)->family;
	char text[UADDR_MAX];
	struct sockaddr_storage ss;
	struct sockaddr_un sun;
	struct uaddr uaddr;
	socklen_t len;

	if (!rpcmsg_get_string(&ctx->in, text, sizeof(text)))
		return RESULT_GARBAGE_ARGS;
	if (uaddr_parse(family, text, &uaddr) < 0) {
		put_netbuf(ctx, 0, "", 0);
	} else if (family == AF_UNIX) {
		len = path_to_sockaddr(text, &sun);
		put_netbuf(ctx, sizeof(sun), &sun, len);
	} else {
		len = uaddr_to_sockaddr(&uaddr, &ss);
		put_netbuf(ctx, len, &ss, len);
	}
	return RESULT_SUCCESS;
}

/* text: UADDR_MAX bytes, left as it is when the address is none of this family. */
static void sockaddr_to_text(int family, const uint8_t *data, size_t len, char *text)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct uaddr uaddr = {.family = family};
	const struct sockaddr_in *sin = (const struct sockaddr_in *)&ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&ss;
	const struct sockaddr_un *sun = (const struct sockaddr_un *)&ss;
	char path[sizeof(sun->sun_path) + 1] = "";

	if (len > sizeof(ss))
		return;
	memcpy(&ss, data, len);
	if (ss.ss_family != family)
		return;
	if (family == AF_INET && len >= sizeof(*sin)) {
		uaddr.port = ntohs(sin->sin_port);
		memcpy(uaddr.addr, &sin->sin_addr, sizeof(sin->sin_addr));
		uaddr_format(&uaddr, text, UADDR_MAX);
	} else if (family == AF_INET6 && len >= sizeof(*sin6)) {
		/* Not by uaddr_from_sockaddr(), which makes a mapped address IPv4. */
		uaddr.port = ntohs(sin6->sin6_port);
		memcpy(uaddr.addr, &sin6->sin6_addr, sizeof(sin6->sin6_addr));
		uaddr_format(&uaddr, text, UADDR_MAX);
	} else if (family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path)) {
		memcpy(path, sun->sun_path, sizeof(sun->sun_path));
		if (path[0] == '\0' && path[1] != '\0')
			path[0] = '@';
		if (uaddr_parse(AF_UNIX, path, &uaddr) == 0)
			memcpy(text, path, sizeof(path));
	}
}

enum proc_result proc_rpcb_taddr2uaddr(struct proc_ctx *ctx)
{
	char text[UADDR_MAX] = "";
	const uint8_t *data;
	uint32_t maxlen;
	size_t len;

	if (!rpcmsg_get_u32(&ctx->in, &maxlen) || maxlen > NETBUF_MAX ||
		!rpcmsg_get_opaque(&ctx->in, maxlen, &data, &len))
		return RESULT_GARBAGE_ARGS;
	sockaddr_to_text(netid_info(ctx->caller->netid)->family, data, len, text);
	rpcmsg_put_string(&ctx->out, text);
	return RESULT_SUCCESS;
}
