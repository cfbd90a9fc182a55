/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INI files as a list of settings with their places, read with libinih through a line reader
 * of ours that counts lines and refuses what libinih would cut or guess at in silence.
 *
 * The format. "[Section]" alone on its line, "Key=value" after it; blanks around all of them are
 * dropped, at the start of a line too: an indented line is an ordinary one and never continues
 * the line above (libinih alone would take an indented "Key=value" for more of the value above). A
 * line that starts with '#' or ';' is a comment; so is the rest of a line from a ';' that has a
 * blank before it ("a;b" is a value, "a ;b" is "a" and a comment; '#' within a line is
 * nothing special). Keys and names of sections are letters, digits, '-' and '_', in sections '.'
 * too; case matters. ':' in the place of '=' is refused. A line ends with LF or CR LF; a
 * byte order mark of UTF-8 at the start is passed over. A section that comes again goes on.
 */
#ifndef NSAUX_INI_H
#define NSAUX_INI_H

#include <stddef.h>

/* The longest line in bytes, its end not counted. libinih's buffer as Debian builds it has 200
 * bytes, and to change that is to change libinih's globals under everybody in the process. */
#define INI_LINE_MAX 199
/* The longest name of a section, libinih's too. */
#define INI_SECTION_MAX 49
#define INI_LINES_MAX 10000

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

/* An empty document; NULL: no memory. */
struct ini_doc *ini_doc_new(void);
void ini_doc_free(struct ini_doc *doc); /* NULL is allowed */

/*
 * ini_doc_read: appends a file's settings. All errors are told, not just the first; 0,
 * -EINVAL when there was one, -ENOENT when the file does not exist (not told), -ENOMEM (not
 * told), or what open(2) or read(2) gave (told). The lines without an error are in doc all
 * the same, so that a check of their values can tell its errors too. A file is refused when it
 * has more than INI_LINES_MAX lines, a line over INI_LINE_MAX bytes, a control character other than
 * the tab, or is not a regular file.
 */
int ini_doc_read(struct ini_doc *doc, const char *path, ini_error_fn *error, void *arg);

/* ini_doc_read_dropins: the same for DIR/\*.conf in order of name; no directory is no error.
 * All files are read; the first error is returned. */
int ini_doc_read_dropins(struct ini_doc *doc, const char *dir, ini_error_fn *error, void *arg);

/* ini_doc_add: appends one setting (strings are copied). 0, -ENOMEM, or -EINVAL for one that no
 * file could hold (see the format above), since it could not be printed as a file either. */
int ini_doc_add(struct ini_doc *doc, const struct ini_setting *setting);

/* ini_doc_pack: moves all strings together, for a document that is kept for long. What was borrowed
 * before is not valid any more. 0, or -ENOMEM, and then nothing has changed. */
int ini_doc_pack(struct ini_doc *doc);

size_t ini_doc_count(const struct ini_doc *doc);
const struct ini_setting *ini_doc_get(const struct ini_doc *doc, size_t i); /* i < count */

#endif
