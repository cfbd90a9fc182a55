/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One sorted array: of each kind and length of prefix, the addresses lie side by side. A look-up is
 * a binary search for the address itself, and one for each length that a pool has. A table of
 * places in the array answers for the address itself sooner, since that is asked for each packet;
 * where somebody chose addresses that meet in it too often, there is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "claims.h"

#define LENGTH_MAX 128u
#define PROBES_MAX 64

struct claims {
	uint64_t pool4, pool6[3]; /* lengths that there are, a bit for each */
	uint32_t *slots;          /* places in list, from 1; 0: empty. NULL: there is no table */
	unsigned bits;            /* there are 1 << bits slots */
	size_t count;
	struct claim list[]; /* in order, without those that are there twice; owner 0: disputed */
};

static unsigned longest(int family)
{
	return family == AF_INET ? 32 : LENGTH_MAX;
}

static bool is_link_local(int family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static void mask(struct ip_prefix *p)
{
	for (unsigned i = 0; i < sizeof(p->bytes); i++) {
		unsigned bit = i * 8;
		if (bit >= p->length)
			p->bytes[i] = 0;
		else if (bit + 8 > p->length)
			p->bytes[i] &= (uint8_t)(0xff << (8 - (p->length - bit)));
	}
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* All but the owner. */
static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int c = compare_u64(x->kind, y->kind);

	if (!c)
		c = compare_u64(x->prefix.family, y->prefix.family);
	if (!c)
		c = compare_u64(x->prefix.length, y->prefix.length);
	if (!c)
		c = memcmp(x->prefix.bytes, y->prefix.bytes, sizeof(x->prefix.bytes));
	return c ? c : compare_u64(x->ifindex, y->ifindex);
}

/* As it is compared. */
static int normalize(struct claim *to, const struct claim *from)
{
	*to = *from;
	if ((from->prefix.family != AF_INET && from->prefix.family != AF_INET6) || !from->owner ||
		from->kind < CLAIM_ADDRESS || from->kind > CLAIM_FOUND ||
		from->prefix.length > longest(from->prefix.family))
		return -EINVAL;
	if (from->kind != CLAIM_POOL)
		to->prefix.length = (uint8_t)longest(from->prefix.family);
	mask(&to->prefix);
	if (from->kind != CLAIM_FOUND || !is_link_local(to->prefix.family, to->prefix.bytes))
		to->ifindex = 0;
	return 0;
}

static uint64_t *lengths_of(struct claims *c, int family, unsigned length)
{
	return family == AF_INET ? &c->pool4 : &c->pool6[length / 64];
}

static bool has_length(const struct claims *c, int family, unsigned length)
{
	uint64_t bits = family == AF_INET ? c->pool4 : c->pool6[length / 64];

	return bits >> length % 64 & 1;
}

static bool has_pools(const struct claims *c, int family)
{
	return family == AF_INET ? c->pool4 : c->pool6[0] || c->pool6[1] || c->pool6[2];
}

static size_t slot_of(const struct claims *c, const struct ip_prefix *p)
{
	uint64_t high, low;

	memcpy(&high, p->bytes, sizeof(high));
	memcpy(&low, p->bytes + sizeof(high), sizeof(low));
	high = (high ^ p->family) * UINT64_C(0x9e3779b97f4a7c15);
	high ^= high >> 29;
	high = (high ^ low) * UINT64_C(0xbf58476d1ce4e5b9);
	high ^= high >> 32;
	return (size_t)(high * UINT64_C(0x94d049bb133111eb) >> (64 - c->bits));
}

/* Both claims of one address may be in it. */
static bool enter_slot(struct claims *c, size_t place)
{
	size_t at = slot_of(c, &c->list[place].prefix);

	for (unsigned i = 0; i < PROBES_MAX; i++) {
		uint32_t *slot = &c->slots[(at + i) & (((size_t)1 << c->bits) - 1)];

		if (*slot == 0) {
			*slot = (uint32_t)place + 1;
			return true;
		}
	}
	return false;
}

static int make_slots(struct claims *c)
{
	if (c->count > UINT32_MAX / 4)
		return 0;
	for (c->bits = 2; (size_t)1 << c->bits < c->count * 2;)
		c->bits++;
	c->slots = calloc((size_t)1 << c->bits, sizeof(*c->slots));
	if (!c->slots)
		return -ENOMEM;
	/* Those of interfaces are left to the search. */
	for (size_t i = 0; i < c->count; i++) {
		const struct claim *claim = &c->list[i];

		if (claim->kind == CLAIM_POOL ||
			is_link_local(claim->prefix.family, claim->prefix.bytes) ||
			enter_slot(c, i))
			continue;
		free(c->slots);
		c->slots = NULL;
		return 0;
	}
	return 0;
}

static void settle_disputes(struct claims *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (n && !compare(&c->list[n - 1], &c->list[i])) {
			if (c->list[n - 1].owner != c->list[i].owner)
				c->list[n - 1].owner = 0;
			continue;
		}
		c->list[n++] = c->list[i];
	}
	c->count = n;
}

int claims_new(struct claims **claims, const struct claim *list, size_t count)
{
	struct claims *c = count < SIZE_MAX / sizeof(*list) - 1
				   ? calloc(1, sizeof(*c) + count * sizeof(*list))
				   : NULL;
	int rc = c ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < count; i++) {
		rc = normalize(&c->list[i], &list[i]);
		if (rc || list[i].kind != CLAIM_POOL)
			continue;
		*lengths_of(c, list[i].prefix.family, list[i].prefix.length) |=
			UINT64_C(1) << list[i].prefix.length % 64;
	}
	if (rc) {
		free(c);
		return rc;
	}
	c->count = count;
	if (count)
		qsort(c->list, count, sizeof(c->list[0]), compare);
	settle_disputes(c);
	rc = make_slots(c);
	if (rc)
		claims_free(c);
	else
		*claims = c;
	return rc;
}

void claims_free(struct claims *claims)
{
	if (claims)
		free(claims->slots);
	free(claims);
}

bool claims_same(const struct claims *a, const struct claims *b)
{
	if (!a || !b || a->count != b->count)
		return a == b;
	for (size_t i = 0; i < a->count; i++) {
		if (compare(&a->list[i], &b->list[i]) || a->list[i].owner != b->list[i].owner)
			return false;
	}
	return true;
}

/* The first that is not before key. */
static size_t lower_bound(const struct claims *c, const struct claim *key)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&c->list[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct claim *find(const struct claims *c, const struct claim *key)
{
	size_t i = lower_bound(c, key);

	return i < c->count && !compare(&c->list[i], key) ? &c->list[i] : NULL;
}

static const struct claim *find_pool(const struct claims *c, const struct claim *address)
{
	const struct claim *found;

	if (!has_pools(c, address->prefix.family))
		return NULL;
	for (unsigned n = longest(address->prefix.family) + 1; n-- > 0;) {
		struct claim key = *address;
		if (!has_length(c, address->prefix.family, n))
			continue;
		key.kind = CLAIM_POOL;
		key.prefix.length = (uint8_t)n;
		mask(&key.prefix);
		found = find(c, &key);
		if (found)
			return found;
	}
	return NULL;
}

/* It was found on any interface: whose is it on all of them? */
static uint64_t found_anywhere(const struct claims *c, const struct claim *key)
{
	size_t i = lower_bound(c, key);
	uint64_t owner = 0;

	for (; i < c->count && c->list[i].kind == CLAIM_FOUND &&
	       c->list[i].prefix.family == key->prefix.family &&
	       !memcmp(c->list[i].prefix.bytes, key->prefix.bytes, sizeof(key->prefix.bytes));
		i++) {
		if (!c->list[i].owner || (owner && c->list[i].owner != owner))
			return 0;
		owner = c->list[i].owner;
	}
	return owner;
}

static uint64_t found_owner(const struct claims *c, struct claim *key, unsigned ifindex)
{
	const struct claim *found;

	key->kind = CLAIM_FOUND;
	if (!is_link_local(key->prefix.family, key->prefix.bytes))
		ifindex = 0;
	else if (!ifindex)
		return found_anywhere(c, key);
	key->ifindex = ifindex;
	found = find(c, key);
	return found ? found->owner : 0;
}

/* The claims of an address by itself, and of one that was found; NULL: none. */
static void look_up(const struct claims *c, const struct claim *key, const struct claim **claimed,
	const struct claim **found)
{
	size_t at = slot_of(c, &key->prefix);

	*claimed = *found = NULL;
	for (unsigned i = 0; i < PROBES_MAX; i++) {
		uint32_t place = c->slots[(at + i) & (((size_t)1 << c->bits) - 1)];
		const struct claim *claim;

		if (place == 0)
			return;
		claim = &c->list[place - 1];
		if (claim->prefix.family != key->prefix.family ||
			memcmp(claim->prefix.bytes, key->prefix.bytes, sizeof(key->prefix.bytes)))
			continue;
		*(claim->kind == CLAIM_ADDRESS ? claimed : found) = claim;
	}
}

static uint64_t owner_by_slots(const struct claims *c, const struct claim *key)
{
	const struct claim *claimed, *found, *pool;

	look_up(c, key, &claimed, &found);
	if (claimed)
		return claimed->owner;
	pool = find_pool(c, key);
	if (pool)
		return pool->owner;
	return found ? found->owner : 0;
}

static bool is_mapped(int family, const uint8_t *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return family == AF_INET6 && !memcmp(addr, mapped, sizeof(mapped));
}

bool claims_is_common(int family, const uint8_t *addr)
{
	static const uint8_t loopback6[16] = {[15] = 1}, zero[16];

	if (is_mapped(family, addr))
		return claims_is_common(AF_INET, addr + 12);
	if (family == AF_INET)
		return addr[0] == 127 || !memcmp(addr, zero, 4);
	return !memcmp(addr, loopback6, 16) || !memcmp(addr, zero, 16);
}

uint64_t claims_owner(const struct claims *claims, int family, const uint8_t *addr,
	unsigned ifindex)
{
	struct claim key = {.prefix = {.family = (uint8_t)family}, .kind = CLAIM_ADDRESS};
	const struct claim *found;

	if (is_mapped(family, addr))
		return claims_owner(claims, AF_INET, addr + 12, ifindex);
	if (!claims || (family != AF_INET && family != AF_INET6) || claims_is_common(family, addr))
		return 0;
	key.prefix.length = (uint8_t)longest(family);
	memcpy(key.prefix.bytes, addr, family == AF_INET ? 4 : 16);
	if (claims->slots && !is_link_local(family, addr))
		return owner_by_slots(claims, &key);
	found = find(claims, &key);
	if (!found)
		found = find_pool(claims, &key);
	return found ? found->owner : found_owner(claims, &key, ifindex);
}
