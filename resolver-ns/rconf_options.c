/* SPDX-License-Identifier: BSD-3-Clause */
/* The line `options` of resolv.conf(5). */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "rconf_private.h"

#define OPTION_MAX 64

static void set_ndots(struct rconf *conf, unsigned n)
{
	conf->ndots = n < 15 ? n : 15;
}

/* With 0 glibc waits a second, too. */
static void set_timeout(struct rconf *conf, unsigned n)
{
	if (n < 1)
		n = 1;
	conf->timeout_ms = (n < 30 ? n : 30) * 1000;
}

static void set_attempts(struct rconf *conf, unsigned n)
{
	if (n < 1)
		n = 1;
	conf->attempts = n < 5 ? n : 5;
}

/* As resolv.conf(5) has it, a number that is too large is cut to the largest without a word. */
static const struct {
	const char *name;
	void (*set)(struct rconf *conf, unsigned n);
} numbers[] = {
	{"ndots:", set_ndots},
	{"timeout:", set_timeout},
	{"attempts:", set_attempts},
};

#define FLAG(f) offsetof(struct rconf, f)

static const struct {
	const char *name;
	size_t offset;
	bool value;
} flags[] = {
	{"rotate", FLAG(rotate), true},
	{"edns0", FLAG(edns0), true},
	{"no-edns0", FLAG(edns0), false},
	{"trust-ad", FLAG(trust_ad), true},
	{"use-vc", FLAG(use_vc), true},
	{"no-aaaa", FLAG(no_aaaa), true},
	{"single-request", FLAG(single_request), true},
	{"no-tld-query", FLAG(no_tld_query), true},
	{"no-reload", FLAG(no_reload), true},
};

/* Without a meaning here, or anywhere by now. Each query has a port of its own anyway, which is
 * what single-request-reopen asks for. */
static const char *const idle[] = {"debug", "inet6", "ip6-bytestring", "ip6-dotint",
	"no-ip6-dotint", "no-check-names", "single-request-reopen"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -ENOENT: there is no such option; -EINVAL: its number is none. */
static int set_number(struct rconf *conf, const char *option)
{
	uint64_t n;
	int rc;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		size_t len = strlen(numbers[i].name);

		if (strncmp(option, numbers[i].name, len) != 0)
			continue;
		rc = parse_u64(option + len, 0, UINT16_MAX, &n);
		if (rc == -ERANGE)
			n = UINT16_MAX;
		else if (rc < 0)
			return -EINVAL;
		numbers[i].set(conf, (unsigned)n);
		return 0;
	}
	return -ENOENT;
}

static int set_option(struct rconf *conf, const char *option)
{
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (strcmp(option, flags[i].name) == 0) {
			*(bool *)((char *)conf + flags[i].offset) = flags[i].value;
			return 0;
		}
	}
	for (size_t i = 0; i < COUNT(idle); i++)
		if (strcmp(option, idle[i]) == 0)
			return 0;
	return set_number(conf, option);
}

int rconf_read_options(struct rconf *conf, struct span line, const struct rconf_report *report)
{
	char option[OPTION_MAX];
	struct span word;
	int rc = 0;

	while (line_word(&line, &word)) {
		int one = -ENOENT;

		if (word.at[0] == '#' || word.at[0] == ';')
			break;
		if (span_text(&word, option, sizeof(option)))
			one = set_option(conf, option);
		else
			snprintf(option, sizeof(option), "(unreadable)");
		if (one == -ENOENT)
			rconf_tell(report, LOG_WARNING, "option '%s' is not known", option);
		else if (one < 0)
			rconf_tell(report, LOG_WARNING, "option '%s' has no number", option);
		if (one < 0)
			rc = -EINVAL;
	}
	return rc;
}

int rconf_parse_options(struct rconf *conf, const char *text, const char *file, unsigned line,
	rconf_log_fn *log, void *arg)
{
	const struct rconf_report report = {file, line, log, arg};

	return rconf_read_options(conf, (struct span){text, strlen(text)}, &report);
}
