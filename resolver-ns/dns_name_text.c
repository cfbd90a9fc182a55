/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as text, as host names, and those of addresses. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "dns_name.h"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

/* The byte that a backslash stands before; `text` is behind it. How many characters, 0: wrong. */
static size_t unescape(const char *text, uint8_t *byte)
{
	const uint8_t *p = (const uint8_t *)text;
	unsigned value;

	if (p[0] == '\0')
		return 0;
	if (!is_digit(p[0])) {
		*byte = p[0];
		return 1;
	}
	if (!is_digit(p[1]) || !is_digit(p[2]))
		return 0;
	value = (p[0] - '0') * 100u + (p[1] - '0') * 10u + (p[2] - '0');
	if (value > 255)
		return 0;
	*byte = (uint8_t)value;
	return 3;
}

/* One label, up to a dot or the end of *text, to `label`, its length byte first. */
static int parse_label(const char **text, uint8_t *label, size_t room)
{
	const char *p = *text;
	size_t len = 0, escape;
	uint8_t byte;

	while (*p && *p != '.') {
		byte = (uint8_t)*p++;
		if (byte >= 0x80)
			return -EILSEQ;
		if (byte == '\\') {
			if ((uint8_t)*p >= 0x80)
				return -EILSEQ;
			escape = unescape(p, &byte);
			if (escape == 0)
				return -EINVAL;
			p += escape;
		}
		if (len == DNS_LABEL_MAX || len + 1 >= room)
			return -ENAMETOOLONG;
		label[++len] = byte;
	}
	if (len == 0)
		return -EINVAL;
	label[0] = (uint8_t)len;
	*text = p;
	return 0;
}

int dns_name_parse(struct dns_name *name, const char *text)
{
	struct dns_name out = {.len = 0};
	int rc;

	if (text[0] == '.' && text[1] == '\0')
		text++;
	while (*text) {
		/* The root's label must find room, too. */
		rc = parse_label(&text, out.wire + out.len, DNS_NAME_MAX - 1u - out.len);
		if (rc < 0)
			return rc;
		out.len = (uint8_t)(out.len + out.wire[out.len] + 1);
		if (*text == '.')
			text++;
	}
	out.wire[out.len++] = 0;
	*name = out;
	return 0;
}

/* What stands for a byte: one to four characters. */
static size_t escape(uint8_t byte, char out[static 4])
{
	if (byte == '.' || byte == '\\') {
		out[0] = '\\';
		out[1] = (char)byte;
		return 2;
	}
	if (byte > ' ' && byte < 0x7f) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + byte / 100);
	out[2] = (char)('0' + byte / 10 % 10);
	out[3] = (char)('0' + byte % 10);
	return 4;
}

int dns_name_text(const struct dns_name *name, char *text, size_t size)
{
	char out[DNS_TEXT_MAX], *p = out;
	size_t len;

	for (unsigned at = 0; name->wire[at]; at += name->wire[at] + 1u) {
		if (at > 0)
			*p++ = '.';
		for (unsigned i = 1; i <= name->wire[at]; i++)
			p += escape(name->wire[at + i], p);
	}
	if (p == out)
		*p++ = '.';
	*p++ = '\0';
	len = (size_t)(p - out);
	if (len > size)
		return -ENOSPC;
	memcpy(text, out, len);
	return 0;
}

/* RFC 952, with the first character as RFC 1123 section 2.1 has it. */
static bool is_host_label(const uint8_t *label, bool *has_only_digits)
{
	unsigned len = label[0];

	*has_only_digits = true;
	if (label[1] == '-' || label[len] == '-')
		return false;
	for (unsigned i = 1; i <= len; i++) {
		if (!is_letter(label[i]) && !is_digit(label[i]) && label[i] != '-')
			return false;
		if (!is_digit(label[i]))
			*has_only_digits = false;
	}
	return true;
}

bool dns_name_is_host(const struct dns_name *name)
{
	bool has_only_digits = true; /* of the last label; the root alone has none */

	for (unsigned at = 0; name->wire[at]; at += name->wire[at] + 1u)
		if (!is_host_label(name->wire + at, &has_only_digits))
			return false;
	return !has_only_digits;
}

/* "123" as a label, at p. Returns behind it. */
static uint8_t *decimal_label(uint8_t *p, uint8_t value)
{
	uint8_t *length = p++;

	if (value >= 100)
		*p++ = (uint8_t)('0' + value / 100);
	if (value >= 10)
		*p++ = (uint8_t)('0' + value / 10 % 10);
	*p++ = (uint8_t)('0' + value % 10);
	*length = (uint8_t)(p - length - 1);
	return p;
}

void dns_name_reverse(struct dns_name *name, int family, const void *addr)
{
	static const uint8_t arpa4[] = "\7in-addr\4arpa", arpa6[] = "\3ip6\4arpa";
	static const char hex[] = "0123456789abcdef";
	const uint8_t *bytes = addr;
	uint8_t *p = name->wire;

	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr)) {
		bytes += 12;
		family = AF_INET;
	}
	if (family == AF_INET) {
		for (int i = 3; i >= 0; i--)
			p = decimal_label(p, bytes[i]);
		memcpy(p, arpa4, sizeof(arpa4)); /* its NUL is the root's label */
		p += sizeof(arpa4);
	} else {
		for (int i = 15; i >= 0; i--) {
			*p++ = 1;
			*p++ = (uint8_t)hex[bytes[i] & 15];
			*p++ = 1;
			*p++ = (uint8_t)hex[bytes[i] >> 4];
		}
		memcpy(p, arpa6, sizeof(arpa6));
		p += sizeof(arpa6);
	}
	name->len = (uint8_t)(p - name->wire);
}
