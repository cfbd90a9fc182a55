/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <string.h>

#include "t.h"
#include "buf.h"

static void round_trip(void **state)
{
	/* One byte off the alignment of everything. */
	uint8_t room[65];
	struct buf_writer w;
	struct buf_reader r;

	(void)state;
	buf_writer_init(&w, room + 1, sizeof(room) - 1);
	buf_put_u8(&w, 0xfe);
	buf_put_u32(&w, 0xdeadbeef);
	buf_put_u64(&w, UINT64_MAX - 1);
	buf_put_str(&w, "blue");
	buf_put_str(&w, "");
	assert_false(w.failed);
	assert_int_equal(w.len, 1 + 4 + 8 + (4 + 5) + (4 + 1));

	buf_reader_init(&r, room + 1, w.len);
	assert_int_equal(buf_get_u8(&r), 0xfe);
	assert_true(buf_get_u32(&r) == 0xdeadbeef);
	assert_true(buf_get_u64(&r) == UINT64_MAX - 1);
	assert_false(buf_reader_done(&r));
	assert_string_equal(buf_get_str(&r, 4), "blue");
	assert_string_equal(buf_get_str(&r, 0), "");
	assert_true(buf_reader_done(&r));
}

static void writer_stays_failed(void **state)
{
	uint8_t room[6] = {0};
	struct buf_writer w;

	(void)state;
	buf_writer_init(&w, room, sizeof(room));
	buf_put_u32(&w, 1);
	buf_put_u32(&w, 2); /* would be bytes 4 to 7 */
	assert_true(w.failed);
	buf_put_u8(&w, 3); /* would fit */
	assert_true(w.failed);
	assert_int_equal(w.len, 4);
	assert_int_equal(room[4], 0);

	buf_writer_init(&w, room, 6);
	buf_put_str(&w, "ab"); /* its NUL does not fit */
	assert_true(w.failed);

	buf_writer_init(&w, NULL, 0);
	buf_put_u8(&w, 1);
	assert_true(w.failed);
}

static void reader_stays_failed(void **state)
{
	const uint8_t data[5] = {1, 2, 3, 4, 5};
	struct buf_reader r;

	(void)state;
	buf_reader_init(&r, data, sizeof(data));
	assert_int_equal(buf_get_u8(&r), 1);
	assert_true(buf_get_u64(&r) == 0);
	assert_true(r.failed);
	assert_int_equal(buf_get_u8(&r), 0);
	assert_true(buf_get_u32(&r) == 0);
	assert_null(buf_get_str(&r, 100));
	assert_false(buf_reader_done(&r));

	buf_reader_init(&r, data, 0);
	assert_true(buf_reader_done(&r));
	assert_int_equal(buf_get_u8(&r), 0);
	assert_false(buf_reader_done(&r));
}

/* A string of len as told and these bytes after it. */
static const char *get_str(uint8_t *room, uint32_t len, const char *bytes, size_t n, size_t max)
{
	struct buf_reader r;

	memcpy(room, &len, sizeof(len));
	memcpy(room + sizeof(len), bytes, n);
	buf_reader_init(&r, room, sizeof(len) + n);
	return buf_get_str(&r, max);
}

static void bad_strings(void **state)
{
	uint8_t room[32];

	(void)state;
	assert_string_equal(get_str(room, 3, "abc", 4, 3), "abc");
	assert_null(get_str(room, 3, "abc", 4, 2));          /* longer than allowed */
	assert_null(get_str(room, 3, "abc", 3, 9));          /* no NUL */
	assert_null(get_str(room, 3, "abcd", 5, 9));         /* the NUL is elsewhere */
	assert_null(get_str(room, 3, "a\0c", 4, 9));         /* a NUL inside */
	assert_null(get_str(room, 4, "abc", 4, 9));          /* ends beyond the message */
	assert_null(get_str(room, UINT32_MAX, "abc", 4, 9)); /* far beyond */
	assert_null(get_str(room, UINT32_MAX, "abc", 4, SIZE_MAX));
	assert_null(get_str(room, 0, "", 0, 9)); /* empty, without its NUL */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(writer_stays_failed),
		cmocka_unit_test(reader_stays_failed),
		cmocka_unit_test(bad_strings),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
