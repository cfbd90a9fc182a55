/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>

#include "t.h"
#include "parse.h"

static void numbers(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(parse_u64("0", 0, 9, &v), 0);
	assert_true(v == 0);
	assert_int_equal(parse_u64("0065535", 1, 65535, &v), 0);
	assert_true(v == 65535);
	assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
}

static void bad_numbers(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3", "a",
		"1\n", "\xd9\xa1" /* an Arabic one */};
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_u64(bad[i], 0, UINT64_MAX, &v), -EINVAL);
	assert_int_equal(parse_u64("18446744073709551616", 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(parse_u64("99999999999999999999", 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(parse_u64("180000000000000000000000000000", 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(parse_u64("0", 1, 2, &v), -ERANGE);
	assert_int_equal(parse_u64("3", 1, 2, &v), -ERANGE);
	assert_true(v == 7);
}

static void booleans(void **state)
{
	bool v = false;

	(void)state;
	assert_int_equal(parse_bool("Yes", &v), 0);
	assert_true(v);
	assert_int_equal(parse_bool("OFF", &v), 0);
	assert_false(v);
	assert_int_equal(parse_bool("true", &v), 0);
	assert_true(v);
	assert_int_equal(parse_bool("0", &v), 0);
	assert_false(v);
	assert_int_equal(parse_bool("on", &v), 0);
	assert_true(v);
	assert_int_equal(parse_bool("", &v), -EINVAL);
	assert_int_equal(parse_bool("y", &v), -EINVAL);
	assert_int_equal(parse_bool("no ", &v), -EINVAL);
	assert_int_equal(parse_bool("01", &v), -EINVAL);
	assert_true(v);
}

static void users(void **state)
{
	uid_t uid = 77;

	(void)state;
	assert_int_equal(parse_uid("", &uid), -EINVAL);
	assert_int_equal(parse_uid("4294967295", &uid), -EINVAL);
	assert_int_equal(parse_uid("4294967296", &uid), -EINVAL);
	assert_int_equal(parse_uid("no-such-user-here", &uid), -ENOENT);
	assert_int_equal(parse_uid("-1", &uid), -ENOENT);
	assert_int_equal(uid, 77);
	assert_int_equal(parse_uid("4294967294", &uid), 0);
	assert_true(uid == 4294967294u);
	assert_int_equal(parse_uid("root", &uid), 0);
	assert_int_equal(uid, 0);
}

static void strings(void **state)
{
	char dst[4] = "xyz";

	(void)state;
	assert_int_equal(copy_str(dst, sizeof(dst), "four"), -ENAMETOOLONG);
	assert_int_equal(copy_str(dst, 0, ""), -ENAMETOOLONG);
	assert_string_equal(dst, "xyz");
	assert_int_equal(copy_str(dst, sizeof(dst), "abc"), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(copy_str(dst, sizeof(dst), ""), 0);
	assert_string_equal(dst, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(bad_numbers),
		cmocka_unit_test(booleans),
		cmocka_unit_test(users),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
