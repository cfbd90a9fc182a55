/* SPDX-License-Identifier: BSD-3-Clause */
/* SET and UNSET where VSs share a namespace: which of them gets it, and by whose rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

#define RED_HOST "10.0.0.1.8.1"
#define BLUE_HOST "10.0.0.2.8.1"
#define NOBODYS_HOST "10.0.0.9.8.1"

/* The peer's VS is the default, red another one, and blue's addresses are nobody's to register. */
struct rig {
	struct peer peer;
	struct proc_vs red;
	uid_t red_superuser;
	unsigned asked, told, denied;
	bool had_host;
};

static struct proc_vs *place(void *arg, const struct proc_caller *caller, const struct uaddr *host)
{
	struct rig *rig = arg;

	rig->asked++;
	rig->had_host = host != NULL;
	if (!host)
		return rig->peer.vs.nobody ? NULL : &rig->peer.vs;
	if (host->addr[3] == 1)
		return caller->common ? &rig->red : NULL;
	return host->addr[3] == 7 ? &rig->peer.vs : NULL;
}

static int setup(void **state)
{
	static const struct regs_limits limits = {.entries = 3, .entries_per_owner = 2};
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	peer_init(&rig.peer);
	rig.peer.vs.place = place;
	rig.peer.vs.place_arg = &rig;
	rig.red_superuser = 2000;
	rig.red = (struct proc_vs){.root_uid = (uid_t)-1, .superusers = &rig.red_superuser,
		.superuser_count = 1};
	assert_int_equal(regs_new(&rig.red.regs, &limits, NULL), 0);
	assert_int_equal(stats_new(&rig.red.stats), 0);
	rig.peer.caller.common = true;
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	regs_free(rig->red.regs);
	stats_free(rig->red.stats);
	peer_fini(&rig->peer);
	return 0;
}

static bool set(struct rig *rig, uint32_t prog, const char *netid, const char *addr)
{
	return peer_rpcb_bool(&rig->peer, 4, RPCBPROC_SET, prog, 1, netid, addr);
}

static bool unset(struct rig *rig, uint32_t prog, const char *netid, const char *addr)
{
	return peer_rpcb_bool(&rig->peer, 4, RPCBPROC_UNSET, prog, 1, netid, addr);
}

/* The answer to a call that is denied. */
static enum auth_stat denied(struct rig *rig, uint32_t proc, uint32_t prog, const char *netid,
	const char *addr)
{
	char netid_text[8], addr_text[32], owner[] = "";
	RPCB rpcb = {prog, 1, netid_text, addr_text, owner};

	snprintf(netid_text, sizeof(netid_text), "%s", netid);
	snprintf(addr_text, sizeof(addr_text), "%s", addr);
	assert_int_equal(peer_call(&rig->peer, 4, proc, (xdrproc_t)xdr_rpcb, &rpcb), PROC_REPLY);
	return peer_auth_stat(&rig->peer);
}

static void by(struct rig *rig, uid_t uid)
{
	peer_local(&rig->peer, uid);
	rig->peer.caller.common = true;
}

static void expect_counts(const struct rig *rig, size_t own, size_t red)
{
	assert_int_equal(regs_count(rig->peer.regs), own);
	assert_int_equal(regs_count(rig->red.regs), red);
}

static void host_part_decides(void **state)
{
	struct rig *rig = *state;

	assert_true(set(rig, 300, "udp", RED_HOST));
	expect_counts(rig, 0, 1);
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	assert_false(rig->had_host);
	assert_true(set(rig, 300, "tcp", "10.0.0.7.8.3"));
	assert_true(set(rig, 300, "local", "/run/x"));
	expect_counts(rig, 3, 1);
	assert_false(set(rig, 300, "udp", BLUE_HOST));
	assert_false(set(rig, 300, "udp", NOBODYS_HOST));
	assert_false(set(rig, 300, "udp", "nonsense"));
	assert_true(peer_rpcb_bool(&rig->peer, 3, RPCBPROC_SET, 301, 1, "tcp", RED_HOST));
	expect_counts(rig, 3, 2);
	/* Each is counted where it is. */
	assert_int_equal(stats_set(rig->red.stats, 4), 1);
	assert_int_equal(stats_set(rig->red.stats, 3), 1);
	assert_int_equal(stats_set(rig->peer.stats, 4), 3);
}

static void unset_with_and_without(void **state)
{
	struct rig *rig = *state;

	assert_true(set(rig, 300, "udp", RED_HOST));
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	/* Without a host part it is about the caller's VS alone. */
	assert_true(unset(rig, 300, "", ""));
	expect_counts(rig, 0, 1);
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	assert_true(peer_rpcb_bool(&rig->peer, 3, RPCBPROC_UNSET, 300, 1, "udp", RED_HOST));
	expect_counts(rig, 0, 1);
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	assert_true(unset(rig, 300, "udp", "0.0.0.0.0.0"));
	expect_counts(rig, 0, 1);
	assert_false(unset(rig, 300, "udp", BLUE_HOST));
	assert_true(unset(rig, 300, "udp", RED_HOST));
	expect_counts(rig, 0, 0);
	assert_true(set(rig, 300, "udp", RED_HOST));
	assert_true(unset(rig, 300, "", RED_HOST));
	expect_counts(rig, 0, 0);
}

static void by_its_own_rules(void **state)
{
	struct rig *rig = *state;

	by(rig, 1000);
	assert_true(set(rig, 300, "udp", RED_HOST));
	by(rig, 1001);
	assert_false(unset(rig, 300, "udp", RED_HOST));
	/* Superuser there, and not here. */
	by(rig, 2000);
	assert_true(set(rig, 301, "udp", "0.0.0.0.8.2"));
	assert_string_equal(peer_first_owner(&rig->peer), "2000");
	assert_true(unset(rig, 300, "udp", RED_HOST));
	expect_counts(rig, 1, 0);
	/* Its limits. */
	by(rig, 1000);
	assert_true(set(rig, 300, "udp", RED_HOST));
	assert_true(set(rig, 301, "udp", RED_HOST));
	assert_false(set(rig, 302, "udp", RED_HOST));
	by(rig, 0);
	assert_true(set(rig, 302, "udp", RED_HOST));
	assert_false(set(rig, 303, "udp", RED_HOST));
	expect_counts(rig, 1, 3);
}

/* Whoever is not sure to be him is no superuser, wherever that is. */
static void unsure(void **state)
{
	struct rig *rig = *state;

	by(rig, 2000);
	rig->peer.uid_unsure = true;
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	assert_int_equal(denied(rig, RPCBPROC_SET, 300, "udp", RED_HOST),
		AUTH_TOOWEAK);
	expect_counts(rig, 1, 0);
}

static void tell(void *arg, const struct proc_caller *caller, const struct proc_event *event)
{
	struct rig *rig = arg;

	(void)caller;
	rig->told++;
	rig->denied += event->denied;
	assert_true(event->has_service && event->service_prog == 300 && event->service_vers == 1);
	assert_int_equal(event->proc, RPCBPROC_SET);
}

static void its_access_rules(void **state)
{
	struct rig *rig = *state;
	struct proc_watch watch = {.rule_count = 1, .tell = tell, .arg = rig};
	struct access_rule rule;
	char reason[80];

	assert_int_equal(access_parse("deny set 127.0.0.0/8", &rule, reason, sizeof(reason)), 0);
	watch.rules = &rule;
	rig->red.watch = &watch;
	peer_loopback(&rig->peer, NETID_TCP, 0);
	rig->peer.caller.common = true;
	assert_int_equal(denied(rig, RPCBPROC_SET, 300, "udp", RED_HOST),
		AUTH_TOOWEAK);
	assert_true(set(rig, 300, "udp", "0.0.0.0.8.2"));
	expect_counts(rig, 1, 0);
	assert_int_equal(rig->told, 1);
	assert_int_equal(rig->denied, 1);
	/* Local sockets are exempt, and all is told that is wanted. */
	watch.tell_all = true;
	by(rig, 0);
	assert_true(set(rig, 300, "udp", RED_HOST));
	assert_int_equal(rig->told, 2);
	assert_int_equal(rig->denied, 1);
}

/* By the address of a VS, or by its own socket, nobody acts for another. */
static void not_for_others(void **state)
{
	struct rig *rig = *state;

	rig->peer.caller.common = false;
	assert_false(set(rig, 300, "udp", RED_HOST));
	assert_true(set(rig, 300, "udp", "10.0.0.7.8.1"));
	assert_false(unset(rig, 300, "udp", RED_HOST));
	peer_remote(&rig->peer, NETID_UDP, "10.9.9.9.3.1", "10.0.0.7.0.111");
	rig->peer.caller.common = false;
	rig->asked = 0;
	assert_int_equal(denied(rig, RPCBPROC_SET, 300, "udp", RED_HOST),
		AUTH_TOOWEAK);
	assert_int_equal(rig->asked, 0);
	rig->peer.vs.insecure = true;
	assert_false(set(rig, 300, "udp", RED_HOST));
	assert_true(set(rig, 301, "udp", "10.0.0.7.8.1"));
	expect_counts(rig, 2, 0);
}

/* Without a default VS: only what names an address of one. */
static void nobody(void **state)
{
	static const uint32_t others[] = {NULLPROC, RPCBPROC_DUMP, RPCBPROC_GETTIME,
		RPCBPROC_GETSTAT, RPCBPROC_GETADDRLIST, 99};
	struct rig *rig = *state;
	struct pmap pmap = {300, 1, IPPROTO_UDP, 2049};

	rig->peer.vs.nobody = true;
	assert_true(set(rig, 300, "udp", RED_HOST));
	expect_counts(rig, 0, 1);
	assert_int_equal(denied(rig, RPCBPROC_SET, 300, "tcp", "0.0.0.0.8.1"),
		AUTH_TOOWEAK);
	assert_int_equal(denied(rig, RPCBPROC_SET, 300, "tcp", BLUE_HOST),
		AUTH_TOOWEAK);
	assert_int_equal(denied(rig, RPCBPROC_UNSET, 300, "", ""),
		AUTH_TOOWEAK);
	assert_int_equal(denied(rig, RPCBPROC_GETADDR, 300, "", ""),
		AUTH_TOOWEAK);
	assert_int_equal(peer_call(&rig->peer, 2, PMAPPROC_SET, (xdrproc_t)xdr_pmap, &pmap),
		PROC_REPLY);
	assert_int_equal(peer_auth_stat(&rig->peer), AUTH_TOOWEAK);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		rig->asked = 0;
		assert_int_equal(peer_call(&rig->peer, 4, others[i], (xdrproc_t)peer_void, NULL),
			PROC_REPLY);
		assert_int_equal(peer_auth_stat(&rig->peer), AUTH_TOOWEAK);
		assert_int_equal(rig->asked, 1); /* so that the log tells */
	}
	assert_true(unset(rig, 300, "udp", RED_HOST));
	expect_counts(rig, 0, 0);
}

int main(void)
{
#define PLACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACE_TEST(host_part_decides),
		PLACE_TEST(unset_with_and_without),
		PLACE_TEST(by_its_own_rules),
		PLACE_TEST(unsure),
		PLACE_TEST(its_access_rules),
		PLACE_TEST(not_for_others),
		PLACE_TEST(nobody),
	};

	return cmocka_run_group_tests_name("proc_place", tests, NULL, NULL);
}
