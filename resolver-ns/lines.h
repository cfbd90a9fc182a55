/* SPDX-License-Identifier: BSD-3-Clause */
/* A text as lines, and a line as words with blanks between them, where it lies: for the files that
 * a resolver reads. A carriage return is a blank. */
#ifndef NSAUX_LINES_H
#define NSAUX_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct span { /* of bytes, which may be any; not NULL-terminated */
	const char *at;
	size_t len;
};

struct lines {
	struct span left;
	unsigned number; /* of the line that was last, from 1 */
};

void lines_begin(struct lines *lines, const char *text, size_t len);
bool lines_next(struct lines *lines, struct span *line); /* false: there is none */

/* Cuts the line at the first such byte. */
void line_cut(struct span *line, char byte);
/* Takes the next word from the line; false: there is none. */
bool line_word(struct span *line, struct span *word);

/* As a string. False: it does not fit, or has a control character. */
bool span_text(const struct span *span, char *text, size_t size);
bool span_is(const struct span *span, const char *text);

#endif
