/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "bind.h"
#include "hosts_access.h"
#include "parse.h"
#include "settings.h"

/* The name of the abstract socket is a convention between libtirpc, the kernel and us, not a
 * path that could be moved: see rpcb_prot.h of libtirpc 1.3.5. */
#define ABSTRACT_NAME "/run/rpcbind.sock"
#define RATE_MAX 1000000000

static bool check_user(const char *value, char *reason, size_t size)
{
	uid_t uid;

	if (parse_uid(value, &uid) == 0)
		return true;
	snprintf(reason, size, "is not a user here");
	return false;
}

static bool check_access(const char *value, char *reason, size_t size)
{
	struct access_rule rule;

	return access_parse(value, &rule, reason, size) == 0;
}

#define FIELD(f) offsetof(struct rpcbind_conf, f)

static const struct conf_item items[] = {
	DAEMON_CONF_ITEMS,
	{"Rpcbind", "Socket", CONF_PATH, FIELD(socket), "/run/rpcbind.sock", 0, 107, NULL, NULL,
		"local socket for all virtual servers; empty: none"},
	{"Rpcbind", "AbstractSocket", CONF_BOOL, FIELD(abstract), "yes", 0, 0, NULL, NULL,
		"the abstract socket @/run/rpcbind.sock in every virtual server"},
	{"Rpcbind", "LockFile", CONF_PATH, FIELD(lock_file), "/run/rpcbind.lock", 0, 0, NULL, NULL,
		"locked while the host is served, as other rpcbinds do; empty: none"},
	{"Rpcbind", "Netconfig", CONF_PATH, FIELD(netconfig), "/etc/netconfig", 0, 0, NULL, NULL,
		"netconfig(5) that names the transports; empty or no such file: all"},
	{"Rpcbind", "Port", CONF_UINT, FIELD(port), "111", 1, 65535, NULL, NULL,
		"UDP and TCP port in every virtual server"},
	{"Rpcbind", "WarmStart", CONF_BOOL, FIELD(warm_start), "no", 0, 0, NULL, NULL,
		"import stock's warm-start files into the VS host"},
	{"Rpcbind", "WarmStartDirectory", CONF_PATH, FIELD(warm_start_dir), "/run/rpcbind", 1, 0,
		NULL, NULL, "where stock's warm-start files are"},
	{"Rpcbind", "GhostInterval", CONF_UINT, FIELD(ghost_interval), "30", 1, 86400, NULL, NULL,
		"seconds for which nobody listens before a registration is marked"},
	{"Rpcbind", "Insecure", CONF_BOOL, FIELD(insecure), "no", 0, 0, NULL, NULL,
		"SET and UNSET from any host; default of the virtual servers"},
	{"Rpcbind", "RemoteCalls", CONF_BOOL, FIELD(remote_calls), "no", 0, 0, NULL, NULL,
		"CALLIT, BCAST and INDIRECT; default of the virtual servers"},
	{"Rpcbind", "UdpDump", CONF_BOOL, FIELD(udp_dump), "no", 0, 0, NULL, NULL,
		"DUMP and GETSTAT over UDP from other hosts; default of the virtual servers"},
	{"Rpcbind", "AmplificationRate", CONF_UINT, FIELD(amplification_rate), "8192", 0,
		RATE_MAX, NULL, NULL,
		"bytes a second, beyond those of the calls, over UDP to one host; 0: no limit; "
		"default of the virtual servers"},
	{"Rpcbind", "RemoveGhosts", CONF_BOOL, FIELD(remove_ghosts), "no", 0, 0, NULL, NULL,
		"remove marked registrations; default of the virtual servers"},
	{"Rpcbind", "SuperUser", CONF_LIST, FIELD(superusers), "", 0, 64, NULL, check_user,
		"who may unset anybody's registrations; default of the virtual servers"},
	{"Rpcbind", "Access", CONF_LIST, FIELD(access), "", 0, ACCESS_DEFAULTS_MAX, NULL,
		check_access, "allow|deny PROCEDURES ADDRESS; default of the virtual servers"},
	{"Rpcbind", "LogAccess", CONF_BOOL, FIELD(log_access), "no", 0, 0, NULL, NULL,
		"log every call; default of the virtual servers"},
	{"Rpcbind", "HostsAllow", CONF_PATH, FIELD(hosts_allow), "/etc/hosts.allow", 0, 0, NULL,
		NULL, "tcp_wrappers' rules for the VS host; empty: not read"},
	{"Rpcbind", "HostsDeny", CONF_PATH, FIELD(hosts_deny), "/etc/hosts.deny", 0, 0, NULL, NULL,
		"tcp_wrappers' rules for the VS host; empty: not read"},
	{.section = NULL},
};

const struct conf_schema rpcbind_schema = {items, NULL};

#undef FIELD
#define FIELD(f) offsetof(struct rpcbind_vs_conf, f)

static const struct conf_item vs_items[] = {
	{"Rpcbind", "Serve", CONF_BOOL, FIELD(serve), "yes", 0, 0, NULL, NULL,
		"answer in this virtual server at all"},
	{"Rpcbind", "Insecure", CONF_BOOL, FIELD(insecure), "no", 0, 0, NULL, NULL,
		"SET and UNSET from any host"},
	{"Rpcbind", "RemoteCalls", CONF_BOOL, FIELD(remote_calls), "no", 0, 0, NULL, NULL,
		"CALLIT, BCAST and INDIRECT"},
	{"Rpcbind", "UdpDump", CONF_BOOL, FIELD(udp_dump), "no", 0, 0, NULL, NULL,
		"DUMP and GETSTAT over UDP from other hosts"},
	{"Rpcbind", "AmplificationRate", CONF_UINT, FIELD(amplification_rate), "8192", 0,
		RATE_MAX, NULL, NULL,
		"bytes a second, beyond those of the calls, over UDP to one host; 0: no limit"},
	{"Rpcbind", "RemoveGhosts", CONF_BOOL, FIELD(remove_ghosts), "no", 0, 0, NULL, NULL,
		"remove registrations whose service is gone"},
	{"Rpcbind", "SuperUser", CONF_LIST, FIELD(superusers), "", 0, 64, NULL, check_user,
		"who may unset anybody's registrations"},
	{"Rpcbind", "Access", CONF_LIST, FIELD(access), "", 0, ACCESS_RULES_MAX, NULL,
		check_access, "allow|deny PROCEDURES ADDRESS; the first that matches decides"},
	{"Rpcbind", "LogAccess", CONF_BOOL, FIELD(log_access), "no", 0, 0, NULL, NULL,
		"log every call"},
	{"Rpcbind", "Bind", CONF_LIST, FIELD(bind), "", 0, OPENER_BIND_MAX, NULL, bind_check,
		"addresses to serve besides loopback; none: all"},
	{"Rpcbind", "LocalSocket", CONF_PATH, FIELD(local), "", 0, 107, NULL, NULL,
		"a local socket for this virtual server alone; empty: none"},
	{.section = NULL},
};

static const char *const foreign[] = {"VirtualServer", "Network", "Resolver", "Time", NULL};

const struct conf_schema rpcbind_vs_schema = {vs_items, foreign};

int rpcbind_resolve(const char *key, const char *value, char *out, size_t size)
{
	uid_t uid;
	int rc;

	if (strcmp(key, "SuperUser") || !*value)
		return -1;
	rc = parse_uid(value, &uid);
	if (!rc)
		snprintf(out, size, "%u", uid);
	return rc;
}

const struct daemon_letter rpcbind_letters[] = {
	{.letter = 'a',
		.help = "no effect",
		.notice = "has no effect: errors are logged, there is nothing to abort"},
	{.letter = 'd',
		.help = "debug: stay in the foreground, LogLevel=debug",
		.foreground = true,
		.section = "Daemon",
		.key = "LogLevel",
		.value = "debug"},
	{.letter = 'h',
		.argument = "ADDR",
		.help = "Bind=ADDR for the VS host; repeatable",
		.host = true,
		.section = "Rpcbind",
		.key = "Bind"},
	{.letter = 'i',
		.help = "Insecure=yes for the VS host",
		.host = true,
		.section = "Rpcbind",
		.key = "Insecure",
		.value = "yes"},
	{.letter = 'l',
		.help = "LogAccess=yes for the VS host",
		.host = true,
		.section = "Rpcbind",
		.key = "LogAccess",
		.value = "yes"},
	{.letter = 'r',
		.help = "RemoteCalls=yes for the VS host",
		.host = true,
		.section = "Rpcbind",
		.key = "RemoteCalls",
		.value = "yes"},
	{.letter = 's',
		.help = "no effect",
		.notice = "has no effect: the server always runs without privileges"},
	{.letter = 'w',
		.help = "WarmStart=yes",
		.section = "Rpcbind",
		.key = "WarmStart",
		.value = "yes"},
	{.letter = 0},
};

int rpcbind_host_settings(
	const void *conf, struct ini_doc *doc, ini_error_fn *error, void *arg)
{
	const struct rpcbind_conf *c = conf;
	const struct hosts_file files[] = {
		{c->hosts_allow, true, error, arg}, {c->hosts_deny, false, error, arg}};
	int rc = 0;

	/* The errors of both are told. */
	for (size_t i = 0; rc != -ENOMEM && i < 2; i++)
		if (*files[i].path)
			rc = hosts_access_read(&files[i], doc);
	return rc == -ENOMEM ? rc : 0;
}

void rpcbind_policy(const void *conf, struct opener_policy *policy)
{
	const struct rpcbind_conf *c = conf;

	policy->port = (uint16_t)c->port;
	policy->path = c->local ? c->socket : NULL;
	policy->abstract = c->local && c->abstract ? ABSTRACT_NAME : NULL;
	policy->lock = c->lock_file;
	policy->absent = c->absent;
	policy->warm_dir = c->warm_start ? c->warm_start_dir : NULL;
}

static int take_local(const struct rpcbind_vs_conf *conf, struct opener_vs_policy *policy)
{
	if (!conf->serve || !*conf->local)
		return 0;
	policy->local = strdup(conf->local);
	return policy->local ? 0 : -ENOMEM;
}

int rpcbind_vs_policy(const struct ini_doc *settings, struct opener_vs_policy *policy)
{
	struct rpcbind_vs_conf conf = {0};
	int rc = conf_defaults(&rpcbind_vs_schema, &conf);

	if (rc)
		return rc;
	rc = conf_apply(&rpcbind_vs_schema, &conf, settings, NULL, NULL);
	if (!rc)
		rc = bind_policy(conf.bind, policy);
	if (!rc) {
		policy->idle = !conf.serve;
		rc = take_local(&conf, policy);
		policy->multicast = conf.serve && conf.remote_calls;
	}
	conf_clear(&rpcbind_vs_schema, &conf);
	return rc;
}
