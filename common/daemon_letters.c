/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of one letter that one daemon has besides those of all: daemon_spec.letters. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon_private.h"
#include "log.h"

#define COMMON "fc:"

static const struct daemon_letter *find(const struct daemon_spec *spec, int letter)
{
	for (const struct daemon_letter *l = spec->letters; l && l->letter; l++)
		if (l->letter == letter)
			return l;
	return NULL;
}

int daemon_letters_string(const struct daemon_spec *spec, char *letters, size_t size)
{
	int len = snprintf(letters, size, "%s", COMMON);

	for (const struct daemon_letter *l = spec->letters; l && l->letter; l++) {
		if (len < 0 || (size_t)len >= size)
			break;
		len += snprintf(letters + len, size - (size_t)len, "%c%s", l->letter,
			l->argument ? ":" : "");
	}
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

void daemon_letters_help(const struct daemon_spec *spec)
{
	if (spec->letters)
		printf("\nand, for the sake of old command lines:\n\n");
	for (const struct daemon_letter *l = spec->letters; l && l->letter; l++)
		printf("  -%c %-18s %s\n", l->letter, l->argument ? l->argument : "", l->help);
}

static const struct conf_item *item_of(
	const struct daemon_spec *spec, const struct daemon_letter *l)
{
	const struct conf_item *item = (l->host ? spec->vs_schema : spec->schema)->items;

	while (item->section && (strcmp(item->section, l->section) || strcmp(item->key, l->key)))
		item++;
	return item;
}

/* What would be wrong with one more value. */
static bool is_right(const struct conf_item *item, const struct ini_doc *doc, const char *value,
	char *reason, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; doc && i < ini_doc_count(doc); i++)
		count += !strcmp(ini_doc_get(doc, i)->key, item->key);
	if (item->type == CONF_LIST && count >= item->max) {
		snprintf(reason, size, "is one more than the %llu allowed",
			(unsigned long long)item->max);
		return false;
	}
	if (item->type == CONF_LIST && !*value) {
		snprintf(reason, size, "is empty");
		return false;
	}
	return !item->check || item->check(value, reason, size);
}

static bool is_repeated(const struct ini_doc *doc, const struct ini_setting *setting)
{
	for (size_t i = 0; doc && i < ini_doc_count(doc); i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		if (!strcmp(s->section, setting->section) && !strcmp(s->key, setting->key) &&
			!strcmp(s->value, setting->value))
			return true;
	}
	return false;
}

static int add(struct ini_doc **doc, const struct ini_setting *setting)
{
	if (is_repeated(*doc, setting))
		return 0;
	if (!*doc)
		*doc = ini_doc_new();
	return *doc ? ini_doc_add(*doc, setting) : -ENOMEM;
}

int daemon_letters_take(struct daemon_options *options, const struct daemon_spec *spec, int letter,
	const char *argument)
{
	const struct daemon_letter *l = find(spec, letter);
	struct ini_setting setting = {.file = "command line"};
	char reason[256] = "is refused";
	struct ini_doc **doc;

	if (!l)
		return -EINVAL;
	if (l->notice)
		log_notice(NULL, "option -%c %s", l->letter, l->notice);
	options->foreground = options->foreground || l->foreground;
	if (!l->key)
		return 0;
	doc = l->host ? &options->host_settings : &options->settings;
	setting.section = l->section;
	setting.key = l->key;
	setting.value = l->value ? l->value : argument;
	if (!is_right(item_of(spec, l), *doc, setting.value, reason, sizeof(reason))) {
		fprintf(stderr, "%s: -%c: '%s' %s\n", spec->name, l->letter, setting.value, reason);
		return -EINVAL;
	}
	return add(doc, &setting);
}
