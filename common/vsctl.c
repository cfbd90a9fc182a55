/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "vsctl.h"

#define TIMEOUT_MS 10000

static const struct vsctl_command commands[] = {
	{"list", NULL, "all virtual servers (also without a command)", vsctl_list, NULL},
	{"show", "VS", "one virtual server", vsctl_show, NULL},
	{"rpc", "VS", "the RPC services registered in a virtual server", vsctl_rpc, NULL},
	{"import", "VS", "take over what another rpcbind has registered", vsctl_import,
		"--from FILE|--live[=PATH] "},
	{"reload", NULL, "read the configuration again", vsctl_reload, NULL},
	{"restart", NULL, "execute the daemon's program again, in place", vsctl_restart, NULL},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void tell_refusal(const json_t *reply)
{
	const char *error = vsctl_string(reply, "error");
	const json_t *p = json_object_get(reply, "parameters");

	if (!strcmp(error, "org.nsaux.rpcbind.NoSuchVirtualServer"))
		fprintf(stderr, "vsctl: no virtual server '%s'; 'vsctl list' shows them all\n",
			vsctl_string(p, "name"));
	else if (!strcmp(error, "org.varlink.service.PermissionDenied"))
		fprintf(stderr, "vsctl: permission denied; try as root\n");
	else
		fprintf(stderr, "vsctl: %s: %s\n", error, vsctl_string(p, "reason"));
}

static void tell_failure(const char *path, int rc)
{
	const char *hint = "";

	if (rc == -ENOENT || rc == -ECONNREFUSED)
		hint = " (is rpcbind-ns running? --runtime-dir tells where)";
	else if (rc == -EACCES)
		hint = " (try as root)";
	fprintf(stderr, "vsctl: %s: %s%s\n", path, strerror(-rc), hint);
}

int vsctl_call(const struct vsctl *ctl, const char *method, json_t *parameters, json_t **reply)
{
	char path[4096];
	json_t *answer = NULL;
	int rc, n = snprintf(path, sizeof(path), "%s/control", ctl->runtime_dir);

	if (n < 0 || n >= (int)sizeof(path))
		rc = -ENAMETOOLONG;
	else
		rc = control_call_path(path, method, parameters, TIMEOUT_MS, &answer);
	json_decref(parameters);
	if (rc == -EREMOTEIO) {
		tell_refusal(answer);
		json_decref(answer);
	} else if (rc) {
		tell_failure(ctl->runtime_dir, rc);
	} else {
		*reply = answer;
	}
	return rc;
}

int vsctl_print_json(const json_t *reply)
{
	if (json_dumpf(reply, stdout, JSON_INDENT(2)) || printf("\n") < 0)
		return -EIO;
	return 0;
}

const char *vsctl_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

long long vsctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void usage(FILE *out)
{
	fprintf(out, "Usage: vsctl [options] [command]\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-7s %-3s  %s\n", commands[i].name,
			commands[i].argument ? commands[i].argument : "", commands[i].help);
	fprintf(out, "\nOptions:\n"
		     "  --json             print JSON, with the version of its form as \"schema\"\n"
		     "  --runtime-dir DIR  of the daemon [" RUNSTATEDIR "/rpcbind-ns]\n"
		     "  --from FILE        import: from stock's rpcbind.xdr or portmap.xdr\n"
		     "  --live[=PATH]      import: from the rpcbind at a local socket "
		     "[/run/rpcbind.sock]\n"
		     "  --version, --help\n");
}

/* -1: go on; else the exit status. */
static int parse_options(struct vsctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"runtime-dir", required_argument, NULL, 'r'},
		{"from", required_argument, NULL, 'f'},
		{"live", optional_argument, NULL, 'l'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			ctl->json = true;
			break;
		case 'r':
			ctl->runtime_dir = optarg;
			break;
		case 'f':
			ctl->import_from = optarg;
			break;
		case 'l':
			ctl->live = true;
			ctl->import_live = optarg;
			break;
		case 'V':
			printf("vsctl " PACKAGE_VERSION "\n");
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			fprintf(stderr, "Try 'vsctl --help'.\n");
			return 2;
		}
	}
	return -1;
}

static const struct vsctl_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Where from is for import, which needs to be told one of the two. */
static bool options_fit(const struct vsctl *ctl, const struct vsctl_command *c)
{
	int sources = (ctl->import_from != NULL) + ctl->live;

	return sources == (c->run == vsctl_import);
}

int main(int argc, char **argv)
{
	struct vsctl ctl = {.runtime_dir = RUNSTATEDIR "/rpcbind-ns"};
	int status = parse_options(&ctl, argc, argv);
	const struct vsctl_command *c;
	int wanted;

	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	c = find_command(argc ? argv[0] : "list");
	if (!c) {
		fprintf(stderr, "vsctl: no command '%s'. Try 'vsctl --help'.\n", argv[0]);
		return 2;
	}
	wanted = c->argument ? 2 : 1;
	if (argc > wanted || (argc < wanted && c->argument)) {
		fprintf(stderr, "Usage: vsctl %s %s%s\n", c->name, c->options ? c->options : "",
			c->argument ? c->argument : "");
		return 2;
	}
	if (!options_fit(&ctl, c)) {
		fprintf(stderr, "vsctl: import, and nothing else, needs --from FILE or --live\n");
		return 2;
	}
	return c->run(&ctl, c->argument ? argv[1] : NULL) ? 1 : 0;
}
