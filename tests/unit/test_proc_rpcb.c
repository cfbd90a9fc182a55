/* SPDX-License-Identifier: BSD-3-Clause */
/* Versions 3 and 4; the conversions of addresses are in test_proc_taddr.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpc_peer.h"

static const enum netid ip_netids[] = {NETID_UDP, NETID_TCP, NETID_UDP6, NETID_TCP6};

static const char *from_of(enum netid netid)
{
	return netid_info(netid)->family == AF_INET ? "10.77.0.2.3.1" : "fd00::2.3.1";
}

static const char *to_of(enum netid netid)
{
	return netid_info(netid)->family == AF_INET ? "10.77.0.1.0.111" : "fd00::1.0.111";
}

static void set_and_getaddr_local(void **state)
{
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_SET, v, 1, "local", "/run/x"));
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_SET, v, 1, "UNIX", "/run/x"));
		assert_false(peer_rpcb_bool(p, v, RPCBPROC_SET, v, 1, "local", "/run/y"));
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_SET, v, 1, "udp", "0.0.0.0.8.1"));
		assert_string_equal(peer_getaddr(p, v, RPCBPROC_GETADDR, v, 1, ""), "/run/x");
		assert_string_equal(peer_getaddr(p, v, RPCBPROC_GETADDR, v, 9, ""), "/run/x");
		assert_string_equal(peer_getaddr(p, v, RPCBPROC_GETADDR, 999, 1, ""), "");
		assert_int_equal(stats_set(p->stats, v), 3);
	}
}

static void set_and_getaddr_loopback(void **state)
{
	static const char *const answers[] = {
		"127.0.0.1.8.1", "127.0.0.1.8.1", "::1.8.1", "::1.8.1"};
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < 4; i++) {
			const char *name = netid_info(ip_netids[i])->name;
			const char *any = i < 2 ? "0.0.0.0.8.1" : "::.8.1";

			peer_loopback(p, ip_netids[i], 1000);
			assert_true(peer_rpcb_bool(p, v, RPCBPROC_SET, v, 1, name, any));
			assert_string_equal(
				peer_getaddr(p, v, RPCBPROC_GETADDR, v, 1, ""), answers[i]);
		}
	}
	assert_string_equal(peer_first_owner(p), "1000");
}

static void refused_sets(void **state)
{
	static const struct {
		const char *netid, *addr;
	} bad[] = {{"", "0.0.0.0.8.1"}, {"udp7", "0.0.0.0.8.1"}, {"udp", ""}, {"udp", "::.8.1"},
		{"tcp6", "0.0.0.0.8.1"}, {"udp", "0.0.0.0.0.0"}, {"udp", "999.1.1.1.999.999"},
		{"udp", "0.0.0.0.8.1 "}, {"local", ""}, {"local", "/run/\n"}, {"udp", "garbage"}};
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			assert_false(peer_rpcb_bool(
				p, v, RPCBPROC_SET, 300, 1, bad[i].netid, bad[i].addr));
		assert_false(peer_rpcb_bool(p, v, RPCBPROC_SET, 100000, 4, "udp", "0.0.0.0.8.1"));
		assert_int_equal(stats_set(p->stats, v), 0);
	}
	assert_int_equal(regs_count(p->regs), 0);
}

static enum auth_stat denied(struct peer *p, uint32_t vers, uint32_t proc)
{
	char netid[] = "udp", addr[] = "0.0.0.0.8.1", owner[] = "superuser";
	struct rpcb args = {300, 1, netid, addr, owner};
	struct rpc_msg reply;

	assert_int_equal(peer_call(p, vers, proc, (xdrproc_t)xdr_rpcb, &args), PROC_REPLY);
	peer_decode(p, &reply, peer_void, NULL);
	return reply.rm_reply.rp_stat == MSG_DENIED ? peer_auth_stat(p) : AUTH_OK;
}

static void only_from_inside(void **state)
{
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < 4; i++) {
			enum netid netid = ip_netids[i];

			peer_remote(p, netid, from_of(netid), to_of(netid));
			assert_int_equal(denied(p, v, RPCBPROC_SET), AUTH_TOOWEAK);
			assert_int_equal(denied(p, v, RPCBPROC_UNSET), AUTH_TOOWEAK);
			peer_loopback(p, netid, 0);
			p->uid_rc = -ENOENT;
			assert_int_equal(denied(p, v, RPCBPROC_SET), AUTH_TOOWEAK);
			assert_int_equal(denied(p, v, RPCBPROC_UNSET), AUTH_TOOWEAK);
			assert_int_equal(regs_count(p->regs), 0);
		}
	}
	p->vs.insecure = true;
	peer_remote(p, NETID_UDP, from_of(NETID_UDP), to_of(NETID_UDP));
	assert_int_equal(denied(p, 4, RPCBPROC_SET), AUTH_OK);
	assert_string_equal(peer_first_owner(p), "unknown");
	assert_false(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", ""));
	peer_local(p, 1000);
	assert_false(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", ""));
	peer_local(p, 0);
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", ""));
}

static void unset(void **state)
{
	struct peer *p = *state;

	for (uint32_t v = 3; v <= 4; v++) {
		peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 1000);
		peer_register(p, 300, 1, "tcp", "10.0.0.1.8.1", 1000);
		peer_register(p, 300, 1, "local", "/run/x", 1000);
		peer_local(p, 1001);
		assert_false(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "", ""));
		assert_false(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "udp", ""));
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 2, "", ""));
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "udp6", ""));
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "carrier pigeon", ""));
		assert_int_equal(regs_count(p->regs), 3);
		peer_local(p, 1000);
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "UDP", ""));
		assert_int_equal(regs_count(p->regs), 2);
		assert_true(peer_rpcb_bool(p, v, RPCBPROC_UNSET, 300, 1, "", ""));
		assert_int_equal(regs_count(p->regs), 0);
		assert_int_equal(stats_unset(p->stats, v), 5);
	}
}

/* Version 4 may name the address; version 3 has it ignored. */
static void unset_one_address(void **state)
{
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "10.0.0.1.8.1", 0);
	peer_register(p, 300, 1, "udp", "10.0.0.2.8.1", 0);
	peer_register(p, 300, 1, "tcp", "10.0.0.2.8.1", 0);
	peer_register(p, 300, 1, "tcp6", "fd00::1.8.1", 0);
	assert_false(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "udp", "nonsense"));
	assert_false(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "udp", "fd00::1.8.1"));
	assert_false(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", "/run/x"));
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "udp", "10.0.0.3.8.1"));
	assert_int_equal(regs_count(p->regs), 4);
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "udp", "10.0.0.1.9.9"));
	assert_int_equal(regs_count(p->regs), 3);
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", "10.0.0.2.8.1"));
	assert_int_equal(regs_count(p->regs), 1);
	assert_true(peer_rpcb_bool(p, 4, RPCBPROC_UNSET, 300, 1, "", "fd00::1.8.1"));
	assert_int_equal(regs_count(p->regs), 0);
	peer_register(p, 300, 1, "udp", "10.0.0.1.8.1", 0);
	assert_true(peer_rpcb_bool(p, 3, RPCBPROC_UNSET, 300, 1, "udp", "10.0.0.3.8.1"));
	assert_int_equal(regs_count(p->regs), 0);
}

/* A service on 10.77.0.1 of a VS that has 10.77.0.9 as well, and every hint there was. */
static void getaddr_by_contacted_address(void **state)
{
	static const char *const hints[] = {"", "10.77.0.1.0.111", "10.77.0.9.0.111",
		"192.0.2.1.0.111", "fd00::1.0.111", "nonsense"};
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "10.77.0.1.8.1", 0);
	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
			peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111");
			assert_string_equal(peer_getaddr(p, v, RPCBPROC_GETADDR, 300, 1, hints[i]),
				"10.77.0.1.8.1");
			assert_string_equal(peer_getaddr(p, v, RPCBPROC_GETADDR, 300, 7, hints[i]),
				"10.77.0.1.8.1");
			peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.9.0.111");
			assert_string_equal(
				peer_getaddr(p, v, RPCBPROC_GETADDR, 300, 1, hints[i]), "");
			assert_string_equal(
				peer_getaddr(p, v, RPCBPROC_GETADDR, 300, 7, hints[i]), "");
		}
	}
	/* Another instance of the service on the other address. */
	peer_register(p, 300, 1, "udp", "10.77.0.9.8.2", 0);
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 1, ""), "10.77.0.9.8.2");
	peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 1, ""), "10.77.0.1.8.1");
	/* From inside, one of them is better than none. */
	peer_loopback(p, NETID_UDP, 1000);
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 1, ""), "10.77.0.1.8.1");
}

static void getaddr_by_transport(void **state)
{
	static const char *const answers[] = {
		"10.77.0.1.8.1", "10.77.0.1.8.2", "fd00::1.8.3", "fd00::1.8.4"};
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	peer_register(p, 300, 1, "tcp", "0.0.0.0.8.2", 0);
	peer_register(p, 300, 1, "udp6", "::.8.3", 0);
	peer_register(p, 300, 1, "tcp6", "::.8.4", 0);
	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < 4; i++) {
			peer_remote(p, ip_netids[i], from_of(ip_netids[i]), to_of(ip_netids[i]));
			assert_string_equal(
				peer_getaddr(p, v, RPCBPROC_GETADDR, 300, 1, ""), answers[i]);
		}
	}
	peer_local(p, 1000);
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 1, ""), "");
}

static void getversaddr_is_exact(void **state)
{
	struct peer *p = *state;

	peer_register(p, 300, 1, "tcp6", "::.8.4", 0);
	peer_remote(p, NETID_TCP6, "fd00::2.3.1", "fd00::1.0.111");
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETVERSADDR, 300, 1, ""), "fd00::1.8.4");
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETVERSADDR, 300, 2, ""), "");
	assert_string_equal(peer_getaddr(p, 4, RPCBPROC_GETADDR, 300, 2, ""), "fd00::1.8.4");
	assert_int_equal(stats_addr_get(p->stats, 4, 0)->success, 1);
	assert_int_equal(stats_addr_get(p->stats, 4, 1)->failure, 1);
	assert_int_equal(stats_addr_get(p->stats, 4, 1)->success, 1);
}

/* "netid=address/semantics/family/protocol " of each entry. */
static void addrlist(struct peer *p, uint32_t vers, char *text, size_t size)
{
	char netid[] = "", addr[] = "", owner[] = "";
	struct rpcb args = {300, vers, netid, addr, owner};
	rpcb_entry_list_ptr list = NULL, item;
	size_t len = 0;

	text[0] = '\0';
	assert_int_equal(
		peer_call(p, 4, RPCBPROC_GETADDRLIST, (xdrproc_t)xdr_rpcb, &args), PROC_REPLY);
	peer_results(p, (xdrproc_t)xdr_rpcb_entry_list_ptr, &list);
	for (item = list; item; item = item->rpcb_entry_next) {
		const rpcb_entry *e = &item->rpcb_entry_map;

		len += (size_t)snprintf(text + len, size - len, "%s=%s/%u/%s/%s ", e->r_nc_netid,
			e->r_maddr, e->r_nc_semantics, e->r_nc_protofmly, e->r_nc_proto);
		assert_true(len < size);
	}
	xdr_free((xdrproc_t)xdr_rpcb_entry_list_ptr, &list);
}

static void getaddrlist(void **state)
{
	struct peer *p = *state;
	char text[1000];

	peer_register(p, 300, 1, "tcp", "10.77.0.9.8.2", 0);
	peer_register(p, 300, 1, "tcp", "0.0.0.0.8.3", 0);
	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	peer_register(p, 300, 1, "sctp", "10.77.0.9.8.2", 0);
	peer_register(p, 300, 1, "udp6", "::.8.3", 0);
	peer_register(p, 300, 1, "local", "/run/x", 0);
	peer_remote(p, NETID_TCP, "10.77.0.2.3.1", "10.77.0.1.0.111");
	addrlist(p, 1, text, sizeof(text));
	assert_string_equal(text, "udp=10.77.0.1.8.1/1/inet/udp tcp=10.77.0.1.8.3/3/inet/tcp ");
	addrlist(p, 2, text, sizeof(text));
	assert_string_equal(text, "");
	peer_remote(p, NETID_UDP, "10.77.0.2.3.1", "10.77.0.9.0.111");
	addrlist(p, 1, text, sizeof(text));
	assert_string_equal(text, "udp=10.77.0.9.8.1/1/inet/udp tcp=10.77.0.9.8.2/3/inet/tcp "
				  "sctp=10.77.0.9.8.2/3/inet/sctp ");
	peer_remote(p, NETID_TCP6, "fd00::2.3.1", "fd00::1.0.111");
	addrlist(p, 1, text, sizeof(text));
	assert_string_equal(text, "udp6=fd00::1.8.3/1/inet6/udp ");
	peer_local(p, 1000);
	addrlist(p, 1, text, sizeof(text));
	assert_string_equal(text, "local=/run/x/3/loopback/- ");
	assert_int_equal(stats_addr_get(p->stats, 4, 0)->success, 1);
	assert_int_equal(stats_addr_get(p->stats, 4, 1)->failure, 1);
}

static void dump(void **state)
{
	static const char *const expected[][4] = {{"100000", "udp", "0.0.0.0.0.111", "superuser"},
		{"300", "udp", "10.0.0.1.8.1", "superuser"}, {"301", "local", "/run/x", "1000"},
		{"302", "tcp6", "fd00::1.8.1", "superuser"}};
	struct peer *p = *state;

	peer_register(p, 300, 1, "UDP", "10.0.0.1.8.1", 0);
	peer_register(p, 301, 1, "unix", "/run/x", 1000);
	peer_register(p, 302, 1, "tcp6", "fd00::1.8.1", 0);
	assert_int_equal(regs_add_builtin(p->regs, 2, NETID_UDP, "0.0.0.0.0.111"), 0);
	for (uint32_t v = 3; v <= 4; v++) {
		struct rpcblist *list = NULL, *item;
		size_t i = 0;

		peer_remote(p, NETID_TCP, "10.77.0.2.3.1", "10.77.0.9.0.111");
		assert_int_equal(peer_call(p, v, RPCBPROC_DUMP, peer_void, NULL), PROC_REPLY);
		peer_results(p, (xdrproc_t)xdr_rpcblist, &list);
		for (item = list; item; item = item->rpcb_next, i++) {
			assert_true(i < 4);
			assert_int_equal(item->rpcb_map.r_prog, strtoul(expected[i][0], NULL, 10));
			assert_string_equal(item->rpcb_map.r_netid, expected[i][1]);
			assert_string_equal(item->rpcb_map.r_addr, expected[i][2]);
			assert_string_equal(item->rpcb_map.r_owner, expected[i][3]);
		}
		assert_int_equal(i, 4);
		xdr_free((xdrproc_t)xdr_rpcblist, &list);
		peer_truncate(p, PEER_HEADER, false);
	}
}

static void gettime(void **state)
{
	struct peer *p = *state;
	u_long seconds = 0;

	p->caller.wall_seconds = UINT64_C(0x1ffffffff);
	for (uint32_t v = 3; v <= 4; v++) {
		assert_int_equal(peer_call(p, v, RPCBPROC_GETTIME, peer_void, NULL), PROC_REPLY);
		peer_results(p, (xdrproc_t)xdr_u_long, &seconds);
		assert_int_equal(seconds, 0xffffffffu);
		peer_truncate(p, PEER_HEADER, false);
	}
}

static void truncated(void **state)
{
	static const uint32_t procs[] = {RPCBPROC_SET, RPCBPROC_UNSET, RPCBPROC_GETADDR,
		RPCBPROC_GETVERSADDR, RPCBPROC_GETADDRLIST};
	char netid[] = "udp", addr[] = "0.0.0.0.8.1", owner[] = "x";
	struct rpcb args = {300, 1, netid, addr, owner};
	struct peer *p = *state;

	peer_register(p, 300, 1, "udp", "0.0.0.0.8.1", 0);
	for (uint32_t v = 3; v <= 4; v++) {
		for (size_t i = 0; i < (v == 3 ? 3 : 5); i++) {
			peer_encode(p, PMAPPROG, v, procs[i], (xdrproc_t)xdr_rpcb, &args);
			peer_truncate(p, PEER_HEADER, false);
		}
	}
	assert_int_equal(p->uid_asked, 0);
}

/* Calls with a string of len bytes as one of the three: 0 netid, 1 address, 2 owner. */
static enum accept_stat call_with_string(struct peer *p, int which, size_t len)
{
	char text[3][3000] = {"udp", "0.0.0.0.8.1", ""};
	struct rpcb args = {300, 1, text[0], text[1], text[2]};

	memset(text[which], 'x', len);
	text[which][len] = '\0';
	assert_int_equal(peer_call(p, 4, RPCBPROC_GETADDR, (xdrproc_t)xdr_rpcb, &args), PROC_REPLY);
	if (p->reply.len == 24)
		return peer_accept_stat(p);
	return SUCCESS;
}

static void long_strings(void **state)
{
	struct peer *p = *state;

	assert_int_equal(call_with_string(p, 0, 31), SUCCESS);
	assert_int_equal(call_with_string(p, 0, 32), GARBAGE_ARGS);
	assert_int_equal(call_with_string(p, 1, UADDR_MAX - 1), SUCCESS);
	assert_int_equal(call_with_string(p, 1, UADDR_MAX), GARBAGE_ARGS);
	assert_int_equal(call_with_string(p, 2, 2999), SUCCESS);
}

/* "rpcbomb" and its kin: lengths that are not there. */
static void false_lengths(void **state)
{
	static const uint8_t lengths[][4] = {{0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff},
		{0x40, 0, 0, 0}, {0, 0, 0, 0x20}};
	char netid[] = "udp", addr[] = "0.0.0.0.8.1", owner[] = "x";
	struct rpcb args = {300, 1, netid, addr, owner};
	struct peer *p = *state;
	const size_t at[] = {PEER_HEADER + 8, PEER_HEADER + 16, PEER_HEADER + 32};

	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 4; j++) {
			peer_encode(p, PMAPPROG, 4, RPCBPROC_SET, (xdrproc_t)xdr_rpcb, &args);
			memcpy(p->msg + at[i], lengths[j], 4);
			assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
			assert_int_equal(peer_accept_stat(p), GARBAGE_ARGS);
		}
	}
	/* A NUL inside the netid. */
	peer_encode(p, PMAPPROG, 4, RPCBPROC_SET, (xdrproc_t)xdr_rpcb, &args);
	p->msg[PEER_HEADER + 13] = '\0';
	assert_int_equal(peer_send(p, p->msg, p->len), PROC_REPLY);
	assert_int_equal(peer_accept_stat(p), GARBAGE_ARGS);
	assert_int_equal(regs_count(p->regs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(set_and_getaddr_local),
		PEER_TEST(set_and_getaddr_loopback),
		PEER_TEST(refused_sets),
		PEER_TEST(only_from_inside),
		PEER_TEST(unset),
		PEER_TEST(unset_one_address),
		PEER_TEST(getaddr_by_contacted_address),
		PEER_TEST(getaddr_by_transport),
		PEER_TEST(getversaddr_is_exact),
		PEER_TEST(getaddrlist),
		PEER_TEST(dump),
		PEER_TEST(gettime),
		PEER_TEST(truncated),
		PEER_TEST(long_strings),
		PEER_TEST(false_lengths),
	};

	return cmocka_run_group_tests_name("proc_rpcb", tests, NULL, NULL);
}
