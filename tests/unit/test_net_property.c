/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From any configuration to any other: the model of the kernel takes every step, no address is
 * ever routed by another table than its own, no mark leads to another VS's source, what others
 * made is untouched, and the second plan is empty. The same out of states that somebody damaged.
 *
 * usage: test_net_property [SEED [ROUNDS]]
 */
#include "config.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_private.h"
#include "net_random.h"
#include "net_watch.h"
#include "parse.h"

#define ROUNDS 1500

static uint64_t seed = 1, rounds = ROUNDS;

/* ---- what others made */

static void make_foreign(struct rig *rig, bool is_mark)
{
	for (unsigned i = 0; i < 3; i++) {
		char name[IF_NAMESIZE];

		snprintf(name, sizeof(name), "%c%u", is_mark ? 'd' : 'e', i);
		if (is_mark)
			rig_link(rig, name);
		else
			rig_parent_link(rig, name);
	}
	rig_addr(rig, "192.0.2.1/24", "lo");
	rig_rule(rig, 0, NULL, RT_TABLE_LOCAL);
	rig_rule(rig, 32766, NULL, RT_TABLE_MAIN);
	if (!is_mark)
		return;
	rig_addr(rig, "10.0.0.1/24", "d0");
	rig_addr(rig, "10.0.2.3/24", "d1"); /* in a's pool, if that has one */
	rig_addr(rig, "2001:db8::1/64", "d0");
	rig_route(rig, RT_TABLE_MAIN, "10.0.0.0/24", "d0");
	rig_rule(rig, 100, "10.77.0.0/16", 77);
}

struct foreign {
	size_t links, addrs, routes, rules;
};

static struct foreign count_foreign(const struct rig *rig)
{
	struct foreign n = {0};

	for (size_t i = 0; i < rig->have.link_count; i++)
		n.links += !rig->have.links[i].is_ours;
	for (size_t i = 0; i < rig->have.addr_count; i++)
		n.addrs += !rig->have.addrs[i].is_ours;
	for (size_t i = 0; i < rig->have.route_count; i++)
		n.routes += !rig->have.routes[i].is_ours;
	for (size_t i = 0; i < rig->have.rule_count; i++)
		n.rules += !rig->have.rules[i].is_ours;
	return n;
}

/* Nothing of ours that is not wished, and each wish fulfilled. */
static void check_result(const struct rig *rig)
{
	struct foreign foreign = count_foreign(rig);
	size_t links = 0;

	for (size_t i = 0; i < rig->wish.link_count; i++)
		links += rig->wish.links[i].is_ours;
	assert_int_equal(rig->have.link_count - foreign.links, links);
	assert_int_equal(rig->have.addr_count - foreign.addrs, rig->wish.addr_count);
	assert_int_equal(rig->have.route_count - foreign.routes, rig->wish.route_count);
	assert_int_equal(rig->have.rule_count - foreign.rules, rig->wish.rule_count);
}

static void go(struct rig *rig)
{
	struct foreign before = count_foreign(rig), after;

	rig_apply(rig);
	check_result(rig);
	after = count_foreign(rig);
	assert_memory_equal(&before, &after, sizeof(before));
}

/* Somebody takes away what is ours. */
static void damage(struct rig *rig, uint64_t *random)
{
	struct net_state *s = &rig->have;
	size_t kept = 0;

	for (size_t i = 0; i < s->rule_count; i++)
		if (!s->rules[i].is_ours || net_pick(random, 4))
			s->rules[kept++] = s->rules[i];
	s->rule_count = kept;
	kept = 0;
	for (size_t i = 0; i < s->route_count; i++)
		if (!s->routes[i].is_ours || net_pick(random, 4))
			s->routes[kept++] = s->routes[i];
	s->route_count = kept;
	kept = 0;
	for (size_t i = 0; i < s->addr_count; i++)
		if (!s->addrs[i].is_ours || net_pick(random, 4))
			s->addrs[kept++] = s->addrs[i];
	s->addr_count = kept;
}

/* A plan of which only the first steps were done. */
static void stop_halfway(struct rig *rig, uint64_t *random)
{
	assert_int_equal(rig_diff(rig), 0);
	if (rig->plan.count)
		rig->plan.count = net_pick(random, (unsigned)rig->plan.count);
	rig_run(rig);
}

static unsigned checks;

static void one_round(uint64_t number, bool is_mark)
{
	static struct watch watch;
	uint64_t random = number * 7919;
	struct rig rig;

	rig_init(&rig);
	rig.number = (unsigned)number;
	rig.files_right = true;
	make_foreign(&rig, is_mark);
	net_random_group(&rig, &random, is_mark);
	memset(&watch, 0, sizeof(watch));
	watch_note(&watch, &rig);
	rig.watch = is_mark ? watch_step : NULL;
	rig.watch_arg = &watch;
	go(&rig);
	net_random_group(&rig, &random, is_mark);
	watch.before = watch.count;
	watch_note(&watch, &rig);
	if (net_pick(&random, 4) == 0)
		stop_halfway(&rig, &random);
	go(&rig);
	checks += watch.checks;
	rig.watch = NULL;
	damage(&rig, &random);
	net_random_group(&rig, &random, is_mark);
	go(&rig);
	rig_forget(&rig);
	go(&rig);
	rig_free(&rig);
}

static void mark_vss(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < rounds; i++)
		one_round(seed + i, true);
	assert_true(checks > rounds);
}

static void namespace_vss(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < rounds; i++)
		one_round(seed + i, false);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark_vss),
		cmocka_unit_test(namespace_vss),
	};

	if ((argc > 1 && parse_u64(argv[1], 0, UINT32_MAX, &seed) < 0) ||
		(argc > 2 && parse_u64(argv[2], 1, UINT32_MAX, &rounds) < 0)) {
		fputs("usage: test_net_property [SEED [ROUNDS]]\n", stderr);
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
