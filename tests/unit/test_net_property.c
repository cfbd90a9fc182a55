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
#include "net_watch.h"
#include "parse.h"

#define ROUNDS 1500

static uint64_t seed = 1, rounds = ROUNDS;

/* splitmix64 */
static unsigned pick(uint64_t *random, unsigned below)
{
	uint64_t z = (*random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ (z >> 31)) % below);
}

/* An address belongs to one VS; which are taken is in a bit mask. Networks 0 and 1 are IPv4,
 * the others IPv6; hosts 2 to 9. */
#define NETS 4
#define HOSTS 8

struct maker {
	uint64_t *random;
	uint32_t taken;
	char text[4096];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct maker *m, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	m->len += (size_t)vsnprintf(m->text + m->len, sizeof(m->text) - m->len, format, ap);
	va_end(ap);
	assert_true(m->len < sizeof(m->text));
}

static const char *network_of(unsigned net)
{
	static const char *const networks[NETS] = {"10.0.0.", "10.0.1.", "2001:db8::", "2001:db8:1::"};

	return networks[net];
}

static void put_address(struct maker *m, bool is_mark, unsigned device_count)
{
	unsigned net = pick(m->random, NETS), host = pick(m->random, HOSTS);
	unsigned length = net < 2 ? 24 + pick(m->random, 2) : 64;
	unsigned bit = net * HOSTS + host;

	if (m->taken & (1u << bit))
		return;
	m->taken |= 1u << bit;
	if (pick(m->random, 8) == 0)
		length = net < 2 ? 32 : 128;
	put(m, "Address=%s%u/%u dev d%u%s", network_of(net), host + 2, length,
		pick(m->random, device_count), pick(m->random, 4) ? "" : " nodad");
	if (is_mark && pick(m->random, 4) == 0 && length < (net < 2 ? 32 : 128))
		put(m, " gateway %s%u", network_of(net), 100 + pick(m->random, 2));
	put(m, "\n");
}

static void put_network(struct maker *m, bool is_mark, unsigned device_count)
{
	unsigned addresses = pick(m->random, 5);

	for (unsigned i = 0; i < addresses; i++)
		put_address(m, is_mark, device_count);
	if (pick(m->random, 2))
		put(m, "Gateway=10.0.%u.%u\n", pick(m->random, 2), 100 + pick(m->random, 2));
	if (pick(m->random, 2))
		put(m, "Gateway=2001:db8::%u\n", 100 + pick(m->random, 2));
	if (pick(m->random, 3) == 0)
		put(m, "Route=10.9.0.0/16 via 10.0.0.%u mtu %u\n", 100 + pick(m->random, 2),
			1300 + pick(m->random, 2));
	if (pick(m->random, 3) == 0)
		put(m, "Route=unreachable 10.8.0.0/16\n");
}

/* Pools lie beside the addresses, or one takes all of what is left of a network. */
static void put_pool(struct maker *m, unsigned vs)
{
	if (pick(m->random, 3) == 0)
		put(m, "Pool=10.0.%u.0/28\n", 2 + vs);
}

static void make_mark_vs(struct rig *rig, struct maker *m, unsigned vs)
{
	static const char *const names[] = {"a", "b", "c"};
	/* Marks and tables may change hands, but two VSs never have the same. */
	unsigned shift = pick(m->random, 4) == 0;
	size_t begin;

	m->len = 0;
	put(m, "Flavour=mark\nMark=%u\nTable=%u\n[Network]\n", vs + 1 + 3 * shift,
		100 + 20 * ((vs + shift) % 3) + 100 * shift);
	begin = m->len;
	for (unsigned tries = 0; tries < 20; tries++) {
		uint32_t taken = m->taken;

		if (pick(m->random, 4) == 0)
			put(m, "Device=d%u\n", pick(m->random, 3));
		put_network(m, true, 3);
		put_pool(m, vs);
		if (rig_try_vs(rig, names[vs], m->text))
			return;
		m->taken = taken;
		m->len = begin;
		m->text[begin] = '\0';
	}
}

static void make_namespace_vs(struct rig *rig, struct maker *m)
{
	static const char *const kinds[] = {"veth peer p", "macvlan link e", "vlan id 5 link e"};

	for (unsigned tries = 0; tries < 20; tries++) {
		m->len = 0;
		m->taken = 0;
		put(m, "[Network]\n");
		for (unsigned i = 0; i < 3; i++)
			put(m, "Device=d%u %s%u%s\n", i, kinds[pick(m->random, 3)], i,
				pick(m->random, 3) ? "" : " mtu 1400");
		put_network(m, false, 3);
		if (rig_try_vs(rig, "t", m->text))
			return;
	}
}

static void make_group(struct rig *rig, uint64_t *random, bool is_mark)
{
	struct maker m = {.random = random};

	rig_forget(rig);
	if (!is_mark) {
		make_namespace_vs(rig, &m);
		return;
	}
	for (unsigned vs = 0; vs < 3; vs++)
		if (pick(random, 4))
			make_mark_vs(rig, &m, vs);
}

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
		if (!s->rules[i].is_ours || pick(random, 4))
			s->rules[kept++] = s->rules[i];
	s->rule_count = kept;
	kept = 0;
	for (size_t i = 0; i < s->route_count; i++)
		if (!s->routes[i].is_ours || pick(random, 4))
			s->routes[kept++] = s->routes[i];
	s->route_count = kept;
	kept = 0;
	for (size_t i = 0; i < s->addr_count; i++)
		if (!s->addrs[i].is_ours || pick(random, 4))
			s->addrs[kept++] = s->addrs[i];
	s->addr_count = kept;
}

/* A plan of which only the first steps were done. */
static void stop_halfway(struct rig *rig, uint64_t *random)
{
	assert_int_equal(rig_diff(rig), 0);
	if (rig->plan.count)
		rig->plan.count = pick(random, (unsigned)rig->plan.count);
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
	make_group(&rig, &random, is_mark);
	memset(&watch, 0, sizeof(watch));
	watch_note(&watch, &rig);
	rig.watch = is_mark ? watch_step : NULL;
	rig.watch_arg = &watch;
	go(&rig);
	make_group(&rig, &random, is_mark);
	watch.before = watch.count;
	watch_note(&watch, &rig);
	if (pick(&random, 4) == 0)
		stop_halfway(&rig, &random);
	go(&rig);
	checks += watch.checks;
	rig.watch = NULL;
	damage(&rig, &random);
	make_group(&rig, &random, is_mark);
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
