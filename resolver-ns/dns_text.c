/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns_text.h"
#include "parse.h"

#define TEXT_MAX 255 /* of a character-string, RFC 1035 section 3.3 */

static const struct {
	const char *text;
	uint16_t type;
} types[] = {
	{"A", DNS_A}, {"NS", DNS_NS}, {"CNAME", DNS_CNAME}, {"SOA", DNS_SOA}, {"PTR", DNS_PTR},
	{"HINFO", 13}, {"MX", DNS_MX}, {"TXT", DNS_TXT}, {"AAAA", DNS_AAAA}, {"LOC", 29},
	{"SRV", DNS_SRV}, {"NAPTR", DNS_NAPTR}, {"DNAME", 39}, {"OPT", DNS_OPT}, {"DS", 43},
	{"SSHFP", 44}, {"RRSIG", 46}, {"NSEC", 47}, {"DNSKEY", 48}, {"NSEC3", 50}, {"TLSA", 52},
	{"SVCB", 64}, {"HTTPS", 65}, {"SPF", 99}, {"ANY", DNS_ANY}, {"URI", DNS_URI}, {"CAA", 257},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

void dns_type_text(uint16_t type, char text[static DNS_TYPE_TEXT])
{
	for (size_t i = 0; i < TYPES; i++) {
		if (types[i].type == type) {
			snprintf(text, DNS_TYPE_TEXT, "%s", types[i].text);
			return;
		}
	}
	snprintf(text, DNS_TYPE_TEXT, "TYPE%u", type);
}

int dns_type_parse(const char *text, uint16_t *type)
{
	uint64_t number;

	for (size_t i = 0; i < TYPES; i++) {
		if (strcasecmp(types[i].text, text) == 0) {
			*type = types[i].type;
			return 0;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || parse_u64(text + 4, 1, UINT16_MAX, &number) < 0)
		return -EINVAL;
	*type = (uint16_t)number;
	return 0;
}

/* Where data is read and text is written; both stay failed once they met their end. */
struct writer {
	const uint8_t *message;
	size_t pos, end; /* of the data */
	char *text;
	size_t size, used;
	bool failed;
};

static void put(struct writer *w, const char *piece)
{
	size_t n = strlen(piece);

	if (w->failed || n >= w->size - w->used) {
		w->failed = true;
		return;
	}
	memcpy(w->text + w->used, piece, n + 1);
	w->used += n;
}

static uint32_t take(struct writer *w, size_t bytes)
{
	uint32_t value = 0;

	if (w->failed || w->end - w->pos < bytes) {
		w->failed = true;
		return 0;
	}
	while (bytes-- > 0)
		value = value << 8 | w->message[w->pos++];
	return value;
}

static void put_number(struct writer *w, size_t bytes)
{
	char piece[16];

	snprintf(piece, sizeof(piece), "%lu ", (unsigned long)take(w, bytes));
	put(w, piece);
}

static void put_name(struct writer *w)
{
	struct dns_name name;
	char piece[DNS_TEXT_MAX];

	/* Within the message, since it may be compressed, but no further than the data. */
	if (w->failed || dns_name_read(&name, w->message, w->end, &w->pos) < 0 ||
		dns_name_text(&name, piece, sizeof(piece)) < 0) {
		w->failed = true;
		return;
	}
	put(w, piece);
	if (name.len > 1)
		put(w, ".");
}

static void put_address(struct writer *w, int family, size_t bytes)
{
	char piece[INET6_ADDRSTRLEN];

	if (w->failed || w->end - w->pos != bytes ||
		!inet_ntop(family, w->message + w->pos, piece, sizeof(piece))) {
		w->failed = true;
		return;
	}
	w->pos += bytes;
	put(w, piece);
}

/* A character-string, quoted. */
static void put_string(struct writer *w)
{
	size_t n = take(w, 1);

	put(w, "\"");
	for (; n > 0 && !w->failed; n--) {
		char c = (char)take(w, 1), piece[8];

		if (c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\%c", c);
		else if (c >= ' ' && c <= '~')
			snprintf(piece, sizeof(piece), "%c", c);
		else
			snprintf(piece, sizeof(piece), "\\%03u", (unsigned char)c);
		put(w, piece);
	}
	put(w, "\"");
}

static void put_strings(struct writer *w)
{
	do {
		put_string(w);
		if (w->pos < w->end)
			put(w, " ");
	} while (!w->failed && w->pos < w->end);
}

static void put_soa(struct writer *w)
{
	put_name(w);
	put(w, " ");
	put_name(w);
	put(w, " ");
	for (int i = 0; i < 5; i++)
		put_number(w, 4);
}

static void put_naptr(struct writer *w)
{
	put_number(w, 2);
	put_number(w, 2);
	for (int i = 0; i < 3; i++) {
		put_string(w);
		put(w, " ");
	}
	put_name(w);
}

static void put_srv(struct writer *w)
{
	for (int i = 0; i < 3; i++)
		put_number(w, 2);
	put_name(w);
}

static void put_known(struct writer *w, uint16_t type)
{
	switch (type) {
	case DNS_A:
		put_address(w, AF_INET, sizeof(struct in_addr));
		break;
	case DNS_AAAA:
		put_address(w, AF_INET6, sizeof(struct in6_addr));
		break;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		put_name(w);
		break;
	case DNS_MX:
		put_number(w, 2);
		put_name(w);
		break;
	case DNS_SRV:
		put_srv(w);
		break;
	case DNS_SOA:
		put_soa(w);
		break;
	case DNS_NAPTR:
		put_naptr(w);
		break;
	case DNS_TXT:
		put_strings(w);
		break;
	default:
		w->failed = true;
	}
}

static void put_unknown(struct writer *w)
{
	char piece[24];

	snprintf(piece, sizeof(piece), "\\# %zu ", w->end - w->pos);
	put(w, piece);
	while (w->pos < w->end) {
		if (w->size - w->used < sizeof("00..."))
			break;
		snprintf(piece, sizeof(piece), "%02X", take(w, 1));
		put(w, piece);
	}
	if (w->pos < w->end)
		put(w, "...");
}

void dns_data_text(const uint8_t *message, size_t len, const struct dns_record *record, char *text,
	size_t size)
{
	struct writer w = {.message = message, .pos = record->data,
		.end = record->data + record->data_len, .text = text, .size = size};

	*text = '\0';
	if (record->data > len || record->data_len > len - record->data)
		return;
	put_known(&w, record->type);
	if (w.failed || w.pos != w.end) {
		w.pos = record->data;
		w.used = 0;
		w.failed = false;
		put_unknown(&w);
	}
	/* Numbers leave a blank behind them. */
	if (w.used > 0 && text[w.used - 1] == ' ')
		text[w.used - 1] = '\0';
}
