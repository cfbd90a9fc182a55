/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of destinations: the examples of RFC 6724 section 10.2, and any facts at random. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "sort6724.h"

#define SEED 20260601u

/* IPv4 addresses become IPv4-mapped. */
static struct in6_addr address(const char *text)
{
	struct in6_addr addr = {.s6_addr = {[10] = 0xff, 0xff}};

	if (strchr(text, ':'))
		assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	else
		assert_int_equal(inet_pton(AF_INET, text, addr.s6_addr + 12), 1);
	return addr;
}

/* One destination as "DST SRC[/PREFIX] FLAGS": of the flags d, h, t are facts; "-" is no source. */
static struct sort6724_item item_of(const char *text)
{
	char dst[64], src[64], flags[8] = "";
	struct sort6724_item item = {.src_prefix = 64};
	char *slash;

	assert_true(sscanf(text, "%63s %63s %7s", dst, src, flags) >= 2);
	slash = strchr(src, '/');
	if (slash) {
		item.src_prefix = (unsigned)strtoul(slash + 1, NULL, 10);
		*slash = '\0';
	}
	if (!strchr(src, ':'))
		item.src_prefix = slash ? item.src_prefix + 96 : 120;
	item.dst = address(dst);
	item.has_source = strcmp(src, "-") != 0;
	if (item.has_source)
		item.src = address(src);
	item.deprecated = strchr(flags, 'd');
	item.home = strchr(flags, 'h');
	item.encapsulated = strchr(flags, 't');
	return item;
}

#define MAX 4

/* In the order that is right; ended by NULL. */
struct example {
	const char *why;
	const char *items[MAX + 1];
};

static const struct example examples[] = {
	/* Section 10.2, in its order. */
	{"prefer matching scope",
		{"2001:db8:1::1 2001:db8:1::2", "198.51.100.121 169.254.13.78/16"}},
	{"prefer matching scope, IPv4",
		{"198.51.100.121 198.51.100.117", "2001:db8:1::1 fe80::1"}},
	{"prefer higher precedence", {"2001:db8:1::1 2001:db8:1::2", "10.1.2.3 10.1.2.4"}},
	{"prefer smaller scope", {"fe80::1 fe80::2", "2001:db8:1::1 2001:db8:1::2"}},
	{"prefer home address", {"2001:db8:1::1 2001:db8:3::1 h", "fe80::1 fe80::2"}},
	{"avoid deprecated addresses", {"2001:db8:1::1 2001:db8:1::2", "fe80::1 fe80::2 d"}},
	{"longest matching prefix",
		{"2001:db8:1::1 2001:db8:1::2", "2001:db8:3ffe::1 2001:db8:3f44::2"}},
	{"prefer matching label",
		{"2002:c633:6401::1 2002:c633:6401::2", "2001:db8:1::1 2002:c633:6401::2"}},
	{"prefer higher precedence, 6to4",
		{"2001:db8:1::1 2001:db8:1::2", "2002:c633:6401::1 2002:c633:6401::2"}},
	/* Each rule by itself. */
	{"1", {"198.51.100.1 198.51.100.9", "10.0.0.1 10.0.0.9", "2001:db8:1::1 -", "fd00::1 -"}},
	{"2 before 3", {"2001:db8:1::1 2001:db8:1::2 d", "2001:db8:2::1 fe80::1"}},
	{"3 before 4", {"2001:db8:1::1 2001:db8:1::2", "2001:db8:2::1 2001:db8:2::2 dh"}},
	{"4 before 5", {"2001:db8:1::1 fd00::2 h", "2001:db8:2::1 2001:db8:2::2"}},
	{"5 before 6: an ULA's label", {"fd00::1 fd00::2", "2001:db8:1::1 fd00::2"}},
	{"6: IPv4 before an ULA",
		{"2001:db8::1 2001:db8::2", "198.51.100.1 198.51.100.2", "fd00::1 fd00::2"}},
	{"6: Teredo", {"198.51.100.1 198.51.100.2", "2001:0:1::1 2001:0:1::2", "fd00::1 fd00::2"}},
	{"7 before 8", {"2001:db8:1::1 2001:db8:1::2", "fe80::1 fe80::2 t"}},
	{"8: groups", {"ff02::1 fe80::2", "ff0e::1 2001:db8::2"}},
	{"9: no further than the source's prefix",
		{"2001:db8:1::9999 2001:db8:1::1/64", "2001:db8:1::2 2001:db8:1::1/64"}},
	{"9: a long prefix",
		{"2001:db8:1::2 2001:db8:1::1/128", "2001:db8:1::99 2001:db8:1::1/128"}},
	{"9: on the subnet", {"192.0.2.200 192.0.2.1/24", "192.0.3.1 192.0.2.1/24"}},
	{"9: the round robin stays",
		{"203.0.113.1 192.0.2.1/24", "192.0.3.1 192.0.2.1/24", "10.0.0.1 192.0.2.1/24"}},
	{"10", {"2001:db8:1::2 2001:db8:1::1", "2001:db8:1::3 2001:db8:1::1",
		       "2001:db8:1::1 2001:db8:1::1"}},
	{"private IPv4 is global",
		{"2001:db8:1::1 2001:db8:1::2", "192.168.1.1 192.168.1.2", "fd00::1 -"}},
};

static size_t items_of(const struct example *e, struct sort6724_item items[MAX])
{
	size_t count = 0;

	for (; e->items[count]; count++)
		items[count] = item_of(e->items[count]);
	return count;
}

/* Whether rule 10 is what decides: then the other way round stays so, too. */
static bool is_stable_only(const struct example *e)
{
	return strncmp(e->why, "10", 2) == 0 || strstr(e->why, "round robin") ||
	       strstr(e->why, "no further");
}

static void check_example(const struct example *e, bool reversed)
{
	struct sort6724_item items[MAX], sorted[MAX];
	size_t at, count = items_of(e, items);

	for (size_t i = 0; i < count; i++) {
		at = reversed ? count - 1 - i : i;
		sorted[at] = items[i];
		sorted[at].order = (unsigned)at;
	}
	sort6724(sorted, count);
	for (size_t i = 0; i < count; i++) {
		at = reversed && is_stable_only(e) ? count - 1 - i : i;
		if (memcmp(&sorted[i].dst, &items[at].dst, sizeof(items[0].dst)) != 0)
			fail_msg("%s%s: place %zu", e->why, reversed ? ", reversed" : "", i);
	}
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		check_example(&examples[i], false);
		/* Those without a source keep their order. */
		if (strcmp(examples[i].why, "1") != 0)
			check_example(&examples[i], true);
	}
}

static void test_policy(void **state)
{
	static const struct {
		const char *addr;
		unsigned precedence, label, scope;
	} rows[] = {
		{"::1", 50, 0, 2},
		{"::", 1, 3, 14},
		{"::192.0.2.1", 1, 3, 14},
		{"::ffff:192.0.2.1", 35, 4, 14},
		{"::ffff:169.254.0.1", 35, 4, 2},
		{"::ffff:169.253.0.1", 35, 4, 14},
		{"::ffff:127.0.0.1", 35, 4, 2},
		{"::ffff:192.168.0.1", 35, 4, 14},
		{"::fffe:192.0.2.1", 40, 1, 14},
		{"0:0:1::", 40, 1, 14},
		{"2002:1::", 30, 2, 14},
		{"2003::", 40, 1, 14},
		{"2001::1", 5, 5, 14},
		{"2001:1::1", 40, 1, 14},
		{"fc00::1", 3, 13, 14},
		{"fdff::1", 3, 13, 14},
		{"fe00::1", 40, 1, 14},
		{"fe80::1", 40, 1, 2},
		{"febf::1", 40, 1, 2},
		{"fec0::1", 1, 11, 5},
		{"feff::1", 1, 11, 5},
		{"3ffe::1", 1, 12, 14},
		{"ff02::1", 40, 1, 2},
		{"ff05::1", 40, 1, 5},
		{"ff3e::1", 40, 1, 14},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct in6_addr addr = address(rows[i].addr);

		if (sort6724_precedence(&addr) != rows[i].precedence ||
			sort6724_label(&addr) != rows[i].label ||
			sort6724_scope(&addr) != rows[i].scope)
			fail_msg("%s: %u %u %u", rows[i].addr, sort6724_precedence(&addr),
				sort6724_label(&addr), sort6724_scope(&addr));
	}
}

/* ---- anything at random */

static const char *const pool[] = {"::1", "::", "::192.0.2.1", "192.0.2.1", "192.0.2.77",
	"10.1.1.1", "169.254.1.1", "127.0.0.1", "2002:c000:201::1", "2001::1", "2001:db8::1",
	"2001:db8::8000:1", "2001:db8:1::1", "2a00:1::1", "fd00::1", "fd00:1::1", "fe80::1",
	"fe80::2", "fec0::1", "3ffe::1", "ff02::1", "ff0e::1"};

static bool coin(unsigned *seed, int one_in)
{
	return rand_r(seed) % one_in == 0;
}

static struct in6_addr any_address(unsigned *seed)
{
	return address(pool[(size_t)rand_r(seed) % (sizeof(pool) / sizeof(pool[0]))]);
}

static struct sort6724_item any_item(unsigned *seed, unsigned order)
{
	struct sort6724_item item = {.dst = any_address(seed), .order = order};

	item.has_source = !coin(seed, 4);
	item.deprecated = coin(seed, 4);
	item.home = coin(seed, 4);
	item.encapsulated = coin(seed, 4);
	do {
		item.src = any_address(seed);
	} while (IN6_IS_ADDR_V4MAPPED(&item.src) != IN6_IS_ADDR_V4MAPPED(&item.dst));
	item.src_prefix = IN6_IS_ADDR_V4MAPPED(&item.src) ? 120 : coin(seed, 3) ? 128 : 64;
	return item;
}

static unsigned common(const struct sort6724_item *item)
{
	const uint8_t *a = item->dst.s6_addr, *b = item->src.s6_addr;
	unsigned n = 0;

	while (n < item->src_prefix && ((a[n / 8] ^ b[n / 8]) >> (7 - n % 8) & 1) == 0)
		n++;
	return IN6_IS_ADDR_V4MAPPED(&item->dst) && n < item->src_prefix ? 0 : n;
}

/* As section 6 is written, rule by rule; below 0: a is to be preferred. */
static int by_the_book(const struct sort6724_item *a, const struct sort6724_item *b)
{
	unsigned scope_a = sort6724_scope(&a->dst), scope_b = sort6724_scope(&b->dst);
	unsigned high_a = sort6724_precedence(&a->dst), high_b = sort6724_precedence(&b->dst);
	bool both = a->has_source && b->has_source, fits_a, fits_b;

	if (a->has_source != b->has_source)
		return a->has_source ? -1 : 1;
	fits_a = scope_a == sort6724_scope(&a->src);
	fits_b = scope_b == sort6724_scope(&b->src);
	if (both && fits_a != fits_b)
		return fits_a ? -1 : 1;
	if (both && a->deprecated != b->deprecated)
		return a->deprecated ? 1 : -1;
	if (both && a->home != b->home)
		return a->home ? -1 : 1;
	fits_a = sort6724_label(&a->dst) == sort6724_label(&a->src);
	fits_b = sort6724_label(&b->dst) == sort6724_label(&b->src);
	if (both && fits_a != fits_b)
		return fits_a ? -1 : 1;
	if (high_a != high_b)
		return high_a > high_b ? -1 : 1;
	if (both && a->encapsulated != b->encapsulated)
		return a->encapsulated ? 1 : -1;
	if (scope_a != scope_b)
		return scope_a < scope_b ? -1 : 1;
	if (both && IN6_IS_ADDR_V4MAPPED(&a->dst) == IN6_IS_ADDR_V4MAPPED(&b->dst) &&
		common(a) != common(b))
		return common(a) > common(b) ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int by_the_book_void(const void *a, const void *b)
{
	return by_the_book(a, b);
}

/* What comes out is what went in, in the order of the rules as they are written. */
static void check_list(unsigned *seed, size_t count)
{
	struct sort6724_item items[SORT6724_MAX + 40], expected[SORT6724_MAX + 40];
	size_t sorted = count < SORT6724_MAX ? count : SORT6724_MAX;

	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < count; i++)
		items[i] = any_item(seed, (unsigned)i);
	memcpy(expected, items, sizeof(items));
	qsort(expected, sorted, sizeof(expected[0]), by_the_book_void);
	sort6724(items, count);
	assert_memory_equal(items, expected, sizeof(items));
}

static void test_lists(void **state)
{
	unsigned seed = SEED;

	(void)state;
	for (int i = 0; i < 20000; i++)
		check_list(&seed, (size_t)rand_r(&seed) % 12);
	for (int i = 0; i < 200; i++)
		check_list(&seed, (size_t)rand_r(&seed) % (SORT6724_MAX + 41));
}

/* Is a before b in a list of the two? */
static bool is_before(const struct sort6724_item *a, const struct sort6724_item *b)
{
	struct sort6724_item items[] = {*b, *a};

	sort6724(items, 2);
	return items[0].order == a->order;
}

static void test_order(void **state)
{
	unsigned seed = SEED + 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct sort6724_item a = any_item(&seed, 0), b = any_item(&seed, 1),
				     c = any_item(&seed, 2);

		assert_true(is_before(&a, &b) != is_before(&b, &a));
		if (is_before(&a, &b) && is_before(&b, &c))
			assert_true(is_before(&a, &c));
		if (is_before(&c, &b) && is_before(&b, &a))
			assert_true(is_before(&c, &a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
