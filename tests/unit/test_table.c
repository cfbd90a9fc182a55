/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "t.h"
#include "table.h"

static void columns(void **state)
{
	static const char *const headings[] = {"VS", "N", "WHAT", NULL};
	struct table *t = table_new(headings);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	table_add(t, "a long name");
	table_add_number(t, -12);
	table_add(t, "x");
	table_add(t, "b");
	table_add_number(t, 3);
	table_add(t, "the last is not padded");
	assert_int_equal(table_print(t, f), 0);
	fclose(f);
	assert_string_equal(text, "VS           N    WHAT\n"
				  "a long name  -12  x\n"
				  "b            3    the last is not padded\n");
	free(text);
	table_free(t);
}

static void many_rows(void **state)
{
	static const char *const headings[] = {"N", NULL};
	struct table *t = table_new(headings);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 1000; i++)
		table_add_number(t, i % 10);
	assert_int_equal(table_print(t, f), 0);
	fclose(f);
	assert_int_equal(size, 2 + 2000);
	free(text);
	table_free(t);
}

static void nothing(void **state)
{
	(void)state;
	table_add(NULL, "x");
	assert_int_equal(table_print(NULL, stdout), -ENOMEM);
	table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
