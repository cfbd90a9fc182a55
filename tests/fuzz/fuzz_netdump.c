/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dumps of a namespace, whose root chooses what is in it, and the plan that follows. The input is
 * a control byte, and messages as the kernel sends them, of sequence number 0. Whatever they are:
 * what is not ours is never removed or changed, and the objects are sound.
 */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "net_state.h"

#define KEEPER 1
#define SOME 2
#define DOWN 4

static struct network_device devices[] = {
	{.name = "eth0", .kind = NETWORK_VETH, .peer = "p0", .mtu = 1400},
	{.name = "v5", .kind = NETWORK_VLAN, .link = "eth0", .link_is_own = true, .vlan_id = 5,
		.vlan_protocol = 0x8100},
};

static struct network_address addresses[] = {
	{.prefix = {AF_INET, 24, {10, 0, 0, 5}}, .dev = "d0", .table = 100},
	{.prefix = {AF_INET, 24, {10, 0, 1, 5}}, .dev = "d1", .table = 101},
	{.prefix = {AF_INET6, 64, {0x20, 1, 13, 0xb8, [15] = 5}}, .dev = "d0", .table = 100},
};

static struct network_address others[] = {
	{.prefix = {AF_INET, 24, {10, 5, 0, 5}}, .dev = "eth0", .table = RT_TABLE_MAIN},
	{.prefix = {AF_INET, 24, {10, 5, 0, 6}}, .dev = "eth0", .table = RT_TABLE_MAIN},
};

static struct network_pool pools[] = {{.prefix = {AF_INET, 24, {10, 0, 9, 0}}}};

static struct network_route routes[] = {
	{.kind = NETWORK_UNICAST, .dst = {AF_INET, 0, {0}}, .via = {AF_INET, 32, {10, 0, 0, 254}},
		.dev = "d0", .table = 100},
	{.kind = NETWORK_UNREACHABLE, .dst = {AF_INET, 8, {11}}, .table = 100},
};

static struct network mark_vs = {
	.is_mark = true,
	.mark = 1,
	.table = 100,
	.table_count = 2,
	.addresses = addresses,
	.address_count = 3,
	.pools = pools,
	.pool_count = 1,
	.routes = routes,
	.route_count = 2,
};

static struct network namespace_vs = {
	.table = RT_TABLE_MAIN,
	.table_count = 1,
	.devices = devices,
	.device_count = 2,
	.addresses = others,
	.address_count = 2,
};

static void check_state(const struct net_state *s)
{
	for (size_t i = 0; i < s->link_count; i++) {
		FUZZ_CHECK(memchr(s->links[i].name, '\0', IF_NAMESIZE));
		FUZZ_CHECK(memchr(s->links[i].altname, '\0', NET_ALTNAME_MAX + 1));
		FUZZ_CHECK(i == 0 || s->links[i - 1].index <= s->links[i].index);
	}
	for (size_t i = 0; i < s->addr_count; i++)
		FUZZ_CHECK(s->addrs[i].prefix.length <=
			   (s->addrs[i].prefix.family == AF_INET ? 32 : 128));
	for (size_t i = 0; i < s->route_count; i++)
		FUZZ_CHECK(
			s->routes[i].dst.length <= (s->routes[i].dst.family == AF_INET ? 32 : 128));
}

static void check_step(const struct net_step *step)
{
	char text[NET_STEP_TEXT];

	net_step_print(step, text);
	FUZZ_CHECK(strlen(text) < NET_STEP_TEXT);
	switch (step->kind) {
	case NET_ADDR_DEL:
		FUZZ_CHECK(step->addr->is_ours);
		break;
	case NET_RULE_DEL:
		FUZZ_CHECK(step->rule->is_ours);
		break;
	case NET_ROUTE_DEL:
		FUZZ_CHECK(step->route->is_ours);
		break;
	case NET_ROUTE_SET:
		FUZZ_CHECK(!step->old.route || step->old.route->is_ours);
		break;
	case NET_LINK_DEL:
	case NET_LINK_RETURN:
		FUZZ_CHECK(step->link->is_ours);
		break;
	default:
		break;
	}
}

static void compare(struct net_state *wish, struct net_state *have, unsigned control)
{
	const enum net_member_wish present = control & DOWN ? NET_ABSENT : NET_PRESENT;
	const struct net_member members[] = {
		{"a", &mark_vs, present},
		{"t", &namespace_vs, control & SOME ? NET_LEAVE : NET_PRESENT},
	};
	const struct net_group group = {.members = members, .count = 2,
		.is_full = !(control & SOME), .is_keeper = control & KEEPER};
	struct net_plan plan = {0};

	net_state_clear(wish);
	FUZZ_CHECK(net_wish(wish, &group) == 0);
	if (net_claim(wish, have, &group) == 0)
		net_diff(&plan, wish, have, have, &group, NULL, NULL);
	for (size_t i = 0; i < plan.count; i++)
		check_step(&plan.steps[i]);
	net_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct net_member members[] = {
		{"a", &mark_vs, NET_PRESENT}, {"t", &namespace_vs, NET_PRESENT}};
	const struct net_group group = {.members = members, .count = 2, .is_full = true};
	struct net_state have = {0}, wish = {0};
	struct net_take take = {.state = &have, .wish = &wish};
	uint8_t *copy;

	if (size < 1)
		return 0;
	copy = malloc(size);
	FUZZ_CHECK(copy);
	memcpy(copy, data + 1, size - 1);
	FUZZ_CHECK(net_wish(&wish, &group) == 0);
	net_sort_routes(&wish);
	if (net_take_bytes(&take, copy, size - 1) >= 0 && net_state_index(&have) == 0) {
		check_state(&have);
		compare(&wish, &have, data[0]);
	}
	net_state_free(&have);
	net_state_free(&wish);
	free(copy);
	return 0;
}
