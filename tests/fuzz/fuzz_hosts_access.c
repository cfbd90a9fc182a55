/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hosts.allow, hosts.deny, and access rules. The input is a byte, and the text of a file. Every
 * rule that is made must be one; an error must have been told.
 */
#include <string.h>

#include "fuzz.h"
#include "rpcbind-ns/access.h"
#include "rpcbind-ns/hosts_access.h"

static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	unsigned *errors = arg;

	FUZZ_CHECK(!strcmp(file, "file"));
	FUZZ_CHECK(line > 0);
	for (; *text; text++)
		FUZZ_CHECK(*text >= 0x20 && *text <= 0x7e);
	++*errors;
}

static void check_file(bool allow, const char *text, size_t size)
{
	unsigned errors = 0;
	const struct hosts_file file = {"file", allow, on_error, &errors};
	struct ini_doc *doc = ini_doc_new();
	struct access_rule rule;
	char reason[256];
	int rc;

	FUZZ_CHECK(doc);
	rc = hosts_access_parse(&file, text, size, doc);
	FUZZ_CHECK((rc != 0) == (errors > 0));
	FUZZ_CHECK(ini_doc_count(doc) <= HOSTS_RULES_MAX);
	for (size_t i = 0; i < ini_doc_count(doc); i++)
		FUZZ_CHECK(access_parse(ini_doc_get(doc, i)->value, &rule, reason,
				   sizeof(reason)) == 0);
	ini_doc_free(doc);
}

static void check_rule(const char *text, size_t size)
{
	struct uaddr peer = {.family = AF_INET};
	char *line = malloc(size + 1), reason[64];
	struct access_rule rule;

	FUZZ_CHECK(line);
	memcpy(line, text, size);
	line[size] = '\0';
	if (access_parse(line, &rule, reason, sizeof(reason)) == 0) {
		FUZZ_CHECK(rule.bits <= 128 && rule.procs);
		memcpy(peer.addr, rule.addr, sizeof(peer.addr));
		peer.family = rule.family == AF_UNSPEC ? AF_INET : rule.family;
		if (rule.procs == UINT32_MAX)
			FUZZ_CHECK(access_allows(&rule, 1, &peer, 4) == rule.allow);
	}
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (size < 1)
		return 0;
	copy = malloc(size);
	FUZZ_CHECK(copy);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 2)
		check_rule(copy, size - 1);
	else
		check_file(data[0] & 1, copy, size - 1);
	free(copy);
	return 0;
}
