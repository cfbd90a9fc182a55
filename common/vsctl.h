/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl: the one administrator's command. Each service adds its subcommands. */
#ifndef NSAUX_VSCTL_H
#define NSAUX_VSCTL_H

#include <jansson.h>
#include <stdbool.h>

#define VSCTL_OPTIONS_MAX 8
#define VSCTL_ARGS_MANY (-1)

struct vsctl_command;

struct vsctl {
	const char *runtime_dir; /* of the daemon that is asked */
	bool is_daemon_named;    /* by --runtime-dir: a command that can do without must not */
	const char *netns_dir;   /* absolute */
	const char *vs_dir;
	bool json;
	const struct vsctl_command *command;
	/* Of command's options, in the order of its table: NULL where one was not given, "" where
	 * it was without an argument. See vsctl_option(). */
	const char *values[VSCTL_OPTIONS_MAX];
};

/* --name, of one command. */
struct vsctl_option {
	const char *name;
	const char *argument; /* "FILE"; "[=PATH]" is one that may be left out; NULL: none */
	const char *help;
};

/*
 * A command. The one who adds it defines it in a file of its own, and names it here and
 * in the list of vsctl.c.
 *
 * run: args are what is left of the command line, min_args to max_args of them and a NULL. Returns
 * the exit status, or -errno for something that was told; that is status 1.
 */
struct vsctl_command {
	const char *name;
	const char *usage; /* what follows the name; "" for nothing */
	int min_args, max_args; /* VSCTL_ARGS_MANY: no limit */
	/* Behind the first argument nothing is an option of ours: it is another command line. A
	 * "--" that follows the first argument is taken out. */
	bool has_command_line;
	const char *help; /* one line */
	const struct vsctl_option *options; /* up to one without a name; NULL: none */
	int (*run)(const struct vsctl *ctl, char *const *args);
};

/* The value of an option of the command that runs; NULL: it was not given. */
const char *vsctl_option(const struct vsctl *ctl, const char *name);
/* For run(): the command line is wrong. Shows how it should be, and returns the exit status. */
int vsctl_usage(const struct vsctl *ctl);

#define VSCTL_RPCBIND "org.nsaux.rpcbind" /* begins the names of its methods */

/* Calls the daemon; tells on stderr what went wrong and what may help. */
int vsctl_call(const struct vsctl *ctl, const char *method, json_t *parameters, json_t **reply);
/* The same for what can be done without a daemon: 1, and nothing is told, when none runs
 * and --runtime-dir names none. */
int vsctl_call_if_there(const struct vsctl *ctl, const char *method, json_t *parameters,
	json_t **reply);
void vsctl_tell_unknown(const char *vs); /* there is no VS of that name */
/* Prints the reply as one JSON document. */
int vsctl_print_json(const json_t *reply);
/* Members of a reply; "" and 0 where they are missing. */
const char *vsctl_string(const json_t *object, const char *key);
long long vsctl_number(const json_t *object, const char *key);

/* vsctl_list.c */
extern const struct vsctl_command vsctl_list, vsctl_show;
/* vsctl_rpcbind.c */
extern const struct vsctl_command vsctl_rpc, vsctl_reload, vsctl_restart;
/* vsctl_check.c */
extern const struct vsctl_command vsctl_check;
/* vsctl_exec.c */
extern const struct vsctl_command vsctl_exec;
/* vsctl_apply.c */
extern const struct vsctl_command vsctl_up, vsctl_down, vsctl_apply;
/* vsctl_keep.c, vsctl_address.c */
extern const struct vsctl_command vsctl_keep, vsctl_address;
/* resolver-ns/vsctl_resolve.c */
extern const struct vsctl_command vsctl_resolve;
/* vsctl_import.c */
extern const struct vsctl_command vsctl_import;

#endif
