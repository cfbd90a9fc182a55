/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of changes and how they are done again; rpcbind's own entries; the reserve. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/regs.h"

static const struct regs_owner root = {.superuser = true};
static const struct regs_owner alice = {.uid = 1000};
static const struct regs_owner bob = {.uid = 1001};

struct rig {
	struct regs *regs;
	int answer; /* of the hook */
	unsigned told;
	struct regs_change last;
	char text[UADDR_MAX];
	struct uaddr host;
};

static int hook(const struct regs_change *change, void *arg)
{
	struct rig *rig = arg;

	rig->told++;
	rig->last = *change;
	if (change->text)
		snprintf(rig->text, sizeof(rig->text), "%s", change->text);
	if (change->host)
		rig->host = *change->host;
	return rig->answer;
}

static int setup(void **state)
{
	static const struct regs_limits limits = {.entries = 40, .entries_per_owner = 20};
	static struct rig rig;

	rig = (struct rig){.answer = 0};
	*state = &rig;
	if (regs_new(&rig.regs, &limits, NULL))
		return -1;
	regs_on_change(rig.regs, hook, &rig);
	return 0;
}

static int teardown(void **state)
{
	regs_free(((struct rig *)*state)->regs);
	return 0;
}

static void set_is_told(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(regs_set(rig->regs, 300, 7, NETID_TCP, "10.0.0.1.8.1", &alice), 0);
	assert_int_equal(rig->told, 1);
	assert_int_equal(rig->last.kind, REGS_SET);
	assert_int_equal(rig->last.prog, 300);
	assert_int_equal(rig->last.vers, 7);
	assert_int_equal(rig->last.netids, NETID_BIT(NETID_TCP));
	assert_false(rig->last.owner.superuser);
	assert_int_equal(rig->last.owner.uid, 1000);
	assert_string_equal(rig->text, "10.0.0.1.8.1");
}

static void unset_is_told(void **state)
{
	struct rig *rig = *state;
	struct uaddr host;

	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.1.0.1", &host), 0);
	regs_set(rig->regs, 300, 7, NETID_TCP, "10.0.0.1.8.1", &alice);
	regs_set(rig->regs, 300, 7, NETID_UDP, "10.0.0.1.8.1", &alice);
	assert_int_equal(regs_unset(rig->regs, 300, 7, NETID_TCP, &host, &alice), 1);
	assert_int_equal(rig->last.kind, REGS_UNSET);
	assert_int_equal(rig->last.netids, NETID_BIT(NETID_TCP));
	assert_true(uaddr_same_host(&rig->host, &host));
	assert_int_equal(regs_unset_pmap(rig->regs, 300, 7, &alice), 1);
	assert_int_equal(rig->last.netids, NETID_BIT(NETID_UDP) | NETID_BIT(NETID_TCP));
	assert_null(rig->last.host);
	assert_int_equal(rig->told, 4);
}

static void what_changes_nothing_is_not_told(void **state)
{
	struct rig *rig = *state;
	struct uaddr host;

	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.9.0.1", &host), 0);
	regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice);
	assert_int_equal(rig->told, 1);
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &bob), 0);
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.2", &bob), -EEXIST);
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "nonsense", &bob), -EINVAL);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_NONE, NULL, &bob), -EPERM);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_TCP, NULL, &bob), 0);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_UDP, &host, &alice), 0);
	assert_int_equal(regs_unset(rig->regs, 301, 1, NETID_NONE, NULL, &alice), 0);
	for (uint32_t i = 0; i < 30; i++)
		regs_set(rig->regs, 400 + i, 1, NETID_UDP, "0.0.0.0.8.1", &alice);
	assert_int_equal(rig->told, 20); /* alice's limit */
}

static void hook_bars_a_change(void **state)
{
	struct rig *rig = *state;

	regs_set(rig->regs, 300, 1, NETID_UDP, "10.0.0.1.8.1", &alice);
	rig->answer = -ENOSPC;
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "10.0.0.2.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_set(rig->regs, 301, 1, NETID_UDP, "0.0.0.0.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_NONE, NULL, &alice), -ENOSPC);
	assert_int_equal(regs_unset_pmap(rig->regs, 300, 1, &root), -ENOSPC);
	assert_int_equal(regs_count(rig->regs), 1);
	assert_false(regs_has_program(rig->regs, 301));
	assert_string_equal(regs_next(rig->regs, NULL)->text, "10.0.0.1.8.1");
	assert_true(regs_next(rig->regs, NULL)->port_listed);
	assert_null(regs_find(rig->regs, 300, 1, NETID_UDP, &(struct uaddr){.family = AF_INET},
		false, false));
	rig->answer = 0;
	assert_int_equal(regs_set(rig->regs, 300, 1, NETID_UDP, "10.0.0.2.8.2", &alice), 0);
	assert_int_equal(regs_unset(rig->regs, 300, 1, NETID_NONE, NULL, &alice), 2);
}

static struct regs_change set_change(uint32_t prog, const char *text, struct regs_owner owner)
{
	return (struct regs_change){REGS_SET, prog, 1, NETID_BIT(NETID_UDP), text, owner, NULL};
}

static int apply_set(struct regs *regs, uint32_t prog, const char *text, struct regs_owner owner)
{
	struct regs_change change = set_change(prog, text, owner);

	return regs_apply(regs, &change);
}

static void changes_are_done_again(void **state)
{
	struct regs_change unset = {.kind = REGS_UNSET, .prog = 300, .vers = 1, .netids = ~0U};
	struct rig *rig = *state;
	struct uaddr host;

	assert_int_equal(apply_set(rig->regs, 300, "10.0.0.1.8.1", alice), 0);
	/* Owners had their say when it happened, and a superuser may leave by now. */
	assert_int_equal(apply_set(rig->regs, 300, "10.0.0.2.8.1", bob), 0);
	assert_int_equal(apply_set(rig->regs, 300, "10.0.0.2.8.1", bob), 0);
	assert_int_equal(apply_set(rig->regs, 300, "10.0.0.2.8.2", bob), -EEXIST);
	assert_int_equal(regs_count(rig->regs), 2);
	assert_int_equal(uaddr_parse(AF_INET, "10.0.0.2.0.1", &host), 0);
	unset.host = &host;
	assert_int_equal(regs_apply(rig->regs, &unset), 0);
	assert_int_equal(regs_count(rig->regs), 1);
	unset.host = NULL;
	assert_int_equal(regs_apply(rig->regs, &unset), 0);
	assert_int_equal(regs_apply(rig->regs, &unset), 0);
	assert_int_equal(regs_count(rig->regs), 0);
	assert_int_equal(rig->told, 0);
}

static void what_never_was_is_refused(void **state)
{
	struct rig *rig = *state;
	struct regs_change change = set_change(300, "0.0.0.0.8.1", root);
	int rc = 0;

	assert_int_equal(apply_set(rig->regs, REGS_PROG_RPCBIND, "0.0.0.0.8.1", root), -EPERM);
	assert_int_equal(apply_set(rig->regs, 300, "0.0.0.0.0.0", root), -EINVAL);
	assert_int_equal(apply_set(rig->regs, 300, "::.8.1", root), -EINVAL);
	for (unsigned netids = 0; netids < 4; netids++) {
		change.netids = netids == 2 ? 5 << NETID_UDP : netids == 3 ? 1U << 31 : netids;
		assert_int_equal(regs_apply(rig->regs, &change), -EINVAL);
	}
	change = (struct regs_change){.kind = REGS_UNSET, .prog = REGS_PROG_RPCBIND, .netids = ~0U};
	assert_int_equal(regs_apply(rig->regs, &change), -EPERM);
	change.kind = (enum regs_change_kind)9;
	change.prog = 300;
	assert_int_equal(regs_apply(rig->regs, &change), -EINVAL);
	for (uint32_t i = 0; !rc && i < 100; i++)
		rc = apply_set(rig->regs, 400 + i, "0.0.0.0.8.1", alice);
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(regs_count(rig->regs), 40);
	regs_clear(rig->regs);
	assert_int_equal(regs_count(rig->regs), 0);
	assert_int_equal(apply_set(rig->regs, 300, "0.0.0.0.8.1", root), 0);
	assert_int_equal(rig->told, 0);
}

static struct regs *new_builtins(void)
{
	const struct regs_limits limits = {.entries = 10};
	struct regs *builtins;

	assert_int_equal(regs_new(&builtins, &limits, NULL), 0);
	assert_int_equal(regs_add_builtin(builtins, 4, NETID_UDP, "0.0.0.0.0.111"), 0);
	assert_int_equal(regs_add_builtin(builtins, 2, NETID_UDP, "0.0.0.0.0.111"), 0);
	assert_int_equal(regs_add_builtin(builtins, 4, NETID_UDP6, "::.0.111"), 0);
	assert_int_equal(regs_add_builtin(builtins, 4, NETID_LOCAL, "/run/rpcbind.sock"), 0);
	return builtins;
}

static void list(const struct regs *regs, char *text, size_t size)
{
	const struct regs_entry *e = NULL;

	text[0] = '\0';
	while ((e = regs_next(regs, e))) {
		size_t len = strlen(text);
		snprintf(text + len, size - len, "%u.%u.%s%s ", e->prog, e->vers,
			netid_info(e->netid)->name, e->builtin ? "*" : "");
	}
}

static void builtins_are_shared(void **state)
{
	const struct uaddr contacted = {.family = AF_INET, .port = 111, .addr = {10, 0, 0, 1}};
	struct regs *builtins = new_builtins();
	struct rig *rig = *state;
	const struct regs_entry *e;
	uint32_t low, high;
	char text[256];

	regs_set(rig->regs, 300, 1, NETID_UDP, "0.0.0.0.8.1", &root);
	regs_use_builtins(rig->regs, builtins, ~0U);
	list(rig->regs, text, sizeof(text));
	assert_string_equal(text, "100000.4.udp* 100000.2.udp* 100000.4.udp6* 100000.4.local* "
				  "300.1.udp ");
	assert_int_equal(regs_count(rig->regs), 5);
	assert_int_equal(regs_builtin_count(rig->regs), 4);
	e = regs_find(rig->regs, 100000, 4, NETID_UDP, &contacted, false, false);
	assert_non_null(e);
	assert_true(e->builtin);
	assert_int_equal(regs_merge(e, &contacted, text), strlen("10.0.0.1.0.111"));
	assert_int_equal(regs_find(rig->regs, 100000, 3, NETID_UDP, NULL, true, true)->vers, 4);
	assert_true(regs_versions(rig->regs, 100000, NETID_UDP, NULL, true, &low, &high));
	assert_int_equal(low, 2);
	assert_int_equal(high, 4);
	assert_int_equal(regs_add_builtin(rig->regs, 3, NETID_UDP, "0.0.0.0.0.111"), -EINVAL);
	regs_free(builtins);
	regs_use_builtins(rig->regs, NULL, 0);
}

static void builtins_of_what_is_served(void **state)
{
	struct regs *builtins = new_builtins();
	struct rig *rig = *state;
	char text[256];

	regs_use_builtins(rig->regs, builtins, NETID_BIT(NETID_UDP6) | NETID_BIT(NETID_TCP6));
	list(rig->regs, text, sizeof(text));
	assert_string_equal(text, "100000.4.udp6* ");
	assert_int_equal(regs_count(rig->regs), 1);
	assert_null(regs_find(rig->regs, 100000, 4, NETID_UDP, NULL, true, true));
	assert_non_null(regs_find(rig->regs, 100000, 9, NETID_UDP6, NULL, true, true));
	assert_true(regs_has_program(rig->regs, 100000));
	assert_int_equal(regs_unset(rig->regs, 100000, 4, NETID_NONE, NULL, &root), -EPERM);
	assert_int_equal(regs_unset(rig->regs, 100000, 4, NETID_UDP, NULL, &root), 0);
	assert_int_equal(regs_unset(rig->regs, 100000, 2, NETID_NONE, NULL, &root), 0);
	assert_int_equal(regs_set(rig->regs, 100000, 9, NETID_UDP, "0.0.0.0.8.1", &root), -EPERM);
	regs_use_builtins(rig->regs, builtins, 0);
	assert_false(regs_has_program(rig->regs, 100000));
	assert_null(regs_next(rig->regs, NULL));
	assert_int_equal(rig->told, 0);
	regs_use_builtins(rig->regs, NULL, 0);
	regs_free(builtins);
}

/* However many users there are, a superuser can still register. */
static void superusers_have_a_reserve(void **state)
{
	const struct regs_limits limits = {
		.entries = 40, .entries_per_owner = 20, .entries_ordinary = 30};
	struct regs *regs;

	(void)state;
	assert_int_equal(regs_new(&regs, &limits, NULL), 0);
	for (uint32_t i = 0; i < 30; i++) {
		const struct regs_owner who = {.uid = 1000 + i % 7};
		assert_int_equal(regs_set(regs, 300 + i, 1, NETID_UDP, "0.0.0.0.8.1", &who), 0);
	}
	assert_int_equal(regs_set(regs, 400, 1, NETID_UDP, "0.0.0.0.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_set(regs, 401, 1, NETID_UDP, "0.0.0.0.8.1",
		&(struct regs_owner){.uid = (uid_t)-1}), -ENOSPC);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(regs_set(regs, 500 + i, 1, NETID_UDP, "0.0.0.0.8.1", &root), 0);
	assert_int_equal(regs_set(regs, 600, 1, NETID_UDP, "0.0.0.0.8.1", &root), -ENOSPC);
	assert_int_equal(regs_unset(regs, 500, 1, NETID_NONE, NULL, &root), 1);
	assert_int_equal(regs_set(regs, 400, 1, NETID_UDP, "0.0.0.0.8.1", &alice), -ENOSPC);
	assert_int_equal(regs_unset(regs, 300, 1, NETID_NONE, NULL, &alice), 1);
	assert_int_equal(regs_set(regs, 400, 1, NETID_UDP, "0.0.0.0.8.1", &alice), 0);
	regs_free(regs);
}

#define CHANGE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANGE_TEST(set_is_told),
		CHANGE_TEST(unset_is_told),
		CHANGE_TEST(what_changes_nothing_is_not_told),
		CHANGE_TEST(hook_bars_a_change),
		CHANGE_TEST(changes_are_done_again),
		CHANGE_TEST(what_never_was_is_refused),
		CHANGE_TEST(builtins_are_shared),
		CHANGE_TEST(builtins_of_what_is_served),
		cmocka_unit_test(superusers_have_a_reserve),
	};

	return cmocka_run_group_tests_name("regs_change", tests, NULL, NULL);
}
