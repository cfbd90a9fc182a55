/* SPDX-License-Identifier: BSD-3-Clause */
/* What a source was given instead of a file, or beside it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rconf_private.h"
#include "source_private.h"

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

/* Of NULL there is no copy. What there is after an error is free_strings()'. */
static int copy_strings(char ***copy, const char *const *strings)
{
	size_t count = 0;

	if (!strings)
		return 0;
	while (strings[count])
		count++;
	*copy = calloc(count + 1, sizeof(**copy));
	if (!*copy)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		(*copy)[i] = strdup(strings[i]);
		if (!(*copy)[i])
			return -ENOMEM;
	}
	return 0;
}

static int apply_servers(
	const struct source_parameters *p, struct rconf *conf, const struct rconf_report *report)
{
	int rc = 0;

	if (!p->servers)
		return 0;
	conf->server_count = 0;
	for (size_t i = 0; p->servers[i]; i++) {
		struct rconf_server server;
		int one = rconf_parse_server(&server, p->servers[i]);

		if (one < 0)
			rconf_tell(report, LOG_ERR, "'%s' is not the address of a name server",
				p->servers[i]);
		else if (conf->server_count == RCONF_SERVERS_MAX)
			rconf_tell(report, LOG_ERR, "there are more than %d name servers",
				RCONF_SERVERS_MAX);
		else
			conf->servers[conf->server_count++] = server;
		if (one < 0 || i >= RCONF_SERVERS_MAX)
			rc = -EINVAL;
	}
	return rc;
}

static int apply_search(
	const struct source_parameters *p, struct rconf *conf, const struct rconf_report *report)
{
	int rc = 0;

	if (!p->search)
		return 0;
	conf->search_count = 0;
	for (size_t i = 0; p->search[i]; i++) {
		int one = rconf_add_search(conf, p->search[i]);

		if (one == -ENOMEM)
			return one;
		if (one < 0)
			rconf_tell(report, LOG_ERR, "'%s' %s", p->search[i],
				one == -ENOSPC ? "is one domain too many" : "is not a domain");
		if (one < 0)
			rc = -EINVAL;
	}
	return rc;
}

int source_parameters_apply(
	const struct source_parameters *p, struct rconf *conf, rconf_log_fn *log)
{
	const struct rconf_report report = {NULL, 0, log, p->log_arg};
	int servers = apply_servers(p, conf, &report), search = apply_search(p, conf, &report);
	int options =
		p->options ? rconf_parse_options(conf, p->options, NULL, 0, log, p->log_arg) : 0;

	if (servers < 0)
		return servers;
	return search < 0 ? search : options;
}

int source_parameters_copy(struct source_parameters *p, const struct source_config *config)
{
	int rc = copy_strings(&p->servers, config->servers);

	p->log = config->log;
	p->log_arg = config->log_arg;
	if (rc == 0)
		rc = copy_strings(&p->search, config->search);
	if (rc == 0 && config->options) {
		p->options = strdup(config->options);
		rc = p->options ? 0 : -ENOMEM;
	}
	return rc;
}

void source_parameters_clear(struct source_parameters *p)
{
	free_strings(p->servers);
	free_strings(p->search);
	free(p->options);
}
