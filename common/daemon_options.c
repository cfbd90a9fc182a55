/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon_private.h"
#include "parse.h"

enum { OPT_VS_DIR = 256, OPT_NETNS_DIR, OPT_RUNTIME_DIR, OPT_STATE_DIR, OPT_USER, OPT_CHECK,
	OPT_PRINT, OPT_VERSION, OPT_HELP, OPT_SERVE, OPT_RESUME };

static const struct option long_options[] = {
	{"foreground", no_argument, NULL, 'f'},
	{"config", required_argument, NULL, 'c'},
	{"vs-dir", required_argument, NULL, OPT_VS_DIR},
	{"netns-dir", required_argument, NULL, OPT_NETNS_DIR},
	{"runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR},
	{"state-dir", required_argument, NULL, OPT_STATE_DIR},
	{"user", required_argument, NULL, OPT_USER},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{"serve", required_argument, NULL, OPT_SERVE},
	{"resume", required_argument, NULL, OPT_RESUME},
	{NULL, 0, NULL, 0},
};

static void print_help(const struct daemon_spec *spec)
{
	const char *name = spec->name;

	printf("Usage: %s [options]\n\n"
	       "  -f, --foreground      stay in the foreground\n"
	       "  -c, --config FILE     configuration file [" SYSCONFDIR "/nsaux/%s.conf]\n"
	       "      --vs-dir DIR      files of the virtual servers [" SYSCONFDIR "/nsaux/vs.d]\n"
	       "      --netns-dir DIR   network namespaces [/run/netns]\n"
	       "      --runtime-dir DIR control socket and lock [" RUNSTATEDIR "/%s]\n"
	       "      --state-dir DIR   what is kept over a restart [" LOCALSTATEDIR "/lib/%s]\n"
	       "      --user NAME       account of the unprivileged server\n"
	       "      --check-config    read the configuration, report every error, and exit\n"
	       "      --print-config    print the configuration in force, and exit\n"
	       "      --version         print the version, and exit\n"
	       "      --help            print this, and exit\n",
		name, name, name, name);
	daemon_letters_help(spec);
}

static int set_defaults(struct daemon_options *o, const char *name)
{
	int n[3];

	*o = (struct daemon_options){.serve_fd = -1, .resume_fd = -1};
	n[0] = snprintf(o->conf_file, sizeof(o->conf_file), SYSCONFDIR "/nsaux/%s.conf", name);
	n[1] = snprintf(o->runtime_dir, sizeof(o->runtime_dir), RUNSTATEDIR "/%s", name);
	n[2] = snprintf(o->state_dir, sizeof(o->state_dir), LOCALSTATEDIR "/lib/%s", name);
	for (unsigned i = 0; i < 3; i++)
		if (n[i] < 0 || n[i] >= (int)sizeof(o->conf_file))
			return -ENAMETOOLONG;
	return copy_str(o->vs_dir, sizeof(o->vs_dir), SYSCONFDIR "/nsaux/vs.d");
}

/* 0: a directory or file of the options. */
static int set_path(struct daemon_options *o, int option, const char *value)
{
	switch (option) {
	case 'c':
		o->conf_given = true;
		return copy_str(o->conf_file, sizeof(o->conf_file), value);
	case OPT_VS_DIR:
		return copy_str(o->vs_dir, sizeof(o->vs_dir), value);
	case OPT_RUNTIME_DIR:
		return copy_str(o->runtime_dir, sizeof(o->runtime_dir), value);
	case OPT_STATE_DIR:
		return copy_str(o->state_dir, sizeof(o->state_dir), value);
	case OPT_NETNS_DIR:
		o->netns_dir = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_option(struct daemon_options *o, const struct daemon_spec *spec, int option)
{
	uint64_t fd;

	switch (option) {
	case 'f':
		o->foreground = true;
		return 0;
	case OPT_USER:
		o->user = optarg;
		return 0;
	case OPT_CHECK:
		o->mode = DAEMON_CHECK;
		return 0;
	case OPT_PRINT:
		o->mode = DAEMON_PRINT;
		return 0;
	case OPT_VERSION:
		printf("%s " PACKAGE_VERSION "\n", spec->name);
		return 1;
	case OPT_HELP:
		print_help(spec);
		return 1;
	case OPT_SERVE: /* how the daemon runs itself; not for people */
		if (parse_u64(optarg, 3, 1023, &fd))
			return -EINVAL;
		o->serve_fd = (int)fd;
		return 0;
	case OPT_RESUME: /* how it executes itself in place; likewise */
		if (parse_u64(optarg, 3, INT_MAX, &fd))
			return -EINVAL;
		o->resume_fd = (int)fd;
		return 0;
	default:
		return option < OPT_VS_DIR && option != 'c'
			       ? daemon_letters_take(o, spec, option, optarg)
			       : set_path(o, option, optarg);
	}
}

/* In the background the working directory is another one. */
static int make_absolute(char *path, size_t size)
{
	char cwd[4096], whole[8200];
	int n;

	if (path[0] == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return -errno;
	n = snprintf(whole, sizeof(whole), "%s/%s", cwd, path);
	return n < 0 || n >= (int)sizeof(whole) ? -ENAMETOOLONG : copy_str(path, size, whole);
}

static int make_all_absolute(struct daemon_options *o)
{
	char *paths[] = {o->conf_file, o->vs_dir, o->runtime_dir, o->state_dir};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(paths) / sizeof(paths[0]); i++)
		rc = make_absolute(paths[i], sizeof(o->conf_file));
	return rc;
}

int daemon_options_parse(
	struct daemon_options *options, const struct daemon_spec *spec, int argc, char **argv)
{
	const char *name = spec->name;
	char letters[64];
	int option, rc = set_defaults(options, name);

	options->argv = argv;
	if (!rc)
		rc = daemon_letters_string(spec, letters, sizeof(letters));
	while (!rc && (option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (option != '?')
			rc = set_option(options, spec, option);
		else
			rc = -EINVAL;
	}
	if (!rc && optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", name, argv[optind]);
		rc = -EINVAL;
	}
	if (!rc)
		rc = make_all_absolute(options);
	if (!rc && options->netns_dir && options->netns_dir[0] != '/') {
		fprintf(stderr, "%s: --netns-dir wants an absolute path\n", name);
		rc = -EINVAL;
	}
	if (rc == -ENAMETOOLONG)
		fprintf(stderr, "%s: a path is too long\n", name);
	if (rc < 0)
		fprintf(stderr, "Try '%s --help'.\n", name);
	return rc;
}

void daemon_options_clear(struct daemon_options *options)
{
	ini_doc_free(options->settings);
	ini_doc_free(options->host_settings);
	options->settings = options->host_settings = NULL;
}
