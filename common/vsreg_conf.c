/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry's copy of the caller's configuration. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vsreg_private.h"

static void log_file(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text)
{
	struct vs_reg *reg = arg;

	if (line > 0)
		reg_log(reg, priority, vs, "%s:%u: %s", file ? file : "", line, text);
	else if (file)
		reg_log(reg, priority, vs, "%s: %s", file, text);
	else
		reg_log(reg, priority, vs, "%s", text);
}

/* Places in files do not count: whoever reads the settings again sees the same. */
bool conf_same(const struct vs_conf *a, const struct vs_conf *b)
{
	if (a == b)
		return true;
	if (!a || !b || ini_doc_count(a->doc) != ini_doc_count(b->doc))
		return false;
	for (size_t i = 0; i < ini_doc_count(a->doc); i++) {
		const struct ini_setting *x = ini_doc_get(a->doc, i), *y = ini_doc_get(b->doc, i);

		if (strcmp(x->section, y->section) != 0 || strcmp(x->key, y->key) != 0 ||
			strcmp(x->value, y->value) != 0)
			return false;
	}
	return true;
}

static void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static char **strings_copy(const char *const *strings)
{
	size_t count = 0;
	char **copy;

	while (strings[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(strings[i]);
		if (!copy[i]) {
			strings_free(copy);
			return NULL;
		}
	}
	return copy;
}

/* Absolute, because they are used from other threads and at other times. */
static int setup_copy_dirs(struct reg_setup *setup, const char *const *dirs)
{
	size_t count = 0;

	while (dirs[count])
		count++;
	setup->dirs = calloc(count + 1, sizeof(*setup->dirs));
	if (!setup->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (dirs[i][0] != '/')
			return -EINVAL;
		if (strlen(dirs[i]) >= DIR_MAX)
			return -ENAMETOOLONG;
		setup->dirs[i].wd = -1;
		setup->dirs[i].path = strdup(dirs[i]);
		if (!setup->dirs[i].path)
			return -ENOMEM;
		setup->dir_count++;
	}
	return 0;
}

void setup_free(struct reg_setup *setup)
{
	if (!setup)
		return;
	vsdir_free(setup->confs);
	for (size_t i = 0; i < setup->dir_count; i++)
		free(setup->dirs[i].path);
	free(setup->dirs);
	strings_free(setup->include);
	strings_free(setup->exclude);
	free(setup);
}

int setup_new(struct vs_reg *reg, const struct vs_reg_config *config, struct reg_setup **setup)
{
	static const char *const dirs[] = {"/run/netns", NULL};
	static const char *const include[] = {"*", NULL};
	static const char *const exclude[] = {"cni-*", NULL};
	struct reg_setup *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : -ENOMEM;

	if (rc == 0)
		rc = setup_copy_dirs(s, config->netns_dirs ? config->netns_dirs : dirs);
	if (rc == 0) {
		s->include = strings_copy(config->include ? config->include : include);
		s->exclude = strings_copy(config->exclude ? config->exclude : exclude);
		if (!s->include || !s->exclude)
			rc = -ENOMEM;
	}
	if (rc == 0 && config->conf_dir)
		rc = vsdir_read(&s->confs, config->conf_dir, log_file, reg);
	if (rc < 0) {
		setup_free(s);
		return rc;
	}
	*setup = s;
	return 0;
}

struct vs_conf *setup_conf(const struct reg_setup *setup, const char *name)
{
	struct vs_conf *conf;

	HASH_FIND(hh, setup->confs, name, strlen(name), conf);
	return conf;
}
