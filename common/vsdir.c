/* SPDX-License-Identifier: BSD-3-Clause */
/* The files NAME.conf of a directory. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "network_private.h"
#include "vsdir.h"

#define SECTION "VirtualServer"
#define HOST "host"
#define SUFFIX ".conf"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-"
#define TEXT_MAX (PATH_MAX + 512)

struct reader {
	struct vs_conf *table;
	const char *dir;
	vsdir_log_fn *log;
	void *arg;
	unsigned errors;
};

/* Where the errors of one configuration file go; name: NULL for those of several. */
struct complaint {
	struct reader *reader;
	const char *name;
};

bool vs_name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= VSDIR_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       name[strspn(name, NAME_CHARS)] == '\0';
}

static void tell(struct reader *r, int priority, const char *name, const char *file, unsigned line,
	const char *text)
{
	if (r->log)
		r->log(r->arg, priority, name, file, line, text);
}

static void complain(void *arg, const char *file, unsigned line, const char *text)
{
	struct complaint *c = arg;

	c->reader->errors++;
	tell(c->reader, LOG_ERR, c->name, file, line, text);
}

struct vs_conf *vs_conf_ref(struct vs_conf *conf)
{
	atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
	return conf;
}

void vs_conf_unref(struct vs_conf *conf)
{
	if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
		return;
	network_free(conf->network);
	free(conf->values.ns);
	ini_doc_free(conf->doc);
	free(conf);
}

static struct vs_conf *conf_new(const char *file, const char *name)
{
	size_t name_size = strlen(name) + 1, file_size = strlen(file) + 1;
	struct vs_conf *conf = calloc(1, sizeof(*conf) + name_size + file_size);

	if (!conf)
		return NULL;
	atomic_init(&conf->refs, 1);
	memcpy(conf->name, name, name_size);
	memcpy(conf->name + name_size, file, file_size);
	conf->file = conf->name + name_size;
	conf->doc = ini_doc_new();
	if (!conf->doc) {
		vs_conf_unref(conf);
		return NULL;
	}
	return conf;
}

static bool is_barred_for_host(const struct ini_setting *s)
{
	static const char *const keys[] = {"Namespace", "Flavour", "Mark", "Table"};

	if (strcmp(s->section, "Network") == 0)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(s->section, SECTION) == 0 && strcmp(s->key, keys[i]) == 0)
			return true;
	}
	return false;
}

/* The host's namespace is there, and what is in it is the administrator's. */
static void check_host(const struct vs_conf *conf, struct complaint *c)
{
	char text[128];

	for (size_t i = 0; i < ini_doc_count(conf->doc); i++) {
		const struct ini_setting *s = ini_doc_get(conf->doc, i);

		if (!is_barred_for_host(s))
			continue;
		snprintf(text, sizeof(text), "%s cannot be set for '" HOST "'", s->key);
		complain(c, s->file, s->line, text);
	}
}

/* Both sections that are ours. */
static int conf_take(struct vs_conf *conf, struct complaint *c)
{
	struct network_values values = {.ns = NULL};
	int rc = conf_defaults(&network_schema, &values);

	if (rc < 0)
		return rc;
	rc = conf_apply(&network_schema, &values, conf->doc, complain, c);
	if (rc == 0)
		rc = network_build(&conf->network, &values, conf->doc, complain, c);
	conf->values.enabled = values.enabled;
	conf->values.flavour = values.flavour;
	conf->values.ns = values.ns;
	values.ns = NULL;
	conf_clear(&network_schema, &values);
	return rc;
}

/* 0 also when the file has errors: they are counted, and the next file is read. */
static int conf_read(struct vs_conf *conf, struct complaint *c)
{
	char dir[PATH_MAX];
	int n = snprintf(dir, sizeof(dir), "%s.d", conf->file);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(dir))
		return -ENAMETOOLONG;
	rc = ini_doc_read(conf->doc, conf->file, complain, c);
	if (rc != -ENOMEM)
		rc = ini_doc_read_dropins(conf->doc, dir, complain, c);
	/* Before anything of it is borrowed. */
	if (rc != -ENOMEM)
		rc = ini_doc_pack(conf->doc);
	if (rc != -ENOMEM)
		rc = conf_take(conf, c);
	if (strcmp(conf->name, HOST) == 0)
		check_host(conf, c);
	return rc == -ENOMEM ? rc : 0;
}

static int add_conf(struct reader *r, const char *file, const char *name, struct complaint *c)
{
	struct vs_conf *conf = conf_new(file, name);
	int rc = conf ? conf_read(conf, c) : -ENOMEM;

	if (rc == 0) {
		/* uthash zeroes what it could not add. */
		HASH_ADD_KEYPTR(hh, r->table, conf->name, strlen(conf->name), conf);
		if (!conf->hh.tbl)
			rc = -ENOMEM;
	}
	if (rc < 0)
		vs_conf_unref(conf);
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

static void check_dropins(struct reader *r, const char *path, const char *name)
{
	struct vs_conf *conf;
	char text[512];

	HASH_FIND(hh, r->table, name, strlen(name), conf);
	if (conf)
		return;
	snprintf(text, sizeof(text), "is not read, for there is no %s%s", name, SUFFIX);
	tell(r, LOG_WARNING, NULL, path, 0, text);
}

/* NAME.conf or, after all of them, NAME.conf.d. */
static int read_entry(struct reader *r, const char *entry)
{
	bool is_file = ends_with(entry, SUFFIX);
	size_t len = strlen(entry) - strlen(is_file ? SUFFIX : SUFFIX ".d");
	char path[PATH_MAX], name[256];
	int n = snprintf(path, sizeof(path), "%s/%s", r->dir, entry);
	struct complaint c = {.reader = r};

	if (n < 0 || (size_t)n >= sizeof(path) || len >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, entry, len);
	name[len] = '\0';
	if (!is_file) {
		check_dropins(r, path, name);
		return 0;
	}
	if (vs_name_is_good(name)) {
		c.name = name;
		return add_conf(r, path, name, &c);
	}
	complain(&c, path, 0, "what stands before " SUFFIX " is not a name for a virtual server");
	return 0;
}

static int read_entries(struct reader *r)
{
	struct dirent **entries = NULL;
	int count = scandir(r->dir, &entries, is_ours, alphasort);
	int rc = 0;

	if (count < 0) {
		rc = -errno;
		if (rc == -ENOENT)
			return 0;
		tell(r, LOG_ERR, NULL, r->dir, 0, strerror(-rc));
		return rc;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < count && rc == 0; i++) {
			if (ends_with(entries[i]->d_name, SUFFIX) == (pass == 0))
				rc = read_entry(r, entries[i]->d_name);
		}
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return rc;
}

/* What is not enabled meets nobody. */
static int check_table(struct reader *r)
{
	struct complaint c = {.reader = r};
	struct network_member *members;
	struct vs_conf *conf, *next;
	size_t count = 0;
	int rc;

	members = calloc(HASH_COUNT(r->table) + 1, sizeof(*members));
	if (!members)
		return -ENOMEM;
	HASH_ITER(hh, r->table, conf, next) {
		if (!conf->values.enabled || !conf->network)
			continue;
		members[count++] = (struct network_member){
			.name = conf->name,
			.ns = *conf->values.ns || conf->network->is_mark ? conf->values.ns
									 : conf->name,
			.network = conf->network,
		};
	}
	rc = network_check_all(members, count, complain, &c);
	free(members);
	return rc == -ENOMEM ? rc : 0;
}

void vsdir_free(struct vs_conf *table)
{
	struct vs_conf *conf, *next;

	HASH_ITER(hh, table, conf, next) {
		HASH_DELETE(hh, table, conf);
		vs_conf_unref(conf);
	}
}

int vsdir_read(struct vs_conf **table, const char *dir, vsdir_log_fn *log, void *arg)
{
	struct reader r = {.dir = dir, .log = log, .arg = arg};
	int rc = read_entries(&r);

	if (rc == 0)
		rc = check_table(&r);
	if (rc == 0 && r.errors > 0)
		rc = -EINVAL;
	if (rc == 0)
		*table = r.table;
	else
		vsdir_free(r.table);
	return rc;
}
