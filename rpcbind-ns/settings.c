/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "settings.h"

/* The name of the abstract socket is a convention between libtirpc, the kernel and us, not a
 * path that could be moved: see rpcb_prot.h of libtirpc 1.3.5. */
#define ABSTRACT_NAME "/run/rpcbind.sock"

static bool check_user(const char *value, char *reason, size_t size)
{
	uid_t uid;

	if (parse_uid(value, &uid) == 0)
		return true;
	snprintf(reason, size, "is not a user here");
	return false;
}

#define FIELD(f) offsetof(struct rpcbind_conf, f)

static const struct conf_item items[] = {
	DAEMON_CONF_ITEMS,
	{"Rpcbind", "Socket", CONF_PATH, FIELD(socket), "/run/rpcbind.sock", 0, 107, NULL, NULL,
		"local socket for all virtual servers; empty: none"},
	{"Rpcbind", "AbstractSocket", CONF_BOOL, FIELD(abstract), "yes", 0, 0, NULL, NULL,
		"the abstract socket @/run/rpcbind.sock in every virtual server"},
	{"Rpcbind", "Port", CONF_UINT, FIELD(port), "111", 1, 65535, NULL, NULL,
		"UDP and TCP port in every virtual server"},
	{"Rpcbind", "Insecure", CONF_BOOL, FIELD(insecure), "no", 0, 0, NULL, NULL,
		"SET and UNSET from any host; default of the virtual servers"},
	{"Rpcbind", "RemoteCalls", CONF_BOOL, FIELD(remote_calls), "no", 0, 0, NULL, NULL,
		"CALLIT, BCAST and INDIRECT; default of the virtual servers"},
	{"Rpcbind", "SuperUser", CONF_LIST, FIELD(superusers), "", 0, 64, NULL, check_user,
		"who may unset anybody's registrations; default of the virtual servers"},
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
	{"Rpcbind", "SuperUser", CONF_LIST, FIELD(superusers), "", 0, 64, NULL, check_user,
		"who may unset anybody's registrations"},
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

void rpcbind_policy(const void *conf, struct opener_policy *policy)
{
	const struct rpcbind_conf *c = conf;

	policy->port = (uint16_t)c->port;
	policy->path = c->socket;
	policy->abstract = c->abstract ? ABSTRACT_NAME : NULL;
}
