/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of each registration of another rpcbind. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "regs_rig.h"
#include "rpcbind-ns/import.h"

static int setup(void **state)
{
	return regs_rig(state, (struct regs_limits){.entries = 20, .entries_per_owner = 3});
}

static struct warmstart_entry entry(uint32_t prog, const char *netid, const char *addr,
	const char *owner)
{
	struct warmstart_entry e = {.prog = prog, .vers = 1};

	snprintf(e.netid, sizeof(e.netid), "%s", netid);
	snprintf(e.addr, sizeof(e.addr), "%s", addr);
	snprintf(e.owner, sizeof(e.owner), "%s", owner);
	return e;
}

static struct warmstart_entry port(uint32_t prog, const char *netid, uint32_t number)
{
	struct warmstart_entry e = entry(prog, netid, "", "unknown");

	e.port_only = true;
	e.port = number;
	return e;
}

static enum import_result put(struct regs *regs, struct warmstart_entry e)
{
	const char *reason = NULL;
	enum import_result result = import_entry(regs, &e, &reason);

	assert_true((reason != NULL) == (result == IMPORT_REFUSED));
	return result;
}

static void owner_is(const struct regs_entry *e, const char *owner)
{
	char text[REGS_OWNER_MAX];

	regs_owner_text(&e->owner, text);
	assert_string_equal(text, owner);
}

static void owners(void **state)
{
	static const struct {
		const char *told, *taken;
	} cases[] = {{"superuser", "superuser"}, {"unknown", "unknown"}, {"105", "105"}, {"0", "0"},
		{"4294967294", "4294967294"}, {"4294967295", "unknown"}, {"-1", "unknown"},
		{"root", "unknown"}, {"", "unknown"}, {"Superuser", "unknown"}};
	static const struct regs_limits limits = {.entries = 20, .entries_per_owner = 20};
	struct regs *regs;

	(void)state;
	assert_int_equal(regs_new(&regs, &limits, NULL), 0);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(put(regs, entry(300 + i, "udp", "0.0.0.0.8.1", cases[i].told)),
			IMPORT_NEW);
		owner_is(regs_rig_last(regs), cases[i].taken);
	}
	regs_free(regs);
}

static void present_and_taken(void **state)
{
	struct regs *regs = *state;

	assert_int_equal(put(regs, entry(300, "udp", "0.0.0.0.8.1", "5")), IMPORT_NEW);
	assert_int_equal(put(regs, entry(300, "udp", "0.0.0.0.8.1", "5")), IMPORT_PRESENT);
	assert_int_equal(put(regs, entry(300, "UDP", "0.0.0.0.8.1", "6")), IMPORT_PRESENT);
	owner_is(regs_rig_last(regs), "5");
	assert_int_equal(put(regs, entry(300, "udp", "0.0.0.0.8.2", "5")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "udp", "10.0.0.1.8.1", "6")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "udp", "10.0.0.1.8.1", "5")), IMPORT_NEW);
	assert_int_equal(put(regs, entry(300, "unix", "/run/x", "5")), IMPORT_NEW);
	assert_int_equal(put(regs, entry(301, "udp", "0.0.0.0.8.1", "5")), IMPORT_REFUSED); /* limit */
	assert_int_equal(put(regs, entry(301, "udp", "0.0.0.0.8.1", "superuser")), IMPORT_NEW);
	assert_int_equal(regs_count(regs), 4);
}

static void ports(void **state)
{
	struct regs *regs = *state;

	assert_int_equal(put(regs, entry(300, "udp", "10.0.0.1.8.1", "superuser")), IMPORT_NEW);
	assert_int_equal(put(regs, port(300, "udp", 2049)), IMPORT_PRESENT);
	assert_int_equal(put(regs, port(300, "tcp", 2049)), IMPORT_NEW);
	assert_string_equal(regs_rig_last(regs)->text, "0.0.0.0.8.1");
	owner_is(regs_rig_last(regs), "unknown");
	assert_int_equal(put(regs, port(300, "udp", 2050)), IMPORT_REFUSED);
	assert_int_equal(put(regs, port(301, "udp", 0)), IMPORT_REFUSED);
	assert_int_equal(put(regs, port(301, "udp", 65536)), IMPORT_REFUSED);
	assert_int_equal(put(regs, port(301, "132", 1)), IMPORT_REFUSED);
	assert_int_equal(regs_count(regs), 2);
}

static void refused(void **state)
{
	struct warmstart_entry mangled = entry(300, "udp", "0.0.0.0.8.1", "superuser");
	struct regs *regs = *state;

	mangled.mangled = true;
	assert_int_equal(put(regs, mangled), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "", "0.0.0.0.8.1", "superuser")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "udp", "", "superuser")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "udp", "::.8.1", "superuser")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(300, "udp", "0.0.0.0.0.0", "superuser")), IMPORT_REFUSED);
	assert_int_equal(put(regs, entry(100000, "udp", "0.0.0.0.0.111", "superuser")), IMPORT_OWN);
	assert_int_equal(put(regs, entry(100000, "", "", "")), IMPORT_OWN);
	assert_int_equal(regs_count(regs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(owners, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(present_and_taken, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(ports, setup, regs_rig_free),
		cmocka_unit_test_setup_teardown(refused, setup, regs_rig_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
