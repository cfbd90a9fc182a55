/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and daemon lists; the patterns of clients are in hosts_pattern.c. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosts_access.h"
#include "hosts_pattern.h"
#include "read_file.h"

#define DAEMON "rpcbind"
#define SEPARATORS ", \t\r\n"
#define BLANKS " \t\r\n"
#define TEXT_MAX 512

struct parser {
	const struct hosts_file *file;
	struct ini_doc *doc;
	const char *at, *end;
	unsigned line;      /* lines read so far */
	unsigned first;     /* where the line at hand starts */
	const char *broken; /* why tcp_wrappers does not read the line at hand; NULL: it does */
	bool has_nul;
	int rc;             /* the first error */
	char text[HOSTS_LINE_MAX + 1];
};

static const char *file_key(const struct hosts_file *file)
{
	return file->allow ? "HostsAllow" : "HostsDeny";
}

__attribute__((format(printf, 2, 3))) static void tell(struct parser *p, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* The file may hold anything, and a terminal shows the message. */
	for (char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	p->rc = p->rc ? p->rc : -EINVAL;
	if (p->file->error)
		p->file->error(p->file->arg, p->file->path, p->first, text);
}

/* What stands in a line that is about rpcbind and cannot be followed. */
static void refuse(struct parser *p, const char *word, const char *why)
{
	tell(p, "'%.100s' %s: put what is meant into Access= of vs.d/host.conf, and set %s= empty",
		word, why, file_key(p->file));
}

/* One line of the file, of those that a backslash joins. */
static size_t take_piece(struct parser *p, size_t len, const char *piece, size_t n)
{
	size_t room = HOSTS_LINE_MAX - len;

	if (memchr(piece, '\0', n))
		p->has_nul = true;
	if (n > room) {
		p->broken = "is too long";
		n = room;
	}
	memcpy(p->text + len, piece, n);
	return len + n;
}

static bool next_line(struct parser *p)
{
	size_t len = 0;
	bool more = true;

	if (p->at == p->end)
		return false;
	p->first = p->line + 1;
	p->broken = NULL;
	p->has_nul = false;
	while (more && p->at < p->end) {
		const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
		size_t n = (size_t)((newline ? newline : p->end) - p->at);
		more = newline && n > 0 && p->at[n - 1] == '\\';
		len = take_piece(p, len, p->at, n);
		/* The backslash took its place in the buffer before it was removed. */
		if (more && !p->broken)
			len--;
		p->at += newline ? n + 1 : n;
		p->line++;
		if (!p->broken && (!newline || (more && p->at == p->end)))
			p->broken = "does not end with a newline";
	}
	p->text[len] = '\0';
	return true;
}

/* Cuts the next word out of the list, NULL at its end. */
static char *next_word(char **list)
{
	char *word = *list + strspn(*list, SEPARATORS);
	size_t len = strcspn(word, SEPARATORS);

	*list = word + len;
	if (!len)
		return NULL;
	if (word[len]) {
		word[len] = '\0';
		(*list)++;
	}
	return word;
}

static bool glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || !strncasecmp(pattern, text, 1)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool is_about_us(const char *process)
{
	if (strpbrk(process, "*?"))
		return glob_matches(process, DAEMON);
	return !strcasecmp(process, "ALL") || !strcasecmp(process, "KNOWN") ||
	       !strcasecmp(process, DAEMON);
}

/* "process" or "process@server". False as well when it was told that the line is refused. */
static bool daemon_matches(struct parser *p, char *word)
{
	char *host = strchr(word + 1, '@');

	if (host)
		*host++ = '\0';
	if (!is_about_us(word))
		return false;
	if (!host || !strcasecmp(host, "ALL"))
		return true;
	refuse(p, host, "is an address or name of the server");
	return false;
}

/* "a EXCEPT b EXCEPT c" is "a EXCEPT (b EXCEPT c)". */
static bool daemons_match(struct parser *p, char *list)
{
	bool wanted = true, found = false;
	char *word;

	while ((word = next_word(&list))) {
		if (!strcasecmp(word, "EXCEPT")) {
			if (!found)
				return !wanted;
			wanted = !wanted;
			found = false;
		} else if (daemon_matches(p, word)) {
			found = true;
		}
	}
	return found ? wanted : !wanted;
}

/* Where the client list ends: at a ':' that is in no IPv6 address. Cuts it, and gives what follows,
 * or NULL. */
static char *cut_clients(char *list)
{
	bool inside = false;

	for (char *c = list; *c; c++) {
		if (*c == '[' || *c == ']')
			inside = *c == '[';
		if (*c == ':' && !inside) {
			*c = '\0';
			return c + 1;
		}
	}
	return NULL;
}

/* The rest of a line: nothing, "allow" or "deny". */
static bool parse_option(struct parser *p, char *option, bool *allow)
{
	size_t len;

	*allow = p->file->allow;
	if (!option)
		return true;
	option += strspn(option, BLANKS);
	len = strlen(option);
	while (len > 0 && strchr(BLANKS, option[len - 1]))
		option[--len] = '\0';
	if (strcasecmp(option, "allow") && strcasecmp(option, "deny")) {
		refuse(p, option, "is a shell command or an option other than allow and deny");
		return false;
	}
	*allow = !strcasecmp(option, "allow");
	return true;
}

static int add_rule(struct parser *p, bool allow, const char *address)
{
	/* Short, so that all of them fit into one message to the server. */
	const char *name = p->file->allow ? "hosts.allow" : "hosts.deny";
	char rule[128];
	const struct ini_setting s = {"Rpcbind", "Access", rule, name, p->first};

	if (ini_doc_count(p->doc) >= HOSTS_RULES_MAX) {
		tell(p, "more than %d addresses for " DAEMON " in hosts.allow and hosts.deny",
			HOSTS_RULES_MAX);
		return -EINVAL;
	}
	snprintf(rule, sizeof(rule), "%s all %s", allow ? "allow" : "deny", address);
	return ini_doc_add(p->doc, &s);
}

static int parse_clients(struct parser *p, char *list)
{
	char address[HOSTS_ADDRESS_MAX], *word;
	const char *why;
	bool allow;
	int rc = 0;

	if (!parse_option(p, cut_clients(list), &allow))
		return 0;
	while (!rc && (word = next_word(&list))) {
		why = hosts_pattern(word, address);
		if (why)
			refuse(p, word, why);
		else
			rc = add_rule(p, allow, address);
		if (why && !strcasecmp(word, "EXCEPT"))
			return 0;
	}
	return rc;
}

/* tcp_wrappers takes a line of hosts.deny that it cannot read for a match of everybody, and
 * passes over one of hosts.allow. */
static bool is_readable(struct parser *p, bool about_us)
{
	if (p->has_nul)
		tell(p, "NUL byte");
	else if (p->broken && (about_us || !p->file->allow))
		tell(p, "the line %s: tcp_wrappers %s", p->broken,
			p->file->allow ? "passes over it" : "denies everybody for that");
	else
		return true;
	return false;
}

/* 0, or an error that ends the reading. As in tcp_wrappers a line without a ':' is passed over. */
static int parse_line(struct parser *p)
{
	char *colon = strchr(p->text, ':');
	bool about_us = false;

	if (colon && p->text[0] != '#') {
		*colon = '\0';
		about_us = daemons_match(p, p->text);
	}
	if (!is_readable(p, about_us) || !about_us)
		return 0;
	return parse_clients(p, colon + 1);
}

int hosts_access_parse(
	const struct hosts_file *file, const char *text, size_t len, struct ini_doc *doc)
{
	struct parser *p = malloc(sizeof(*p));
	int rc = p ? 0 : -ENOMEM;

	if (rc)
		return rc;
	*p = (struct parser){.file = file, .doc = doc, .at = text, .end = text + len};
	while (!rc && next_line(p))
		rc = parse_line(p);
	rc = rc ? rc : p->rc;
	free(p);
	return rc;
}

int hosts_access_read(const struct hosts_file *file, struct ini_doc *doc)
{
	const char *why;
	uint8_t *text;
	size_t len;
	int rc = read_file(file->path, HOSTS_FILE_MAX, &text, &len);

	if (rc == -ENOENT)
		return 0;
	if (rc) {
		why = rc == -EINVAL ? "not a regular file" : strerror(-rc);
		if (file->error)
			file->error(file->arg, file->path, 0, why);
		return rc;
	}
	rc = hosts_access_parse(file, (const char *)text, len, doc);
	free(text);
	return rc;
}
