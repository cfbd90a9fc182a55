/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "net_random.h"

/* splitmix64 */
unsigned net_pick(uint64_t *random, unsigned below)
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
	unsigned net = net_pick(m->random, NETS), host = net_pick(m->random, HOSTS);
	unsigned length = net < 2 ? 24 + net_pick(m->random, 2) : 64;
	unsigned bit = net * HOSTS + host;

	if (m->taken & (1u << bit))
		return;
	m->taken |= 1u << bit;
	if (net_pick(m->random, 8) == 0)
		length = net < 2 ? 32 : 128;
	put(m, "Address=%s%u/%u dev d%u%s", network_of(net), host + 2, length,
		net_pick(m->random, device_count), net_pick(m->random, 4) ? "" : " nodad");
	if (is_mark && net_pick(m->random, 4) == 0 && length < (net < 2 ? 32 : 128))
		put(m, " gateway %s%u", network_of(net), 100 + net_pick(m->random, 2));
	put(m, "\n");
}

static void put_network(struct maker *m, bool is_mark, unsigned device_count)
{
	unsigned addresses = net_pick(m->random, 5);

	for (unsigned i = 0; i < addresses; i++)
		put_address(m, is_mark, device_count);
	if (net_pick(m->random, 2))
		put(m, "Gateway=10.0.%u.%u\n", net_pick(m->random, 2), 100 + net_pick(m->random, 2));
	if (net_pick(m->random, 2))
		put(m, "Gateway=2001:db8::%u\n", 100 + net_pick(m->random, 2));
	if (net_pick(m->random, 3) == 0)
		put(m, "Route=10.9.0.0/16 via 10.0.0.%u mtu %u\n", 100 + net_pick(m->random, 2),
			1300 + net_pick(m->random, 2));
	if (net_pick(m->random, 3) == 0)
		put(m, "Route=unreachable 10.8.0.0/16\n");
}

/* Pools lie beside the addresses, or one takes all of what is left of a network. */
static void put_pool(struct maker *m, unsigned vs)
{
	if (net_pick(m->random, 3) == 0)
		put(m, "Pool=10.0.%u.0/28\n", 2 + vs);
}

static void make_mark_vs(struct rig *rig, struct maker *m, unsigned vs)
{
	static const char *const names[] = {"a", "b", "c"};
	/* Marks and tables may change hands, but two VSs never have the same. */
	unsigned shift = net_pick(m->random, 4) == 0;
	size_t begin;

	m->len = 0;
	put(m, "Flavour=mark\nMark=%u\nTable=%u\n[Network]\n", vs + 1 + 3 * shift,
		100 + 20 * ((vs + shift) % 3) + 100 * shift);
	begin = m->len;
	for (unsigned tries = 0; tries < 20; tries++) {
		uint32_t taken = m->taken;

		if (net_pick(m->random, 4) == 0)
			put(m, "Device=d%u\n", net_pick(m->random, 3));
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
			put(m, "Device=d%u %s%u%s\n", i, kinds[net_pick(m->random, 3)], i,
				net_pick(m->random, 3) ? "" : " mtu 1400");
		put_network(m, false, 3);
		if (rig_try_vs(rig, "t", m->text))
			return;
	}
}

void net_random_group(struct rig *rig, uint64_t *random, bool is_mark)
{
	struct maker m = {.random = random};

	rig_forget(rig);
	if (!is_mark) {
		make_namespace_vs(rig, &m);
		return;
	}
	for (unsigned vs = 0; vs < 3; vs++)
		if (net_pick(random, 4))
			make_mark_vs(rig, &m, vs);
}
