/* SPDX-License-Identifier: BSD-3-Clause */
/* A table for people: columns as wide as their widest cell. */
#ifndef NSAUX_TABLE_H
#define NSAUX_TABLE_H

#include <stdio.h>

struct table;

/* headings: NULL-terminated, static. NULL when out of memory; then, and after a cell that did
 * not fit in memory, table_print() says so by -ENOMEM. */
struct table *table_new(const char *const *headings);
void table_free(struct table *table);
/* One cell, left to right, row after row; text is copied. */
void table_add(struct table *table, const char *text);
void table_add_number(struct table *table, long long number);
int table_print(const struct table *table, FILE *out);

#endif
