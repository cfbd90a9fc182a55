/* SPDX-License-Identifier: BSD-3-Clause */
/* GETSTAT. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

static void getstat(struct peer *p, rpcb_stat_byvers stat)
{
	memset(stat, 0, sizeof(rpcb_stat_byvers));
	assert_int_equal(peer_call(p, 4, RPCBPROC_GETSTAT, peer_void, NULL), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_rpcb_stat_byvers, stat);
}

static void of_a_new_vs(void **state)
{
	rpcb_stat_byvers stat;
	struct peer *p = *state;

	getstat(p, stat);
	for (int i = 0; i < RPCBVERS_STAT; i++) {
		for (int proc = 0; proc < RPCBSTAT_HIGHPROC; proc++)
			assert_int_equal(stat[i].info[proc],
				i == RPCBVERS_4_STAT && proc == RPCBPROC_GETSTAT ? 1 : 0);
		assert_int_equal(stat[i].setinfo, 0);
		assert_int_equal(stat[i].unsetinfo, 0);
		assert_null(stat[i].addrinfo);
		assert_null(stat[i].rmtinfo);
	}
	assert_int_equal(p->reply.len, 24 + 3 * (13 + 2 + 2) * 4);
	peer_truncate(p, PEER_HEADER, false);
}

static void of_calls_made(void **state)
{
	rpcb_stat_byvers stat;
	rpcbs_addrlist *addr;
	rpcbs_rmtcalllist *rmt;
	struct peer *p = *state;

	assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2049));
	assert_true(peer_rpcb_bool(p, 3, RPCBPROC_SET, 300, 1, "tcp", "0.0.0.0.8.1"));
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "tcp", ""));
	peer_getport(p, 300, 1, IPPROTO_UDP);
	peer_getport(p, 300, 1, IPPROTO_UDP);
	peer_getport(p, 300, 1, IPPROTO_TCP);
	peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 1, "");
	stats_count_rmt(p->stats, 4, 300, 1, 9, NETID_UDP6, true, true);
	stats_count_rmt(p->stats, 4, 300, 1, 9, NETID_UDP, false, false);
	getstat(p, stat);
	assert_int_equal(stat[RPCBVERS_2_STAT].info[PMAPPROC_SET], 1);
	assert_int_equal(stat[RPCBVERS_2_STAT].info[PMAPPROC_GETPORT], 3);
	assert_int_equal(stat[RPCBVERS_2_STAT].setinfo, 1);
	assert_int_equal(stat[RPCBVERS_3_STAT].setinfo, 1);
	assert_int_equal(stat[RPCBVERS_4_STAT].unsetinfo, 1);
	addr = stat[RPCBVERS_2_STAT].addrinfo;
	assert_int_equal(addr->prog, 300);
	assert_int_equal(addr->vers, 1);
	assert_int_equal(addr->success, 2);
	assert_int_equal(addr->failure, 0);
	assert_string_equal(addr->netid, "udp");
	addr = addr->next;
	assert_int_equal(addr->failure, 1);
	assert_string_equal(addr->netid, "tcp");
	assert_null(addr->next);
	assert_null(stat[RPCBVERS_3_STAT].addrinfo);
	addr = stat[RPCBVERS_4_STAT].addrinfo;
	assert_string_equal(addr->netid, "local");
	assert_int_equal(addr->failure, 1);
	rmt = stat[RPCBVERS_4_STAT].rmtinfo;
	assert_int_equal(rmt->prog, 300);
	assert_int_equal(rmt->vers, 1);
	assert_int_equal(rmt->proc, 9);
	assert_int_equal(rmt->success, 1);
	assert_int_equal(rmt->failure, 0);
	assert_int_equal(rmt->indirect, 1);
	assert_string_equal(rmt->netid, "udp6");
	assert_int_equal(rmt->next->indirect, 0);
	assert_int_equal(rmt->next->failure, 1);
	assert_null(rmt->next->next);
	xdr_free((xdrproc_t)xdr_rpcb_stat_byvers, (char *)stat);
}

/* A peer cannot make the reply grow without end; over UDP it stops fitting at some point. */
static void of_many_programs(void **state)
{
	struct peer *p = *state;
	rpcb_stat_byvers stat;

	for (uint32_t i = 0; i < 5000; i++)
		peer_getport(p, i, 1, IPPROTO_UDP);
	assert_int_equal(peer_call(p, 4, RPCBPROC_GETSTAT, peer_void, NULL), PROC_REPLY);
	getstat(p, stat);
	assert_true(p->reply.len < 9000);
	xdr_free((xdrproc_t)xdr_rpcb_stat_byvers, (char *)stat);
	for (uint32_t i = 0; i < 5000; i++)
		peer_getaddr(p, 4, RPCBPROC_GETADDR, i, 1, "");
	assert_int_equal(peer_call(p, 4, RPCBPROC_GETSTAT, peer_void, NULL), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), SYSTEM_ERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(of_a_new_vs),
		PEER_TEST(of_calls_made),
		PEER_TEST(of_many_programs),
	};

	return cmocka_run_group_tests_name("proc_stat", tests, NULL, NULL);
}
