/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

static int peer_uid(void *arg, uid_t *uid, bool *sure)
{
	struct peer *p = arg;

	p->uid_asked++;
	if (p->uid_rc < 0)
		return p->uid_rc;
	*uid = p->uid;
	*sure = !p->uid_unsure;
	return 0;
}

bool_t peer_void(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

void peer_init(struct peer *p)
{
	struct regs_limits limits = {.entries = 1000, .entries_per_owner = 100};

	memset(p, 0, sizeof(*p));
	assert_int_equal(regs_new(&p->regs, &limits, NULL), 0);
	assert_int_equal(stats_new(&p->stats), 0);
	p->vs.regs = p->regs;
	p->vs.stats = p->stats;
	p->vs.root_uid = (uid_t)-1;
	p->room_size = PEER_ROOM;
	p->room = malloc(p->room_size);
	assert_non_null(p->room);
	p->caller.peer_uid = peer_uid;
	p->caller.arg = p;
	p->cred = _null_auth;
	peer_local(p, 0);
}

void peer_fini(struct peer *p)
{
	regs_free(p->regs);
	stats_free(p->stats);
	free(p->room);
}

const char *peer_first_owner(const struct peer *p)
{
	static char text[REGS_OWNER_MAX];

	regs_owner_text(&regs_next(p->regs, NULL)->owner, text);
	return text;
}

int peer_setup(void **state)
{
	struct peer *p = malloc(sizeof(*p));

	if (!p)
		return -1;
	peer_init(p);
	*state = p;
	return 0;
}

int peer_teardown(void **state)
{
	peer_fini(*state);
	free(*state);
	return 0;
}

void peer_local(struct peer *p, uid_t uid)
{
	memset(&p->caller.contacted, 0, sizeof(p->caller.contacted));
	memset(&p->caller.peer, 0, sizeof(p->caller.peer));
	p->caller.peer.family = AF_UNIX;
	p->caller.netid = NETID_LOCAL;
	p->caller.inside = true;
	p->uid = uid;
	p->uid_rc = 0;
}

void peer_remote(struct peer *p, enum netid netid, const char *from, const char *to)
{
	int family = netid_info(netid)->family;

	assert_int_equal(uaddr_parse(family, from, &p->caller.peer), 0);
	assert_int_equal(uaddr_parse(family, to, &p->caller.contacted), 0);
	p->caller.netid = netid;
	p->caller.inside = false;
	p->uid_rc = -ENOENT;
}

void peer_loopback(struct peer *p, enum netid netid, uid_t uid)
{
	bool v6 = netid_info(netid)->family == AF_INET6;

	peer_remote(
		p, netid, v6 ? "::1.3.1" : "127.0.0.1.3.1", v6 ? "::1.0.111" : "127.0.0.1.0.111");
	p->caller.inside = true;
	p->uid = uid;
	p->uid_rc = 0;
}

void peer_register(struct peer *p, uint32_t prog, uint32_t vers, const char *netid,
	const char *text, uid_t uid)
{
	struct regs_owner owner = {.superuser = uid == 0, .uid = uid};

	assert_int_equal(regs_set(p->regs, prog, vers, netid_parse(netid), text, &owner), 0);
}

void peer_encode(
	struct peer *p, uint32_t prog, uint32_t vers, uint32_t proc, xdrproc_t args, void *arg)
{
	struct rpc_msg call = {.rm_xid = PEER_XID, .rm_direction = CALL};
	XDR xdr;

	call.rm_call.cb_rpcvers = RPC_MSG_VERSION;
	call.rm_call.cb_prog = prog;
	call.rm_call.cb_vers = vers;
	call.rm_call.cb_proc = proc;
	call.rm_call.cb_cred = p->cred;
	call.rm_call.cb_verf = _null_auth;
	xdrmem_create(&xdr, (char *)p->msg, sizeof(p->msg), XDR_ENCODE);
	assert_true(xdr_callmsg(&xdr, &call));
	assert_true(args(&xdr, arg));
	p->len = XDR_GETPOS(&xdr);
}

enum proc_outcome peer_send(struct peer *p, const void *msg, size_t len)
{
	p->reply = (struct proc_reply){.data = p->room, .size = p->room_size};
	p->reply.limit = p->room_size;
	memset(p->room, 0xee, p->room_size);
	return proc_call(&p->vs, &p->caller, msg, len, &p->reply, &p->forward);
}

enum proc_outcome peer_call(struct peer *p, uint32_t vers, uint32_t proc, xdrproc_t args, void *arg)
{
	peer_encode(p, PMAPPROG, vers, proc, args, arg);
	return peer_send(p, p->msg, p->len);
}

static size_t decode(struct peer *p, struct rpc_msg *reply, xdrproc_t results, void *where)
{
	XDR xdr;

	memset(reply, 0, sizeof(*reply));
	reply->acpted_rply.ar_verf = _null_auth;
	reply->acpted_rply.ar_results.proc = results;
	reply->acpted_rply.ar_results.where = where;
	xdrmem_create(&xdr, (char *)p->reply.data, (u_int)p->reply.len, XDR_DECODE);
	assert_true(xdr_replymsg(&xdr, reply));
	assert_int_equal(reply->rm_xid, PEER_XID);
	assert_int_equal(reply->rm_direction, REPLY);
	return XDR_GETPOS(&xdr);
}

void peer_decode(struct peer *p, struct rpc_msg *reply, xdrproc_t results, void *where)
{
	decode(p, reply, results, where);
}

void peer_results(struct peer *p, xdrproc_t results, void *where)
{
	struct rpc_msg reply;
	size_t end = decode(p, &reply, results, where);

	assert_int_equal(reply.rm_reply.rp_stat, MSG_ACCEPTED);
	assert_int_equal(reply.acpted_rply.ar_stat, SUCCESS);
	assert_int_equal(reply.acpted_rply.ar_verf.oa_flavor, AUTH_NONE);
	assert_int_equal(end, p->reply.len);
}

enum accept_stat peer_accept_stat(struct peer *p)
{
	struct rpc_msg reply;
	size_t end = decode(p, &reply, peer_void, NULL);

	assert_int_equal(reply.rm_reply.rp_stat, MSG_ACCEPTED);
	assert_int_equal(end, p->reply.len);
	return reply.acpted_rply.ar_stat;
}

enum auth_stat peer_auth_stat(struct peer *p)
{
	struct rpc_msg reply;
	size_t end = decode(p, &reply, peer_void, NULL);

	assert_int_equal(reply.rm_reply.rp_stat, MSG_DENIED);
	assert_int_equal(reply.rjcted_rply.rj_stat, AUTH_ERROR);
	assert_int_equal(end, p->reply.len);
	return reply.rjcted_rply.rj_why;
}

/* libtirpc's structures have no const; it does not write when it encodes. */
static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

bool peer_rpcb_bool(struct peer *p, uint32_t vers, uint32_t proc, uint32_t prog, uint32_t pvers,
	const char *netid, const char *addr)
{
	struct rpcb args = {prog, pvers, text_of(netid), text_of(addr), text_of("liar")};
	bool_t done = -1;

	assert_int_equal(peer_call(p, vers, proc, (xdrproc_t)xdr_rpcb, &args), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_bool, &done);
	return done;
}

bool peer_pmap_bool(
	struct peer *p, uint32_t proc, uint32_t prog, uint32_t pvers, uint32_t prot, uint32_t port)
{
	struct pmap args = {prog, pvers, prot, port};
	bool_t done = -1;

	assert_int_equal(peer_call(p, PMAPVERS, proc, (xdrproc_t)xdr_pmap, &args), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_bool, &done);
	return done;
}

uint32_t peer_getport(struct peer *p, uint32_t prog, uint32_t pvers, uint32_t prot)
{
	struct pmap args = {prog, pvers, prot, 0};
	u_long port = 99999;

	assert_int_equal(
		peer_call(p, PMAPVERS, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, &args), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_u_long, &port);
	return (uint32_t)port;
}

const char *peer_getaddr(struct peer *p, uint32_t vers, uint32_t proc, uint32_t prog,
	uint32_t pvers, const char *hint)
{
	static char text[UADDR_MAX];
	struct rpcb args = {prog, pvers, text_of("ignored"), text_of(hint), text_of("")};
	char *results = text;

	memset(text, '?', sizeof(text));
	assert_int_equal(peer_call(p, vers, proc, (xdrproc_t)xdr_rpcb, &args), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_wrapstring, &results);
	return text;
}

void peer_truncate(struct peer *p, size_t header, bool silent)
{
	size_t count = regs_count(p->regs);

	for (size_t len = 0; len < p->len; len++) {
		uint8_t *cut = malloc(len ? len : 1);
		enum proc_outcome outcome;

		assert_non_null(cut);
		memcpy(cut, p->msg, len);
		outcome = peer_send(p, cut, len);
		free(cut);
		if (len < header || silent) {
			assert_int_equal(outcome, PROC_DROP);
		} else {
			assert_int_equal(outcome, PROC_REPLY);
			assert_int_equal(peer_accept_stat(p), GARBAGE_ARGS);
		}
		assert_int_equal(regs_count(p->regs), count);
	}
}
