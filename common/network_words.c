/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of a value in [Network], and what is the same in several of its languages. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "network_words.h"
#include "parse.h"

#define BLANKS " \t"

bool words_refuse(struct words *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->reason, w->size, format, ap);
	va_end(ap);
	return false;
}

void words_next(struct words *w, char *word)
{
	size_t len;

	w->at += strspn(w->at, BLANKS);
	len = strcspn(w->at, BLANKS);
	snprintf(word, WORD_MAX, "%.*s", len < WORD_MAX ? (int)len : WORD_MAX - 1, w->at);
	w->at += len;
}

bool words_options(struct words *w, const struct option *options, void *object)
{
	char word[WORD_MAX], value[WORD_MAX] = "";
	const struct option *o;
	const char *fault;
	unsigned seen = 0;

	for (words_next(w, word); *word; words_next(w, word)) {
		for (o = options; o->word && strcmp(o->word, word) != 0; o++)
			;
		if (!o->word)
			return words_refuse(w, "has '%s', which is not understood there", word);
		if (seen & 1u << (o - options))
			return words_refuse(w, "has '%s' twice", word);
		seen |= 1u << (o - options);
		value[0] = '\0';
		if (!o->is_alone)
			words_next(w, value);
		if (!o->is_alone && !*value)
			return words_refuse(w, "ends after '%s'", word);
		fault = o->set(object, value);
		if (fault)
			return words_refuse(w, "has %s '%s', which %s", word, value, fault);
	}
	return true;
}

/* ---- what words mean */

/* Of these the kernel takes '%' for a template and refuses the others; blanks cannot be here. */
const char *words_device(char *name, const char *value)
{
	for (const char *p = value; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("/:%", *p))
			return "cannot be the name of a device";
	}
	if (*value == '\0' || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return "cannot be the name of a device";
	return copy_str(name, IF_NAMESIZE, value) < 0 ? "is longer than 15 bytes" : NULL;
}

bool words_is_unicast(const struct ip_prefix *p)
{
	static const uint8_t any[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(p->bytes, any, sizeof(any)) == 0)
		return false;
	if (p->family == AF_INET)
		return p->bytes[0] < 224;
	return p->bytes[0] != 0xff && memcmp(p->bytes, mapped, sizeof(mapped)) != 0;
}

const char *words_address(struct ip_prefix *address, const char *value)
{
	struct ip_prefix p;

	if (ip_prefix_parse(value, &p) < 0 || strchr(value, '/'))
		return "is not an IP address";
	if (!words_is_unicast(&p))
		return "is not the address of one host";
	*address = p;
	return NULL;
}

const char *words_network(struct ip_prefix *network, const char *value)
{
	struct ip_prefix p;

	if (ip_prefix_parse(value, &p) < 0)
		return "is not an IP network";
	if (ip_prefix_has_host_bits(&p))
		return "has bits behind its length";
	*network = p;
	return NULL;
}

const char *words_number(const char *value, uint64_t min, uint64_t max, uint32_t *number)
{
	uint64_t n;

	if (parse_u64(value, min, max, &n) < 0)
		return "is not a number that is allowed there";
	*number = (uint32_t)n;
	return NULL;
}

bool network_read_number(const char *value, uint32_t *number)
{
	uint64_t n;
	int rc;

	if (value[0] == '0' && value[1] == 'x')
		rc = parse_hex(value + 2, 1, UINT32_MAX, &n);
	else
		rc = parse_u64(value, 1, UINT32_MAX, &n);
	if (rc == 0)
		*number = (uint32_t)n;
	return rc == 0;
}
