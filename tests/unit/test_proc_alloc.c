/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory: look-ups take none, and a registration for which there is none changes nothing. The
 * allocator's entry points are taken over for that, which the sanitizers do themselves.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_rig.h"
#include "t.h"
#include "rpc_peer.h"

#ifdef NSAUX_SANITIZED

int main(void)
{
	puts("1..0 # SKIP the sanitizer owns the allocator");
	return 0;
}

#else

static size_t count_call(struct peer *p, uint32_t vers, uint32_t proc, xdrproc_t args, void *arg)
{
	size_t before;

	peer_encode(p, PMAPPROG, vers, proc, args, arg);
	before = heap.calls;
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	return heap.calls - before;
}

static void counting_counts(void **state)
{
	size_t before = heap.calls;
	long live = heap.live;
	void *volatile p = malloc(1);

	(void)state;
	assert_int_equal(heap.calls, before + 1);
	assert_int_equal(heap.live, live + 1);
	free(p);
	assert_int_equal(heap.live, live);
}

static void look_ups_take_none(void **state)
{
	char netid[] = "udp", addr[] = "0.0.0.0.8.1", owner[] = "";
	struct rpcb rpcb = {300, 1, netid, addr, owner};
	struct pmap pmap = {300, 1, IPPROTO_UDP, 2049};
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	for (int round = 0; round < 3; round++) {
		peer_loopback(p, NETID_UDP, 0);
		/* In the first round the statistics have these programs entered. */
		heap.calls = 0;
		count_call(p, 2, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, &pmap);
		for (uint32_t v = 3; v <= 4; v++)
			count_call(p, v, RPCBPROC_GETADDR, (xdrproc_t)xdr_rpcb, &rpcb);
		if (round > 0)
			assert_int_equal(heap.calls, 0);
		for (uint32_t v = 2; v <= 4; v++)
			assert_int_equal(count_call(p, v, NULLPROC, peer_void, NULL), 0);
		assert_int_equal(count_call(p, 2, PMAPPROC_SET, (xdrproc_t)xdr_pmap, &pmap), 0);
		assert_int_equal(count_call(p, 4, RPCBPROC_SET, (xdrproc_t)xdr_rpcb, &rpcb), 0);
		assert_int_equal(count_call(p, 4, RPCBPROC_GETTIME, peer_void, NULL), 0);
		assert_int_equal(count_call(p, 2, PMAPPROC_DUMP, peer_void, NULL), 0);
		assert_int_equal(count_call(p, 4, RPCBPROC_DUMP, peer_void, NULL), 0);
	}
}

/* The statistics grow by doubling, twelve times at most for a version. */
static void distinct_look_ups_take_few(void **state)
{
	struct pmap args = {0, 1, IPPROTO_UDP, 0};
	struct peer *p = *state;
	size_t calls = 0;

	for (u_long i = 0; i < 10000; i++) {
		args.pm_prog = i;
		calls += count_call(p, 2, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, &args);
	}
	assert_in_range(calls, 1, 12);
}

static void set_without_memory(void **state)
{
	static const struct regs_owner alice = {.uid = 1000};
	struct regs_limits wide = {.entries = 1000, .entries_per_owner = 1000};
	struct regs *regs;
	long live = heap.live;
	int rc;

	(void)state;
	assert_int_equal(regs_new(&regs, &wide, NULL), 0);
	for (uint32_t i = 0; i < 400; i++) {
		const char *text = i % 2 ? "10.0.0.1.8.1" : "0.0.0.0.8.1";
		size_t n = 0;

		do {
			long held = heap.live;

			heap.calls = 0;
			heap.fail_from = ++n;
			rc = regs_set(regs, 300 + i / 2, 1, NETID_UDP, text, &alice);
			heap.fail_from = 0;
			if (rc < 0) {
				assert_int_equal(rc, -ENOMEM);
				assert_int_equal(heap.live, held);
			}
			assert_int_equal(regs_count(regs), rc < 0 ? i : i + 1);
		} while (rc < 0 && n < 20);
		assert_int_equal(rc, 0);
	}
	for (uint32_t i = 0; i < 400; i++)
		assert_non_null(regs_find(regs, 300 + i / 2, 1, NETID_UDP, NULL, true, false));
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(regs_unset(regs, 300 + i, 1, NETID_NONE, NULL, &alice), 2);
	regs_free(regs);
	assert_int_equal(heap.live, live);
}

/* The statistics go without; the answer does not. */
static void look_up_without_memory(void **state)
{
	struct pmap args = {300, 1, IPPROTO_UDP, 0};
	struct peer *p = *state;
	u_long port = 0;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	peer_encode(p, PMAPPROG, 2, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, &args);
	for (size_t n = 1; n <= 3; n++) {
		heap.calls = 0;
		heap.fail_from = n;
		assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
		heap.fail_from = 0;
		peer_results(p, (xdrproc_t)xdr_u_long, &port);
		assert_int_equal(port, 2049);
		assert_int_equal(stats_addr_get(p->stats, 2, 0) != NULL, n == 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counting_counts),
		PEER_TEST(look_ups_take_none),
		PEER_TEST(distinct_look_ups_take_few),
		cmocka_unit_test(set_without_memory),
		PEER_TEST(look_up_without_memory),
	};

	return cmocka_run_group_tests_name("proc_alloc", tests, NULL, NULL);
}

#endif
