/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks out of texts, for tests. */
#ifndef NSAUX_TESTS_NETWORK_TEXT_H
#define NSAUX_TESTS_NETWORK_TEXT_H

#include <stdio.h>
#include <string.h>

#include "t.h"
#include "network.h"

#define NS "[Network]\n"
#define MARK "[VirtualServer]\nFlavour=mark\nMark=7\n[Network]\n"

struct told {
	char text[4096];
};

static inline void note(void *arg, const char *file, unsigned line, const char *text)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%s:%u: %s\n", file ? file : "-", line,
		text);
}

/* One setting a line: "Key=value" in the section that the last "[Section]" began. */
static inline struct ini_doc *doc_of(const char *text)
{
	struct ini_setting s = {.section = "", .file = "t.conf", .line = 0};
	struct ini_doc *doc = ini_doc_new();
	char copy[8192], *rest = copy, *line, *equals;

	assert_non_null(doc);
	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	while ((line = strsep(&rest, "\n"))) {
		s.line++;
		if (*line == '[') {
			line[strlen(line) - 1] = '\0';
			s.section = line + 1;
		} else if ((equals = strchr(line, '='))) {
			*equals = '\0';
			s.key = line;
			s.value = equals + 1;
			assert_int_equal(ini_doc_add(doc, &s), 0);
		}
	}
	return doc;
}

struct parsed {
	struct ini_doc *doc;
	struct network *network;
};

static inline struct parsed parse(const char *text)
{
	struct parsed p = {.doc = doc_of(text)};
	struct told told = {""};
	int rc = network_parse(&p.network, p.doc, note, &told);

	assert_string_equal(told.text, "");
	assert_int_equal(rc, 0);
	return p;
}

static inline void drop(struct parsed p)
{
	network_free(p.network);
	ini_doc_free(p.doc);
}

#endif
