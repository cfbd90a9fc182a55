/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define COLUMNS_MAX 16
#define GAP 2

struct table {
	size_t columns, cells, room;
	size_t width[COLUMNS_MAX];
	char **cell;
	bool failed;
};

static void set_width(struct table *t, size_t column, const char *text)
{
	size_t len = strlen(text);

	if (len > t->width[column])
		t->width[column] = len;
}

struct table *table_new(const char *const *headings)
{
	struct table *t = calloc(1, sizeof(*t));

	while (t && headings[t->columns] && t->columns < COLUMNS_MAX)
		t->columns++;
	for (size_t i = 0; t && i < t->columns; i++)
		table_add(t, headings[i]);
	return t;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	free(table);
}

static int make_room(struct table *t)
{
	size_t room = t->room ? t->room * 2 : 64;
	char **cell;

	if (t->cells < t->room)
		return 0;
	cell = reallocarray(t->cell, room, sizeof(*cell));
	if (!cell)
		return -ENOMEM;
	t->cell = cell;
	t->room = room;
	return 0;
}

void table_add(struct table *table, const char *text)
{
	char *copy;

	if (!table || table->failed)
		return;
	copy = make_room(table) ? NULL : strdup(text);
	if (!copy) {
		table->failed = true;
		return;
	}
	set_width(table, table->cells % table->columns, copy);
	table->cell[table->cells++] = copy;
}

void table_add_number(struct table *table, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	table_add(table, text);
}

int table_print(const struct table *table, FILE *out)
{
	if (!table || table->failed)
		return -ENOMEM;
	for (size_t i = 0; i < table->cells; i++) {
		size_t column = i % table->columns;
		bool last = column + 1 == table->columns;
		int pad = last ? 0 : (int)(table->width[column] + GAP);
		fprintf(out, "%-*s%s", pad, table->cell[i], last ? "\n" : "");
	}
	return ferror(out) ? -EIO : 0;
}
