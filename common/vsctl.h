/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl: the one administrator's command. Each service adds its subcommands. */
#ifndef NSAUX_VSCTL_H
#define NSAUX_VSCTL_H

#include <jansson.h>
#include <stdbool.h>

struct vsctl {
	const char *runtime_dir; /* of the daemon that is asked */
	bool json;
	const char *import_from; /* import --from: a file */
	const char *import_live; /* import --live: a local socket */
	bool live;
};

struct vsctl_command {
	const char *name;
	const char *argument; /* "VS", or NULL for none */
	const char *help;
	int (*run)(const struct vsctl *ctl, const char *argument);
	const char *options; /* that it needs, before the argument; NULL: none */
};

/* Calls the daemon; tells on stderr what went wrong and what may help. */
int vsctl_call(const struct vsctl *ctl, const char *method, json_t *parameters, json_t **reply);
/* Prints the reply as one JSON document. */
int vsctl_print_json(const json_t *reply);
/* Members of a reply; "" and 0 where they are missing. */
const char *vsctl_string(const json_t *object, const char *key);
long long vsctl_number(const json_t *object, const char *key);

/* vsctl_rpcbind.c */
int vsctl_list(const struct vsctl *ctl, const char *argument);
int vsctl_show(const struct vsctl *ctl, const char *argument);
int vsctl_rpc(const struct vsctl *ctl, const char *argument);
int vsctl_reload(const struct vsctl *ctl, const char *argument);
int vsctl_restart(const struct vsctl *ctl, const char *argument);
/* vsctl_import.c */
int vsctl_import(const struct vsctl *ctl, const char *argument);

#endif
