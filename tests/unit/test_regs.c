/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/regs.h"

static const struct regs_owner root = {.superuser = true};
static const struct regs_owner alice = {.uid = 1000};
static const struct regs_owner bob = {.uid = 1001};
static const struct regs_owner unknown = {.uid = (uid_t)-1};

static int setup(void **state)
{
	struct regs_limits limits = {.entries = 50, .entries_per_owner = 10};

	return regs_new((struct regs **)state, &limits, NULL);
}

static int teardown(void **state)
{
	regs_free(*state);
	return 0;
}

static const struct uaddr *at(const char *text)
{
	static struct uaddr slots[4];
	static unsigned next;
	struct uaddr *u = &slots[next++ % 4];

	if (uaddr_parse(AF_INET, text, u) < 0)
		assert_int_equal(uaddr_parse(AF_INET6, text, u), 0);
	return u;
}

static const char *find(
	const struct regs *r, uint32_t vers, enum netid netid, const char *contacted)
{
	const struct regs_entry *e = regs_find(r, 300, vers, netid, at(contacted), false, false);

	return e ? e->text : "";
}

static const char *owner_of(const struct regs_entry *entry)
{
	static char text[REGS_OWNER_MAX];
	size_t len = regs_owner_text(&entry->owner, text);

	assert_int_equal(len, strlen(text));
	return text;
}

static void first_come_first_served(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &bob), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_count(r), 1);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.2", &alice), -EEXIST);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.2", &root), -EEXIST);
	assert_int_equal(regs_set(r, 300, 1, NETID_TCP, "0.0.0.0.8.2", &bob), 0);
	assert_int_equal(regs_set(r, 300, 2, NETID_UDP, "0.0.0.0.8.2", &bob), 0);
	assert_int_equal(regs_count(r), 3);
	assert_string_equal(owner_of(regs_next(r, NULL)), "1000");
}

static void hosts_of_one_owner(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.2", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.9", &alice), -EEXIST);
	/* Another owner would take alice's clients, by the wildcard as well. */
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.3.8.1", &bob), -EEXIST);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &bob), -EEXIST);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &unknown), -EEXIST);
	/* A superuser may; and then alice is no longer alone. */
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.3.8.3", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.4.8.4", &alice), -EEXIST);
	assert_int_equal(regs_count(r), 3);
}

static void unknown_owner_is_nobody(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &unknown), 0);
	assert_string_equal(owner_of(regs_next(r, NULL)), "unknown");
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.1", &unknown), -EEXIST);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &unknown), -EPERM);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &root), 1);
}

static void bad_registrations(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 100000, 9, NETID_UDP, "0.0.0.0.8.1", &root), -EPERM);
	assert_int_equal(regs_set(r, 300, 1, NETID_NONE, "0.0.0.0.8.1", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_COUNT, "0.0.0.0.8.1", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.0.0", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "::.8.1", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP6, "0.0.0.0.8.1", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "999.1.1.1.999.999", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_LOCAL, "", &root), -EINVAL);
	assert_int_equal(regs_set(r, 300, 1, NETID_SCTP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_count(r), 1);
}

static void local_paths(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 300, 1, NETID_LOCAL, "/run/a", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_LOCAL, "/run/a", &bob), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_LOCAL, "/run/b", &alice), -EEXIST);
	assert_string_equal(regs_find(r, 300, 1, NETID_LOCAL, NULL, true, false)->text, "/run/a");
	assert_int_equal(regs_count(r), 1);
}

static void limits(void **state)
{
	struct regs *r = *state;

	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(regs_set(r, 300 + i, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 310, 1, NETID_UDP, "0.0.0.0.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &alice), 1);
	assert_int_equal(regs_set(r, 310, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(regs_set(r, 400 + i, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_count(r), 50);
	assert_int_equal(regs_set(r, 500, 1, NETID_UDP, "0.0.0.0.8.1", &root), -ENOSPC);
	assert_int_equal(regs_set(r, 500, 1, NETID_UDP, "0.0.0.0.8.1", &bob), -ENOSPC);
}

static void versions_of_one_program(void **state)
{
	struct regs_limits wide = {.entries = 1000, .entries_per_owner = 1000};
	struct regs *r;

	(void)state;
	assert_int_equal(regs_new(&r, &wide, NULL), 0);
	for (uint32_t vers = 0; vers < REGS_GROUPS_MAX; vers++)
		assert_int_equal(regs_set(r, 300, vers, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 999, NETID_UDP, "0.0.0.0.8.1", &root), -ENOSPC);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &root), 0);
	assert_int_equal(regs_set(r, 301, 999, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_unset(r, 300, 7, NETID_UDP, NULL, &root), 1);
	assert_int_equal(regs_set(r, 300, 999, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_find(r, 300, 1234, NETID_UDP, NULL, true, true)->vers, 999);
	regs_free(r);
}

static void hosts_of_one_version(void **state)
{
	struct regs_limits wide = {.entries = 10000, .entries_per_owner = 10000};
	char text[UADDR_MAX];
	struct regs *r;

	(void)state;
	assert_int_equal(regs_new(&r, &wide, NULL), 0);
	for (unsigned i = 0; i < REGS_HOSTS_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u.8.1", i / 256, i % 256);
		assert_int_equal(regs_set(r, 300, 1, NETID_UDP, text, &root), 0);
	}
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.1.0.0.8.1", &root), -ENOSPC);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root), -ENOSPC);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, text, &root), 0);
	assert_int_equal(regs_set(r, 300, 2, NETID_UDP, "10.1.0.0.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_TCP, "10.1.0.0.8.1", &root), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.3.255.0.1"), &root), 1);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.1.0.0.8.1", &root), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &root), REGS_HOSTS_MAX);
	regs_free(r);
}

/* Who owns all of it may go on; a superuser's entry ends that for as long as it is there. */
static void owner_of_all_hosts(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.1", &root), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.3.8.1", &root), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.2.0.1"), &root), 1);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.4.8.1", &alice), -EEXIST);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &alice), -EPERM);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.3.0.1"), &alice), -EPERM);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.3.0.1"), &root), 1);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.4.8.1", &bob), -EEXIST);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.4.8.1", &alice), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.1.0.1"), &bob), -EPERM);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.1.0.1"), &alice), 1);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &bob), -EPERM);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &alice), 1);
	/* Root's alone are not alice's. */
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice), 0);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.1", &root), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.1.0.1"), &alice), 1);
	assert_int_equal(regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice), -EEXIST);
}

static void unset_by_owner(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice);
	regs_set(r, 300, 1, NETID_TCP, "0.0.0.0.8.1", &alice);
	regs_set(r, 300, 2, NETID_TCP, "0.0.0.0.8.1", &alice);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, NULL, &bob), -EPERM);
	assert_int_equal(regs_unset(r, 300, 9, NETID_NONE, NULL, &bob), 0);
	assert_int_equal(regs_unset(r, 301, 1, NETID_NONE, NULL, &bob), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP6, NULL, &bob), 0);
	assert_int_equal(regs_count(r), 3);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, NULL, &alice), 1);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, NULL, &alice), 1);
	assert_int_equal(regs_unset(r, 300, 2, NETID_NONE, NULL, &root), 1);
	assert_int_equal(regs_count(r), 0);
	assert_false(regs_has_program(r, 300));
	assert_null(regs_next(r, NULL));
}

static void unset_is_all_or_nothing(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice);
	regs_set(r, 300, 1, NETID_TCP, "0.0.0.0.8.1", &bob);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, NULL, &alice), -EPERM);
	assert_int_equal(regs_unset_pmap(r, 300, 1, &alice), -EPERM);
	assert_int_equal(regs_unset_pmap(r, 300, 1, &bob), -EPERM);
	assert_int_equal(regs_count(r), 2);
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, NULL, &root), 2);
}

static void unset_one_host(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.2", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.3", &root);
	regs_set(r, 300, 1, NETID_TCP, "10.0.0.2.8.3", &root);
	regs_set(r, 300, 1, NETID_UDP6, "::.8.3", &root);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.9.0.1"), &root), 0);
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("0.0.0.0.0.1"), &root), 1);
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.9.0.111"), "");
	assert_int_equal(regs_unset(r, 300, 1, NETID_NONE, at("10.0.0.2.0.1"), &root), 2);
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.1.0.111"), "10.0.0.1.8.2");
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.2.0.111"), "");
	assert_int_equal(regs_count(r), 2);
	/* A path is no host part: any other matches. */
	regs_set(r, 300, 1, NETID_LOCAL, "/run/x", &root);
	assert_int_equal(
		regs_unset(r, 300, 1, NETID_LOCAL, &(struct uaddr){.family = AF_UNIX}, &root), 1);
}

static void unset_pmap_takes_udp_and_tcp(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice);
	regs_set(r, 300, 1, NETID_TCP, "0.0.0.0.8.1", &alice);
	regs_set(r, 300, 1, NETID_UDP6, "::.8.1", &bob);
	regs_set(r, 300, 1, NETID_LOCAL, "/run/x", &bob);
	assert_int_equal(regs_unset_pmap(r, 300, 1, &alice), 2);
	assert_int_equal(regs_count(r), 2);
	assert_int_equal(regs_unset_pmap(r, 300, 1, &alice), 0);
}

static void builtins_stay(void **state)
{
	struct regs *r = *state;
	const struct regs_entry *e;

	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	assert_int_equal(regs_add_builtin(r, 4, NETID_UDP, "0.0.0.0.0.111"), 0);
	assert_int_equal(regs_add_builtin(r, 4, NETID_LOCAL, "/run/rpcbind.sock"), 0);
	assert_int_equal(regs_add_builtin(r, 4, NETID_UDP, "0.0.0.0.0.111"), -EINVAL);
	assert_int_equal(regs_add_builtin(r, 4, NETID_TCP, "nonsense"), -EINVAL);
	e = regs_next(r, NULL);
	assert_true(e->builtin);
	assert_int_equal(e->netid, NETID_UDP);
	assert_string_equal(owner_of(e), "superuser");
	e = regs_next(r, e);
	assert_true(e->builtin);
	assert_int_equal(e->netid, NETID_LOCAL);
	e = regs_next(r, e);
	assert_false(e->builtin);
	assert_null(regs_next(r, e));
	assert_int_equal(regs_unset(r, 100000, 4, NETID_NONE, NULL, &root), -EPERM);
	assert_int_equal(regs_unset(r, 100000, 4, NETID_UDP, NULL, &root), -EPERM);
	assert_int_equal(regs_unset(r, 100000, 2, NETID_NONE, NULL, &root), 0);
	assert_int_equal(regs_count(r), 3);
}

static void choice_by_contacted(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &root);
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.1.0.111"), "10.0.0.1.8.1");
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.9.0.111"), "");
	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.2", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.3", &root);
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.1.0.111"), "10.0.0.1.8.1");
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.2.0.111"), "10.0.0.2.8.3");
	assert_string_equal(find(r, 1, NETID_UDP, "10.0.0.9.0.111"), "0.0.0.0.8.2");
	/* Version 2 over IPv6: only the wildcard can be meant. */
	assert_string_equal(find(r, 1, NETID_UDP, "a00:1::.0.111"), "0.0.0.0.8.2");
	assert_int_equal(regs_unset(r, 300, 1, NETID_UDP, at("0.0.0.0.0.1"), &root), 1);
	assert_string_equal(find(r, 1, NETID_UDP, "a00:1::.0.111"), "");
	/* Contacting the wildcard address is not possible, and gives no specific entry. */
	assert_string_equal(find(r, 1, NETID_UDP, "0.0.0.0.0.111"), "");
}

static void choice_inside(void **state)
{
	const struct regs_entry *e;
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &root);
	assert_null(regs_find(r, 300, 1, NETID_UDP, at("127.0.0.1.0.111"), false, false));
	e = regs_find(r, 300, 1, NETID_UDP, at("127.0.0.1.0.111"), true, false);
	assert_string_equal(e->text, "10.0.0.1.8.1");
	e = regs_find(r, 300, 1, NETID_UDP, NULL, true, false);
	assert_string_equal(e->text, "10.0.0.1.8.1");
	e = regs_find(r, 300, 1, NETID_UDP, at("::1.0.111"), true, false);
	assert_string_equal(e->text, "10.0.0.1.8.1");
	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.2", &root);
	e = regs_find(r, 300, 1, NETID_UDP, NULL, true, false);
	assert_string_equal(e->text, "0.0.0.0.8.2");
	regs_set(r, 300, 1, NETID_UDP, "127.0.0.1.8.3", &root);
	e = regs_find(r, 300, 1, NETID_UDP, at("127.0.0.1.0.111"), true, false);
	assert_string_equal(e->text, "127.0.0.1.8.3");
}

static void fallback_to_another_version(void **state)
{
	const struct uaddr *me = at("10.0.0.1.0.111");
	struct regs *r = *state;

	assert_null(regs_find(r, 300, 9, NETID_UDP, me, false, true));
	regs_set(r, 300, 2, NETID_UDP, "0.0.0.0.8.2", &alice);
	regs_set(r, 300, 4, NETID_UDP, "0.0.0.0.8.4", &alice);
	regs_set(r, 300, 3, NETID_UDP, "0.0.0.0.8.3", &alice);
	regs_set(r, 300, 5, NETID_UDP, "10.0.0.2.8.5", &alice);
	regs_set(r, 300, 6, NETID_TCP, "0.0.0.0.8.6", &alice);
	assert_null(regs_find(r, 300, 9, NETID_UDP, me, false, false));
	assert_int_equal(regs_find(r, 300, 9, NETID_UDP, me, false, true)->vers, 4);
	assert_int_equal(regs_find(r, 300, 3, NETID_UDP, me, false, true)->vers, 3);
	assert_int_equal(regs_find(r, 300, 9, NETID_UDP, NULL, true, true)->vers, 5);
	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	assert_int_equal(regs_find(r, 300, 9, NETID_UDP, me, false, true)->vers, 1);
	assert_null(regs_find(r, 301, 1, NETID_UDP, me, false, true));
	assert_null(regs_find(r, 300, 1, NETID_UDP6, me, false, true));
}

static void version_range(void **state)
{
	const struct uaddr *me = at("10.0.0.1.0.111");
	uint32_t low = 77, high = 78;
	struct regs *r = *state;

	assert_false(regs_versions(r, 300, NETID_UDP, me, false, &low, &high));
	regs_set(r, 300, 3, NETID_UDP, "10.0.0.2.8.1", &root);
	assert_false(regs_versions(r, 300, NETID_UDP, me, false, &low, &high));
	assert_int_equal(low, 77);
	assert_int_equal(high, 78);
	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	regs_set(r, 300, 2, NETID_UDP, "10.0.0.1.8.1", &root);
	regs_set(r, 300, 9, NETID_TCP, "0.0.0.0.8.1", &root);
	assert_true(regs_versions(r, 300, NETID_UDP, me, false, &low, &high));
	assert_int_equal(low, 1);
	assert_int_equal(high, 2);
}

static void merging(void **state)
{
	struct regs *r = *state;
	char text[UADDR_MAX];
	const struct regs_entry *e;

	regs_set(r, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	regs_set(r, 300, 2, NETID_UDP, "10.0.0.1.8.1", &root);
	regs_set(r, 300, 3, NETID_LOCAL, "/run/x", &root);
	e = regs_next(r, NULL);
	assert_int_equal(regs_merge(e, at("10.9.8.7.0.111"), text), strlen("10.9.8.7.8.1"));
	assert_string_equal(text, "10.9.8.7.8.1");
	regs_merge(e, NULL, text);
	assert_string_equal(text, "0.0.0.0.8.1");
	regs_merge(e, at("fd00::1.0.111"), text);
	assert_string_equal(text, "0.0.0.0.8.1");
	e = regs_next(r, e);
	regs_merge(e, at("10.9.8.7.0.111"), text);
	assert_string_equal(text, "10.0.0.1.8.1");
	e = regs_next(r, e);
	assert_int_equal(regs_merge(e, at("10.9.8.7.0.111"), text), strlen("/run/x"));
	assert_string_equal(text, "/run/x");
}

static unsigned listed(const struct regs *r, uint16_t port)
{
	const struct regs_entry *e = NULL;
	unsigned n = 0;

	while ((e = regs_next(r, e)))
		n += e->port_listed && e->uaddr.port == port;
	return n;
}

static void one_entry_lists_a_port(void **state)
{
	struct regs *r = *state;

	regs_set(r, 300, 1, NETID_UDP, "10.0.0.1.8.1", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.2.8.1", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.3.8.1", &root);
	regs_set(r, 300, 1, NETID_UDP, "10.0.0.4.8.2", &root);
	assert_int_equal(listed(r, 0x801), 1);
	assert_int_equal(listed(r, 0x802), 1);
	regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.1.0.1"), &root);
	assert_int_equal(listed(r, 0x801), 1);
	regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.3.0.1"), &root);
	assert_int_equal(listed(r, 0x801), 1);
	regs_unset(r, 300, 1, NETID_UDP, at("10.0.0.2.0.1"), &root);
	assert_int_equal(listed(r, 0x801), 0);
	assert_int_equal(listed(r, 0x802), 1);
}

/* Enough for several rehashes of each table, then all of it away again in another order. */
static void many_entries(void **state)
{
	struct regs_limits wide = {.entries = 100000, .entries_per_owner = 100000};
	struct regs *r;
	char text[UADDR_MAX];
	struct uaddr u;

	(void)state;
	assert_int_equal(regs_new(&r, &wide, NULL), 0);
	for (unsigned i = 0; i < 5000; i++) {
		struct regs_owner who = {.uid = 2000 + i % 500};

		snprintf(text, sizeof(text), "10.%u.%u.1.8.1", i / 256 % 256, i % 256);
		assert_int_equal(regs_set(r, 5000 + i, 1, NETID_UDP, "0.0.0.0.8.1", &who), 0);
		assert_int_equal(regs_set(r, 300, i / 1000, NETID_UDP, text, &root), 0);
	}
	assert_int_equal(regs_count(r), 10000);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1.8.1", i / 256 % 256, i % 256);
		assert_int_equal(uaddr_parse(AF_INET, text, &u), 0);
		assert_string_equal(
			regs_find(r, 300, i / 1000, NETID_UDP, &u, false, false)->text, text);
		assert_non_null(regs_find(r, 5000 + i, 1, NETID_UDP, &u, false, false));
	}
	for (unsigned i = 5000; i-- > 0;) {
		struct regs_owner who = {.uid = 2000 + i % 500};

		assert_int_equal(regs_unset(r, 5000 + i, 1, NETID_NONE, NULL, &who), 1);
	}
	for (uint32_t vers = 0; vers < 5; vers++)
		assert_int_equal(regs_unset(r, 300, vers, NETID_UDP, NULL, &root), 1000);
	assert_int_equal(regs_count(r), 0);
	assert_null(regs_next(r, NULL));
	regs_free(r);
	regs_free(NULL);
}

#define REGS_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGS_TEST(first_come_first_served),
		REGS_TEST(hosts_of_one_owner),
		REGS_TEST(unknown_owner_is_nobody),
		REGS_TEST(bad_registrations),
		REGS_TEST(local_paths),
		REGS_TEST(limits),
		cmocka_unit_test(versions_of_one_program),
		cmocka_unit_test(hosts_of_one_version),
		REGS_TEST(owner_of_all_hosts),
		REGS_TEST(unset_by_owner),
		REGS_TEST(unset_is_all_or_nothing),
		REGS_TEST(unset_one_host),
		REGS_TEST(unset_pmap_takes_udp_and_tcp),
		REGS_TEST(builtins_stay),
		REGS_TEST(choice_by_contacted),
		REGS_TEST(choice_inside),
		REGS_TEST(fallback_to_another_version),
		REGS_TEST(version_range),
		REGS_TEST(merging),
		REGS_TEST(one_entry_lists_a_port),
		cmocka_unit_test(many_entries),
	};

	return cmocka_run_group_tests_name("regs", tests, NULL, NULL);
}
