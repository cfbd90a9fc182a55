/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "dnswrite.h"

void put(struct out *o, const void *data, size_t len)
{
	if (o->is_full || o->limit - o->len < len) {
		o->is_full = true;
		return;
	}
	memcpy(o->p + o->len, data, len);
	o->len += len;
}

void put16(struct out *o, unsigned v)
{
	const uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(o, bytes, 2);
}

void put32(struct out *o, uint32_t v)
{
	put16(o, v >> 16);
	put16(o, v & 0xffff);
}

void put_name(struct out *o, const char *text)
{
	uint8_t wire[ZONE_NAME];

	put(o, wire, zone_wire(wire, text));
}

void put_rest(struct out *o, unsigned type, uint32_t ttl, size_t data_len)
{
	put16(o, type);
	put16(o, 1);
	put32(o, ttl);
	put16(o, (unsigned)data_len);
}

void put_address(struct out *o, unsigned owner, uint32_t ttl, int family, const void *address)
{
	size_t len = family == AF_INET ? 4 : 16;

	put16(o, owner);
	put_rest(o, family == AF_INET ? ZONE_A : ZONE_AAAA, ttl, len);
	put(o, address, len);
}

void put_header(struct out *o, const struct zone_question *q, unsigned rcode, bool ad)
{
	const uint8_t zero[6] = { 0 };

	put16(o, q->id);
	/* QR, RA, and RD as it was. */
	put16(o, 0x8080U | (q->flags & 0x0100U) | (ad ? 0x20U : 0) | (rcode & 0xf));
	put16(o, 1);
	put(o, zero, 6);
	put(o, q->name, q->name_len);
	put16(o, q->type);
	put16(o, q->class);
	o->rest = (uint16_t)(q->name[0] ? WRITE_OWNER + 1 + q->name[0] : WRITE_OWNER);
}

void put_opt(struct out *o, const struct zone_question *q, unsigned rcode)
{
	if (!q->has_opt)
		return;
	put(o, "", 1);
	put16(o, ZONE_OPT);
	put16(o, 1232);
	put32(o, (uint32_t)rcode >> 4 << 24);
	put16(o, 0);
	o->count[WRITE_ADDITIONAL]++;
}

void put_counts(struct out *o)
{
	for (unsigned i = 1; i < 4; i++) {
		o->p[4 + 2 * i] = (uint8_t)(o->count[i] >> 8);
		o->p[5 + 2 * i] = (uint8_t)o->count[i];
	}
}
