/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "vsctl.h"

#define TIMEOUT_MS 10000
#define USAGE_WIDTH 25

static const struct vsctl_command *const commands[] = {
	&vsctl_list,
	&vsctl_show,
	&vsctl_check,
	&vsctl_exec,
	&vsctl_resolve,
	&vsctl_rpc,
	&vsctl_import,
	&vsctl_reload,
	&vsctl_restart,
	&vsctl_up,
	&vsctl_down,
	&vsctl_apply,
	&vsctl_keep,
	&vsctl_address,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum { OPT_JSON = 1, OPT_RUNTIME_DIR, OPT_NETNS_DIR, OPT_VS_DIR, OPT_VERSION, OPT_HELP, OPT_OWN };

/* Before a command and behind it. */
static const struct option common_options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR},
	{"netns-dir", required_argument, NULL, OPT_NETNS_DIR},
	{"vs-dir", required_argument, NULL, OPT_VS_DIR},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
};
#define COMMON_OPTIONS (sizeof(common_options) / sizeof(common_options[0]))

void vsctl_tell_unknown(const char *vs)
{
	fprintf(stderr, "vsctl: no virtual server '%s'; 'vsctl list' shows them all\n", vs);
}

static void tell_refusal(const json_t *reply)
{
	const char *error = vsctl_string(reply, "error");
	const json_t *p = json_object_get(reply, "parameters");

	if (!strcmp(error, "org.nsaux.rpcbind.NoSuchVirtualServer"))
		vsctl_tell_unknown(vsctl_string(p, "name"));
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

static int ask(const struct vsctl *ctl, const char *method, json_t *parameters, json_t **answer)
{
	char path[4096];
	int rc, n = snprintf(path, sizeof(path), "%s/control", ctl->runtime_dir);

	if (n < 0 || n >= (int)sizeof(path))
		rc = -ENAMETOOLONG;
	else
		rc = control_call_path(path, method, parameters, TIMEOUT_MS, answer);
	json_decref(parameters);
	return rc;
}

static int take_answer(const struct vsctl *ctl, int rc, json_t *answer, json_t **reply)
{
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

int vsctl_call(const struct vsctl *ctl, const char *method, json_t *parameters, json_t **reply)
{
	json_t *answer = NULL;
	int rc = ask(ctl, method, parameters, &answer);

	return take_answer(ctl, rc, answer, reply);
}

int vsctl_call_if_there(const struct vsctl *ctl, const char *method, json_t *parameters,
	json_t **reply)
{
	json_t *answer = NULL;
	int rc = ask(ctl, method, parameters, &answer);

	if ((rc == -ENOENT || rc == -ECONNREFUSED) && !ctl->is_daemon_named)
		return 1;
	return take_answer(ctl, rc, answer, reply);
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

static size_t option_count(const struct vsctl_command *c)
{
	size_t n = 0;

	while (c->options && c->options[n].name)
		n++;
	assert(n <= VSCTL_OPTIONS_MAX);
	return n;
}

const char *vsctl_option(const struct vsctl *ctl, const char *name)
{
	for (size_t i = 0; i < option_count(ctl->command); i++)
		if (!strcmp(ctl->command->options[i].name, name))
			return ctl->values[i];
	assert(!"an option of another command");
	return NULL;
}

static void print_option(const struct vsctl_option *o, const char *command)
{
	char text[64];
	bool optional = o->argument && o->argument[0] == '[';

	snprintf(text, sizeof(text), "--%s%s%s", o->name, o->argument && !optional ? " " : "",
		o->argument ? o->argument : "");
	printf("  %-18s %s%s%s\n", text, command, *command ? ": " : "", o->help);
}

static void print_options(const struct vsctl_command *c, const char *command)
{
	for (size_t i = 0; i < option_count(c); i++)
		print_option(&c->options[i], command);
}

static void print_command(const struct vsctl_command *c)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %s", c->name, c->usage);

	printf("  %-*s%s%*s%s\n", USAGE_WIDTH, text, n < USAGE_WIDTH ? "" : "\n",
		n < USAGE_WIDTH ? 0 : USAGE_WIDTH + 2, "", c->help);
}

static void print_help(void)
{
	printf("Usage: vsctl [options] [command]\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		print_command(commands[i]);
	printf("\n'vsctl COMMAND --help' tells of one command.\n\nOptions:\n"
	       "  --json             print JSON, with the version of its form as \"schema\"\n"
	       "  --runtime-dir DIR  of the daemon [" RUNSTATEDIR "/rpcbind-ns]\n"
	       "  --netns-dir DIR    network namespaces [/run/netns]\n"
	       "  --vs-dir DIR       files of the virtual servers [" SYSCONFDIR "/nsaux/vs.d]\n");
	for (size_t i = 0; i < COMMANDS; i++)
		print_options(commands[i], commands[i]->name);
	printf("  --version, --help\n");
}

static void print_usage(FILE *out, const struct vsctl_command *c)
{
	fprintf(out, "Usage: vsctl [options] %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
}

int vsctl_usage(const struct vsctl *ctl)
{
	print_usage(stderr, ctl->command);
	return 2;
}

static void print_command_help(const struct vsctl_command *c)
{
	print_usage(stdout, c);
	printf("\n%s\n", c->help);
	if (option_count(c) > 0)
		printf("\nOptions:\n");
	print_options(c, "");
}

/* -1: go on; else the exit status. */
static int take_common(struct vsctl *ctl, int option)
{
	switch (option) {
	case OPT_JSON:
		ctl->json = true;
		return -1;
	case OPT_RUNTIME_DIR:
		ctl->runtime_dir = optarg;
		ctl->is_daemon_named = true;
		return -1;
	case OPT_NETNS_DIR:
		ctl->netns_dir = optarg;
		return -1;
	case OPT_VS_DIR:
		ctl->vs_dir = optarg;
		return -1;
	case OPT_VERSION:
		printf("vsctl " PACKAGE_VERSION "\n");
		return 0;
	case OPT_HELP:
		if (ctl->command)
			print_command_help(ctl->command);
		else
			print_help();
		return 0;
	default:
		fprintf(stderr, "Try 'vsctl %s%s--help'.\n", ctl->command ? ctl->command->name : "",
			ctl->command ? " " : "");
		return 2;
	}
}

/* Of the command if there is one by now. As take_common(); optind is behind the options. */
static int parse_options(struct vsctl *ctl, int argc, char **argv)
{
	struct option options[COMMON_OPTIONS + VSCTL_OPTIONS_MAX + 1] = {{0}};
	const struct vsctl_command *c = ctl->command;
	int option, status = -1;

	memcpy(options, common_options, sizeof(common_options));
	for (size_t i = 0; c && i < option_count(c); i++) {
		const struct vsctl_option *o = &c->options[i];

		options[COMMON_OPTIONS + i] = (struct option){o->name,
			!o->argument ? no_argument :
			o->argument[0] == '[' ? optional_argument : required_argument,
			NULL, OPT_OWN + (int)i};
	}
	optind = 0; /* begin, with this argv */
	while (status < 0 && (option = getopt_long(argc, argv, !c || c->has_command_line ? "+" : "",
				      options, NULL)) != -1) {
		if (option >= OPT_OWN && option != '?')
			ctl->values[option - OPT_OWN] = optarg ? optarg : "";
		else
			status = take_common(ctl, option);
	}
	return status;
}

static const struct vsctl_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* args ends with NULL. */
static int run_command(const struct vsctl *ctl, int count, char **args)
{
	const struct vsctl_command *c = ctl->command;
	int status;

	if (c->has_command_line && count > 1 && !strcmp(args[1], "--")) {
		args[1] = args[0];
		args++;
		count--;
	}
	if (count < c->min_args || (c->max_args != VSCTL_ARGS_MANY && count > c->max_args))
		return vsctl_usage(ctl);
	status = c->run(ctl, args);
	return status < 0 ? 1 : status;
}

int main(int argc, char **argv)
{
	struct vsctl ctl = {.runtime_dir = RUNSTATEDIR "/rpcbind-ns",
		.netns_dir = "/run/netns",
		.vs_dir = SYSCONFDIR "/nsaux/vs.d"};
	int status = parse_options(&ctl, argc, argv);

	if (status >= 0)
		return status;
	if (optind == argc) {
		ctl.command = &vsctl_list;
		return run_command(&ctl, 0, argv + argc);
	}
	ctl.command = find_command(argv[optind]);
	if (!ctl.command) {
		fprintf(stderr, "vsctl: no command '%s'. Try 'vsctl --help'.\n", argv[optind]);
		return 2;
	}
	argc -= optind;
	argv += optind;
	argv[0] = (char[]){"vsctl"}; /* getopt_long(3) tells errors by it */
	status = parse_options(&ctl, argc, argv);
	return status >= 0 ? status : run_command(&ctl, argc - optind, argv + optind);
}
