/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "t.h"
#include "vsctl_text.h"

static void scaled(void **state)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = {{0, "0"}, {9999, "9999"}, {10000, "10k"}, {12345, "12.3k"}, {999499, "999k"},
		{999500, "1M"}, {1234567, "1.23M"}, {1000000000, "1G"}, {UINT64_MAX, "18.4E"}};
	char text[VSCTL_SCALED_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vsctl_scaled(cases[i].number, text);
		assert_string_equal(text, cases[i].text);
		assert_true(strlen(text) <= 6);
	}
}

static void joined(const char *const *words, size_t size, const char *want)
{
	json_t *array = json_array();
	char text[128];

	for (; *words; words++)
		json_array_append_new(array, json_string(*words));
	memset(text, 'x', sizeof(text));
	vsctl_join(array, text, size);
	assert_string_equal(text, want);
	json_decref(array);
}

static void join(void **state)
{
	static const char *const none[] = {NULL}, *const one[] = {"10.1.1.1/24", NULL},
		*const some[] = {"a", "bc", "a-rather-long-one", NULL};

	(void)state;
	joined(none, 64, "-");
	joined(one, 64, "10.1.1.1/24");
	joined(one, 12, "10.1.1.1/24");
	joined(one, 11, "10.1.1.1/2"); /* no room for one */
	joined(some, 23, "a bc a-rather-long-one");
	joined(some, 22, "a bc (+1)");
	joined(some, 19, "a bc (+1)");
	joined(some, 18, "a (+2)");
	joined(some, 2, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(scaled), cmocka_unit_test(join)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
