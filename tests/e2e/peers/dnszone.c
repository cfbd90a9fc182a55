/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "dnszone.h"

#define HEADER 12
#define LABELS_MAX 128

/* Where the number behind a word goes. */
enum number { NONE, TTL, MINIMUM, DELAY, DROPS, MANY, CHAIN, TARGETS, RCODE, SERVER };

struct word {
	const char *text;
	enum number number;
	unsigned value; /* the word of enum zone_word, or the number when there is none behind it */
};

static const struct word plain_words[] = {
	{ "nodata", NONE, ZONE_NODATA }, { "nx", NONE, ZONE_NX }, { "nosoa", NONE, ZONE_NOSOA },
	{ "huge", NONE, ZONE_HUGE }, { "bare", NONE, ZONE_BARE }, { "mixed", NONE, ZONE_MIXED },
	{ "loopcname", NONE, ZONE_LOOPCNAME }, { "poison", NONE, ZONE_POISON },
	{ "ad", NONE, ZONE_AD },
	{ "loopback", NONE, ZONE_LOOPBACK }, { "noadd", NONE, ZONE_NOADD },
	{ "srvdot", NONE, ZONE_SRVDOT }, { "srvevil", NONE, ZONE_SRVEVIL },
	{ "only4", NONE, ZONE_ONLY4 }, { "only6", NONE, ZONE_ONLY6 }, { "first", NONE, ZONE_FIRST },
	{ "mapped", NONE, ZONE_MAPPED },
	{ "wrongid", NONE, ZONE_WRONGID }, { "wrongq", NONE, ZONE_WRONGQ },
	{ "cut", NONE, ZONE_CUT },
	{ "looppointer", NONE, ZONE_LOOPPOINTER }, { "forward", NONE, ZONE_FORWARD },
	{ "empty", NONE, ZONE_EMPTY }, { "short", NONE, ZONE_SHORT },
	{ "garbage", NONE, ZONE_GARBAGE },
	{ "noq", NONE, ZONE_NOQ }, { "twoq", NONE, ZONE_TWOQ }, { "query", NONE, ZONE_QUERY },
	{ "opcode", NONE, ZONE_OPCODE }, { "trail", NONE, ZONE_TRAIL },
	{ "count", NONE, ZONE_COUNT },
	{ "rdlen", NONE, ZONE_RDLEN }, { "case", NONE, ZONE_CASE },
	{ "tc", NONE, ZONE_TC }, { "drop", NONE, ZONE_DROP }, { "forge", NONE, ZONE_FORGE },
	{ "then", NONE, ZONE_THEN }, { "twice", NONE, ZONE_TWICE }, { "over", NONE, ZONE_OVER },
	{ "noedns", NONE, ZONE_NOEDNS }, { "old", NONE, ZONE_OLD },
	{ "tcpclose", NONE, ZONE_TCPCLOSE }, { "tcpdrip", NONE, ZONE_TCPDRIP },
	{ "tcpcut", NONE, ZONE_TCPCUT }, { "tcpmute", NONE, ZONE_TCPMUTE },
	{ "formerr", RCODE, 1 }, { "servfail", RCODE, 2 }, { "notimp", RCODE, 4 },
	{ "refused", RCODE, 5 }, { "badvers", RCODE, 16 },
};

/* These have a number behind them. */
static const struct word number_words[] = {
	{ "ttl", TTL, 0 }, { "min", MINIMUM, 0 }, { "slow", DELAY, 0 }, { "drop", DROPS, 0 },
	{ "many", MANY, 0 }, { "chain", CHAIN, 0 }, { "srv", TARGETS, 0 }, { "rcode", RCODE, 0 },
	{ "at", SERVER, 0 },
};

struct in_addr zone_address4(unsigned number, uint64_t hash, unsigned index)
{
	uint32_t low = ((uint32_t)hash + index) & 0xffff;

	return (struct in_addr){ htonl((10 + number / 256) << 24 | (number % 256) << 16 | low) };
}

struct in6_addr zone_address6(unsigned number, uint64_t hash, unsigned index)
{
	struct in6_addr a = { .s6_addr = { 0xfd, 0x53, (uint8_t)(number >> 8), (uint8_t)number } };

	hash += index;
	for (unsigned i = 0; i < 8; i++)
		a.s6_addr[8 + i] = (uint8_t)(hash >> (56 - 8 * i));
	return a;
}

int zone_owner(const struct sockaddr *sa)
{
	const struct in6_addr *in6;
	uint32_t v;

	if (sa->sa_family == AF_INET) {
		v = ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr);
		if (v >> 24 < 10 || v >> 24 >= 10 + ZONE_NUMBERS / 256)
			return -1;
		return (int)(((v >> 24) - 10) * 256 + (v >> 16 & 0xff));
	}
	if (sa->sa_family != AF_INET6)
		return -1;
	in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (in6->s6_addr[0] != 0xfd || in6->s6_addr[1] != 0x53)
		return -1;
	return in6->s6_addr[2] << 8 | in6->s6_addr[3];
}

bool zone_is_right(const struct sockaddr *sa, unsigned number, uint64_t hash, unsigned many)
{
	struct in_addr in4, want4;
	struct in6_addr in6, want6;

	if (zone_owner(sa) != (int)number)
		return false;
	for (unsigned i = 0; i < many; i++) {
		if (sa->sa_family == AF_INET) {
			in4 = ((const struct sockaddr_in *)(const void *)sa)->sin_addr;
			want4 = zone_address4(number, hash, i);
			if (in4.s_addr == want4.s_addr)
				return true;
			continue;
		}
		in6 = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		want6 = zone_address6(number, hash, i);
		if (memcmp(&in6, &want6, sizeof(in6)) == 0)
			return true;
	}
	return false;
}

/* FNV-1a, and a last stir, for the low bits are what the addresses of IPv4 have. */
uint64_t zone_hash(const uint8_t *lower, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ lower[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static uint8_t lower_of(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

size_t zone_wire(uint8_t wire[ZONE_NAME], const char *text)
{
	size_t at = 0;

	while (*text) {
		size_t n = strcspn(text, ".");

		if (n == 0 || n > 63 || at + n + 2 > 255)
			return 0;
		wire[at++] = (uint8_t)n;
		for (size_t i = 0; i < n; i++)
			wire[at++] = lower_of((uint8_t)text[i]);
		text += n + (text[n] == '.');
	}
	wire[at++] = 0;
	return at;
}

uint64_t zone_hash_text(const char *name)
{
	uint8_t wire[ZONE_NAME];
	size_t len = zone_wire(wire, name);

	return len ? zone_hash(wire, len) : 0;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* An OPT right behind the question, where all clients put it. */
static void read_opt(struct zone_question *q, const uint8_t *message, size_t len)
{
	const uint8_t *p = message + q->end;

	q->udp_size = 512;
	q->has_opt = get16(message + 10) && len - q->end >= 11 && p[0] == 0 &&
		get16(p + 1) == ZONE_OPT;
	if (q->has_opt && get16(p + 3) > 512)
		q->udp_size = get16(p + 3);
}

bool zone_read(struct zone_question *q, const uint8_t *message, size_t len)
{
	size_t at = HEADER, n;

	if (len < HEADER + 5 || message[2] & 0xf8 || get16(message + 4) != 1)
		return false;
	do {
		n = message[at];
		if (n > 63 || at + 1 + n + 4 > len || at + 1 + n - HEADER > 254)
			return false;
		at += n + 1;
	} while (n);
	q->id = get16(message);
	q->flags = get16(message + 2);
	q->name_len = at - HEADER;
	memcpy(q->name, message + HEADER, q->name_len);
	for (size_t i = 0; i < q->name_len; i++)
		q->lower[i] = lower_of(q->name[i]);
	q->hash = zone_hash(q->lower, q->name_len);
	q->type = get16(message + at);
	q->class = get16(message + at + 2);
	q->end = at + 4;
	read_opt(q, message, len);
	return true;
}

/* At most five digits, all of the label. */
static bool read_number(const uint8_t *p, size_t len, unsigned *value)
{
	*value = 0;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*value = *value * 10 + (unsigned)(p[i] - '0');
	}
	return len > 0 && len <= 5;
}

static void set_number(struct zone_plan *plan, enum number number, unsigned value)
{
	switch (number) {
	case TTL:
		plan->ttl = plan->minimum = value;
		break;
	case MINIMUM:
		plan->minimum = value;
		break;
	case DELAY:
		plan->delay_ms = value;
		break;
	case DROPS:
		plan->drop_first = value;
		break;
	case MANY:
		plan->many = value;
		break;
	case CHAIN:
		plan->chain = value;
		break;
	case TARGETS:
		plan->targets = value;
		break;
	case RCODE:
		plan->rcode = value;
		break;
	case NONE:
	case SERVER:
		break;
	}
}

/* "h-192-0-2-1" */
static bool read_host4(struct zone_plan *plan, const uint8_t *label, size_t len)
{
	char text[16];
	size_t n = len - 2;

	if (len < 9 || n >= sizeof(text) || memcmp(label, "h-", 2) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		text[i] = label[2 + i] == '-' ? '.' : (char)label[2 + i];
	text[n] = '\0';
	if (inet_pton(AF_INET, text, plan->address) != 1)
		return false;
	plan->family = AF_INET;
	return true;
}

/* "h6-" and 32 hexadecimal digits */
static bool read_host6(struct zone_plan *plan, const uint8_t *label, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t address[16] = { 0 };

	if (len != 35 || memcmp(label, "h6-", 3) != 0)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char *d = memchr(digits, label[3 + i], 16);

		if (!d)
			return false;
		address[i / 2] = (uint8_t)(address[i / 2] << 4 | (d - digits));
	}
	memcpy(plan->address, address, sizeof(address));
	plan->family = AF_INET6;
	return true;
}

/* For this type alone: "ifa", "ifaaaa". False: the label is no such condition, or it holds. */
static bool excludes(const uint8_t *label, size_t len, unsigned type, unsigned server)
{
	unsigned n;

	if (len == 3 && memcmp(label, "ifa", 3) == 0)
		return type != ZONE_A;
	if (len == 6 && memcmp(label, "ifaaaa", 6) == 0)
		return type != ZONE_AAAA;
	return len > 2 && memcmp(label, "at", 2) == 0 && read_number(label + 2, len - 2, &n) &&
		n != server;
}

static void read_label(struct zone_plan *plan, const uint8_t *label, size_t len)
{
	unsigned value;

	for (size_t i = 0; i < sizeof(plain_words) / sizeof(plain_words[0]); i++) {
		const struct word *w = &plain_words[i];

		if (w->text[0] != (char)label[0] || strlen(w->text) != len ||
		    memcmp(w->text, label, len) != 0)
			continue;
		if (w->number == NONE)
			plan->words |= UINT64_C(1) << w->value;
		else
			set_number(plan, w->number, w->value);
		return;
	}
	for (size_t i = 0; i < sizeof(number_words) / sizeof(number_words[0]); i++) {
		const struct word *w = &number_words[i];
		size_t n = strlen(w->text);

		if (len > n && memcmp(w->text, label, n) == 0 &&
		    read_number(label + n, len - n, &value)) {
			set_number(plan, w->number, value);
			return;
		}
	}
	if (label[0] == 'h' && !read_host4(plan, label, len))
		read_host6(plan, label, len);
}

void zone_plan(struct zone_plan *plan, const uint8_t *lower, unsigned type, unsigned server)
{
	for (const uint8_t *p = lower; *p; p += *p + 1)
		if (excludes(p + 1, *p, type, server))
			return;
	for (const uint8_t *p = lower; *p; p += *p + 1)
		read_label(plan, p + 1, *p);
}

bool zone_plan_text(struct zone_plan *plan, const char *words, unsigned type, unsigned server)
{
	uint8_t wire[ZONE_NAME];

	if (!zone_wire(wire, words))
		return false;
	zone_plan(plan, wire, type, server);
	return true;
}
