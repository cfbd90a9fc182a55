/* SPDX-License-Identifier: BSD-3-Clause */
/* resolv.conf, and each of its words as a name server by itself. */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "fuzz.h"
#include "lines.h"
#include "rconf.h"

struct seen {
	unsigned errors, told;
};

static void on_log(void *arg, int priority, const char *text)
{
	struct seen *seen = arg;

	FUZZ_CHECK(strncmp(text, "file:", 5) == 0);
	for (const char *p = text; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
	seen->errors += priority == LOG_ERR;
	seen->told++;
}

static void check_server(const struct rconf_server *server)
{
	const struct sockaddr *sa = &server->addr.sa;

	FUZZ_CHECK(memchr(server->device, '\0', sizeof(server->device)));
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *addr = &server->addr.in6.sin6_addr;

		FUZZ_CHECK(!IN6_IS_ADDR_UNSPECIFIED(addr) && !IN6_IS_ADDR_MULTICAST(addr) &&
			   !IN6_IS_ADDR_V4MAPPED(addr));
		FUZZ_CHECK(!*server->device || IN6_IS_ADDR_LINKLOCAL(addr));
		FUZZ_CHECK(server->addr.in6.sin6_port != 0);
	} else {
		FUZZ_CHECK(sa->sa_family == AF_INET && !*server->device);
		FUZZ_CHECK(server->addr.in4.sin_port != 0 && server->addr.in4.sin_addr.s_addr != 0);
	}
}

static void check(const struct rconf *conf)
{
	FUZZ_CHECK(conf->server_count <= RCONF_SERVERS_MAX);
	FUZZ_CHECK(conf->search_count <= RCONF_SEARCH_MAX);
	FUZZ_CHECK(conf->sort_count <= RCONF_SORTLIST_MAX);
	FUZZ_CHECK(conf->ndots <= 15 && conf->attempts >= 1 && conf->attempts <= 5);
	FUZZ_CHECK(conf->timeout_ms >= 1000 && conf->timeout_ms <= 30000);
	for (unsigned i = 0; i < conf->server_count; i++)
		check_server(&conf->servers[i]);
	for (unsigned i = 0; i < conf->search_count; i++)
		FUZZ_CHECK(conf->search[i].len >= 1 &&
			   conf->search[i].wire[conf->search[i].len - 1] == 0);
	for (unsigned i = 0; i < conf->sort_count; i++)
		FUZZ_CHECK((conf->sortlist[i].net & ~conf->sortlist[i].mask) == 0);
}

static void parse_words(const char *text, size_t len)
{
	struct span line, word;
	struct lines lines;

	for (lines_begin(&lines, text, len); lines_next(&lines, &line);) {
		while (line_word(&line, &word)) {
			struct rconf_server server = {.device = ""};
			char copy[128];

			if (span_text(&word, copy, sizeof(copy)) &&
				rconf_parse_server(&server, copy) == 0)
				check_server(&server);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rconf *conf = rconf_new(), *again = rconf_new();
	struct seen seen = {0, 0};
	char *twice = malloc(size + 3);
	int rc;

	FUZZ_CHECK(conf && again && twice);
	rc = rconf_parse(conf, (const char *)data, size, "file", on_log, &seen);
	FUZZ_CHECK(rc == 0 || rc == -EINVAL || rc == -EFBIG);
	FUZZ_CHECK((rc == 0) == (seen.errors == 0));
	if (rc == 0)
		check(conf);
	/* Comments around it mean nothing. */
	memcpy(twice, "#\n", 2);
	memcpy(twice + 2, data, size);
	FUZZ_CHECK(size > RCONF_FILE_MAX - 2 ||
		   rconf_parse(again, twice, size + 2, "file", NULL, NULL) == rc);
	if (rc == 0 && size <= RCONF_FILE_MAX - 2)
		FUZZ_CHECK(again->server_count == conf->server_count &&
			   again->ndots == conf->ndots &&
			   again->search_count == conf->search_count);
	free(twice);
	rconf_unref(again);
	rconf_unref(conf);
	parse_words((const char *)data, size);
	return 0;
}
