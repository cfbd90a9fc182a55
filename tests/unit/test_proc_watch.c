/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of a VS with access rules or an access log: who is denied, and what is told. */
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

struct watcher {
	struct proc_watch watch;
	struct access_rule rules[4];
	unsigned told;
	struct proc_event event; /* the last one */
	struct uaddr peer;
};

static void tell(void *arg, const struct proc_caller *caller, const struct proc_event *event)
{
	struct watcher *w = arg;

	w->told++;
	w->event = *event;
	w->peer = caller->peer;
}

/* rule: NULL, or the only one. */
static void watch(struct watcher *w, struct peer *p, const char *rule, bool tell_all)
{
	char *list[] = {(char *)(uintptr_t)rule, NULL};

	*w = (struct watcher){.watch = {.rules = w->rules, .tell_all = tell_all, .tell = tell}};
	w->watch.arg = w;
	assert_int_equal(access_compile(list, w->rules, 4, &w->watch.rule_count), 0);
	p->vs.watch = &w->watch;
}

static void denied_and_told(void **state)
{
	struct peer *p = *state;
	struct watcher w;

	watch(&w, p, "deny dump,getport 10.1.0.0/16", false);
	peer_remote(p, NETID_UDP, "10.1.1.2.3.9", "10.1.1.1.0.111");
	for (uint32_t vers = 2; vers <= 4; vers++) {
		assert_int_equal(peer_call(p, vers, RPCBPROC_DUMP, peer_void, NULL), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
		/* No gain for who forges the sender's address. */
		assert_true(p->reply.len < p->len);
		assert_true(w.event.denied);
		assert_int_equal(w.event.vers, vers);
		assert_int_equal(w.event.proc, RPCBPROC_DUMP);
		assert_false(w.event.has_service);
	}
	assert_int_equal(w.told, 3);
	assert_int_equal(w.peer.port, 777);
	assert_int_equal(peer_call(p, 4, NULLPROC, peer_void, NULL), PROC_REPLY);
	peer_results(p, peer_void, NULL);
	peer_remote(p, NETID_UDP, "10.2.1.2.3.9", "10.1.1.1.0.111");
	assert_int_equal(peer_call(p, 4, RPCBPROC_DUMP, peer_void, NULL), PROC_REPLY);
	assert_int_equal(w.told, 3);
	assert_int_equal(stats_requests(p->stats), 2);
}

static void the_service_is_told(void **state)
{
	static const uint32_t procs[] = {RPCBPROC_SET, RPCBPROC_UNSET, RPCBPROC_GETADDR,
		RPCBPROC_GETVERSADDR, RPCBPROC_GETADDRLIST};
	struct peer *p = *state;
	RPCB args = {.r_prog = 100003,
		.r_vers = 3,
		.r_netid = (char *)(uintptr_t) "udp",
		.r_addr = (char *)(uintptr_t) "",
		.r_owner = (char *)(uintptr_t) ""};
	struct watcher w;

	watch(&w, p, "deny all any", false);
	peer_remote(p, NETID_TCP, "10.1.1.2.3.9", "10.1.1.1.0.111");
	for (size_t i = 0; i < sizeof(procs) / sizeof(procs[0]); i++) {
		assert_int_equal(
			peer_call(p, 4, procs[i], (xdrproc_t)(void *)xdr_rpcb, &args), PROC_REPLY);
		assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
		assert_true(w.event.has_service);
		assert_int_equal(w.event.service_prog, 100003);
		assert_int_equal(w.event.service_vers, 3);
	}
	/* Cut short. */
	peer_encode(p, PMAPPROG, 4, RPCBPROC_GETADDR, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_false(w.event.has_service);
}

static void callit_is_denied_in_silence(void **state)
{
	struct peer *p = *state;
	struct watcher w;

	watch(&w, p, "deny callit any", false);
	peer_remote(p, NETID_UDP, "10.1.1.2.3.9", "10.1.1.1.0.111");
	p->vs.remote_calls = true;
	peer_register(p, 300001, 1, "udp", "0.0.0.0.3.9", 0);
	for (uint32_t vers = 2; vers <= 4; vers++) {
		assert_int_equal(
			peer_call(p, vers, RPCBPROC_CALLIT, peer_void, NULL), PROC_DROP);
		assert_int_equal(w.told, vers - 1);
	}
}

static void everything_is_denied(void **state)
{
	struct peer *p = *state;
	struct watcher w;

	watch(&w, p, "deny all any", false);
	peer_loopback(p, NETID_UDP6, 0);
	assert_int_equal(peer_call(p, 4, NULLPROC, peer_void, NULL), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_int_equal(peer_call(p, 4, 99, peer_void, NULL), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_int_equal(peer_call(p, 9, NULLPROC, peer_void, NULL), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	peer_encode(p, 100003, 3, 5, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_int_equal(w.event.prog, 100003);
	assert_int_equal(w.told, 4);
	assert_int_equal(p->uid_asked, 0);
	/* Only not the local socket. */
	peer_local(p, 1000);
	assert_int_equal(peer_call(p, 4, NULLPROC, peer_void, NULL), PROC_REPLY);
	peer_results(p, peer_void, NULL);
	assert_int_equal(w.told, 4);
}

/* A procedure of another program has a number of rpcbind's by chance. */
static void other_programs(void **state)
{
	struct peer *p = *state;
	struct watcher w;

	watch(&w, p, "deny dump any", false);
	peer_remote(p, NETID_TCP, "10.1.1.2.3.9", "10.1.1.1.0.111");
	peer_encode(p, 100003, 3, RPCBPROC_DUMP, peer_void, NULL);
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), PROG_UNAVAIL);
	assert_int_equal(w.told, 0);
}

static void all_calls_are_told(void **state)
{
	struct peer *p = *state;
	struct watcher w;

	watch(&w, p, NULL, true);
	peer_remote(p, NETID_UDP, "10.1.1.2.3.9", "10.1.1.1.0.111");
	assert_int_equal(peer_getport(p, 100003, 3, 17), 0);
	assert_int_equal(w.told, 1);
	assert_false(w.event.denied);
	assert_int_equal(w.event.service_prog, 100003);
	/* SET from outside is denied, but by no rule. */
	peer_encode(p, PMAPPROG, 2, PMAPPROC_SET, (xdrproc_t)(void *)xdr_pmap,
		&(struct pmap){300001, 1, 17, 777});
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_auth_stat(p), AUTH_TOOWEAK);
	assert_int_equal(w.told, 2);
	assert_true(w.event.denied);
	peer_local(p, 1000);
	assert_int_equal(peer_call(p, 4, 99, peer_void, NULL), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), PROC_UNAVAIL);
	assert_int_equal(w.told, 3);
	assert_false(w.event.denied);
	/* What is no call is not told of. */
	assert_int_equal(peer_send(p, p->msg, 12), PROC_DROP);
	assert_int_equal(w.told, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(denied_and_told),
		PEER_TEST(the_service_is_told),
		PEER_TEST(callit_is_denied_in_silence),
		PEER_TEST(everything_is_denied),
		PEER_TEST(other_programs),
		PEER_TEST(all_calls_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
