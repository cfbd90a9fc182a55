/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of a daemon: command line, configuration, opener, and the server it keeps alive.
 *
 * A daemon's main() calls daemon_main() with a description of itself. The process becomes the
 * opener and runs itself again, as the server, in a child (daemon_spec.serve).
 */
#ifndef NSAUX_DAEMON_H
#define NSAUX_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "opener_socket.h"

/* What every daemon's configuration starts with; first member of the daemon's own structure. */
struct daemon_conf {
	int log_level; /* syslog(3) level */
	char *user;
	bool sandbox;
	bool host;
	char **netns_dirs;
	char **include;
	char **exclude;
	char **disable; /* words of DAEMON_FEATURES */
};

extern const char *const daemon_log_levels[]; /* words of LogLevel=, index is the level */
bool daemon_check_feature(const char *value, char *reason, size_t size);

/* The rows of the schema for it; to stand first in the daemon's table. */
#define DAEMON_CONF_ITEMS                                                                          \
	{"Daemon", "LogLevel", CONF_ENUM, offsetof(struct daemon_conf, log_level), "info", 0, 0,   \
		daemon_log_levels, NULL, "err, warning, notice, info or debug"},                   \
	{"Daemon", "User", CONF_STR, offsetof(struct daemon_conf, user), "", 0, 64, NULL, NULL,    \
		"account of the server; empty: the built-in default"},                             \
	{"Daemon", "Sandbox", CONF_BOOL, offsetof(struct daemon_conf, sandbox), "yes", 0, 0, NULL, \
		NULL, "filter the server's system calls"},                                         \
	{"Registry", "NetnsDirectory", CONF_LIST, offsetof(struct daemon_conf, netns_dirs),        \
		"/run/netns", 0, 64, NULL, NULL, "where namespaces are mounted; repeatable"},      \
	{"Registry", "Include", CONF_LIST, offsetof(struct daemon_conf, include), "*", 0, 1024,    \
		NULL, NULL, "names to serve, as shell patterns; repeatable"},                      \
	{"Registry", "Exclude", CONF_LIST, offsetof(struct daemon_conf, exclude), "cni-*", 0, 1024, \
		NULL, NULL, "names to leave alone; repeatable"},                                   \
	{"Registry", "Host", CONF_BOOL, offsetof(struct daemon_conf, host), "yes", 0, 0, NULL,     \
		NULL, "serve the daemon's own namespace as the VS host"},                          \
	{"Registry", "DisableFeature", CONF_LIST, offsetof(struct daemon_conf, disable), "", 0, 8, \
		NULL, daemon_check_feature, "kernel features not to use: handles, get-id, nsid"}

/* An option of one letter that only this daemon has: it stands for a setting, or for nothing. */
struct daemon_letter {
	char letter;
	const char *argument; /* its name in --help; NULL: there is none */
	const char *help;
	const char *notice;   /* said when the option is given; NULL: nothing */
	bool foreground;      /* --foreground, too */
	bool host;            /* of the VS host, and not for its file to change */
	const char *section, *key; /* of the setting; NULL: none */
	const char *value;    /* NULL: the argument */
};

struct daemon_spec {
	const char *name;    /* "rpcbind-ns" */
	const char *section; /* of the service, in its own file and in the VSs' */
	const struct conf_schema *schema;
	size_t conf_size;
	/* The service's section in the file of a VS. A key that stands in both schemas is the
	 * default for all VSs in the daemon's file. */
	const struct conf_schema *vs_schema;
	size_t vs_conf_size;
	void (*policy)(const void *conf, struct opener_policy *policy);
	/* Values that the server cannot resolve in its sandbox, such as user names: writes the
	 * plain form, or returns -errno to leave it as it is. May be NULL. */
	int (*resolve)(const char *key, const char *value, char *out, size_t size);
	const struct daemon_letter *letters; /* ended by letter 0; may be NULL */
	/* Adds settings of lists, for the VS host alone, that come before what the daemon's file or
	 * that of the VS has in the same list. Asked for when the host is served. Errors are told
	 * and count. 0 or -ENOMEM. May be NULL. */
	int (*host_settings)(
		const void *conf, struct ini_doc *doc, ini_error_fn *error, void *arg);
	/* Reads into conf what its values lead to, such as other files, and tells each error; those
	 * count as errors of the configuration. May be NULL. */
	void (*complete)(void *conf, ini_error_fn *error, void *arg);
	/* What a VS's settings mean for the opener; policy is zeroed. 0 or -errno: then the VS is
	 * as it was before, or not served. May be NULL. */
	int (*vs_policy)(const struct ini_doc *settings, struct opener_vs_policy *policy);
	/* The server; fd is its end of the socketpair. Returns the exit status. */
	int (*serve)(int fd);
};

int daemon_main(int argc, char **argv, const struct daemon_spec *spec);

#endif
