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
	CONF_STR,   /* char *, owned; max: the longest, in bytes; not empty unless min is 0 */
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
	/* As written in a file; for a list, words apart by spaces. NULL is the empty value. */
	const char *default_value;
	uint64_t min, max;
	const char *const *words;  /* CONF_ENUM */
	/* A further check of one value of the right type (for a list, of each that is not
	 * empty); writes the reason as the end of a sentence: "is not an address". NULL: none. */
	bool (*check)(const char *value, char *reason, size_t size);
	const char *help;          /* one line, for --print-config */
};

struct conf_schema {
	const struct conf_item *items; /* ends with an item whose section is NULL */
	/* Sections that belong to somebody else and are passed over; NULL-terminated or NULL. */
	const char *const *foreign;
};

/* 0, -ENOMEM, or -EINVAL when the table refuses a default of its own (a fault of the table,
 * for its unit test to find); in both cases nothing is left to clear. The structure must be zeroed
 * before. */
int conf_defaults(const struct conf_schema *schema, void *conf);

/* Puts all of doc into conf, on top of conf_defaults(). Every error is told with its place;
 * -EINVAL when there was one, and conf is then half changed: apply to a fresh structure. A later
 * file's value is put in the place of an earlier one's, and twice in one file is an error; a
 * list gathers the values of all files, and one that is set at all starts without its default. */
int conf_apply(const struct conf_schema *schema, void *conf, const struct ini_doc *doc,
	ini_error_fn *error, void *arg);

/* 0 or -EIO. */
int conf_print(const struct conf_schema *schema, const void *conf, FILE *out);
/* Frees what the fields own; may be called again, and on a zeroed structure. */
void conf_clear(const struct conf_schema *schema, void *conf);

#endif
