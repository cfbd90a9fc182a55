/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry's copy of the caller's configuration, and the files NAME.conf. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "vsreg_private.h"

#define SECTION "VirtualServer"
#define SUFFIX ".conf"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-"

/* Where the errors of one configuration file go. */
struct complaint {
	struct vs_reg *reg;
	const char *name;
	unsigned count;
};

bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= VS_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       name[strspn(name, NAME_CHARS)] == '\0';
}

static bool check_namespace(const char *value, char *reason, size_t size)
{
	if (value[0] == '\0' || value[0] == '/' || name_is_good(value))
		return true;
	snprintf(reason, size, "is neither an absolute path nor a name");
	return false;
}

static bool check_flavour(const char *value, char *reason, size_t size)
{
	if (strcmp(value, "namespace") == 0)
		return true;
	snprintf(reason, size, "is not available in this version");
	return false;
}

static const char *const flavours[] = {"namespace", "mark", NULL};

static const struct conf_item items[] = {
	{
		.section = SECTION,
		.key = "Namespace",
		.type = CONF_STR,
		.offset = offsetof(struct vs_conf_values, ns),
		.default_value = "",
		.max = INI_LINE_MAX,
		.check = check_namespace,
		.help = "a path, or a name in the namespace directories; empty: the file's own "
			"name",
	},
	{
		.section = SECTION,
		.key = "Enabled",
		.type = CONF_BOOL,
		.offset = offsetof(struct vs_conf_values, enabled),
		.default_value = "yes",
		.help = "no: this name is passed over",
	},
	{
		.section = SECTION,
		.key = "Flavour",
		.type = CONF_ENUM,
		.offset = offsetof(struct vs_conf_values, flavour),
		.default_value = "namespace",
		.words = flavours,
		.check = check_flavour,
		.help = "namespace",
	},
	{.section = NULL},
};

/* Of the services, which read them by vs_settings(). */
static const char *const foreign[] = {"Network", "Rpcbind", "Resolver", "Time", NULL};

static const struct conf_schema schema = {.items = items, .foreign = foreign};

static void complain(void *arg, const char *file, unsigned line, const char *text)
{
	struct complaint *c = arg;

	c->count++;
	if (line > 0)
		reg_log(c->reg, LOG_ERR, c->name, "%s:%u: %s", file ? file : "", line, text);
	else if (file)
		reg_log(c->reg, LOG_ERR, c->name, "%s: %s", file, text);
	else
		reg_log(c->reg, LOG_ERR, c->name, "%s", text);
}

void conf_unref(struct vs_conf *conf)
{
	if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
		return;
	conf_clear(&schema, &conf->values);
	ini_doc_free(conf->doc);
	free(conf->file);
	free(conf);
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

static struct vs_conf *conf_new(const char *file, const char *name)
{
	struct vs_conf *conf = calloc(1, sizeof(*conf) + strlen(name) + 1);

	if (!conf)
		return NULL;
	atomic_init(&conf->refs, 1);
	memcpy(conf->name, name, strlen(name) + 1);
	conf->doc = ini_doc_new();
	conf->file = strdup(file);
	if (!conf->doc || !conf->file || conf_defaults(&schema, &conf->values) < 0) {
		conf_unref(conf);
		return NULL;
	}
	return conf;
}

static void check_host(const struct vs_conf *conf, struct complaint *c)
{
	for (size_t i = 0; i < ini_doc_count(conf->doc); i++) {
		const struct ini_setting *s = ini_doc_get(conf->doc, i);

		if (strcmp(s->section, SECTION) == 0 && strcmp(s->key, "Namespace") == 0)
			complain(c, s->file, s->line, "Namespace cannot be set for '" VS_HOST "'");
	}
}

/* 0 also when the file has errors: they are counted, and the next file is read. */
static int conf_read(struct vs_conf *conf, struct complaint *c)
{
	char dir[PLACE_MAX];
	int n = snprintf(dir, sizeof(dir), "%s.d", conf->file);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(dir))
		return -ENAMETOOLONG;
	rc = ini_doc_read(conf->doc, conf->file, complain, c);
	if (rc != -ENOMEM)
		rc = ini_doc_read_dropins(conf->doc, dir, complain, c);
	if (rc != -ENOMEM)
		rc = conf_apply(&schema, &conf->values, conf->doc, complain, c);
	if (strcmp(conf->name, VS_HOST) == 0)
		check_host(conf, c);
	return rc == -ENOMEM ? rc : 0;
}

static int setup_add_conf(
	struct reg_setup *setup, const char *file, const char *name, struct complaint *c)
{
	struct vs_conf *conf = conf_new(file, name);
	int rc = conf ? conf_read(conf, c) : -ENOMEM;

	if (rc == 0) {
		/* uthash zeroes what it could not add. */
		HASH_ADD_KEYPTR(hh, setup->confs, conf->name, strlen(conf->name), conf);
		if (!conf->hh.tbl)
			rc = -ENOMEM;
	}
	if (rc < 0)
		conf_unref(conf);
	return rc;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

static int is_ours(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (ends_with(e->d_name, SUFFIX) || ends_with(e->d_name, SUFFIX ".d"));
}

/* NAME.conf or, after all of them, NAME.conf.d. */
static int setup_read_entry(struct vs_reg *reg, struct reg_setup *setup, const char *dir,
	const char *entry, unsigned *errors)
{
	bool is_file = ends_with(entry, SUFFIX);
	size_t len = strlen(entry) - strlen(is_file ? SUFFIX : SUFFIX ".d");
	char path[PLACE_MAX], name[256];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, entry);
	struct complaint c = {.reg = reg};
	int rc = 0;

	if (n < 0 || (size_t)n >= sizeof(path) || len >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, entry, len);
	name[len] = '\0';
	if (!is_file) {
		if (!setup_conf(setup, name))
			reg_log(reg, LOG_WARNING, NULL, "%s: is not read, for there is no %s%s",
				path, name, SUFFIX);
		return 0;
	}
	if (name_is_good(name)) {
		c.name = name;
		rc = setup_add_conf(setup, path, name, &c);
	} else {
		complain(&c, path, 0,
			"what stands before " SUFFIX " is not a name for a virtual server");
	}
	*errors += c.count;
	return rc;
}

static int setup_read_dir(struct vs_reg *reg, struct reg_setup *setup, const char *dir)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_ours, alphasort);
	unsigned errors = 0;
	int rc = 0;

	if (count < 0) {
		rc = -errno;
		if (rc == -ENOENT)
			return 0;
		reg_log(reg, LOG_ERR, NULL, "%s: %s", dir, strerror(-rc));
		return rc;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < count && rc == 0; i++) {
			if (ends_with(entries[i]->d_name, SUFFIX) == (pass == 0))
				rc = setup_read_entry(reg, setup, dir, entries[i]->d_name, &errors);
		}
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return rc == 0 && errors > 0 ? -EINVAL : rc;
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
	struct vs_conf *conf, *next;

	if (!setup)
		return;
	HASH_ITER(hh, setup->confs, conf, next) {
		HASH_DELETE(hh, setup->confs, conf);
		conf_unref(conf);
	}
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
		rc = setup_read_dir(reg, s, config->conf_dir);
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
