/* SPDX-License-Identifier: BSD-3-Clause */
/* CALLIT, BCAST and INDIRECT, and what is made of the services' answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

/* The three procedures, as (version, number). */
static const struct {
	uint32_t vers, proc;
	bool silent;
} kinds[] = {{2, PMAPPROC_CALLIT, true}, {3, RPCBPROC_CALLIT, true}, {4, RPCBPROC_BCAST, true},
	{4, RPCBPROC_INDIRECT, false}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static int setup(void **state)
{
	struct peer *p;

	if (peer_setup(state) < 0)
		return -1;
	p = *state;
	p->vs.remote_calls = true;
	assert_int_equal(regs_add_builtin(p->regs, 4, NETID_UDP, "0.0.0.0.0.111"), 0);
	peer_register(p, 300, 1, "udp", "10.77.0.1.8.1", 0);
	peer_register(p, 300, 3, "udp", "0.0.0.0.8.1", 0);
	peer_register(p, 300, 1, "udp6", "::.8.1", 0);
	peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	return 0;
}

/* libtirpc's client wants a routine for the arguments and results of the service. */
static bool_t eight_bytes(XDR *xdr, void *arg)
{
	return xdr_opaque(xdr, arg, 8);
}

static void args_for(struct peer *p, size_t kind, uint32_t prog, uint32_t vers, uint32_t proc)
{
	char bytes[] = "eight by";
	struct r_rpcb_rmtcallargs args = {prog, vers, proc, {0, bytes}, (xdrproc_t)eight_bytes};

	peer_encode(p, PMAPPROG, kinds[kind].vers, kinds[kind].proc,
		(xdrproc_t)xdr_rpcb_rmtcallargs, &args);
}

static enum proc_outcome call(
	struct peer *p, size_t kind, uint32_t prog, uint32_t vers, uint32_t proc)
{
	args_for(p, kind, prog, vers, proc);
	return peer_send(p, p->msg, p->len);
}

static void callit_by_the_client_library(void **state)
{
	char bytes[] = "eight by";
	struct rmtcallargs args = {300, 1, 7, 0, bytes, (xdrproc_t)eight_bytes};
	struct peer *p = *state;

	assert_int_equal(
		peer_call(p, 2, PMAPPROC_CALLIT, (xdrproc_t)xdr_rmtcall_args, &args), PROC_FORWARD);
	assert_int_equal(p->forward.prog, 300);
	assert_int_equal(p->forward.proc, 7);
	assert_int_equal(p->forward.args_len, 8);
	assert_memory_equal(p->forward.args, "eight by", 8);
}

static void forwards(void **state)
{
	struct peer *p = *state;

	for (size_t i = 0; i < KINDS; i++) {
		assert_int_equal(call(p, i, 300, 1, 7), PROC_FORWARD);
		assert_int_equal(p->forward.xid, PEER_XID);
		assert_int_equal(p->forward.rpcb_vers, kinds[i].vers);
		assert_int_equal(p->forward.rpcb_proc, kinds[i].proc);
		assert_int_equal(p->forward.silent, kinds[i].silent);
		assert_int_equal(p->forward.prog, 300);
		assert_int_equal(p->forward.vers, 1);
		assert_int_equal(p->forward.proc, 7);
		assert_string_equal(p->forward.entry->text, "10.77.0.1.8.1");
		assert_memory_equal(p->forward.args, "eight by", 8);
		peer_remote(p, NETID_UDP6, "fd00::2.3.1", "fd00::1.0.111");
		assert_int_equal(call(p, i, 300, 1, 7), PROC_FORWARD);
		assert_string_equal(p->forward.entry->text, "::.8.1");
		peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	}
	assert_int_equal(stats_rmt_get(p->stats, 4, 0)->success, 1);
	assert_false(stats_rmt_get(p->stats, 4, 0)->indirect);
	assert_true(stats_rmt_get(p->stats, 4, 2)->indirect);
}

static void truncated(void **state)
{
	struct peer *p = *state;

	for (size_t i = 0; i < KINDS; i++) {
		args_for(p, i, 300, 1, 7);
		peer_truncate(p, PEER_HEADER, kinds[i].silent);
	}
}

static void false_lengths(void **state)
{
	static const uint8_t lengths[][4] = {{0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xf0},
		{0x7f, 0xff, 0xff, 0xff}, {0, 0, 0, 9}};
	struct peer *p = *state;

	for (size_t i = 0; i < KINDS; i++) {
		for (size_t j = 0; j < 4; j++) {
			args_for(p, i, 300, 1, 7);
			memcpy(p->msg + PEER_HEADER + 12, lengths[j], 4);
			if (kinds[i].silent) {
				assert_int_equal(peer_send(p, p->msg, p->len), PROC_DROP);
			} else {
				assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
				assert_int_equal(peer_accept_stat(p), GARBAGE_ARGS);
			}
		}
	}
}

static void switched_off(void **state)
{
	struct peer *p = *state;

	p->vs.remote_calls = false;
	for (size_t i = 0; i < KINDS - 1; i++) {
		assert_int_equal(call(p, i, 300, 1, 7), PROC_DROP);
		assert_int_equal(call(p, i, 301, 1, 7), PROC_DROP);
	}
	assert_int_equal(call(p, KINDS - 1, 300, 1, 7), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	assert_int_equal(call(p, KINDS - 1, 100000, 4, 0), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	assert_int_equal(call(p, KINDS - 1, 301, 1, 7), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), PROG_UNAVAIL);
}

static void datagrams_only(void **state)
{
	static const enum netid netids[] = {NETID_TCP, NETID_TCP6};
	struct peer *p = *state;

	peer_register(p, 300, 1, "tcp", "0.0.0.0.8.1", 0);
	peer_register(p, 300, 1, "tcp6", "::.8.1", 0);
	peer_register(p, 300, 1, "local", "/run/x", 0);
	for (size_t n = 0; n < 3; n++) {
		if (n < 2)
			peer_loopback(p, netids[n], 0);
		else
			peer_local(p, 0);
		for (size_t i = 0; i < KINDS - 1; i++)
			assert_int_equal(call(p, i, 300, 1, 7), PROC_DROP);
		assert_int_equal(call(p, KINDS - 1, 300, 1, 7), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), PROC_UNAVAIL);
	}
}

static void not_registered(void **state)
{
	struct peer *p = *state;
	struct rpc_msg reply;

	for (size_t i = 0; i < KINDS - 1; i++) {
		assert_int_equal(call(p, i, 301, 1, 7), PROC_DROP);
		assert_int_equal(call(p, i, 300, 2, 7), PROC_DROP);
	}
	assert_int_equal(call(p, KINDS - 1, 301, 1, 7), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), PROG_UNAVAIL);
	assert_int_equal(call(p, KINDS - 1, 300, 2, 7), PROC_REPLY);
	peer_decode(p, &reply, peer_void, NULL);
	assert_int_equal(reply.acpted_rply.ar_stat, PROG_MISMATCH);
	assert_int_equal(reply.acpted_rply.ar_vers.low, 1);
	assert_int_equal(reply.acpted_rply.ar_vers.high, 3);
	/* Version 1 belongs to another virtual server than the one asked. */
	peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.9.0.111");
	for (size_t i = 0; i < KINDS - 1; i++)
		assert_int_equal(call(p, i, 300, 1, 7), PROC_DROP);
	assert_int_equal(call(p, KINDS - 1, 300, 1, 7), PROC_REPLY);
	peer_decode(p, &reply, peer_void, NULL);
	assert_int_equal(reply.acpted_rply.ar_stat, PROG_MISMATCH);
	assert_int_equal(reply.acpted_rply.ar_vers.low, 3);
	assert_int_equal(reply.acpted_rply.ar_vers.high, 3);
}

static void ways_in_are_barred(void **state)
{
	static const struct {
		uint32_t prog, allowed; /* procedures 0 to allowed - 1 */
	} cases[] = {{100000, 0}, {100003, 1}, {100004, 3}, {100005, 1}, {100007, 2}, {100009, 1},
		{100011, 1}, {100028, 1}, {100029, 1}, {300, 20}};
	struct peer *p = *state;

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		if (cases[c].prog != 100000)
			peer_register(p, cases[c].prog, 4, "udp", "0.0.0.0.8.1", 0);
		for (size_t i = 0; i < KINDS; i++) {
			for (uint32_t proc = 0; proc < 20; proc++) {
				enum proc_outcome outcome = call(p, i, cases[c].prog, 4, proc);

				if (proc < cases[c].allowed) {
					assert_int_equal(outcome, PROC_FORWARD);
				} else if (kinds[i].silent) {
					assert_int_equal(outcome, PROC_DROP);
				} else {
					assert_int_equal(outcome, PROC_REPLY);
					assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
				}
			}
		}
	}
}

/* The forwarded call as the service decodes it. */
static void check_call(struct peer *p, uint32_t flavour, u_int cred_len)
{
	char cred[MAX_AUTH_BYTES], verf[MAX_AUTH_BYTES], args[8];
	uint8_t wire[1000];
	struct proc_reply reply = {.data = wire, .size = sizeof(wire)};
	struct rpc_msg msg;
	XDR xdr;

	assert_int_equal(proc_forward_call(&p->forward, 0xabcdef01, &reply), 0);
	memset(&msg, 0, sizeof(msg));
	msg.rm_call.cb_cred.oa_base = cred;
	msg.rm_call.cb_verf.oa_base = verf;
	xdrmem_create(&xdr, (char *)wire, (u_int)reply.len, XDR_DECODE);
	assert_true(xdr_callmsg(&xdr, &msg));
	assert_int_equal(msg.rm_xid, 0xabcdef01);
	assert_int_equal(msg.rm_direction, CALL);
	assert_int_equal(msg.rm_call.cb_prog, 300);
	assert_int_equal(msg.rm_call.cb_vers, 1);
	assert_int_equal(msg.rm_call.cb_proc, 7);
	assert_int_equal(msg.rm_call.cb_cred.oa_flavor, flavour);
	assert_int_equal(msg.rm_call.cb_cred.oa_length, cred_len);
	assert_memory_equal(cred, p->cred.oa_base, cred_len);
	assert_int_equal(msg.rm_call.cb_verf.oa_flavor, AUTH_NONE);
	assert_int_equal(msg.rm_call.cb_verf.oa_length, 0);
	assert_true(xdr_opaque(&xdr, args, 8));
	assert_memory_equal(args, "eight by", 8);
	assert_int_equal(XDR_GETPOS(&xdr), reply.len);
	for (reply.size = 0; reply.size < 40 + cred_len + 8; reply.size++)
		assert_int_equal(proc_forward_call(&p->forward, 1, &reply), -EMSGSIZE);
}

static void the_call_for_the_service(void **state)
{
	static const uint8_t sys[] = {0, 0, 0, 1, 0, 0, 0, 4, 'h', 'o', 's', 't', 0, 0, 3, 0xe8, 0,
		0, 3, 0xe9, 0, 0, 0, 1, 0, 0, 0, 7};
	struct peer *p = *state;

	assert_int_equal(call(p, 0, 300, 1, 7), PROC_FORWARD);
	check_call(p, AUTH_NONE, 0);
	p->cred.oa_flavor = AUTH_SYS;
	p->cred.oa_base = (caddr_t)(uintptr_t)sys;
	p->cred.oa_length = sizeof(sys);
	assert_int_equal(call(p, 3, 300, 1, 7), PROC_FORWARD);
	check_call(p, AUTH_SYS, sizeof(sys));
}

/* Hands the answer of the service, as libtirpc encodes it, to proc_forward_reply(). */
static enum proc_outcome answer(
	struct peer *p, size_t kind, const char *text, struct rpc_msg *msg, size_t cut)
{
	uint8_t wire[500], *exact;
	enum proc_outcome outcome;
	size_t len;
	XDR xdr;

	assert_int_equal(call(p, kind, 300, 1, 7), PROC_FORWARD);
	msg->rm_xid = 99;
	msg->rm_direction = REPLY;
	if (!msg->acpted_rply.ar_results.proc)
		msg->acpted_rply.ar_results.proc = peer_void;
	xdrmem_create(&xdr, (char *)wire, sizeof(wire), XDR_ENCODE);
	assert_true(xdr_replymsg(&xdr, msg));
	len = XDR_GETPOS(&xdr) - cut;
	exact = malloc(len ? len : 1);
	assert_non_null(exact);
	memcpy(exact, wire, len);
	p->reply = (struct proc_reply){.data = p->room, .size = p->room_size};
	p->forward.entry = NULL;
	outcome = proc_forward_reply(&p->forward, text, exact, len, &p->reply);
	free(exact);
	return outcome;
}

static struct rpc_msg success(char *bytes)
{
	struct rpc_msg msg;

	memset(&msg, 0, sizeof(msg));
	msg.rm_reply.rp_stat = MSG_ACCEPTED;
	msg.acpted_rply.ar_verf = _null_auth;
	msg.acpted_rply.ar_stat = SUCCESS;
	msg.acpted_rply.ar_results.where = bytes;
	msg.acpted_rply.ar_results.proc = (xdrproc_t)eight_bytes;
	return msg;
}

static void results_of_version_2(void **state)
{
	static const char *const texts[] = {"10.77.0.1.8.1", "fd00::1.8.1"};
	char bytes[] = "results!", back[8];
	struct rpc_msg msg = success(bytes);
	struct peer *p = *state;

	for (size_t i = 0; i < 2; i++) {
		u_long port = 0;
		struct rmtcallres res = {&port, 0, back, (xdrproc_t)eight_bytes};

		memset(back, 0, sizeof(back));
		assert_int_equal(answer(p, 0, texts[i], &msg, 0), PROC_REPLY);
		peer_results(p, (xdrproc_t)xdr_rmtcallres, &res);
		assert_int_equal(port, 2049);
		assert_int_equal(res.resultslen, 8);
		assert_memory_equal(back, "results!", 8);
	}
	assert_int_equal(answer(p, 0, "/run/x", &msg, 0), PROC_DROP);
}

static void results_of_versions_3_and_4(void **state)
{
	char bytes[] = "results!", back[8], addr[UADDR_MAX];
	struct rpc_msg msg = success(bytes);
	struct peer *p = *state;

	for (size_t i = 1; i < KINDS; i++) {
		struct r_rpcb_rmtcallres res = {addr, {0, back}, (xdrproc_t)eight_bytes};

		assert_int_equal(answer(p, i, "10.77.0.1.8.1", &msg, 0), PROC_REPLY);
		peer_results(p, (xdrproc_t)xdr_rpcb_rmtcallres, &res);
		assert_string_equal(addr, "10.77.0.1.8.1");
		assert_int_equal(res.results.results_len, 8);
		assert_memory_equal(back, "results!", 8);
	}
}

static void errors_of_the_service(void **state)
{
	struct peer *p = *state;
	struct rpc_msg msg = success(NULL), reply;

	msg.acpted_rply.ar_results.proc = NULL;
	for (int stat = PROG_UNAVAIL; stat <= SYSTEM_ERR; stat++) {
		msg.acpted_rply.ar_stat = (enum accept_stat)stat;
		msg.acpted_rply.ar_vers.low = 5;
		msg.acpted_rply.ar_vers.high = 6;
		for (size_t i = 0; i < KINDS - 1; i++)
			assert_int_equal(answer(p, i, "10.77.0.1.8.1", &msg, 0), PROC_DROP);
		assert_int_equal(answer(p, KINDS - 1, "10.77.0.1.8.1", &msg, 0), PROC_REPLY);
		peer_decode(p, &reply, peer_void, NULL);
		assert_int_equal(reply.acpted_rply.ar_stat, stat);
		if (stat == PROG_MISMATCH) {
			assert_int_equal(reply.acpted_rply.ar_vers.low, 5);
			assert_int_equal(reply.acpted_rply.ar_vers.high, 6);
		}
	}
	memset(&msg, 0, sizeof(msg));
	msg.rm_reply.rp_stat = MSG_DENIED;
	msg.rjcted_rply.rj_stat = AUTH_ERROR;
	msg.rjcted_rply.rj_why = AUTH_TOOWEAK;
	for (size_t i = 0; i < KINDS - 1; i++)
		assert_int_equal(answer(p, i, "10.77.0.1.8.1", &msg, 0), PROC_DROP);
	assert_int_equal(answer(p, KINDS - 1, "10.77.0.1.8.1", &msg, 0), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
}

/* Cut replies: of SUCCESS only the results may be short, for nobody here knows their length. */
static void cut_replies(void **state)
{
	struct peer *p = *state;
	char bytes[] = "results!";
	struct rpc_msg msg = success(bytes);

	for (size_t cut = 9; cut <= 32; cut++) {
		assert_int_equal(answer(p, 0, "10.77.0.1.8.1", &msg, cut), PROC_DROP);
		assert_int_equal(answer(p, 3, "10.77.0.1.8.1", &msg, cut), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	}
	msg.acpted_rply.ar_stat = PROG_MISMATCH;
	for (size_t cut = 1; cut <= 8; cut++) {
		assert_int_equal(answer(p, 3, "10.77.0.1.8.1", &msg, cut), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	}
}

static void too_little_room(void **state)
{
	struct peer *p = *state;
	char bytes[] = "results!";
	struct rpc_msg msg = success(bytes);

	for (p->room_size = 24; p->room_size < 24 + 20 + 12; p->room_size++) {
		assert_int_equal(answer(p, 2, "10.77.0.1.8.1", &msg, 0), PROC_DROP);
		assert_int_equal(answer(p, 3, "10.77.0.1.8.1", &msg, 0), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	}
	assert_int_equal(answer(p, 2, "10.77.0.1.8.1", &msg, 0), PROC_REPLY);
	p->room_size = 23;
	assert_int_equal(answer(p, 3, "10.77.0.1.8.1", &msg, 0), PROC_DROP);
}

#define FORWARD_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FORWARD_TEST(callit_by_the_client_library),
		FORWARD_TEST(forwards),
		FORWARD_TEST(truncated),
		FORWARD_TEST(false_lengths),
		FORWARD_TEST(switched_off),
		FORWARD_TEST(datagrams_only),
		FORWARD_TEST(not_registered),
		FORWARD_TEST(ways_in_are_barred),
		FORWARD_TEST(the_call_for_the_service),
		FORWARD_TEST(results_of_version_2),
		FORWARD_TEST(results_of_versions_3_and_4),
		FORWARD_TEST(errors_of_the_service),
		FORWARD_TEST(cut_replies),
		FORWARD_TEST(too_little_room),
	};

	return cmocka_run_group_tests_name("proc_forward", tests, NULL, NULL);
}
