/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "t.h"
#include "dns_rig.h"

struct dns_name name_of(const char *text)
{
	struct dns_name name;

	assert_int_equal(dns_name_parse(&name, text), 0);
	return name;
}

struct dns_question question_of(const char *name, uint16_t type)
{
	struct dns_question question = {.name = name_of(name), .type = type};

	dns_name_lower(&question.name);
	return question;
}

void msg_u8(struct msg *m, unsigned v)
{
	assert_true(m->len < sizeof(m->b));
	m->b[m->len++] = (uint8_t)v;
}

void msg_u16(struct msg *m, unsigned v)
{
	msg_u8(m, v >> 8 & 255);
	msg_u8(m, v & 255);
}

void msg_u32(struct msg *m, uint32_t v)
{
	msg_u16(m, v >> 16);
	msg_u16(m, v & 0xffff);
}

static void put(struct msg *m, const void *data, size_t len)
{
	assert_true(len <= sizeof(m->b) - m->len);
	memcpy(m->b + m->len, data, len);
	m->len += len;
}

void msg_begin(struct msg *m, unsigned flags)
{
	m->len = 0;
	msg_u16(m, M_ID);
	msg_u16(m, flags);
	for (int i = 0; i < 4; i++)
		msg_u16(m, 0);
}

void msg_name(struct msg *m, const char *text)
{
	struct dns_name name = name_of(text);

	put(m, name.wire, name.len);
}

static void count(struct msg *m, unsigned section)
{
	uint8_t *p = m->b + 4 + 2 * section;

	if (++p[1] == 0)
		p[0]++;
}

void msg_question(struct msg *m, const char *name, uint16_t type)
{
	count(m, 0);
	msg_name(m, name);
	msg_u16(m, type);
	msg_u16(m, 1);
}

size_t msg_record(struct msg *m, enum dns_section section, const char *owner, uint16_t type,
	uint32_t ttl)
{
	count(m, section);
	if (owner)
		msg_name(m, owner);
	else
		msg_u16(m, 0xc000 | DNS_HEADER);
	msg_u16(m, type);
	msg_u16(m, 1);
	msg_u32(m, ttl);
	msg_u16(m, 0);
	return m->len;
}

void msg_end(struct msg *m, size_t record)
{
	size_t len = m->len - record;

	m->b[record - 2] = (uint8_t)(len >> 8);
	m->b[record - 1] = (uint8_t)len;
}

void msg_address(struct msg *m, enum dns_section section, const char *owner, uint32_t ttl,
	const char *address)
{
	union dns_address a;
	bool is6 = strchr(address, ':') != NULL;
	size_t at = msg_record(m, section, owner, is6 ? DNS_AAAA : DNS_A, ttl);

	assert_int_equal(inet_pton(is6 ? AF_INET6 : AF_INET, address, &a), 1);
	put(m, &a, is6 ? sizeof(a.in6) : sizeof(a.in4));
	msg_end(m, at);
}

void msg_named(struct msg *m, enum dns_section section, const char *owner, uint16_t type,
	uint32_t ttl, const char *name)
{
	size_t at = msg_record(m, section, owner, type, ttl);

	msg_name(m, name);
	msg_end(m, at);
}

void msg_srv(struct msg *m, const char *owner, uint32_t ttl, unsigned priority, unsigned weight,
	unsigned port, const char *target)
{
	size_t at = msg_record(m, DNS_ANSWER, owner, DNS_SRV, ttl);

	msg_u16(m, priority);
	msg_u16(m, weight);
	msg_u16(m, port);
	msg_name(m, target);
	msg_end(m, at);
}

void msg_soa(struct msg *m, const char *owner, uint32_t ttl, uint32_t minimum)
{
	size_t at = msg_record(m, DNS_AUTHORITY, owner, DNS_SOA, ttl);

	msg_name(m, "ns.example");
	msg_name(m, "hostmaster.example");
	for (uint32_t i = 1; i <= 4; i++)
		msg_u32(m, i);
	msg_u32(m, minimum);
	msg_end(m, at);
}

void msg_opt(struct msg *m, enum dns_section section, unsigned upper_rcode)
{
	count(m, section);
	msg_u8(m, 0);
	msg_u16(m, DNS_OPT);
	msg_u16(m, 1232);
	msg_u32(m, (uint32_t)upper_rcode << 24);
	msg_u16(m, 0);
}

struct dns_summary msg_summary(const struct msg *m, const struct dns_question *question)
{
	struct dns_summary summary;

	assert_int_equal(dns_is_reply(m->b, m->len, M_ID, question, NULL), 0);
	assert_int_equal(dns_summarise(m->b, m->len, question, &summary), 0);
	return summary;
}

uint64_t msg_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

unsigned msg_pick(uint64_t *state, unsigned below)
{
	return (unsigned)(msg_random(state) % below);
}
