/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INI files as a list of settings with their places, read with libinih through a line reader
 * of ours that counts lines and refuses over-long ones, because libinih cuts those in silence.
 */
#ifndef NSAUX_INI_H
#define NSAUX_INI_H

#include <stddef.h>

struct ini_setting {
	const char *section; /* "" before the first header */
	const char *key;
	const char *value;
	const char *file;    /* as the caller named it */
	unsigned line;       /* from 1 */
};

struct ini_doc;

/* Told of each error: file may be NULL, line 0 when it concerns the whole file. */
typedef void ini_error_fn(void *arg, const char *file, unsigned line, const char *text);

/* An empty document. */
struct ini_doc *ini_doc_new(void);
void ini_doc_free(struct ini_doc *doc); /* NULL is allowed */

/*
 * ini_doc_read: appends a file's settings. All errors are told, not just the first; 0,
 * -EINVAL when there was one, -ENOENT when the file does not exist (not told), or what open(2)
 * gave (told). A file is refused when it has more than 10,000 lines, a line over 1,000 bytes, a NUL,
 * or is not a regular file.
 */
int ini_doc_read(struct ini_doc *doc, const char *path, ini_error_fn *error, void *arg);

/* ini_doc_read_dropins: the same for DIR/\*.conf in order of name; no directory is no error. */
int ini_doc_read_dropins(struct ini_doc *doc, const char *dir, ini_error_fn *error, void *arg);

/* ini_doc_add: appends one setting (strings are copied). 0 or -ENOMEM. */
int ini_doc_add(struct ini_doc *doc, const struct ini_setting *setting);

size_t ini_doc_count(const struct ini_doc *doc);
const struct ini_setting *ini_doc_get(const struct ini_doc *doc, size_t i); /* i < count */

#endif
