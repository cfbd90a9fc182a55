/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "parse.h"

#define TEXT_MAX 512

/* One conf_apply(). */
struct apply {
	const struct conf_schema *schema;
	void *conf;
	const struct ini_setting **last; /* of each item of the table, or NULL */
	int rc;                          /* the first error */
	ini_error_fn *error;
	void *arg;
};

static void *field_of(const struct conf_item *item, void *conf)
{
	return (char *)conf + item->offset;
}

static const void *const_field_of(const struct conf_item *item, const void *conf)
{
	return (const char *)conf + item->offset;
}

/* Number of entries of a list, which may be NULL when it has none. */
static size_t list_count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static void list_clear(char ***list)
{
	for (size_t i = 0; i < list_count(*list); i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
}

static void string_clear(char **string)
{
	free(*string);
	*string = NULL;
}

static int list_append(char ***list, const char *value)
{
	size_t n = list_count(*list);
	char **longer = reallocarray(*list, n + 2, sizeof(**list));

	if (!longer)
		return -ENOMEM;
	*list = longer;
	longer[n] = strdup(value);
	longer[n + 1] = NULL;
	return longer[n] ? 0 : -ENOMEM;
}

static void words_of(const struct conf_item *item, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; item->words[i] && len < size; i++) {
		int n = snprintf(text + len, size - len, "%s%s", i ? ", " : "", item->words[i]);

		len += n > 0 ? (size_t)n : 0;
	}
}

/* The functions set_*() put one value into a field. 0, -ENOMEM, or -EINVAL with the end of
 * "value 'x' of Key ..." in reason. */

static int set_bool(bool *field, const char *value, char *reason)
{
	if (parse_bool(value, field) == 0)
		return 0;
	snprintf(reason, TEXT_MAX, "is neither yes nor no");
	return -EINVAL;
}

static int set_uint(const struct conf_item *item, unsigned *field, const char *value, char *reason)
{
	uint64_t max = item->max < UINT_MAX ? item->max : UINT_MAX;
	uint64_t v;

	if (parse_u64(value, item->min, max, &v) == 0) {
		*field = (unsigned)v;
		return 0;
	}
	snprintf(reason, TEXT_MAX, "is not a number from %" PRIu64 " to %" PRIu64, item->min, max);
	return -EINVAL;
}

static int set_enum(const struct conf_item *item, int *field, const char *value, char *reason)
{
	char words[TEXT_MAX / 2];

	for (int i = 0; item->words[i]; i++) {
		if (strcmp(value, item->words[i]) == 0) {
			*field = i;
			return 0;
		}
	}
	words_of(item, words, sizeof(words));
	snprintf(reason, TEXT_MAX, "is none of %s", words);
	return -EINVAL;
}

static int set_string(const struct conf_item *item, char **field, const char *value, char *reason)
{
	size_t len = strlen(value);
	char *copy;

	if (len == 0 && item->min > 0)
		snprintf(reason, TEXT_MAX, "is empty");
	else if (len > item->max && item->type == CONF_STR)
		snprintf(reason, TEXT_MAX, "is longer than %" PRIu64 " bytes", item->max);
	else if (len >= PATH_MAX && item->type == CONF_PATH)
		snprintf(reason, TEXT_MAX, "is longer than %d bytes", PATH_MAX - 1);
	else if (len > 0 && value[0] != '/' && item->type == CONF_PATH)
		snprintf(reason, TEXT_MAX, "is not an absolute path");
	else if (!(copy = strdup(value)))
		return -ENOMEM;
	else {
		free(*field);
		*field = copy;
		return 0;
	}
	return -EINVAL;
}

static int set_list(const struct conf_item *item, char ***field, const char *value, char *reason)
{
	if (*value == '\0') {
		list_clear(field);
		return 0;
	}
	if (list_count(*field) < item->max)
		return list_append(field, value);
	snprintf(reason, TEXT_MAX, "is one more than the %" PRIu64 " allowed", item->max);
	return -EINVAL;
}

static int set_typed(const struct conf_item *item, void *field, const char *value, char *reason)
{
	switch (item->type) {
	case CONF_BOOL:
		return set_bool(field, value, reason);
	case CONF_UINT:
		return set_uint(item, field, value, reason);
	case CONF_STR:
	case CONF_PATH:
		return set_string(item, field, value, reason);
	case CONF_LIST:
		return set_list(item, field, value, reason);
	case CONF_ENUM:
		return set_enum(item, field, value, reason);
	}
	return -EINVAL;
}

static int set_value(const struct conf_item *item, void *conf, const char *value, char *reason)
{
	int rc = set_typed(item, field_of(item, conf), value, reason);

	if (rc < 0 || !item->check || (item->type == CONF_LIST && *value == '\0'))
		return rc;
	return item->check(value, reason, TEXT_MAX) ? 0 : -EINVAL;
}

/* The words of a list's default, one by one. */
static int set_words(const struct conf_item *item, void *conf, const char *words, char *reason)
{
	char word[INI_LINE_MAX + 1];
	int rc = 0;

	for (words += strspn(words, " "); *words && rc == 0; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");

		if (len >= sizeof(word))
			return -EINVAL;
		memcpy(word, words, len);
		word[len] = '\0';
		words += len;
		rc = set_value(item, conf, word, reason);
	}
	return rc;
}

int conf_defaults(const struct conf_schema *schema, void *conf)
{
	const struct conf_item *item;
	char reason[TEXT_MAX];
	int rc = 0;

	for (item = schema->items; item->section && rc == 0; item++) {
		const char *value = item->default_value ? item->default_value : "";

		if (item->type == CONF_LIST)
			rc = set_words(item, conf, value, reason);
		else
			rc = set_value(item, conf, value, reason);
	}
	if (rc < 0)
		conf_clear(schema, conf);
	return rc;
}

__attribute__((format(printf, 3, 4))) static void tell(
	struct apply *a, const struct ini_setting *setting, const char *format, ...)
{
	char text[TEXT_MAX * 2];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (a->rc == 0)
		a->rc = -EINVAL;
	if (a->error)
		a->error(a->arg, setting->file, setting->line, text);
}

static bool is_foreign(const struct conf_schema *schema, const char *section)
{
	for (size_t i = 0; schema->foreign && schema->foreign[i]; i++) {
		if (strcmp(schema->foreign[i], section) == 0)
			return true;
	}
	return false;
}

static bool section_is_known(const struct conf_schema *schema, const char *section)
{
	for (const struct conf_item *item = schema->items; item->section; item++) {
		if (strcmp(item->section, section) == 0)
			return true;
	}
	return false;
}

static const struct conf_item *find_item(
	const struct conf_schema *schema, const char *section, const char *key)
{
	for (const struct conf_item *item = schema->items; item->section; item++) {
		if (strcmp(item->section, section) == 0 && strcmp(item->key, key) == 0)
			return item;
	}
	return NULL;
}

static void apply_item(struct apply *a, const struct conf_item *item, const struct ini_setting *s)
{
	const struct ini_setting **last = &a->last[item - a->schema->items];
	char reason[TEXT_MAX] = "is refused";
	int rc;

	if (item->type != CONF_LIST && *last && strcmp((*last)->file, s->file) == 0) {
		tell(a, s, "%s is set twice, first in line %u", s->key, (*last)->line);
		return;
	}
	if (item->type == CONF_LIST && !*last)
		list_clear(field_of(item, a->conf));
	*last = s;
	rc = set_value(item, a->conf, s->value, reason);
	if (rc == -EINVAL)
		tell(a, s, "value '%s' of %s %s", s->value, s->key, reason);
	else if (a->rc == 0)
		a->rc = rc;
}

/* before: the setting before, or NULL. */
static void apply_setting(
	struct apply *a, const struct ini_setting *s, const struct ini_setting *before)
{
	const struct conf_item *item = find_item(a->schema, s->section, s->key);

	if (item)
		apply_item(a, item, s);
	else if (is_foreign(a->schema, s->section))
		return;
	else if (*s->section == '\0')
		tell(a, s, "key '%s' stands before the first section", s->key);
	else if (section_is_known(a->schema, s->section))
		tell(a, s, "unknown key '%s' in [%s]", s->key, s->section);
	else if (!before || strcmp(before->section, s->section) != 0 ||
		 strcmp(before->file, s->file) != 0)
		tell(a, s, "unknown section [%s]", s->section);
}

int conf_apply(const struct conf_schema *schema, void *conf, const struct ini_doc *doc,
	ini_error_fn *error, void *arg)
{
	struct apply a = {.schema = schema, .conf = conf, .error = error, .arg = arg};
	const struct ini_setting *before = NULL;
	size_t items = 0;

	while (schema->items[items].section)
		items++;
	a.last = calloc(items + 1, sizeof(*a.last));
	if (!a.last)
		return -ENOMEM;
	for (size_t i = 0; i < ini_doc_count(doc); i++) {
		apply_setting(&a, ini_doc_get(doc, i), before);
		before = ini_doc_get(doc, i);
	}
	free(a.last);
	return a.rc;
}

static void print_list(const struct conf_item *item, char *const *list, FILE *out)
{
	/* No entry: an empty value, so that the default does not come back. */
	if (list_count(list) == 0)
		fprintf(out, "%s=\n", item->key);
	for (size_t i = 0; i < list_count(list); i++)
		fprintf(out, "%s=%s\n", item->key, list[i]);
}

static void print_item(const struct conf_item *item, const void *conf, FILE *out)
{
	const void *field = const_field_of(item, conf);
	const char *string;

	switch (item->type) {
	case CONF_BOOL:
		fprintf(out, "%s=%s\n", item->key, *(const bool *)field ? "yes" : "no");
		break;
	case CONF_UINT:
		fprintf(out, "%s=%u\n", item->key, *(const unsigned *)field);
		break;
	case CONF_STR:
	case CONF_PATH:
		string = *(char *const *)field;
		fprintf(out, "%s=%s\n", item->key, string ? string : "");
		break;
	case CONF_LIST:
		print_list(item, *(char **const *)field, out);
		break;
	case CONF_ENUM:
		fprintf(out, "%s=%s\n", item->key, item->words[*(const int *)field]);
		break;
	}
}

int conf_print(const struct conf_schema *schema, const void *conf, FILE *out)
{
	const char *section = NULL;

	for (const struct conf_item *item = schema->items; item->section; item++) {
		if (!section || strcmp(section, item->section) != 0)
			fprintf(out, "%s[%s]\n", section ? "\n" : "", item->section);
		section = item->section;
		if (item->help)
			fprintf(out, "# %s\n", item->help);
		print_item(item, conf, out);
	}
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}

void conf_clear(const struct conf_schema *schema, void *conf)
{
	for (const struct conf_item *item = schema->items; item->section; item++) {
		if (item->type == CONF_LIST)
			list_clear(field_of(item, conf));
		else if (item->type == CONF_STR || item->type == CONF_PATH)
			string_clear(field_of(item, conf));
	}
}
