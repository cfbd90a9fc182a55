/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be configured: /etc/nsaux/rpcbind-ns.conf and the [Rpcbind] sections of vs.d. */
#ifndef RPCBIND_SETTINGS_H
#define RPCBIND_SETTINGS_H

#include "daemon.h"

struct rpcbind_conf {
	struct daemon_conf daemon; /* must be first */
	char *socket;
	char *lock_file;
	char *netconfig;
	uint32_t absent; /* kinds that /etc/netconfig leaves out; no setting */
	bool local;      /* and whether it has local sockets */
	bool abstract;
	unsigned port;
	bool warm_start;
	char *warm_start_dir;
	unsigned ghost_interval; /* seconds */
	/* Defaults for every VS; kept here only so that they are checked and printed. */
	bool insecure;
	bool remote_calls;
	bool udp_dump;
	unsigned amplification_rate;
	bool remove_ghosts;
	char **superusers;
	char **access;
	bool log_access;
	/* For the VS host. */
	char *hosts_allow;
	char *hosts_deny;
};

struct rpcbind_vs_conf {
	bool serve;
	bool insecure;
	bool remote_calls;
	bool udp_dump;
	unsigned amplification_rate; /* bytes in a second; 0: no limit */
	bool remove_ghosts;
	char **superusers; /* decimal uids, resolved by the opener */
	char **access;     /* access.h */
	bool log_access;
	char **bind;       /* addresses, see bind.h; none: all */
	char *local;       /* path of a local socket of its own; "": none */
};

extern const struct conf_schema rpcbind_schema;
extern const struct conf_schema rpcbind_vs_schema;

/* daemon_spec.resolve: a user's name becomes his uid. */
int rpcbind_resolve(const char *key, const char *value, char *out, size_t size);
/* daemon_spec.options: the command line of stock rpcbind. */
extern const struct daemon_letter rpcbind_letters[];
/* daemon_spec.host_settings: what hosts.allow and hosts.deny say about rpcbind. */
int rpcbind_host_settings(
	const void *conf, struct ini_doc *doc, ini_error_fn *error, void *arg);
/* daemon_spec.policy */
void rpcbind_policy(const void *conf, struct opener_policy *policy);
/* daemon_spec.vs_policy */
int rpcbind_vs_policy(const struct ini_doc *settings, struct opener_vs_policy *policy);
/* daemon_spec.complete: which transports there are (transports.c) */
void rpcbind_complete(void *conf, ini_error_fn *error, void *arg);

#endif
