/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "t.h"

#include "claims.h"

enum { HOST = 1, RED, BLUE };

static struct claim claim(enum claim_kind kind, const char *address, unsigned length,
	unsigned ifindex, uint64_t owner)
{
	struct claim c = {.kind = (uint8_t)kind, .ifindex = ifindex, .owner = owner};
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	c.prefix.family = (uint8_t)family;
	c.prefix.length = (uint8_t)length;
	assert_int_equal(inet_pton(family, address, c.prefix.bytes), 1);
	return c;
}

static uint64_t owner_on(const struct claims *claims, const char *address, unsigned ifindex)
{
	uint8_t bytes[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, address, bytes), 1);
	return claims_owner(claims, family, bytes, ifindex);
}

static uint64_t owner(const struct claims *claims, const char *address)
{
	return owner_on(claims, address, 7);
}

static struct claims *make(const struct claim *list, size_t count)
{
	struct claims *claims;

	assert_int_equal(claims_new(&claims, list, count), 0);
	return claims;
}

static void nothing(void **state)
{
	struct claims *claims = make(NULL, 0);

	(void)state;
	assert_int_equal(owner(NULL, "10.0.0.1"), 0);
	assert_int_equal(owner(claims, "10.0.0.1"), 0);
	assert_int_equal(owner(claims, "fe80::1"), 0);
	claims_free(claims);
	claims_free(NULL);
}

static void exact_then_pool_then_found(void **state)
{
	const struct claim list[] = {
		claim(CLAIM_ADDRESS, "10.0.0.5", 24, 0, RED),
		claim(CLAIM_POOL, "10.0.0.0", 24, 0, BLUE),
		claim(CLAIM_FOUND, "10.0.0.5", 24, 2, HOST),
		claim(CLAIM_FOUND, "10.0.0.6", 24, 2, HOST),
		claim(CLAIM_FOUND, "10.0.1.6", 24, 2, HOST),
		claim(CLAIM_ADDRESS, "fd00::5", 64, 0, RED),
		claim(CLAIM_POOL, "fd00::", 64, 0, BLUE),
		claim(CLAIM_FOUND, "fd00::6", 64, 3, HOST),
		claim(CLAIM_FOUND, "fd00:1::6", 64, 3, HOST),
	};
	struct claims *claims = make(list, sizeof(list) / sizeof(list[0]));

	(void)state;
	assert_int_equal(owner(claims, "10.0.0.5"), RED);
	assert_int_equal(owner(claims, "10.0.0.6"), BLUE);
	assert_int_equal(owner(claims, "10.0.0.7"), BLUE);
	assert_int_equal(owner(claims, "10.0.1.6"), HOST);
	assert_int_equal(owner(claims, "10.0.1.7"), 0);
	assert_int_equal(owner(claims, "fd00::5"), RED);
	assert_int_equal(owner(claims, "fd00::6"), BLUE);
	assert_int_equal(owner(claims, "fd00:1::6"), HOST);
	assert_int_equal(owner(claims, "fd00:1::7"), 0);
	/* What is mapped is IPv4, and what looks like it is not. */
	assert_int_equal(owner(claims, "::ffff:10.0.0.5"), RED);
	assert_int_equal(owner(claims, "::10.0.0.5"), 0);
	claims_free(claims);
}

static void longest_pool(void **state)
{
	const struct claim list[] = {
		claim(CLAIM_POOL, "10.0.0.0", 8, 0, HOST),
		claim(CLAIM_POOL, "10.1.2.3", 16, 0, RED), /* host bits do not count */
		claim(CLAIM_POOL, "10.1.1.128", 25, 0, BLUE),
		claim(CLAIM_POOL, "0.0.0.0", 0, 0, HOST),
		claim(CLAIM_POOL, "2001:db8::", 33, 0, RED),
		claim(CLAIM_POOL, "2001:db8::1", 128, 0, BLUE),
	};
	struct claims *claims = make(list, sizeof(list) / sizeof(list[0]));

	(void)state;
	assert_int_equal(owner(claims, "10.2.0.1"), HOST);
	assert_int_equal(owner(claims, "10.1.1.127"), RED);
	assert_int_equal(owner(claims, "10.1.1.128"), BLUE);
	assert_int_equal(owner(claims, "192.0.2.1"), HOST);
	assert_int_equal(owner(claims, "2001:db8::1"), BLUE);
	assert_int_equal(owner(claims, "2001:db8:7fff::1"), RED);
	assert_int_equal(owner(claims, "2001:db8:8000::1"), 0);
	claims_free(claims);
}

static void what_two_claim_is_nobodys(void **state)
{
	const struct claim list[] = {
		claim(CLAIM_ADDRESS, "10.0.0.5", 24, 0, RED),
		claim(CLAIM_ADDRESS, "10.0.0.5", 32, 0, BLUE),
		claim(CLAIM_ADDRESS, "10.0.0.5", 32, 0, BLUE),
		claim(CLAIM_POOL, "10.0.0.0", 24, 0, RED),
		claim(CLAIM_POOL, "10.0.1.0", 24, 0, RED),
		claim(CLAIM_POOL, "10.0.1.9", 24, 0, BLUE),
		claim(CLAIM_FOUND, "10.0.2.1", 24, 2, RED),
		claim(CLAIM_FOUND, "10.0.2.1", 24, 3, BLUE),
		claim(CLAIM_FOUND, "10.0.2.2", 24, 2, RED),
		claim(CLAIM_FOUND, "10.0.2.2", 24, 3, RED),
	};
	struct claims *claims = make(list, sizeof(list) / sizeof(list[0]));

	(void)state;
	/* Not the pool's, either. */
	assert_int_equal(owner(claims, "10.0.0.5"), 0);
	assert_int_equal(owner(claims, "10.0.0.6"), RED);
	assert_int_equal(owner(claims, "10.0.1.1"), 0);
	assert_int_equal(owner(claims, "10.0.2.1"), 0);
	assert_int_equal(owner(claims, "10.0.2.2"), RED);
	claims_free(claims);
}

static void link_local(void **state)
{
	const struct claim list[] = {
		claim(CLAIM_FOUND, "fe80::1", 64, 2, RED),
		claim(CLAIM_FOUND, "fe80::1", 64, 3, BLUE),
		claim(CLAIM_FOUND, "fe80::2", 64, 2, RED),
		claim(CLAIM_FOUND, "fe80::2", 64, 4, RED),
		claim(CLAIM_FOUND, "fe80::3", 64, 5, RED),
		claim(CLAIM_FOUND, "fe80::3", 64, 5, BLUE),
		claim(CLAIM_ADDRESS, "fe80::4", 64, 0, BLUE),
	};
	struct claims *claims = make(list, sizeof(list) / sizeof(list[0]));

	(void)state;
	assert_int_equal(owner_on(claims, "fe80::1", 2), RED);
	assert_int_equal(owner_on(claims, "fe80::1", 3), BLUE);
	assert_int_equal(owner_on(claims, "fe80::1", 4), 0);
	assert_int_equal(owner_on(claims, "fe80::1", 0), 0);
	assert_int_equal(owner_on(claims, "fe80::2", 0), RED);
	assert_int_equal(owner_on(claims, "fe80::2", 4), RED);
	assert_int_equal(owner_on(claims, "fe80::3", 5), 0);
	assert_int_equal(owner_on(claims, "fe80::3", 0), 0);
	assert_int_equal(owner_on(claims, "fe80::4", 9), BLUE);
	assert_int_equal(owner_on(claims, "fe80::5", 0), 0);
	claims_free(claims);
}

static void loopback_and_wildcard_are_not_claimed(void **state)
{
	static const char *const common[] = {"127.0.0.1", "127.255.0.9", "0.0.0.0", "::1", "::",
		"::ffff:127.0.0.1", "::ffff:0.0.0.0"};
	const struct claim list[] = {
		claim(CLAIM_ADDRESS, "127.0.0.1", 8, 0, RED),
		claim(CLAIM_ADDRESS, "::1", 128, 0, RED),
		claim(CLAIM_POOL, "0.0.0.0", 0, 0, RED),
		claim(CLAIM_POOL, "::", 0, 0, RED),
	};
	struct claims *claims = make(list, sizeof(list) / sizeof(list[0]));
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		int family = strchr(common[i], ':') ? AF_INET6 : AF_INET;
		assert_int_equal(owner(claims, common[i]), 0);
		assert_int_equal(inet_pton(family, common[i], bytes), 1);
		assert_true(claims_is_common(family, bytes));
	}
	assert_int_equal(owner(claims, "128.0.0.1"), RED);
	assert_int_equal(owner(claims, "::2"), RED);
	assert_int_equal(inet_pton(AF_INET6, "::2", bytes), 1);
	assert_false(claims_is_common(AF_INET6, bytes));
	claims_free(claims);
}

static void what_cannot_be(void **state)
{
	struct claim good = claim(CLAIM_POOL, "10.0.0.0", 24, 0, RED), bad = good;
	struct claims *claims = NULL;

	(void)state;
	bad.owner = 0;
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	bad = good;
	bad.kind = 0;
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	bad.kind = CLAIM_FOUND + 1;
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	bad = good;
	bad.prefix.family = AF_UNIX;
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	bad = good;
	bad.prefix.length = 33;
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	bad = claim(CLAIM_POOL, "fd00::", 129, 0, RED);
	assert_int_equal(claims_new(&claims, &bad, 1), -EINVAL);
	assert_null(claims);
}

/* The rule, said plainly: all claims are gone through. */
static uint64_t plain_owner(const struct claim *list, size_t count, const uint8_t *addr)
{
	uint64_t exact = 0, pool = 0;
	int length = -1;

	for (size_t i = 0; i < count; i++) {
		uint32_t a, b, bits = list[i].prefix.length;
		uint32_t all = bits ? UINT32_MAX << (32 - bits) : 0;

		memcpy(&a, addr, 4);
		memcpy(&b, list[i].prefix.bytes, 4);
		if (list[i].kind == CLAIM_ADDRESS && a == b)
			exact = list[i].owner;
		if (list[i].kind == CLAIM_POOL && (int)bits > length &&
			(ntohl(a) & all) == (ntohl(b) & all)) {
			pool = list[i].owner;
			length = (int)bits;
		}
	}
	return exact ? exact : pool;
}

static void many(void **state)
{
	static struct claim list[2000];
	struct claims *claims;
	unsigned seed = 1;

	(void)state;
	/* Owners follow from address and length, so that none is disputed. */
	for (size_t i = 0; i < 2000; i++) {
		struct claim *c = &list[i];
		unsigned length = i % 2 ? 32 : 8 + (unsigned)rand_r(&seed) % 24;
		uint32_t addr = htonl(10u << 24 | ((uint32_t)rand_r(&seed) & 0x3ff) << 6);
		if (length < 32)
			addr &= htonl(UINT32_MAX << (32 - length));
		*c = (struct claim){.kind = i % 2 ? CLAIM_ADDRESS : CLAIM_POOL,
			.prefix = {.family = AF_INET, .length = (uint8_t)length},
			.owner = (uint64_t)ntohl(addr) << 8 | length};
		memcpy(c->prefix.bytes, &addr, 4);
	}
	claims = make(list, 2000);
	for (uint32_t i = 0; i < 0x10000; i += 5) {
		uint32_t addr = htonl(10u << 24 | i);
		uint8_t bytes[4];
		memcpy(bytes, &addr, 4);
		assert_int_equal(claims_owner(claims, AF_INET, bytes, 1),
			plain_owner(list, 2000, bytes));
	}
	claims_free(claims);
}

/* As claims.c has it, to find addresses that meet in its table. */
static unsigned slot_of(uint32_t address, unsigned bits)
{
	uint64_t high = (address ^ (uint64_t)AF_INET) * UINT64_C(0x9e3779b97f4a7c15);

	high ^= high >> 29;
	high *= UINT64_C(0xbf58476d1ce4e5b9);
	high ^= high >> 32;
	return (unsigned)(high * UINT64_C(0x94d049bb133111eb) >> (64 - bits));
}

/* Chosen so that they do: they are found all the same. */
static void chosen_to_meet(void **state)
{
	struct claim list[200];
	struct claims *claims;
	size_t count = 0;

	(void)state;
	memset(list, 0, sizeof(list));
	for (uint32_t i = 1; count < 200; i++) {
		uint32_t address = htonl(10u << 24 | i);

		if (slot_of(address, 9) > 3)
			continue;
		list[count] = (struct claim){
			.prefix = {.family = AF_INET, .length = 32},
			.kind = count % 2 ? CLAIM_ADDRESS : CLAIM_FOUND,
			.owner = count + 1};
		memcpy(list[count++].prefix.bytes, &address, 4);
	}
	claims = make(list, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(claims_owner(claims, AF_INET, list[i].prefix.bytes, 1), i + 1);
	claims_free(claims);
}

static void same(void **state)
{
	struct claim list[] = {
		claim(CLAIM_ADDRESS, "10.0.0.5", 24, 0, RED),
		claim(CLAIM_POOL, "10.1.0.0", 24, 0, BLUE),
	};
	const struct claim turned[] = {list[1], list[0]};
	struct claims *a = make(list, 2), *b = make(turned, 2), *c = make(list, 1), *d;

	(void)state;
	list[1].owner = RED;
	d = make(list, 2);
	assert_true(claims_same(a, a) && claims_same(a, b) && claims_same(NULL, NULL));
	assert_false(claims_same(a, c) || claims_same(a, d) || claims_same(a, NULL));
	claims_free(a);
	claims_free(b);
	claims_free(c);
	claims_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(exact_then_pool_then_found),
		cmocka_unit_test(longest_pool),
		cmocka_unit_test(what_two_claim_is_nobodys),
		cmocka_unit_test(link_local),
		cmocka_unit_test(loopback_and_wildcard_are_not_claimed),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(many),
		cmocka_unit_test(chosen_to_meet),
		cmocka_unit_test(same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
