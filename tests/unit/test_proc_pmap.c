/* SPDX-License-Identifier: BSD-3-Clause */
/* Version 2, the port mapper. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

static void set_and_getport(void **state)
{
	struct peer *p = *state;

	assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2049));
	assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2049));
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2050));
	assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_TCP, 65535));
	assert_string_equal(regs_next(p->regs, NULL)->text, "0.0.0.0.8.1");
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 2049);
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_TCP), 65535);
	assert_int_equal(peer_getport(p, 300, 7, IPPROTO_TCP), 65535);
	assert_int_equal(peer_getport(p, 301, 1, IPPROTO_TCP), 0);
	assert_int_equal(stats_set(p->stats, 2), 3);
	assert_int_equal(stats_proc(p->stats, 2, PMAPPROC_SET), 4);
}

static void refused_sets(void **state)
{
	static const uint32_t prots[] = {0, 1, 58, 132, 255, 256 + 6, UINT32_MAX};
	struct peer *p = *state;

	for (size_t i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, prots[i], 2049));
		assert_int_equal(peer_getport(p, 300, 1, prots[i]), 0);
	}
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 0));
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 65536));
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 65536 + 2049));
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, UINT32_MAX));
	assert_false(peer_pmap_bool(p, PMAPPROC_SET, 100000, 9, IPPROTO_UDP, 2049));
	assert_int_equal(regs_count(p->regs), 0);
	assert_int_equal(stats_set(p->stats, 2), 0);
}

/* The answer to a SET or UNSET that is not let in; 0: it was. */
static enum auth_stat denied(struct peer *p, uint32_t proc)
{
	struct pmap args = {300, 1, IPPROTO_UDP, 2049};
	struct rpc_msg reply;

	assert_int_equal(peer_call(p, PMAPVERS, proc, (xdrproc_t)xdr_pmap, &args), PROC_REPLY);
	peer_decode(p, &reply, peer_void, NULL);
	return reply.rm_reply.rp_stat == MSG_DENIED ? peer_auth_stat(p) : AUTH_OK;
}

static void only_from_inside(void **state)
{
	static const uint32_t procs[] = {PMAPPROC_SET, PMAPPROC_UNSET};
	struct pmap mapping = {300, 1, IPPROTO_UDP, 2049};
	struct peer *p = *state;

	for (size_t i = 0; i < 2; i++) {
		for (int n = NETID_UDP; n <= NETID_TCP; n++) {
			peer_remote(p, (enum netid)n, "10.0.0.2.3.1", "10.0.0.1.0.111");
			assert_int_equal(denied(p, procs[i]), AUTH_TOOWEAK);
			peer_loopback(p, (enum netid)n, 1000);
			assert_int_equal(denied(p, procs[i]), AUTH_OK);
			p->uid_rc = -ENOENT;
			assert_int_equal(denied(p, procs[i]), AUTH_TOOWEAK);
			p->caller.peer_uid = NULL;
			assert_int_equal(denied(p, procs[i]), AUTH_TOOWEAK);
			peer_fini(p);
			peer_init(p);
		}
	}
	peer_loopback(p, NETID_UDP, 1000);
	p->uid_rc = -EDQUOT; /* he is to ask again */
	assert_int_equal(peer_call(p, PMAPVERS, PMAPPROC_SET, (xdrproc_t)xdr_pmap, &mapping),
		PROC_DROP);
	p->uid_rc = 0;
	p->uid_asked = 0;
	p->vs.insecure = true;
	peer_remote(p, NETID_UDP, "10.0.0.2.3.1", "10.0.0.1.0.111");
	assert_int_equal(denied(p, PMAPPROC_SET), AUTH_OK);
	assert_string_equal(peer_first_owner(p), "unknown");
	assert_int_equal(p->uid_asked, 0);
	assert_false(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, 0, 0));
	peer_local(p, 0);
	assert_true(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, 0, 0));
}

static void who_is_superuser(void **state)
{
	static const uid_t listed[] = {70, 71};
	static const struct {
		uid_t uid;
		const char *owner;
	} cases[] = {{0, "superuser"}, {1000, "1000"}, {50, "superuser"}, {60, "superuser"},
		{71, "superuser"}, {72, "72"}, {(uid_t)-1, "unknown"}};
	struct peer *p = *state;

	p->vs.owner_uid = 50;
	p->vs.root_uid = 60;
	p->vs.superusers = listed;
	p->vs.superuser_count = 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		peer_local(p, cases[i].uid);
		assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2049));
		assert_string_equal(peer_first_owner(p), cases[i].owner);
		peer_local(p, 0);
		assert_true(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, 0, 0));
	}
	p->vs.root_uid = (uid_t)-1;
	peer_local(p, (uid_t)-1);
	assert_true(peer_pmap_bool(p, PMAPPROC_SET, 300, 1, IPPROTO_UDP, 2049));
	assert_string_equal(peer_first_owner(p), "unknown");
}

static void unset_ignores_the_protocol(void **state)
{
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 1000);
	peer_register(p, 300, 1, "tcp", "10.0.0.1.8.1", 1000);
	peer_register(p, 300, 1, "udp6", "::.8.1", 1000);
	peer_register(p, 300, 2, "udp", "0.0.0.0.8.1", 1000);
	peer_local(p, 1001);
	assert_false(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, IPPROTO_UDP, 0));
	assert_int_equal(regs_count(p->regs), 4);
	peer_local(p, 1000);
	assert_true(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, 99, 12345));
	assert_int_equal(regs_count(p->regs), 2);
	assert_true(peer_pmap_bool(p, PMAPPROC_UNSET, 300, 1, 0, 0));
	assert_int_equal(stats_unset(p->stats, 2), 2);
}

static void getport_by_contacted_address(void **state)
{
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "10.77.0.1.8.1", 0);
	peer_remote(p, NETID_TCP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 2049);
	peer_remote(p, NETID_TCP, "10.77.0.2.3.1", "10.77.0.9.0.111");
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 0);
	assert_int_equal(peer_getport(p, 300, 9, IPPROTO_UDP), 0);
	peer_remote(p, NETID_UDP6, "fd00::2.3.1", "fd00::1.0.111");
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 0);
	peer_loopback(p, NETID_UDP6, 1000);
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 2049);
	peer_local(p, 1000);
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 2049);
	peer_register(p, 300, 1, "udp", "0.0.0.0.8.2", 0);
	peer_remote(p, NETID_UDP6, "fd00::2.3.1", "fd00::1.0.111");
	assert_int_equal(peer_getport(p, 300, 1, IPPROTO_UDP), 2050);
	assert_int_equal(p->uid_asked, 0);
}

static void getport_is_counted(void **state)
{
	const struct stats_addr *a;
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	peer_getport(p, 300, 1, IPPROTO_UDP);
	peer_getport(p, 300, 1, IPPROTO_TCP);
	peer_getport(p, 300, 1, 99);
	a = stats_addr_get(p->stats, 2, 0);
	assert_int_equal(a->netid, NETID_UDP);
	assert_int_equal(a->success, 1);
	a = stats_addr_get(p->stats, 2, 1);
	assert_int_equal(a->netid, NETID_TCP);
	assert_int_equal(a->failure, 1);
	assert_null(stats_addr_get(p->stats, 2, 2));
}

static void dump(void **state)
{
	static const struct pmap expected[] = {
		{100000, 2, 17, 111}, {300, 1, 17, 2049}, {300, 1, 17, 2050}, {300, 1, 6, 2049}};
	struct pmaplist *list = NULL, *item;
	struct peer *p = *state;
	size_t i = 0;

	assert_int_equal(peer_call(p, 2, PMAPPROC_DUMP, peer_void, NULL), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_pmaplist, &list);
	assert_null(list);
	peer_truncate(p, PEER_HEADER, false);
	assert_int_equal(regs_add_builtin(p->regs, 2, NETID_UDP, "0.0.0.0.0.111"), 0);
	peer_register(p, 300, 1, "udp", "10.0.0.1.8.1", 0);
	peer_register(p, 300, 1, "udp", "10.0.0.2.8.1", 0);
	peer_register(p, 300, 1, "udp", "10.0.0.3.8.2", 0);
	peer_register(p, 300, 1, "tcp", "10.0.0.1.8.1", 0);
	peer_register(p, 300, 1, "tcp6", "::.8.1", 0);
	peer_register(p, 300, 1, "local", "/run/x", 0);
	peer_register(p, 300, 1, "sctp", "0.0.0.0.8.1", 0);
	assert_int_equal(peer_call(p, 2, PMAPPROC_DUMP, peer_void, NULL), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_pmaplist, &list);
	for (item = list; item; item = item->pml_next, i++) {
		assert_true(i < sizeof(expected) / sizeof(expected[0]));
		assert_memory_equal(&item->pml_map, &expected[i], sizeof(expected[i]));
	}
	assert_int_equal(i, sizeof(expected) / sizeof(expected[0]));
	xdr_free((xdrproc_t)xdr_pmaplist, &list);
}

static void truncated(void **state)
{
	struct pmap args = {300, 1, IPPROTO_UDP, 2049};
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	for (uint32_t proc = PMAPPROC_SET; proc <= PMAPPROC_GETPORT; proc++) {
		peer_encode(p, PMAPPROG, 2, proc, (xdrproc_t)xdr_pmap, &args);
		assert_int_equal(p->len, PEER_HEADER + 16);
		peer_truncate(p, PEER_HEADER, false);
	}
	assert_int_equal(p->uid_asked, 0);
}

static void trailing_bytes(void **state)
{
	struct pmap args = {300, 1, IPPROTO_UDP, 0};
	struct peer *p = *state;
	u_long port = 0;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	peer_encode(p, PMAPPROG, 2, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, &args);
	assert_int_equal(peer_send(p, p->msg, p->len + 7), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_u_long, &port);
	assert_int_equal(port, 2049);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(set_and_getport),
		PEER_TEST(refused_sets),
		PEER_TEST(only_from_inside),
		PEER_TEST(who_is_superuser),
		PEER_TEST(unset_ignores_the_protocol),
		PEER_TEST(getport_by_contacted_address),
		PEER_TEST(getport_is_counted),
		PEER_TEST(dump),
		PEER_TEST(truncated),
		PEER_TEST(trailing_bytes),
	};

	return cmocka_run_group_tests_name("proc_pmap", tests, NULL, NULL);
}
