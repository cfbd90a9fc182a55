/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "netconfig.h"

#define BLANKS " \t"

/* The fields of an entry, in their order. */
enum field { NETID, SEMANTICS, FLAGS, FAMILY, PROTOCOL, DEVICE, LOOKUPS, FIELD_COUNT };

struct parser {
	struct netconfig result;
	const char *file;
	unsigned line;
	int rc;
	ini_error_fn *error;
	void *arg;
};

static void tell(struct parser *p, const char *text)
{
	p->rc = -EINVAL;
	if (p->error)
		p->error(p->arg, p->file, p->line, text);
}

static bool is_semantics(const char *word)
{
	static const char *const words[] = {"tpi_clts", "tpi_cots", "tpi_cots_ord", "tpi_raw"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* "b" was for broadcast, and means nothing any more. */
static bool are_flags(const char *word)
{
	return word[strspn(word, "vb-")] == '\0';
}

/* Splits in place; the number of fields, which may be one more than there is room for. */
static unsigned split(char *line, char *field[FIELD_COUNT])
{
	unsigned count = 0;
	char *p = line + strspn(line, BLANKS);

	while (*p && count < FIELD_COUNT) {
		field[count++] = p;
		p += strcspn(p, BLANKS);
		if (*p)
			*p++ = '\0';
		p += strspn(p, BLANKS);
	}
	return count + (*p != '\0');
}

static void take_entry(struct parser *p, char *line)
{
	char *field[FIELD_COUNT];
	enum netid netid;

	if (split(line, field) != FIELD_COUNT) {
		tell(p, "an entry has 7 fields");
		return;
	}
	if (!is_semantics(field[SEMANTICS]))
		tell(p, "the second field is none of tpi_clts, tpi_cots, tpi_cots_ord, tpi_raw");
	if (!are_flags(field[FLAGS]))
		tell(p, "the third field is neither v nor -");
	netid = netid_parse(field[NETID]);
	if (netid == NETID_NONE)
		return;
	p->result.named |= NETCONFIG_BIT(netid);
	if (strchr(field[FLAGS], 'v'))
		p->result.visible |= NETCONFIG_BIT(netid);
}

static bool has_control_character(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return true;
	return false;
}

static void take_line(struct parser *p, const char *text, size_t len)
{
	char line[NETCONFIG_LINE_MAX + 1];
	const char *start;

	if (len > NETCONFIG_LINE_MAX) {
		tell(p, "line too long");
		return;
	}
	if (has_control_character(text, len)) {
		tell(p, "control character");
		return;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	start = line + strspn(line, BLANKS);
	if (*start && *start != '#')
		take_entry(p, line);
}

int netconfig_parse(struct netconfig *netconfig, const char *text, size_t len, const char *file,
	ini_error_fn *error, void *arg)
{
	struct parser p = {.file = file, .error = error, .arg = arg};

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		p.line++;
		take_line(&p, text, n);
		n += end ? 1 : 0;
		text += n;
		len -= n;
	}
	if (!p.rc)
		*netconfig = p.result;
	return p.rc;
}
