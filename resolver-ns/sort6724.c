/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of RFC 6724 section 6 as one number for each destination: the first rule has the
 * highest bits. That is an order whatever the facts are, because each rule compares what is of
 * one destination alone. (Rule 9 is for destinations of one version of IP, and others never have
 * the same precedence.)
 */
#include "config.h"

#include <string.h>

#include "sort6724.h"

#define SCOPE_LINK_LOCAL 0x2
#define SCOPE_SITE_LOCAL 0x5
#define SCOPE_GLOBAL 0xe

/* Where the rules stand in the number. Below them all is the index. */
#define BIT_UNUSABLE 40
#define BIT_OTHER_SCOPE 39
#define BIT_DEPRECATED 38
#define BIT_NOT_HOME 37
#define BIT_OTHER_LABEL 36
#define BIT_PRECEDENCE 30 /* 6 bits */
#define BIT_ENCAPSULATED 29
#define BIT_SCOPE 25 /* 4 bits */
#define BIT_PREFIX 17 /* 8 bits */
#define BIT_ORDER 0
#define ORDER_MAX 0xffff
#define INDEX_BITS 8
#define PRECEDENCE_MAX 63

_Static_assert(SORT6724_MAX <= 1 << INDEX_BITS, "an index has room");

struct policy {
	uint8_t prefix[16];
	uint8_t bits, precedence, label;
};

/* Section 2.1. The longest prefix that fits counts, so that long ones stand first. */
static const struct policy policies[] = {
	{{[15] = 1}, 128, 50, 0},
	{{[10] = 0xff, 0xff}, 96, 35, 4},
	{{0}, 96, 1, 3},
	{{0x20, 0x01, 0, 0}, 32, 5, 5},
	{{0x20, 0x02}, 16, 30, 2},
	{{0x3f, 0xfe}, 16, 1, 12},
	{{0xfe, 0xc0}, 10, 1, 11},
	{{0xfc}, 7, 3, 13},
	{{0}, 0, 40, 1},
};

static uint32_t word_of(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return ntohl(word);
}

/* Length of what two addresses have in common, no longer than `most`. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned most)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 16 && bits < most; i += 4) {
		uint32_t other = word_of(a + i) ^ word_of(b + i);

		if (other != 0) {
			bits += (unsigned)__builtin_clz(other);
			break;
		}
		bits += 32;
	}
	return bits < most ? bits : most;
}

static const struct policy *policy_of(const struct in6_addr *addr)
{
	const struct policy *p = policies;

	/* The first three have the first 8 bytes 0, which hardly any address has. */
	if (word_of(addr->s6_addr) != 0)
		p += 3;
	while (common_bits(addr->s6_addr, p->prefix, p->bits) < p->bits)
		p++;
	return p;
}

unsigned sort6724_precedence(const struct in6_addr *addr)
{
	return policy_of(addr)->precedence;
}

unsigned sort6724_label(const struct in6_addr *addr)
{
	return policy_of(addr)->label;
}

/* Section 3.2: what is of IPv4 is link-local or global, private addresses, too. */
static unsigned scope4(const uint8_t *addr)
{
	if (addr[0] == 127 || (addr[0] == 169 && addr[1] == 254))
		return SCOPE_LINK_LOCAL;
	return SCOPE_GLOBAL;
}

unsigned sort6724_scope(const struct in6_addr *addr)
{
	if (IN6_IS_ADDR_MULTICAST(addr))
		return addr->s6_addr[1] & 0xf;
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return scope4(addr->s6_addr + 12);
	if (IN6_IS_ADDR_LINKLOCAL(addr) || IN6_IS_ADDR_LOOPBACK(addr))
		return SCOPE_LINK_LOCAL;
	return IN6_IS_ADDR_SITELOCAL(addr) ? SCOPE_SITE_LOCAL : SCOPE_GLOBAL;
}

static unsigned prefix_in_common(const struct sort6724_item *item)
{
	unsigned most = item->src_prefix < 128 ? item->src_prefix : 128;
	unsigned bits = common_bits(item->dst.s6_addr, item->src.s6_addr, most);

	if (IN6_IS_ADDR_V4MAPPED(&item->dst) && bits < most)
		return 0;
	return bits;
}

/* The smaller, the better. */
static uint64_t rank_of(const struct sort6724_item *item)
{
	const struct policy *policy = policy_of(&item->dst);
	unsigned scope = sort6724_scope(&item->dst);
	uint64_t rank = (uint64_t)(item->order < ORDER_MAX ? item->order : ORDER_MAX) << BIT_ORDER;

	rank |= (uint64_t)(PRECEDENCE_MAX - policy->precedence) << BIT_PRECEDENCE;
	rank |= (uint64_t)scope << BIT_SCOPE;
	if (!item->has_source)
		return rank | UINT64_C(1) << BIT_UNUSABLE;
	rank |= (uint64_t)(scope != sort6724_scope(&item->src)) << BIT_OTHER_SCOPE;
	rank |= (uint64_t)item->deprecated << BIT_DEPRECATED;
	rank |= (uint64_t)!item->home << BIT_NOT_HOME;
	rank |= (uint64_t)(policy->label != sort6724_label(&item->src)) << BIT_OTHER_LABEL;
	rank |= (uint64_t)item->encapsulated << BIT_ENCAPSULATED;
	rank |= (uint64_t)(128 - prefix_in_common(item)) << BIT_PREFIX;
	return rank;
}

/* Most lists are short, or in order already. */
static void sort_ranks(uint64_t *ranks, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint64_t rank = ranks[i];
		size_t at = i;

		for (; at > 0 && ranks[at - 1] > rank; at--)
			ranks[at] = ranks[at - 1];
		ranks[at] = rank;
	}
}

/* Puts at each place the item whose index its rank has, cycle by cycle. */
static void place_items(struct sort6724_item *items, uint64_t *ranks, size_t count)
{
	const uint64_t mask = (UINT64_C(1) << INDEX_BITS) - 1;

	for (size_t i = 0; i < count; i++) {
		struct sort6724_item first = items[i];
		size_t at = i, from = (size_t)(ranks[at] & mask);

		if (from == i)
			continue;
		while (from != i) {
			items[at] = items[from];
			ranks[at] = at;
			at = from;
			from = (size_t)(ranks[at] & mask);
		}
		items[at] = first;
		ranks[at] = at;
	}
}

void sort6724(struct sort6724_item *items, size_t count)
{
	uint64_t ranks[SORT6724_MAX];

	if (count > SORT6724_MAX)
		count = SORT6724_MAX;
	for (size_t i = 0; i < count; i++)
		ranks[i] = rank_of(&items[i]) << INDEX_BITS | i;
	sort_ranks(ranks, count);
	place_items(items, ranks, count);
}
