/* SPDX-License-Identifier: BSD-3-Clause */
/* The search list, in the order in which glibc goes through it. */
#include "config.h"

#include <string.h>

#include "front.h"

static bool is_host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool front_is_hostlike(const struct dns_name *name)
{
	const uint8_t *p = name->wire, *end = name->wire + name->len;
	uint8_t i, len;

	if (name->len < 3 || p[1] == '-')
		return false;
	while (p < end && (len = *p++) != 0) {
		for (i = 0; i < len && p < end; i++)
			if (!is_host_byte(*p++))
				return false;
	}
	return true;
}

static unsigned count_dots(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '.';
	return n;
}

int front_search_begin(struct front_search *search, const struct rconf *conf, const char *node)
{
	size_t len = strlen(node);
	unsigned dots = count_dots(node);
	bool absolute = len && node[len - 1] == '.';

	if (strchr(node, '\\') || dns_name_parse(&search->node, node) < 0 ||
		!front_is_hostlike(&search->node))
		return EAI_NONAME;
	search->at = 0;
	search->as_is_done = false;
	search->end = absolute ? 0 : conf->search_count;
	search->as_is_first = absolute || dots >= conf->ndots;
	search->as_is_last = !search->as_is_first &&
			     (dots || !conf->search_count || !conf->no_tld_query);
	return 0;
}

static bool take_as_is(struct front_search *search, struct dns_name *name)
{
	search->as_is_first = false;
	search->as_is_last = false;
	search->as_is_done = true;
	*name = search->node;
	dns_name_lower(name);
	return true;
}

bool front_search_next(struct front_search *search, const struct rconf *conf,
	struct dns_name *name)
{
	const struct dns_name *suffix;

	if (search->as_is_first)
		return take_as_is(search, name);
	while (search->at < search->end) {
		suffix = &conf->search[search->at++];
		/* The root in a search list is the name as it is, which is asked once. */
		if (suffix->len == 1 && !search->as_is_done)
			return take_as_is(search, name);
		*name = search->node;
		if (suffix->len == 1 || dns_name_append(name, suffix) < 0)
			continue;
		dns_name_lower(name);
		return true;
	}
	return search->as_is_last && take_as_is(search, name);
}

void front_search_last(struct front_search *search)
{
	search->at = search->end;
}
