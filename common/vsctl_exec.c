/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsctl exec: a command in the namespace of a VS. Only that VS's own file is read, and no
 * registry is made: an error in another's, or a thousand others, are no matter here.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ini.h"
#include "netns.h"
#include "parse.h"
#include "vsctl.h"
#include "vsreg.h"

#define PLACE_MAX 4096
/* As env(1) and others have them that execute a command. */
#define STATUS_FAILED 125
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

static void tell_error(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	fprintf(stderr, "vsctl: %s:%u: %s\n", file ? file : "", line, text);
}

/* Strings borrowed of the document. */
struct settings {
	const char *ns, *flavour, *enabled;
};

static void find_settings(const struct ini_doc *doc, struct settings *settings)
{
	for (size_t i = 0; i < ini_doc_count(doc); i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);

		if (strcmp(s->section, "VirtualServer") != 0)
			continue;
		if (strcmp(s->key, "Namespace") == 0)
			settings->ns = s->value;
		else if (strcmp(s->key, "Flavour") == 0)
			settings->flavour = s->value;
		else if (strcmp(s->key, "Enabled") == 0)
			settings->enabled = s->value;
	}
}

/* No file is no error: then nothing is set. */
static int read_settings(struct ini_doc *doc, const struct vsctl *ctl, const char *name)
{
	char file[PLACE_MAX], dir[PLACE_MAX + 2];
	int rc, n = snprintf(file, sizeof(file), "%s/%s.conf", ctl->vs_dir, name);

	if (n < 0 || n >= (int)sizeof(file))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%s.d", file);
	rc = ini_doc_read(doc, file, tell_error, NULL);
	if (rc == 0)
		rc = ini_doc_read_dropins(doc, dir, tell_error, NULL);
	return rc == -ENOENT ? 0 : rc;
}

static int refuse(const char *name, const char *why)
{
	fprintf(stderr, "vsctl: %s: %s\n", name, why);
	return -EINVAL;
}

/* Where the namespace of a VS is, by its own file. Whatever is not understood is refused. */
static int find_place(const struct vsctl *ctl, const char *name, const struct settings *s,
	char *place, size_t size)
{
	const char *ns = *s->ns ? s->ns : name;
	bool enabled;
	int n;

	if (parse_bool(s->enabled, &enabled) < 0 || !enabled)
		return refuse(name, "is not enabled in its file");
	if (strcmp(s->flavour, "mark") == 0)
		return refuse(name, "is a mark VS, and shares its namespace: sockets of the "
				    "command would have no mark, and not be its own");
	if (strcmp(s->flavour, "namespace") != 0)
		return refuse(name, "the Flavour= in its file is none");
	if (ns[0] != '/' && strchr(ns, '/'))
		return refuse(name, "the Namespace= in its file is neither an absolute path nor a "
				    "name");
	n = ns[0] == '/' ? snprintf(place, size, "%s", ns) :
			   snprintf(place, size, "%s/%s", ctl->netns_dir, ns);
	return n < 0 || (size_t)n >= size ? refuse(name, "the path is too long") : 0;
}

static int find_vs(const struct vsctl *ctl, const char *name, char *place, size_t size)
{
	struct settings settings = {.ns = "", .flavour = "namespace", .enabled = "yes"};
	struct ini_doc *doc = ini_doc_new();
	int rc = doc ? read_settings(doc, ctl, name) : -ENOMEM;

	if (rc == 0) {
		find_settings(doc, &settings);
		rc = find_place(ctl, name, &settings, place, size);
	} else if (rc != -EINVAL) {
		refuse(name, strerror(-rc));
	}
	ini_doc_free(doc);
	return rc;
}

static int move_to(int fd)
{
	int home = netns_open_home();
	unsigned without = 0;
	uint64_t cookie;
	int rc = home < 0 ? home : netns_probe(home, &without, &cookie);

	if (rc == 0)
		rc = netns_cookie(fd, without, &cookie);
	if (rc == 0)
		rc = netns_move(fd, cookie);
	if (home >= 0)
		close(home);
	return rc;
}

static int enter(const struct vsctl *ctl, const char *name)
{
	char place[PLACE_MAX];
	int fd, rc;

	if (strcmp(name, VS_HOST) == 0)
		return 0;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/')) {
		vsctl_tell_unknown(name);
		return -ENOENT;
	}
	rc = find_vs(ctl, name, place, sizeof(place));
	if (rc < 0)
		return rc;
	fd = netns_open(place);
	rc = fd < 0 ? fd : move_to(fd);
	if (fd >= 0)
		close(fd);
	if (rc == -ENOENT)
		vsctl_tell_unknown(name);
	else if (rc < 0)
		fprintf(stderr, "vsctl: %s: %s%s\n", place,
			rc == -EINVAL ? "is no network namespace" : strerror(-rc),
			rc == -EPERM ? " (try as root)" : "");
	return rc;
}

static int run_exec(const struct vsctl *ctl, char *const *args)
{
	int error;

	if (enter(ctl, args[0]) < 0)
		return STATUS_FAILED;
	if (setenv("NSAUX_VS", args[0], 1) < 0) {
		fprintf(stderr, "vsctl: %s\n", strerror(errno));
		return STATUS_FAILED;
	}
	execvp(args[1], args + 1);
	error = errno;
	fprintf(stderr, "vsctl: %s: %s\n", args[1], strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

const struct vsctl_command vsctl_exec = {
	.name = "exec",
	.usage = "VS [--] COMMAND [ARGUMENT...]",
	.min_args = 2,
	.max_args = VSCTL_ARGS_MANY,
	.has_command_line = true,
	.help = "execute a command in the network namespace of a virtual server",
	.run = run_exec,
};
