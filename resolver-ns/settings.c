/* SPDX-License-Identifier: BSD-3-Clause */
/* [Resolver] of a VS's file: one schema table, and what follows from it. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ini.h"
#include "network_words.h"
#include "parse.h"
#include "rconf.h"
#include "settings.h"
#include "vsreg.h"

#define SECTION "Resolver"
#define NETNS_DIR "/etc/netns" /* of ip-netns(8), wherever the rest of our files is */
#define CACHE_MIN (16u << 10)

enum guard { GUARD_AUTO, GUARD_YES, GUARD_NO };

struct settings {
	char **servers, **search, **binds;
	char *options, *resolv_conf, *hosts_file, *services_file, *device;
	unsigned cache_size, stale_seconds, in_flight, waiting;
	int guard; /* enum guard */
	bool random_case, prefetch;
	/* No settings: */
	char *netns_resolv_conf, *netns_hosts; /* NULL: none */
};

/* ---- single values */

static bool check_server(const char *value, char *reason, size_t size)
{
	struct rconf_server server;

	if (rconf_parse_server(&server, value) == 0)
		return true;
	snprintf(reason, size, "is not an address with or without a port");
	return false;
}

static bool check_domain(const char *value, char *reason, size_t size)
{
	struct dns_name name;

	if (dns_name_parse(&name, value) == 0)
		return true;
	snprintf(reason, size, "is not a domain");
	return false;
}

struct reason {
	char *text;
	size_t size;
};

static void take_reason(void *arg, int priority, const char *text)
{
	const struct reason *reason = arg;

	(void)priority;
	snprintf(reason->text, reason->size, "is refused: %s", text);
}

static bool check_options(const char *value, char *reason, size_t size)
{
	struct reason r = {reason, size};
	struct rconf conf = {.ndots = 0};

	return rconf_parse_options(&conf, value, NULL, 0, take_reason, &r) == 0;
}

/* AF_INET, AF_INET6, or AF_UNSPEC: it cannot be a source. */
static int source_family(const char *value)
{
	struct ip_prefix address;

	return words_address(&address, value) ? AF_UNSPEC : address.family;
}

static bool check_bind(const char *value, char *reason, size_t size)
{
	if (source_family(value) != AF_UNSPEC)
		return true;
	snprintf(reason, size, "is not the address of a host");
	return false;
}

static bool check_device(const char *value, char *reason, size_t size)
{
	char name[IF_NAMESIZE];
	const char *fault = *value ? words_device(name, value) : NULL;

	if (fault)
		snprintf(reason, size, "%s", fault);
	return !fault;
}

static bool check_cache_size(const char *value, char *reason, size_t size)
{
	uint64_t bytes;

	if (parse_u64(value, 1, CACHE_MIN - 1, &bytes) < 0)
		return true;
	snprintf(reason, size, "is neither 0 nor at least %u", CACHE_MIN);
	return false;
}

/* ---- the table */

static const char *const guards[] = {"auto", "yes", "no", NULL};

#define FIELD(f) offsetof(struct settings, f)

static const struct conf_item resolver_items[] = {
	{"Resolver", "Server", CONF_LIST, FIELD(servers), "", 0, RCONF_SERVERS_MAX, NULL,
		check_server, "name servers, in order, in place of those of ResolvConf"},
	{"Resolver", "Search", CONF_LIST, FIELD(search), "", 0, RCONF_SEARCH_MAX, NULL,
		check_domain, "domains to search, in place of those of ResolvConf"},
	{"Resolver", "Options", CONF_STR, FIELD(options), "", 0, INI_LINE_MAX, NULL, check_options,
		"as in resolv.conf(5), after those of ResolvConf"},
	{"Resolver", "ResolvConf", CONF_PATH, FIELD(resolv_conf), "", 0, 0, NULL, NULL,
		"as resolv.conf(5)"},
	{"Resolver", "HostsFile", CONF_PATH, FIELD(hosts_file), "", 0, 0, NULL, NULL,
		"as hosts(5)"},
	{"Resolver", "ServicesFile", CONF_PATH, FIELD(services_file), "", 0, 0, NULL, NULL,
		"as services(5); empty: a table that is built in"},
	{"Resolver", "BindAddress", CONF_LIST, FIELD(binds), "", 0, 2, NULL, check_bind,
		"source of queries, one for IPv4 and one for IPv6"},
	{"Resolver", "Device", CONF_STR, FIELD(device), "", 0, IF_NAMESIZE - 1, NULL, check_device,
		"the device by which queries leave"},
	{"Resolver", "CacheSize", CONF_UINT, FIELD(cache_size), "1048576", 0, 1u << 30, NULL,
		check_cache_size, "bytes; 0: nothing is kept"},
	{"Resolver", "StaleSeconds", CONF_UINT, FIELD(stale_seconds), "0", 0, 604800, NULL, NULL,
		"how long an expired answer may be given when no server answers"},
	{"Resolver", "Prefetch", CONF_BOOL, FIELD(prefetch), "yes", 0, 0, NULL, NULL,
		"ask anew shortly before an answer that is in use expires"},
	{"Resolver", "InFlight", CONF_UINT, FIELD(in_flight), "256", 1, 1024, NULL, NULL,
		"queries under way at once"},
	{"Resolver", "Waiting", CONF_UINT, FIELD(waiting), "16384", 1, 1u << 20, NULL, NULL,
		"queries that wait for their turn beyond"},
	{"Resolver", "Guard", CONF_ENUM, FIELD(guard), "auto", 0, 0, guards, NULL,
		"drop answers in loopback or in other VSs' addresses; auto: only of mark VSs"},
	{"Resolver", "RandomCase", CONF_BOOL, FIELD(random_case), "no", 0, 0, NULL, NULL,
		"ask in letters of random case, which the answer must have, too"},
	{.section = NULL},
};

static const char *const foreign[] = {"VirtualServer", "Network", "Rpcbind", "Time", NULL};

const struct conf_schema settings_schema = {.items = resolver_items, .foreign = foreign};

/* ---- reading */

struct report {
	settings_log_fn *log;
	void *arg;
	const char *vs;
};

/* Fits ini_error_fn. */
static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	struct report *r = arg;
	char whole[1024];

	if (!r->log)
		return;
	snprintf(whole, sizeof(whole), "%.300s:%u: %.700s", file ? file : "", line, text);
	r->log(r->arg, LOG_ERR, r->vs, whole);
}

static int add_setting(
	const char *key, const char *value, const char *file, unsigned line, void *arg)
{
	const struct ini_setting setting = {SECTION, key, value, file, line};

	return ini_doc_add(arg, &setting);
}

/* One for each family. */
static int check_families(const struct ini_doc *doc, ini_error_fn *error, void *arg)
{
	bool has_in4 = false, has_in6 = false;
	int rc = 0;

	for (size_t i = 0; i < ini_doc_count(doc); i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		int family = source_family(s->value);
		bool *has = family == AF_INET ? &has_in4 : &has_in6;

		if (strcmp(s->section, SECTION) != 0 || strcmp(s->key, "BindAddress") != 0)
			continue;
		if (!*s->value) /* empties the list */
			has_in4 = has_in6 = false;
		if (family == AF_UNSPEC)
			continue;
		if (*has && error)
			error(arg, s->file, s->line,
				"BindAddress has an address of that version of IP already");
		if (*has)
			rc = -EINVAL;
		*has = true;
	}
	return rc;
}

/* Into *s, which is zeroed. */
static int apply(struct settings *s, const struct ini_doc *doc, ini_error_fn *error, void *arg)
{
	int families, rc = conf_defaults(&settings_schema, s);

	if (rc == 0)
		rc = conf_apply(&settings_schema, s, doc, error, arg);
	if (rc == -ENOMEM)
		return rc;
	families = check_families(doc, error, arg);
	return rc < 0 ? rc : families;
}

int settings_check(const struct ini_doc *doc, ini_error_fn *error, void *arg)
{
	struct settings s = {.servers = NULL};
	int rc = apply(&s, doc, error, arg);

	conf_clear(&settings_schema, &s);
	return rc;
}

/* What ip-netns(8) would put in the place of the host's files. */
static int set_defaults(struct settings *s, const struct vs *vs)
{
	const char *name = vs_name(vs);

	if (vs_flavour(vs) != VS_NAMESPACE || vs_is_host(vs))
		return 0;
	if (asprintf(&s->netns_resolv_conf, NETNS_DIR "/%s/resolv.conf", name) < 0) {
		s->netns_resolv_conf = NULL;
		return -ENOMEM;
	}
	if (asprintf(&s->netns_hosts, NETNS_DIR "/%s/hosts", name) < 0) {
		s->netns_hosts = NULL;
		return -ENOMEM;
	}
	return 0;
}

int settings_read(struct settings **settings, struct vs *vs, settings_log_fn *log, void *log_arg)
{
	struct report report = {log, log_arg, vs_name(vs)};
	struct settings *s = calloc(1, sizeof(*s));
	struct ini_doc *doc = ini_doc_new();
	int rc = s && doc ? vs_settings(vs, SECTION, add_setting, doc) : -ENOMEM;

	if (rc == 0)
		rc = apply(s, doc, on_error, &report);
	if (rc == 0)
		rc = set_defaults(s, vs);
	ini_doc_free(doc);
	if (rc < 0) {
		settings_free(s);
		return rc;
	}
	*settings = s;
	return 0;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	conf_clear(&settings_schema, s);
	free(s->netns_resolv_conf);
	free(s->netns_hosts);
	free(s);
}

/* ---- what a context is opened with */

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static const char *const *list_or_null(char *const *list)
{
	return list && list[0] ? (const char *const *)list : NULL;
}

static void set_files(const struct settings *s, struct vsresolv_config *config)
{
	if (!config->servers)
		config->servers = list_or_null(s->servers);
	if (!config->search)
		config->search = list_or_null(s->search);
	if (!config->options)
		config->options = or_null(s->options);
	if (!config->resolv_conf)
		config->resolv_conf = or_null(s->resolv_conf);
	if (!config->resolv_conf && !config->servers)
		config->resolv_conf = s->netns_resolv_conf;
	if (!config->hosts_file)
		config->hosts_file = or_null(s->hosts_file);
	if (!config->hosts_file)
		config->hosts_file = s->netns_hosts;
	if (!config->services_file)
		config->services_file = or_null(s->services_file);
}

static void set_place(const struct settings *s, struct vsresolv_config *config)
{
	if (!config->device)
		config->device = or_null(s->device);
	for (size_t i = 0; s->binds && s->binds[i]; i++) {
		const char **field =
			source_family(s->binds[i]) == AF_INET ? &config->bind4 : &config->bind6;

		if (!*field)
			*field = s->binds[i];
	}
}

static void set_flags(const struct settings *s, struct vsresolv_config *config)
{
	if (!(config->flags & (VSRESOLV_GUARD | VSRESOLV_NO_GUARD))) {
		if (s->guard == GUARD_YES)
			config->flags |= VSRESOLV_GUARD;
		else if (s->guard == GUARD_NO)
			config->flags |= VSRESOLV_NO_GUARD;
	}
	if (s->random_case)
		config->flags |= VSRESOLV_0X20;
	if (!s->prefetch)
		config->flags |= VSRESOLV_NO_PREFETCH;
	if (s->cache_size == 0 && config->cache_bytes == 0)
		config->flags |= VSRESOLV_NO_CACHE;
}

void settings_config(const struct settings *s, struct vsresolv_config *config)
{
	set_files(s, config);
	set_place(s, config);
	set_flags(s, config);
	if (config->cache_bytes == 0)
		config->cache_bytes = s->cache_size;
	if (config->stale_seconds == 0)
		config->stale_seconds = s->stale_seconds;
	if (config->in_flight == 0)
		config->in_flight = s->in_flight;
	if (config->waiting == 0)
		config->waiting = s->waiting;
}
