/* SPDX-License-Identifier: BSD-3-Clause */
/* Names in ASCII, and those that are never asked for. */
#include "config.h"

#include <string.h>
#include <strings.h>

#ifdef HAVE_LIBIDN2
#include <idn2.h>
#endif

#include "front.h"
#include "parse.h"

/* The length of what is ASCII, or -1. */
static long ascii_length(const char *text)
{
	size_t i;

	for (i = 0; text[i] && i < FRONT_NODE_MAX; i++)
		if ((unsigned char)text[i] >= 0x80)
			return -1;
	return (long)i;
}

#ifdef HAVE_LIBIDN2
static int idn_encode(const char *node, char buf[static FRONT_NODE_MAX])
{
	uint8_t *out = NULL;
	int e;

	if (strnlen(node, DNS_TEXT_MAX) == DNS_TEXT_MAX)
		return EAI_NONAME;
	e = idn2_lookup_u8((const uint8_t *)node, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (e == IDN2_MALLOC)
		return EAI_MEMORY;
	if (e != IDN2_OK)
		return EAI_IDN_ENCODE;
	e = copy_str(buf, FRONT_NODE_MAX, (const char *)out) < 0 ? EAI_NONAME : 0;
	idn2_free(out);
	return e;
}

const char *front_unicode(const char *name, char buf[static DNS_TEXT_MAX])
{
	char *out = NULL;
	int e;

	if (idn2_to_unicode_8z8z(name, &out, 0) != IDN2_OK)
		return name;
	e = copy_str(buf, DNS_TEXT_MAX, out);
	idn2_free(out);
	return e < 0 ? name : buf;
}
#else
static int idn_encode(const char *node, char buf[static FRONT_NODE_MAX])
{
	(void)node;
	(void)buf;
	return EAI_IDN_ENCODE;
}

const char *front_unicode(const char *name, char buf[static DNS_TEXT_MAX])
{
	(void)buf;
	return name;
}
#endif

int front_ascii(const char *node, int flags, char buf[static FRONT_NODE_MAX], const char **ascii)
{
	long len = ascii_length(node);
	int e;

	if (len == 0 || len == FRONT_NODE_MAX)
		return EAI_NONAME;
	if (len > 0) {
		*ascii = node;
		return 0;
	}
	if (!(flags & AI_IDN))
		return EAI_IDN_ENCODE;
	e = idn_encode(node, buf);
	if (!e)
		*ascii = buf;
	return e;
}

/* Is node `domain`, or below it? A dot at the end is passed over. */
static bool is_within(const char *node, const char *domain)
{
	size_t len = strlen(node), want = strlen(domain);

	if (len && node[len - 1] == '.')
		len--;
	if (len < want || strncasecmp(node + len - want, domain, want) != 0)
		return false;
	return len == want || node[len - want - 1] == '.';
}

enum front_special front_special(const char *node)
{
	if (is_within(node, "localhost"))
		return FRONT_LOCALHOST;
	return is_within(node, "onion") ? FRONT_NEVER : FRONT_ORDINARY;
}
