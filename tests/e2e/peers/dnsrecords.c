/* SPDX-License-Identifier: BSD-3-Clause */
/* SRV and PTR, sound and hostile. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dnsanswer.h"
#include "dnswrite.h"

#define LITERAL(s) { (s), sizeof(s) } /* with the NUL, which is the root */

struct wire {
	const char *bytes;
	size_t len;
};

/* Names that are none of a host: RFC 1123 section 2.1. */
static const struct wire hostile[] = {
	LITERAL("\7a b;c$d\4test"),
	LITERAL("\13../../x/y/z\4test"),
	LITERAL("\5a\0b\0c\4test"),
	LITERAL("\6\xc3\xa4\xc3\xb6\xc3\xbc\4test"),
	LITERAL("\003127\0010\0010\0011"),
	LITERAL("\4-bad\4test"),
	LITERAL("\12under_scor\4test"),
	LITERAL("\3a.b\4test"),
	LITERAL("\5%s%n\n\4test"),
	LITERAL("\10$(touch)\4test"),
	LITERAL("\1*\4test"),
	LITERAL(""),
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

void put_strangers(struct out *o, const struct zone_plan *plan)
{
	const uint32_t forged = htonl(ANSWER_FORGED);

	put_name(o, WRITE_VICTIM);
	put_rest(o, ZONE_A, plan->ttl, 4);
	put(o, &forged, 4);
	put16(o, WRITE_OWNER);
	put16(o, ZONE_A);
	put16(o, 3); /* CHAOS */
	put32(o, plan->ttl);
	put16(o, 4);
	put(o, &forged, 4);
	put16(o, WRITE_OWNER);
	put_rest(o, ZONE_A, plan->ttl, 3);
	put(o, &forged, 3);
	put16(o, WRITE_OWNER);
	put_rest(o, ZONE_AAAA, plan->ttl, 4);
	put(o, &forged, 4);
	o->count[WRITE_ANSWER] = (uint16_t)(o->count[WRITE_ANSWER] + 4);
}

void put_poison(struct out *o, const struct zone_plan *plan)
{
	const uint32_t forged = htonl(ANSWER_FORGED);

	put_name(o, WRITE_VICTIM);
	put_rest(o, ZONE_A, plan->ttl, 4);
	put(o, &forged, 4);
	o->count[WRITE_ADDITIONAL]++;
}

/* ---- SRV */

static const uint8_t *behind_underscores(const uint8_t *name)
{
	while (name[0] && name[1] == '_')
		name += 1 + name[0];
	return name;
}

static size_t wire_len(const uint8_t *name)
{
	const uint8_t *p = name;

	while (*p)
		p += 1 + *p;
	return (size_t)(p - name) + 1;
}

/* "tN" before the domain. Its length, 0: too long. */
static size_t target_name(uint8_t name[ZONE_NAME], const uint8_t *domain, unsigned i)
{
	size_t len = wire_len(domain);
	char label[16];
	int n = snprintf(label, sizeof(label), "t%u", i);

	if (len + 1 + (size_t)n > 255)
		return 0;
	name[0] = (uint8_t)n;
	memcpy(name + 1, label, (size_t)n);
	memcpy(name + 1 + n, domain, len);
	return len + 1 + (size_t)n;
}

static void put_one_srv(struct out *o, unsigned owner, const struct zone_plan *plan, unsigned i,
	const void *target, size_t len)
{
	put16(o, owner);
	put_rest(o, ZONE_SRV, plan->ttl, 6 + len);
	put16(o, i / 2);             /* priority */
	put16(o, i % 2 ? 60 : 10);   /* weight */
	put16(o, 1000 + i);
	put(o, target, len);
	o->count[WRITE_ANSWER]++;
}

static void put_target_addresses(struct out *o, const struct zone_plan *plan, unsigned number,
	const uint8_t *name, size_t len)
{
	const struct in_addr in4 = zone_address4(number, zone_hash(name, len), 0);
	const struct in6_addr in6 = zone_address6(number, zone_hash(name, len), 0);

	put(o, name, len);
	put_rest(o, ZONE_A, plan->ttl, 4);
	put(o, &in4, 4);
	put(o, name, len);
	put_rest(o, ZONE_AAAA, plan->ttl, 16);
	put(o, &in6, 16);
	o->count[WRITE_ADDITIONAL] = (uint16_t)(o->count[WRITE_ADDITIONAL] + 2);
}

void put_srv(struct out *o, unsigned owner, const struct zone_question *q,
	const struct zone_plan *plan, unsigned number)
{
	const uint8_t *domain = behind_underscores(q->lower);
	uint8_t name[ZONE_NAME];
	size_t len;

	if (zone_says(plan, ZONE_SRVDOT)) {
		put_one_srv(o, owner, plan, 0, "", 1);
		return;
	}
	for (unsigned i = 0; zone_says(plan, ZONE_SRVEVIL) && i < HOSTILE; i++)
		put_one_srv(o, owner, plan, i, hostile[i].bytes, hostile[i].len);
	for (unsigned i = 0; i < plan->targets && !o->is_full; i++) {
		len = target_name(name, domain, i);
		if (len)
			put_one_srv(o, owner, plan, i, name, len);
	}
	if (zone_says(plan, ZONE_NOADD))
		return;
	for (unsigned i = 0; i < plan->targets && !o->is_full; i++) {
		len = target_name(name, domain, i);
		if (len)
			put_target_addresses(o, plan, number, name, len);
	}
}

/* ---- PTR */

enum { OCTETS = 4, NIBBLES = 32 };

/* The digits of a label. False: it has others, or too many. */
static bool octet(const uint8_t *label, uint8_t *value)
{
	unsigned v = 0;

	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
		v = v * 10 + (unsigned)(label[i] - '0');
	}
	*value = (uint8_t)v;
	return label[0] > 0 && label[0] <= 3 && v <= 255;
}

static bool reverse4(const uint8_t *name, uint8_t address[OCTETS])
{
	for (unsigned i = OCTETS; i-- > 0; name += 1 + name[0])
		if (!octet(name, &address[i]))
			return false;
	return memcmp(name, "\7in-addr\4arpa", 14) == 0;
}

static bool reverse6(const uint8_t *name, char digits[NIBBLES + 1])
{
	for (unsigned i = NIBBLES; i-- > 0; name += 2) {
		if (name[0] != 1 || !memchr("0123456789abcdef", name[1], 16))
			return false;
		digits[i] = (char)name[1];
	}
	digits[NIBBLES] = '\0';
	return memcmp(name, "\3ip6\4arpa", 10) == 0;
}

static void put_pointer(struct out *o, const struct zone_plan *plan, const void *target, size_t len)
{
	put16(o, WRITE_OWNER);
	put_rest(o, ZONE_PTR, plan->ttl, len);
	put(o, target, len);
	o->count[WRITE_ANSWER]++;
}

static void put_pointer_text(struct out *o, const struct zone_plan *plan, const char *name)
{
	uint8_t wire[ZONE_NAME];

	put_pointer(o, plan, wire, zone_wire(wire, name));
}

static void host_name(char text[32], const uint8_t a[OCTETS])
{
	snprintf(text, 32, "h-%u-%u-%u-%u.test", a[0], a[1], a[2], a[3]);
}

/* RFC 2317: the name is an alias, and what is behind it has the PTR record. */
static void put_delegated(struct out *o, const struct zone_plan *plan, const char *name)
{
	static const char alias[] = "\1x\13delegated-0\4test";
	uint8_t wire[ZONE_NAME];
	size_t len = zone_wire(wire, name);

	put16(o, WRITE_OWNER);
	put_rest(o, ZONE_CNAME, plan->ttl, sizeof(alias));
	put(o, alias, sizeof(alias));
	put(o, alias, sizeof(alias));
	put_rest(o, ZONE_PTR, plan->ttl, len);
	put(o, wire, len);
	o->count[WRITE_ANSWER] = (uint16_t)(o->count[WRITE_ANSWER] + 2);
}

/* 192.0.2.x: see README.md. */
static bool put_special(struct out *o, const struct zone_plan *plan, const uint8_t a[OCTETS],
	unsigned *rcode)
{
	const uint8_t other[OCTETS] = { 198, 51, 100, a[3] };
	char text[32];

	host_name(text, a);
	if (a[3] >= 100 && a[3] < 100 + HOSTILE) {
		put_pointer(o, plan, hostile[a[3] - 100].bytes, hostile[a[3] - 100].len);
		return true;
	}
	switch (a[3]) {
	case 1: /* several, of which one is hostile */
		put_pointer(o, plan, hostile[0].bytes, hostile[0].len);
		put_pointer_text(o, plan, text);
		put_pointer_text(o, plan, "alias.test");
		return true;
	case 2: /* of somebody else, who does not confirm it */
		host_name(text, other);
		put_pointer_text(o, plan, text);
		return true;
	case 3:
		put_delegated(o, plan, text);
		return true;
	case 4:
		*rcode = 2;
		return true;
	case 5: /* there is none */
		*rcode = 3;
		return true;
	case 6: /* a hundred */
		for (unsigned i = 0; i < 100; i++) {
			snprintf(text, sizeof(text), "many-%u.test", i);
			put_pointer_text(o, plan, text);
		}
		return true;
	case 7:
		put_pointer_text(o, plan, "localhost");
		return true;
	case 8: /* is answered, but what it confirms is not */
		put_pointer_text(o, plan, "x.drop.test");
		return true;
	default:
		return false;
	}
}

bool put_ptr(struct out *o, const struct zone_question *q, const struct zone_plan *plan,
	unsigned *rcode)
{
	char digits[NIBBLES + 1], text[64];
	uint8_t a[OCTETS];

	if (reverse6(q->lower, digits)) {
		snprintf(text, sizeof(text), "h6-%s.test", digits);
		put_pointer_text(o, plan, text);
		return true;
	}
	if (!reverse4(q->lower, a))
		return false;
	if (memcmp(a, "\300\0\2", 3) == 0 && put_special(o, plan, a, rcode))
		return true;
	host_name(text, a);
	put_pointer_text(o, plan, text);
	return true;
}
