/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be configured: /etc/nsaux/rpcbind-ns.conf and the [Rpcbind] sections of vs.d. */
#ifndef RPCBIND_SETTINGS_H
#define RPCBIND_SETTINGS_H

#include "daemon.h"

struct rpcbind_conf {
	struct daemon_conf daemon; /* must be first */
	char *socket;
	bool abstract;
	unsigned port;
	/* Defaults for every VS; kept here only so that they are checked and printed. */
	bool insecure;
	bool remote_calls;
	char **superusers;
};

struct rpcbind_vs_conf {
	bool serve;
	bool insecure;
	bool remote_calls;
	char **superusers; /* decimal uids, resolved by the opener */
};

extern const struct conf_schema rpcbind_schema;
extern const struct conf_schema rpcbind_vs_schema;

/* daemon_spec.resolve: a user's name becomes his uid. */
int rpcbind_resolve(const char *key, const char *value, char *out, size_t size);
/* daemon_spec.policy */
void rpcbind_policy(const void *conf, struct opener_policy *policy);

#endif
