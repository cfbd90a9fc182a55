/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration by one schema table: the table parses, checks, prints and documents.
 *
 * A table describes the fields of one structure. conf_defaults() fills it, conf_apply() puts a
 * document's settings into it, conf_print() writes it as a file that reads back the same, and
 * conf_clear() frees what the fields own.
 */
#ifndef NSAUX_CONF_H
#define NSAUX_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ini.h"

enum conf_type {
	CONF_BOOL,  /* bool */
	CONF_UINT,  /* unsigned, within [min, max] */
	CONF_STR,   /* char *, owned; max is the longest length in bytes */
	CONF_PATH,  /* char *, owned; absolute, or empty where min is 0 */
	CONF_LIST,  /* char **, owned, NULL-terminated; one value a line; an empty value empties
		     * it; max is the most entries */
	CONF_ENUM,  /* int; one of words (NULL-terminated), stored as the index */
};

struct conf_item {
	const char *section;
	const char *key;
	enum conf_type type;
	size_t offset;             /* of the field in the structure */
	const char *default_value; /* as written in a file; for a list, words apart by spaces */
	uint64_t min, max;
	const char *const *words;  /* CONF_ENUM */
	/* A further check of one value; writes the reason. NULL: none. */
	bool (*check)(const char *value, char *reason, size_t size);
	const char *help;          /* one line, for --print-config */
};

struct conf_schema {
	const struct conf_item *items; /* ends with an item whose section is NULL */
	/* Sections that belong to somebody else and are passed over; NULL-terminated or NULL. */
	const char *const *foreign;
};

/* 0 or -ENOMEM. The structure must be zeroed before. */
int conf_defaults(const struct conf_schema *schema, void *conf);

/* Puts all of doc into conf. Every error is told with its place; -EINVAL when there was one,
 * and conf is then half changed: apply to a fresh structure. A list that is set at all
 * starts without its default. */
int conf_apply(const struct conf_schema *schema, void *conf, const struct ini_doc *doc,
	ini_error_fn *error, void *arg);

int conf_print(const struct conf_schema *schema, const void *conf, FILE *out);
void conf_clear(const struct conf_schema *schema, void *conf);

#endif
