/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sockets serve which registrations, and when one is a ghost. The clock is ours. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "regs_rig.h"
#include "rpcbind-ns/ghosts.h"

#define SEC UINT64_C(1000000000)
#define START (77 * SEC)
#define INTERVAL (30 * SEC)

static const struct regs_owner root = {.superuser = true};

static int setup(void **state)
{
	return regs_rig(state, (struct regs_limits){.entries = 100, .entries_per_owner = 100});
}

static const struct regs_entry *add(struct regs *regs, enum netid netid, const char *text)
{
	const struct regs_entry *e = regs_rig_last(regs);
	uint32_t vers = e ? e->vers + 1 : 1;

	assert_int_equal(regs_set(regs, 300, vers, netid, text, &root), 0);
	return regs_next(regs, e);
}

static struct ghosts_socket sock(const char *address, uint16_t port, bool v6_only)
{
	struct ghosts_socket s = {.v6_only = v6_only, .port = port};

	s.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(s.family, address, s.addr), 1);
	return s;
}

static void is_served(struct regs *regs, enum netid netid, const char *text, const char *address,
	bool v6_only, bool served)
{
	const struct regs_entry *e = add(regs, netid, text);
	struct ghosts_socket s = sock(address, 2049, v6_only), other = sock(address, 2050, v6_only);

	assert_int_equal(ghosts_serves(e, &s), served);
	assert_false(ghosts_serves(e, &other));
}

static void by_address(void **state)
{
	static const struct {
		enum netid netid;
		const char *text, *address;
		bool v6_only, served;
	} cases[] = {
		{NETID_UDP, "0.0.0.0.8.1", "0.0.0.0", false, true},
		{NETID_UDP, "0.0.0.0.8.1", "10.0.0.1", false, true},
		{NETID_UDP, "10.0.0.1.8.1", "0.0.0.0", false, true},
		{NETID_UDP, "10.0.0.1.8.1", "10.0.0.1", false, true},
		{NETID_UDP, "10.0.0.1.8.1", "10.0.0.2", false, false},
		{NETID_UDP, "10.0.0.1.8.1", "127.0.0.1", false, false},
		/* Dual stack. */
		{NETID_TCP, "0.0.0.0.8.1", "::", false, true},
		{NETID_TCP, "10.0.0.1.8.1", "::", false, true},
		{NETID_TCP, "0.0.0.0.8.1", "::", true, false},
		{NETID_TCP, "0.0.0.0.8.1", "fd00::1", false, false},
		{NETID_TCP, "0.0.0.0.8.1", "::ffff:10.0.0.1", false, true},
		{NETID_TCP, "10.0.0.1.8.1", "::ffff:10.0.0.1", false, true},
		{NETID_TCP, "10.0.0.1.8.1", "::ffff:10.0.0.2", false, false},
		{NETID_TCP, "10.0.0.1.8.1", "::ffff:0.0.0.0", false, true},
		/* IPv6. */
		{NETID_TCP6, "::.8.1", "::", true, true},
		{NETID_TCP6, "::.8.1", "::", false, true},
		{NETID_TCP6, "::.8.1", "fd00::1", true, true},
		{NETID_TCP6, "fd00::1.8.1", "::", true, true},
		{NETID_TCP6, "fd00::1.8.1", "fd00::1", false, true},
		{NETID_TCP6, "fd00::1.8.1", "fd00::2", false, false},
		{NETID_TCP6, "::.8.1", "::ffff:10.0.0.1", false, false},
		{NETID_TCP6, "::.8.1", "0.0.0.0", false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_served(*state, cases[i].netid, cases[i].text, cases[i].address, cases[i].v6_only,
			cases[i].served);
}

static void what_is_judged(void **state)
{
	struct regs *regs = *state;
	const struct regs_entry *own;

	assert_int_equal(ghosts_protocol(add(regs, NETID_UDP, "0.0.0.0.8.1")), IPPROTO_UDP);
	assert_int_equal(ghosts_protocol(add(regs, NETID_UDP6, "::.8.1")), IPPROTO_UDP);
	assert_int_equal(ghosts_protocol(add(regs, NETID_TCP, "0.0.0.0.8.1")), IPPROTO_TCP);
	assert_int_equal(ghosts_protocol(add(regs, NETID_TCP6, "::.8.1")), IPPROTO_TCP);
	assert_int_equal(ghosts_protocol(add(regs, NETID_LOCAL, "/run/x")), 0);
	assert_int_equal(ghosts_protocol(add(regs, NETID_SCTP, "0.0.0.0.8.1")), 0);
	assert_int_equal(ghosts_protocol(add(regs, NETID_RDMA6, "::.8.1")), 0);
	assert_int_equal(regs_add_builtin(regs, 4, NETID_UDP, "0.0.0.0.0.111"), 0);
	own = regs_next(regs, NULL);
	assert_true(own->builtin);
	assert_int_equal(ghosts_protocol(own), 0);
}

static void judge(struct regs *regs, const struct regs_entry *e, bool present, uint64_t at,
	enum ghosts_news news, bool ghost)
{
	assert_int_equal(ghosts_judge(regs, e, present, START + at, INTERVAL), news);
	assert_int_equal(e->ghost, ghost);
}

static void absent_twice(void **state)
{
	struct regs *regs = *state;
	const struct regs_entry *e = add(regs, NETID_UDP, "0.0.0.0.8.1");

	judge(regs, e, true, 0, GHOSTS_NOTHING, false);
	judge(regs, e, false, 15 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 30 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 45 * SEC - 1, GHOSTS_NOTHING, false);
	judge(regs, e, false, 45 * SEC, GHOSTS_GONE, true);
	judge(regs, e, false, 60 * SEC, GHOSTS_NOTHING, true);
	judge(regs, e, true, 75 * SEC, GHOSTS_BACK, false);
	judge(regs, e, false, 90 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 119 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 121 * SEC, GHOSTS_GONE, true);
}

/* One look in which it is there is enough to begin again. */
static void present_in_between(void **state)
{
	struct regs *regs = *state;
	const struct regs_entry *e = add(regs, NETID_UDP, "0.0.0.0.8.1");

	judge(regs, e, false, 0, GHOSTS_NOTHING, false);
	judge(regs, e, true, 29 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 31 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 60 * SEC, GHOSTS_NOTHING, false);
	judge(regs, e, false, 61 * SEC, GHOSTS_GONE, true);
}

/* Each registration for itself; and who registers again begins anew. */
static void one_by_one(void **state)
{
	struct regs *regs = *state;
	const struct regs_entry *a = add(regs, NETID_UDP, "10.0.0.1.8.1");
	const struct regs_entry *b = add(regs, NETID_UDP, "10.0.0.1.8.2");

	judge(regs, a, false, 0, GHOSTS_NOTHING, false);
	judge(regs, b, true, 0, GHOSTS_NOTHING, false);
	judge(regs, a, false, INTERVAL, GHOSTS_GONE, true);
	judge(regs, b, false, INTERVAL, GHOSTS_NOTHING, false);
	assert_int_equal(regs_unset(regs, a->prog, a->vers, a->netid, NULL, &root), 1);
	a = add(regs, NETID_UDP, "10.0.0.1.8.1");
	judge(regs, a, false, 2 * INTERVAL - 1, GHOSTS_NOTHING, false);
	judge(regs, b, false, 2 * INTERVAL, GHOSTS_GONE, true);
	assert_false(a->ghost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_address, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(what_is_judged, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(absent_twice, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(present_in_between, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(one_by_one, setup, regs_rig_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
