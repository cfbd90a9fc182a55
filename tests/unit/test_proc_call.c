/* SPDX-License-Identifier: BSD-3-Clause */
/* The header of a call: what is dropped, mismatched, denied; and the room of the reply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

static void null_on_every_transport(void **state)
{
	struct peer *p = *state;

	for (uint32_t vers = 2; vers <= 4; vers++) {
		peer_local(p, 1000);
		assert_int_equal(peer_call(p, vers, NULLPROC, peer_void, NULL), PROC_REPLY);
		peer_results(p, peer_void, NULL);
		for (int netid = NETID_UDP; netid <= NETID_TCP6; netid++) {
			peer_loopback(p, (enum netid)netid, 1000);
			assert_int_equal(peer_call(p, vers, NULLPROC, peer_void, NULL), PROC_REPLY);
			peer_results(p, peer_void, NULL);
			assert_int_equal(p->reply.len, 24);
		}
		peer_truncate(p, PEER_HEADER, false);
		assert_int_equal(stats_proc(p->stats, vers, NULLPROC), 5);
	}
	assert_int_equal(p->uid_asked, 0);
}

static void other_programs_versions_procedures(void **state)
{
	static const uint32_t procs[] = {6, 9, 13};
	struct peer *p = *state;
	struct rpc_msg reply;

	peer_encode(p, 100003, 3, 0, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), PROG_UNAVAIL);
	for (uint32_t vers = 0; vers < 7; vers += vers == 1 ? 4 : 1) {
		assert_int_equal(peer_call(p, vers, 0, peer_void, NULL), PROC_REPLY);
		peer_decode(p, &reply, peer_void, NULL);
		assert_int_equal(reply.acpted_rply.ar_stat, PROG_MISMATCH);
		assert_int_equal(reply.acpted_rply.ar_vers.low, 2);
		assert_int_equal(reply.acpted_rply.ar_vers.high, 4);
	}
	for (uint32_t vers = 2; vers <= 4; vers++) {
		assert_int_equal(peer_call(p, vers, procs[vers - 2], peer_void, NULL), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), PROC_UNAVAIL);
		assert_int_equal(peer_call(p, vers, UINT32_MAX, peer_void, NULL), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), PROC_UNAVAIL);
	}
	assert_int_equal(stats_requests(p->stats), 6);
}

static void other_rpc_versions(void **state)
{
	struct peer *p = *state;
	struct rpc_msg reply;

	peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
	p->msg[11] = 3;
	for (size_t len = 16; len <= p->len; len += 4) {
		assert_int_equal(peer_send(p, p->msg, len), PROC_REPLY);
		peer_decode(p, &reply, peer_void, NULL);
		assert_int_equal(reply.rm_reply.rp_stat, MSG_DENIED);
		assert_int_equal(reply.rjcted_rply.rj_stat, RPC_MISMATCH);
		assert_int_equal(reply.rjcted_rply.rj_vers.low, 2);
		assert_int_equal(reply.rjcted_rply.rj_vers.high, 2);
	}
	assert_int_equal(peer_send(p, p->msg, 15), PROC_DROP);
}

static void no_calls(void **state)
{
	struct peer *p = *state;

	peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
	p->msg[7] = 1;
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_DROP);
	p->msg[7] = 2;
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_DROP);
	memset(p->msg, 0, sizeof(p->msg));
	assert_int_equal(peer_send(p, p->msg, 0), PROC_DROP);
	memset(p->msg, 0xff, sizeof(p->msg));
	assert_int_equal(peer_send(p, p->msg, sizeof(p->msg)), PROC_DROP);
}

static void unaligned_calls(void **state)
{
	struct peer *p = *state;
	uint8_t room[PEER_HEADER + 4];

	peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
	for (size_t shift = 0; shift < 4; shift++) {
		memcpy(room + shift, p->msg, p->len);
		assert_int_equal(peer_send(p, room + shift, p->len), PROC_REPLY);
		peer_results(p, peer_void, NULL);
	}
}

/* A NULL call with this credential. */
static enum proc_outcome call_with(struct peer *p, uint32_t flavour, const void *body, u_int len)
{
	p->cred.oa_flavor = (enum_t)flavour;
	p->cred.oa_base = (caddr_t)(uintptr_t)body;
	p->cred.oa_length = len;
	return peer_call(p, 4, NULLPROC, peer_void, NULL);
}

static u_int auth_sys(uint8_t *body, size_t size, const char *machine, u_int gid_count)
{
	gid_t gids[32] = {1, 2, 3};
	struct authunix_parms parms = {1, (char *)(uintptr_t)machine, 2, 3, gid_count, gids};
	XDR xdr;

	/* Field by field: xdr_authunix_parms() keeps to the limits, which a test must not. */
	xdrmem_create(&xdr, (char *)body, (u_int)size, XDR_ENCODE);
	assert_true(xdr_u_long(&xdr, &parms.aup_time));
	assert_true(xdr_wrapstring(&xdr, &parms.aup_machname));
	assert_true(xdr_u_int(&xdr, &parms.aup_uid));
	assert_true(xdr_u_int(&xdr, &parms.aup_gid));
	assert_true(xdr_u_int(&xdr, &parms.aup_len));
	for (u_int i = 0; i < gid_count; i++)
		assert_true(xdr_u_int(&xdr, &gids[i]));
	return XDR_GETPOS(&xdr);
}

static void auth_sys_limits(void **state)
{
	struct peer *p = *state;
	uint8_t body[512];
	char name[257];
	u_int len;

	len = auth_sys(body, sizeof(body), "", 0);
	assert_int_equal(call_with(p, AUTH_SYS, body, len), PROC_REPLY);
	peer_results(p, peer_void, NULL);
	peer_truncate(p, PEER_HEADER + len, false);
	len = auth_sys(body, sizeof(body), "host", 16);
	assert_int_equal(call_with(p, AUTH_SYS, body, len), PROC_REPLY);
	peer_results(p, peer_void, NULL);
	for (u_int cut = 0; cut < len; cut += 4) {
		assert_int_equal(call_with(p, AUTH_SYS, body, cut), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_BADCRED);
	}
	len = auth_sys(body, sizeof(body), "host", 17);
	assert_int_equal(call_with(p, AUTH_SYS, body, len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_BADCRED);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	len = auth_sys(body, sizeof(body), name, 0);
	assert_int_equal(call_with(p, AUTH_SYS, body, len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_BADCRED);
	name[255] = '\0';
	len = auth_sys(body, sizeof(body), name, 16);
	assert_int_equal(call_with(p, AUTH_SYS, body, len), PROC_REPLY);
	peer_results(p, peer_void, NULL);
}

static void flavours(void **state)
{
	static const struct {
		uint32_t flavour;
		enum auth_stat stat;
	} cases[] = {{AUTH_SHORT, AUTH_REJECTEDCRED}, {AUTH_DES, AUTH_FAILED},
		{4, AUTH_REJECTEDCRED}, {5, AUTH_REJECTEDCRED}, {RPCSEC_GSS, AUTH_FAILED},
		{7, AUTH_REJECTEDCRED}, {390003, AUTH_REJECTEDCRED},
		{UINT32_MAX, AUTH_REJECTEDCRED}};
	struct peer *p = *state;
	uint8_t body[400] = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(call_with(p, cases[i].flavour, body, 16), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), cases[i].stat);
		assert_int_equal(call_with(p, cases[i].flavour, NULL, 0), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), cases[i].stat);
	}
	assert_int_equal(call_with(p, AUTH_NONE, body, 400), PROC_REPLY);
	peer_results(p, peer_void, NULL);
	/* Denied before the program is looked at, as in stock. */
	p->cred.oa_flavor = AUTH_SHORT;
	peer_encode(p, 100003, 3, 0, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_REJECTEDCRED);
	assert_int_equal(stats_requests(p->stats), 1);
}

static void overlong_auth(void **state)
{
	static const uint8_t lengths[][4] = {{0, 0, 1, 0x91}, {0, 0, 0x40, 0},
		{0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xfd}};
	struct peer *p = *state;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
		memcpy(p->msg + 28, lengths[i], 4);
		assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_BADCRED);
		peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
		memcpy(p->msg + 36, lengths[i], 4);
		assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_BADVERF);
	}
	/* A length that is allowed but not there. */
	peer_encode(p, PMAPPROG, 4, 0, peer_void, NULL);
	p->msg[31] = 12;
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_DROP);
	p->msg[31] = 0;
	p->msg[39] = 4;
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_DROP);
}

static void caller_of_no_vs(void **state)
{
	struct peer *p = *state;

	p->reply = (struct proc_reply){.data = p->room, .size = p->room_size};
	for (uint32_t proc = 0; proc < 13; proc++) {
		peer_encode(p, PMAPPROG, 4, proc, peer_void, NULL);
		assert_int_equal(
			proc_call(NULL, &p->caller, p->msg, p->len, &p->reply, &p->forward),
			PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	}
	peer_encode(p, 100003, 4, 0, peer_void, NULL);
	assert_int_equal(
		proc_call(NULL, &p->caller, p->msg, p->len, &p->reply, &p->forward), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_int_equal(stats_requests(p->stats), 0);
}

static void too_little_room(void **state)
{
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	for (uint32_t vers = 2; vers <= 4; vers++) {
		for (p->room_size = 24; p->room_size < 28; p->room_size++) {
			assert_int_equal(
				peer_call(p, vers, RPCBPROC_DUMP, peer_void, NULL), PROC_REPLY);
			assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
		}
		for (p->room_size = 0; p->room_size < 24; p->room_size++)
			assert_int_equal(
				peer_call(p, vers, RPCBPROC_DUMP, peer_void, NULL), PROC_DROP);
	}
}

static int grow(struct proc_reply *reply, size_t need)
{
	uint8_t *room = realloc(reply->data, need);

	if (!room)
		return -ENOMEM;
	reply->data = room;
	reply->size = need;
	return 0;
}

static void room_that_grows(void **state)
{
	struct peer *p = *state;
	struct rpcblist *list = NULL, *item;
	unsigned count = 0;

	for (uint32_t i = 0; i < 900; i++)
		peer_register(p, 300 + i, 1, "udp", "10.0.0.1.8.1", 0);
	peer_encode(p, PMAPPROG, 4, RPCBPROC_DUMP, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);

	p->reply = (struct proc_reply){.data = malloc(24), .size = 24, .limit = 1 << 20};
	p->reply.grow = grow;
	assert_int_equal(
		proc_call(&p->vs, &p->caller, p->msg, p->len, &p->reply, &p->forward), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_rpcblist, &list);
	for (item = list; item; item = item->rpcb_next)
		count++;
	assert_int_equal(count, 900);
	xdr_free((xdrproc_t)xdr_rpcblist, &list);

	p->reply.limit = 10000;
	p->reply.size = 24;
	assert_int_equal(
		proc_call(&p->vs, &p->caller, p->msg, p->len, &p->reply, &p->forward), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	free(p->reply.data);
}

/* Lists over UDP go to who is surely himself, and nowhere else unless it is so configured. */
static void lists_over_udp(void **state)
{
	static const struct {
		uint32_t vers, proc;
	} lists[] = {{2, PMAPPROC_DUMP}, {3, RPCBPROC_DUMP}, {4, RPCBPROC_DUMP}, {4, RPCBPROC_GETSTAT}};
	struct peer *p = *state;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		uint32_t v = lists[i].vers, proc = lists[i].proc;
		peer_remote(p, NETID_UDP, "192.0.2.9.3.1", "192.0.2.1.0.111");
		assert_int_equal(peer_call(p, v, proc, peer_void, NULL), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
		assert_true(p->reply.len < p->len);
		p->vs.udp_dump = true;
		assert_int_equal(peer_call(p, v, proc, peer_void, NULL), PROC_REPLY);
		assert_true(p->reply.len > 24);
		p->vs.udp_dump = false;
		peer_remote(p, NETID_UDP6, "2001:db8::9.3.1", "2001:db8::1.0.111");
		assert_int_equal(peer_call(p, v, proc, peer_void, NULL), PROC_REPLY);
		assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
		peer_remote(p, NETID_TCP, "192.0.2.9.3.1", "192.0.2.1.0.111");
		assert_int_equal(peer_call(p, v, proc, peer_void, NULL), PROC_REPLY);
		assert_true(p->reply.len > 24);
		peer_loopback(p, NETID_UDP, 1000);
		assert_int_equal(peer_call(p, v, proc, peer_void, NULL), PROC_REPLY);
		assert_true(p->reply.len > 24);
	}
}

static void refusal(void **state)
{
	struct peer *p = *state;

	peer_encode(p, 100000, 4, RPCBPROC_GETTIME, peer_void, NULL);
	p->reply = (struct proc_reply){.data = p->room, .size = p->room_size};
	assert_int_equal(proc_refuse(p->msg, p->len, &p->reply), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
	assert_int_equal(p->reply.len, 24);
	for (size_t len = 0; len < p->len; len++)
		assert_int_equal(proc_refuse(p->msg, len, &p->reply), PROC_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(lists_over_udp),
		PEER_TEST(refusal),
		PEER_TEST(null_on_every_transport),
		PEER_TEST(other_programs_versions_procedures),
		PEER_TEST(other_rpc_versions),
		PEER_TEST(no_calls),
		PEER_TEST(unaligned_calls),
		PEER_TEST(auth_sys_limits),
		PEER_TEST(flavours),
		PEER_TEST(overlong_auth),
		PEER_TEST(caller_of_no_vs),
		PEER_TEST(too_little_room),
		PEER_TEST(room_that_grows),
	};

	return cmocka_run_group_tests_name("proc_call", tests, NULL, NULL);
}
