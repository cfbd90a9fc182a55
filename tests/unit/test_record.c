/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "t.h"
#include "record.h"

/* What one stream holds: the records "abcd", "" and "efghijkl", the last in three fragments of which
 * one is empty, and a half header. */
static const uint8_t stream[] = {0x80, 0, 0, 4, 'a', 'b', 'c', 'd', 0x80, 0, 0, 0, 0, 0, 0, 3, 'e',
	'f', 'g', 0, 0, 0, 0, 0x80, 0, 0, 5, 'h', 'i', 'j', 'k', 'l', 0x80, 0};

struct seen {
	char text[64];
	unsigned count;
};

static int run(struct record_reader *r, const uint8_t *data, size_t len, struct seen *seen)
{
	while (len) {
		const uint8_t *record;
		size_t record_len;
		ssize_t n = record_feed(r, data, len, &record, &record_len);
		if (n < 0)
			return (int)n;
		assert_true(n > 0 && (size_t)n <= len);
		data += n;
		len -= (size_t)n;
		if (!record) {
			assert_int_equal(len, 0);
			break;
		}
		assert_true(strlen(seen->text) + record_len + 2 < sizeof(seen->text));
		strncat(seen->text, (const char *)record, record_len);
		strncat(seen->text, "|", 2);
		seen->count++;
	}
	return 0;
}

/* However the stream is cut into three, the records are the same. */
static void any_split(void **state)
{
	(void)state;
	for (size_t a = 0; a <= sizeof(stream); a++) {
		for (size_t b = a; b <= sizeof(stream); b++) {
			struct record_reader r = {0};
			struct seen seen = {0};
			assert_int_equal(run(&r, stream, a, &seen), 0);
			assert_int_equal(run(&r, stream + a, b - a, &seen), 0);
			assert_int_equal(run(&r, stream + b, sizeof(stream) - b, &seen), 0);
			assert_string_equal(seen.text, "abcd||efghijkl|");
			assert_true(record_partial(&r));
			record_clear(&r);
			assert_false(record_partial(&r));
		}
	}
}

static void byte_by_byte(void **state)
{
	struct record_reader r = {0};
	struct seen seen = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(stream) - 2; i++)
		assert_int_equal(run(&r, stream + i, 1, &seen), 0);
	assert_string_equal(seen.text, "abcd||efghijkl|");
	assert_false(record_partial(&r));
	record_clear(&r);
}

static void too_long(void **state)
{
	static const uint8_t marks[][4] = {{0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff},
		{0x80, 0, 0x40, 0x01}, {0, 0, 0x40, 0x01}};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct record_reader r = {0};
		struct seen seen = {0};
		assert_int_equal(run(&r, marks[i], 4, &seen), -EMSGSIZE);
		record_clear(&r);
	}
}

/* The sum of the fragments counts, not each. */
static void too_long_in_pieces(void **state)
{
	static uint8_t data[4 + RECORD_MAX];
	static const uint8_t one_more[5] = {0x80, 0, 0, 1, 'x'};
	struct record_reader r = {0};
	struct seen seen = {0};

	(void)state;
	data[2] = RECORD_MAX >> 8;
	assert_int_equal(run(&r, data, sizeof(data), &seen), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(run(&r, one_more, sizeof(one_more), &seen), -EMSGSIZE);
	record_clear(&r);
}

static void longest(void **state)
{
	static uint8_t data[4 + RECORD_MAX];
	struct record_reader r = {0};
	const uint8_t *record;
	size_t record_len = 0;

	(void)state;
	record_mark(data, RECORD_MAX);
	assert_int_equal(record_feed(&r, data, 100, &record, &record_len), 100);
	assert_null(record);
	assert_int_equal(record_feed(&r, data + 100, sizeof(data) - 100, &record, &record_len),
		sizeof(data) - 100);
	assert_non_null(record);
	assert_int_equal(record_len, RECORD_MAX);
	record_clear(&r);
}

/* A whole record in one piece is not copied. */
static void in_place(void **state)
{
	struct record_reader r = {0};
	const uint8_t *record;
	size_t record_len;

	(void)state;
	assert_int_equal(record_feed(&r, stream, sizeof(stream), &record, &record_len), 8);
	assert_ptr_equal(record, stream + 4);
	assert_int_equal(record_len, 4);
	assert_null(r.data);
}

static void marks(void **state)
{
	static const uint8_t want[4] = {0x80, 1, 2, 3};
	uint8_t header[4];

	(void)state;
	record_mark(header, 0x10203);
	assert_memory_equal(header, want, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_split),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(too_long),
		cmocka_unit_test(too_long_in_pieces),
		cmocka_unit_test(longest),
		cmocka_unit_test(in_place),
		cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
