/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "lines.h"

void lines_begin(struct lines *lines, const char *text, size_t len)
{
	*lines = (struct lines){.left = {text, len}};
}

static void skip(struct span *span, size_t len)
{
	span->at += len;
	span->len -= len;
}

bool lines_next(struct lines *lines, struct span *line)
{
	const char *end;

	if (lines->left.len == 0)
		return false;
	end = memchr(lines->left.at, '\n', lines->left.len);
	*line = lines->left;
	if (end)
		line->len = (size_t)(end - line->at);
	skip(&lines->left, line->len + (end ? 1 : 0));
	lines->number++;
	return true;
}

void line_cut(struct span *line, char byte)
{
	const char *at = line->len ? memchr(line->at, byte, line->len) : NULL;

	if (at)
		line->len = (size_t)(at - line->at);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool line_word(struct span *line, struct span *word)
{
	size_t len = 0;

	while (line->len > 0 && is_blank(*line->at))
		skip(line, 1);
	while (len < line->len && !is_blank(line->at[len]))
		len++;
	*word = (struct span){line->at, len};
	skip(line, len);
	return len > 0;
}

bool span_text(const struct span *span, char *text, size_t size)
{
	if (span->len >= size)
		return false;
	for (size_t i = 0; i < span->len; i++) {
		unsigned char c = (unsigned char)span->at[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	memcpy(text, span->at, span->len);
	text[span->len] = '\0';
	return true;
}

bool span_is(const struct span *span, const char *text)
{
	return strlen(text) == span->len && memcmp(span->at, text, span->len) == 0;
}
