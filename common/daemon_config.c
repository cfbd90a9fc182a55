/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_private.h"
#include "log.h"
#include "parse.h"

const char *const daemon_log_levels[] = {"emerg", "alert", "crit", "err", "warning", "notice",
	"info", "debug", NULL};

bool daemon_check_feature(const char *value, char *reason, size_t size)
{
	static const char *const words[] = {"handles", "get-id", "nsid"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(value, words[i]))
			return true;
	snprintf(reason, size, "is not handles, get-id or nsid");
	return false;
}

void daemon_error(void *arg, const char *file, unsigned line, const char *text)
{
	struct daemon_errors *errors = arg;
	char place[4200] = "";

	if (file && line)
		snprintf(place, sizeof(place), "%s:%u: ", file, line);
	else if (file)
		snprintf(place, sizeof(place), "%s: ", file);
	if (!errors->count++)
		snprintf(errors->first, sizeof(errors->first), "%.100s%.150s", place, text);
	if (errors->logged)
		log_err(NULL, "%s%s", place, text);
	else
		fprintf(stderr, "%s%s\n", place, text);
}

static int add_option(struct ini_doc *doc, const char *section, const char *key, const char *value)
{
	const struct ini_setting s = {section, key, value, "command line", 0};

	return value ? ini_doc_add(doc, &s) : 0;
}

/* from may be NULL. */
static int append(struct ini_doc *doc, const struct ini_doc *from)
{
	int rc = 0;

	for (size_t i = 0; from && !rc && i < ini_doc_count(from); i++)
		rc = ini_doc_add(doc, ini_doc_get(from, i));
	return rc;
}

static int read_files(struct ini_doc *doc, const struct daemon_options *o,
	struct daemon_errors *errors)
{
	char dropins[sizeof(o->conf_file) + 4];
	int rc = ini_doc_read(doc, o->conf_file, daemon_error, errors);

	if (rc == -ENOENT && o->conf_given)
		daemon_error(errors, o->conf_file, 0, "no such file");
	snprintf(dropins, sizeof(dropins), "%s.d", o->conf_file);
	ini_doc_read_dropins(doc, dropins, daemon_error, errors);
	rc = append(doc, o->settings);
	/* In a list an empty value drops what stood before. */
	if (!rc)
		rc = add_option(doc, "Registry", "NetnsDirectory", o->netns_dir ? "" : NULL);
	if (!rc)
		rc = add_option(doc, "Registry", "NetnsDirectory", o->netns_dir);
	return rc ? rc : add_option(doc, "Daemon", "User", o->user);
}

/* first: what comes before it in lists, or NULL. */
static int check_vs_file(const struct daemon_spec *spec, const char *path,
	const struct ini_doc *first, struct daemon_errors *errors)
{
	struct ini_doc *doc = ini_doc_new();
	void *values = calloc(1, spec->vs_conf_size);
	char dropins[4204];
	int rc = doc && values ? conf_defaults(spec->vs_schema, values) : -ENOMEM;

	if (!rc)
		rc = append(doc, first);
	if (!rc) {
		ini_doc_read(doc, path, daemon_error, errors);
		snprintf(dropins, sizeof(dropins), "%.4200s.d", path);
		ini_doc_read_dropins(doc, dropins, daemon_error, errors);
		conf_apply(spec->vs_schema, values, doc, daemon_error, errors);
	}
	if (values)
		conf_clear(spec->vs_schema, values);
	free(values);
	ini_doc_free(doc);
	return rc;
}

static int is_conf_file(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 && !strcmp(e->d_name + len - 5, ".conf");
}

static int check_vs_files(const struct daemon_spec *spec, const char *dir,
	const struct ini_doc *host_first, struct daemon_errors *errors)
{
	struct dirent **names = NULL;
	int count = scandir(dir, &names, is_conf_file, alphasort);
	char path[4200];
	int rc = 0;

	if (count < 0 && errno != ENOENT)
		daemon_error(errors, dir, 0, strerror(errno));
	for (int i = 0; i < count; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!rc && n > 0 && n < (int)sizeof(path))
			rc = check_vs_file(spec, path,
				strcmp(names[i]->d_name, "host.conf") ? NULL : host_first, errors);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* The registry is the opener's, and may have any number of settings. */
static int choose_told(const struct ini_doc *doc, struct ini_doc **told)
{
	struct ini_doc *chosen = ini_doc_new();
	int rc = chosen ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < ini_doc_count(doc); i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		if (strcmp(s->section, "Registry"))
			rc = ini_doc_add(chosen, s);
	}
	if (rc)
		ini_doc_free(chosen);
	else
		*told = chosen;
	return rc;
}

/* A list of the VS host that comes from elsewhere than its file. */
static int load_host_settings(struct daemon_config *c, const struct daemon_spec *spec,
	const struct daemon_options *options, struct daemon_errors *errors)
{
	const struct daemon_conf *conf = c->values;

	c->host_settings = options->host_settings;
	c->host_first = ini_doc_new();
	if (!c->host_first)
		return -ENOMEM;
	if (!conf->host && options->host_settings)
		log_warn(NULL, "options for the VS host have no effect, it is not served");
	if (!conf->host || !spec->host_settings)
		return 0;
	return spec->host_settings(c->values, c->host_first, daemon_error, errors);
}

int daemon_config_load(struct daemon_config *config, const struct daemon_spec *spec,
	const struct daemon_options *options, struct daemon_errors *errors)
{
	struct daemon_config c = {.doc = ini_doc_new(), .values = calloc(1, spec->conf_size)};
	int rc = c.doc && c.values ? conf_defaults(spec->schema, c.values) : -ENOMEM;

	if (!rc)
		rc = read_files(c.doc, options, errors);
	if (!rc)
		rc = choose_told(c.doc, &c.told);
	if (!rc) {
		conf_apply(spec->schema, c.values, c.doc, daemon_error, errors);
		if (spec->complete)
			spec->complete(c.values, daemon_error, errors);
		rc = load_host_settings(&c, spec, options, errors);
	}
	if (!rc)
		rc = check_vs_files(spec, options->vs_dir, c.host_first, errors);
	if (rc)
		daemon_error(errors, NULL, 0, strerror(-rc));
	if (errors->count) {
		daemon_config_clear(&c, spec);
		return -EINVAL;
	}
	*config = c;
	return 0;
}

void daemon_config_clear(struct daemon_config *config, const struct daemon_spec *spec)
{
	if (config->values)
		conf_clear(spec->schema, config->values);
	free(config->values);
	ini_doc_free(config->doc);
	ini_doc_free(config->told);
	ini_doc_free(config->host_first);
	*config = (struct daemon_config){0};
}

struct vs_doc {
	const struct daemon_spec *spec;
	struct ini_doc *doc;
};

static int add_vs_setting(const char *key, const char *value, const char *file, unsigned line,
	void *arg)
{
	const struct vs_doc *v = arg;
	struct ini_setting s = {v->spec->section, key, value, file, line};
	char resolved[256];

	if (v->spec->resolve && !v->spec->resolve(key, value, resolved, sizeof(resolved)))
		s.value = resolved;
	return ini_doc_add(v->doc, &s);
}

static bool is_set(const struct ini_doc *doc, const char *key)
{
	for (size_t i = 0; doc && i < ini_doc_count(doc); i++)
		if (!strcmp(ini_doc_get(doc, i)->key, key))
			return true;
	return false;
}

/* Is it a default for all VSs? */
static bool is_vs_key(const struct daemon_spec *spec, const struct ini_setting *s)
{
	if (strcmp(s->section, spec->section))
		return false;
	for (const struct conf_item *i = spec->vs_schema->items; i->section; i++)
		if (!strcmp(i->key, s->key))
			return true;
	return false;
}

/* Is this value of a list dropped by an empty one, itself or a later? */
static bool is_emptied(const struct ini_doc *doc, size_t at)
{
	const struct ini_setting *s = ini_doc_get(doc, at);

	for (size_t i = at; i < ini_doc_count(doc); i++) {
		const struct ini_setting *later = ini_doc_get(doc, i);
		if (!*later->value && !strcmp(later->section, s->section) &&
			!strcmp(later->key, s->key))
			return true;
	}
	return false;
}

/* The lists of the VS host that begin with values from elsewhere, which an empty value in a file
 * must not drop. */
static bool is_host_dropped(const struct daemon_config *config, const struct ini_doc *doc, size_t i)
{
	const char *key = ini_doc_get(doc, i)->key;

	return is_set(config->host_settings, key) ||
	       (is_set(config->host_first, key) && is_emptied(doc, i));
}

/* What the VS sets replaces the default, also where it is a list. */
int daemon_config_vs(const struct daemon_config *config, const struct daemon_spec *spec,
	struct vs *vs, struct ini_doc *doc)
{
	struct ini_doc *own = ini_doc_new();
	struct vs_doc v = {spec, own}, out = {spec, doc};
	bool host = vs_is_host(vs);
	int rc = own ? vs_settings(vs, spec->section, add_vs_setting, &v) : -ENOMEM;

	if (!rc && host)
		rc = append(doc, config->host_first);
	for (size_t i = 0; !rc && i < ini_doc_count(config->doc); i++) {
		const struct ini_setting *s = ini_doc_get(config->doc, i);
		if (is_vs_key(spec, s) && !is_set(own, s->key) &&
			!(host && is_host_dropped(config, config->doc, i)))
			rc = add_vs_setting(s->key, s->value, s->file, s->line, &out);
	}
	for (size_t i = 0; !rc && i < ini_doc_count(own); i++)
		if (!host || !is_host_dropped(config, own, i))
			rc = ini_doc_add(doc, ini_doc_get(own, i));
	if (!rc && host)
		rc = append(doc, config->host_settings);
	ini_doc_free(own);
	return rc;
}

static void print_host(const struct ini_doc *doc, const char *what, FILE *out)
{
	if (!doc || !ini_doc_count(doc))
		return;
	fprintf(out, "\n# %s, as if in the file of the VS host:\n# [%s]\n", what,
		ini_doc_get(doc, 0)->section);
	for (size_t i = 0; i < ini_doc_count(doc); i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		if (s->line)
			fprintf(out, "# %s=%s ; %s:%u\n", s->key, s->value, s->file, s->line);
		else
			fprintf(out, "# %s=%s\n", s->key, s->value);
	}
}

int daemon_config_print(
	const struct daemon_config *config, const struct daemon_spec *spec, FILE *out)
{
	int rc = conf_print(spec->schema, config->values, out);

	if (rc)
		return rc;
	print_host(config->host_first, "From other files, before its own lists", out);
	print_host(config->host_settings, "From the command line, in place of its own", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
