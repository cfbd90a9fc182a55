/* SPDX-License-Identifier: BSD-3-Clause */
/* Snapshots, and the text of a resolv.conf. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "rconf_private.h"

#define WORD_MAX 1100 /* of a word that is told, or is a name with escapes */
#define TEXT_MAX 1300
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct rconf *rconf_new(void)
{
	struct rconf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	atomic_init(&conf->refs, 1);
	conf->ndots = 1;
	conf->timeout_ms = 5000;
	conf->attempts = 2;
	conf->edns0 = true;
	return conf;
}

struct rconf *rconf_copy(const struct rconf *conf)
{
	const size_t behind_refs = offsetof(struct rconf, generation);
	struct rconf *copy = rconf_new();

	if (!copy || !conf)
		return copy;
	/* Others may be counting references meanwhile. */
	memcpy((char *)copy + behind_refs, (const char *)conf + behind_refs,
		sizeof(*copy) - behind_refs);
	copy->search = NULL;
	hosts_ref(copy->hosts);
	services_ref(copy->services);
	if (conf->search_count > 0) {
		copy->search = reallocarray(NULL, conf->search_count, sizeof(*copy->search));
		if (!copy->search) {
			rconf_unref(copy);
			return NULL;
		}
		memcpy(copy->search, conf->search, conf->search_count * sizeof(*copy->search));
	}
	return copy;
}

struct rconf *rconf_ref(struct rconf *conf)
{
	atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
	return conf;
}

void rconf_unref(struct rconf *conf)
{
	if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(conf->search);
	hosts_free(conf->hosts);
	services_free(conf->services);
	free(conf);
}

void rconf_tell(const struct rconf_report *report, int priority, const char *format, ...)
{
	char text[TEXT_MAX], place[TEXT_MAX];
	va_list ap;

	if (!report->log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (report->file && report->line)
		snprintf(place, sizeof(place), "%.200s:%u: %.1000s", report->file, report->line,
			text);
	else if (report->file)
		snprintf(place, sizeof(place), "%.200s: %.1000s", report->file, text);
	else
		snprintf(place, sizeof(place), "%.1000s", text);
	report->log(report->arg, priority, place);
}

int rconf_add_search(struct rconf *conf, const char *name)
{
	struct dns_name parsed, *longer;
	int rc = dns_name_parse(&parsed, name);

	if (rc < 0)
		return -EINVAL;
	if (conf->search_count == RCONF_SEARCH_MAX)
		return -ENOSPC;
	longer = reallocarray(conf->search, conf->search_count + 1, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	conf->search = longer;
	conf->search[conf->search_count++] = parsed;
	return 0;
}

/* ---- lines of a file; each 0, -EINVAL or -ENOMEM */

struct reader {
	struct rconf *conf;
	struct rconf_report report;
};

/* The next word, as a string; false at the end, or where a comment begins. *is_text: it is one. */
static bool next_word(struct span *line, char *text, size_t size, bool *is_text)
{
	struct span word;

	if (!line_word(line, &word) || *word.at == '#' || *word.at == ';')
		return false;
	*is_text = span_text(&word, text, size);
	if (!*is_text)
		snprintf(text, size, "(unreadable)");
	return true;
}

static int read_nameserver(struct reader *r, struct span line)
{
	char word[WORD_MAX], more[WORD_MAX];
	struct rconf_server server;
	bool is_text, is_more_text;

	if (!next_word(&line, word, sizeof(word), &is_text)) {
		rconf_tell(&r->report, LOG_ERR, "there is no address of a name server");
		return -EINVAL;
	}
	if (!is_text || rconf_parse_server(&server, word) < 0) {
		rconf_tell(&r->report, LOG_ERR, "'%s' is not the address of a name server", word);
		return -EINVAL;
	}
	if (next_word(&line, more, sizeof(more), &is_more_text)) {
		rconf_tell(&r->report, LOG_ERR, "'%s' stands behind a name server", more);
		return -EINVAL;
	}
	if (r->conf->server_count < RCONF_SERVERS_MAX)
		r->conf->servers[r->conf->server_count++] = server;
	else
		rconf_tell(&r->report, LOG_WARNING, "'%s' is one more than the %d that are used",
			word, RCONF_SERVERS_MAX);
	return 0;
}

static int read_names(struct reader *r, struct span line, unsigned max)
{
	char word[WORD_MAX];
	bool is_text;
	int rc;

	/* Of domain and search the last line counts, whatever it has. */
	r->conf->search_count = 0;
	for (unsigned i = 0; next_word(&line, word, sizeof(word), &is_text); i++) {
		rc = i >= max ? -ENOSPC : -EINVAL;
		if (i < max && is_text)
			rc = rconf_add_search(r->conf, word);
		if (rc == -ENOMEM)
			return rc;
		if (rc == -ENOSPC)
			rconf_tell(&r->report, LOG_WARNING, "'%s' is one domain too many", word);
		else if (rc < 0)
			rconf_tell(&r->report, LOG_WARNING, "'%s' is not a domain", word);
	}
	return 0;
}

static int read_domain(struct reader *r, struct span line)
{
	return read_names(r, line, 1);
}

static int read_search(struct reader *r, struct span line)
{
	return read_names(r, line, RCONF_SEARCH_MAX);
}

/* The mask of the classes that addresses had before RFC 1519. */
static uint32_t natural_mask(uint32_t net)
{
	uint32_t host = ntohl(net);

	if (IN_CLASSA(host))
		return htonl(IN_CLASSA_NET);
	return htonl(IN_CLASSB(host) ? IN_CLASSB_NET : IN_CLASSC_NET);
}

/* "130.155.160.0/255.255.240.0", "130.155.0.0/16", "130.155.0.0". */
static int parse_sort(struct rconf_sort *sort, char *text)
{
	char *slash = strpbrk(text, "/&");
	uint64_t bits;

	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, text, &sort->net) != 1)
		return -EINVAL;
	if (!slash)
		sort->mask = natural_mask(sort->net);
	else if (parse_u64(slash, 0, 32, &bits) == 0)
		sort->mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	else if (inet_pton(AF_INET, slash, &sort->mask) != 1)
		return -EINVAL;
	sort->net &= sort->mask;
	return 0;
}

static int read_sortlist(struct reader *r, struct span line)
{
	char word[WORD_MAX], copy[WORD_MAX];
	struct rconf_sort sort;
	bool is_text;

	while (next_word(&line, word, sizeof(word), &is_text)) {
		if (copy_str(copy, sizeof(copy), word) < 0 || parse_sort(&sort, copy) < 0)
			rconf_tell(&r->report, LOG_WARNING, "'%s' is not a network of IPv4", word);
		else if (r->conf->sort_count < RCONF_SORTLIST_MAX)
			r->conf->sortlist[r->conf->sort_count++] = sort;
		else
			rconf_tell(&r->report, LOG_WARNING, "'%s' is one network too many", word);
	}
	return 0;
}

static int read_options(struct reader *r, struct span line)
{
	rconf_read_options(r->conf, line, &r->report);
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, struct span line);
} keywords[] = {
	{"nameserver", read_nameserver},
	{"domain", read_domain},
	{"search", read_search},
	{"sortlist", read_sortlist},
	{"options", read_options},
};

static int read_line(struct reader *r, struct span line)
{
	char text[64];
	struct span word;

	if (!line_word(&line, &word) || *word.at == '#' || *word.at == ';')
		return 0;
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (span_is(&word, keywords[i].name))
			return keywords[i].read(r, line);
	if (!span_text(&word, text, sizeof(text)))
		snprintf(text, sizeof(text), "(unreadable)");
	rconf_tell(&r->report, LOG_WARNING, "'%s' is not known", text);
	return 0;
}

int rconf_parse(struct rconf *conf, const char *text, size_t len, const char *file,
	rconf_log_fn *log, void *arg)
{
	struct reader r = {conf, {file, 0, log, arg}};
	struct lines lines;
	struct span line;
	int rc = 0, one;

	if (len > RCONF_FILE_MAX) {
		rconf_tell(&r.report, LOG_ERR, "is longer than %u bytes", RCONF_FILE_MAX);
		return -EFBIG;
	}
	for (lines_begin(&lines, text, len); lines_next(&lines, &line);) {
		r.report.line = lines.number;
		one = read_line(&r, line);
		if (one == -ENOMEM)
			return one;
		if (one < 0)
			rc = one;
	}
	return rc;
}
