/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/rpcmsg.h"

static void reads_at_any_alignment(void **state)
{
	static const uint8_t wire[] = "\0\0\0\7"
				      "\0\0\0\5hello\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\3abcX";
	uint8_t room[sizeof(wire) + 3];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		const uint8_t *data;
		struct rpcmsg_in in;
		char text[8];
		uint32_t word;
		size_t len;

		memcpy(room + shift, wire, sizeof(wire) - 1);
		rpcmsg_in_init(&in, room + shift, sizeof(wire) - 1);
		assert_true(rpcmsg_get_u32(&in, &word));
		assert_int_equal(word, 7);
		assert_true(rpcmsg_get_string(&in, text, sizeof(text)));
		assert_string_equal(text, "hello");
		assert_true(rpcmsg_get_opaque(&in, 8, &data, &len));
		assert_int_equal(len, 0);
		assert_true(rpcmsg_get_opaque(&in, 3, &data, &len));
		assert_int_equal(len, 3);
		assert_ptr_equal(data, room + shift + 24);
		rpcmsg_get_rest(&in, &data, &len);
		assert_int_equal(len, 0);
		assert_false(rpcmsg_get_u32(&in, &word));
	}
}

static void words_at_any_alignment(void **state)
{
	static const uint8_t wire[] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0x12, 0x34, 0x56, 0x78};

	(void)state;
	for (size_t at = 0; at < 4 * (sizeof(wire) + 1); at++) {
		size_t shift = at % 4, len = at / 4;
		uint8_t *copy = malloc(shift + len + 1);
		uint32_t words[3] = {0}, more;
		struct rpcmsg_in in;

		assert_non_null(copy);
		memcpy(copy + shift, wire, len);
		rpcmsg_in_init(&in, copy + shift, len);
		assert_int_equal(rpcmsg_get_words(&in, words, 3), len == sizeof(wire));
		assert_false(rpcmsg_get_u32(&in, &more));
		if (len == sizeof(wire)) {
			assert_int_equal(words[0], 1);
			assert_int_equal(words[1], 0xfffffffe);
			assert_int_equal(words[2], 0x12345678);
		}
		free(copy);
	}
}

/* A call is read, or found cut, in the same way wherever it stands in memory. */
static void calls_at_any_alignment(void **state)
{
	static const uint8_t wire[] = "\0\0\0\7\0\0\0\0\0\0\0\2\0\1\206\240\0\0\0\4\0\0\0\3"
				      "\0\0\0\0\0\0\0\4abcd\0\0\0\0\0\0\0\0rest";
	size_t whole = sizeof(wire) - 1 - 4;

	(void)state;
	for (size_t at = 0; at < 4 * sizeof(wire); at++) {
		size_t shift = at % 4, len = at / 4, rest_len;
		uint8_t *copy = malloc(shift + len + 1);
		struct rpcmsg_call call;
		enum auth_stat why;
		struct rpcmsg_in in;
		const uint8_t *rest;

		assert_non_null(copy);
		memcpy(copy + shift, wire, len);
		rpcmsg_in_init(&in, copy + shift, len);
		assert_int_equal(rpcmsg_get_call(&in, &call, &why),
			len < whole ? RPCMSG_DROP : RPCMSG_OK);
		if (len >= whole) {
			assert_int_equal(call.xid, 7);
			assert_int_equal(call.prog, 100000);
			assert_int_equal(call.vers, 4);
			assert_int_equal(call.proc, 3);
			assert_ptr_equal(call.cred, copy + shift + 24);
			assert_int_equal(call.cred_len, 12);
			rpcmsg_get_rest(&in, &rest, &rest_len);
			assert_int_equal(rest_len, len - whole);
		}
		free(copy);
	}
}

static bool string_ok(const char *wire, size_t len, size_t size)
{
	char *copy = malloc(len), *text = malloc(size);
	struct rpcmsg_in in;
	bool ok;

	assert_non_null(copy);
	assert_non_null(text);
	memcpy(copy, wire, len);
	rpcmsg_in_init(&in, copy, len);
	ok = rpcmsg_get_string(&in, text, size);
	free(copy);
	free(text);
	return ok;
}

static void strings(void **state)
{
	(void)state;
	assert_true(string_ok("\0\0\0\4abcd", 8, 5));
	assert_false(string_ok("\0\0\0\4abcd", 8, 4));   /* no room for the NUL */
	assert_false(string_ok("\0\0\0\3ab\0\0", 8, 5)); /* a NUL inside */
	assert_false(string_ok("\0\0\0\3abc", 7, 5));    /* the padding is cut */
	assert_false(string_ok("\0\0\0\4abc", 7, 5));    /* the text is cut */
	assert_false(string_ok("\0\0\0", 3, 5));         /* the length is cut */
	assert_false(string_ok("\xff\xff\xff\xff"
			       "abcd",
		8, 5));
	assert_false(string_ok("\x7f\xff\xff\xff"
			       "abcd",
		8, 5));
	assert_false(string_ok("\xff\xff\xff\xfd"
			       "abcd",
		8, 5));
	assert_true(string_ok("\0\0\0\0", 4, 1));
}

static void opaque_lengths(void **state)
{
	static const char *const lengths[] = {"\0\0\0\5", "\xff\xff\xff\xff", "\xff\xff\xff\xfc",
		"\x80\0\0\0", "\x7f\xff\xff\xff", "\x40\0\0\0"};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const uint8_t *data;
		struct rpcmsg_in in;
		uint8_t wire[8];
		size_t len;

		memcpy(wire, lengths[i], 4);
		memcpy(wire + 4, "abcd", 4);
		rpcmsg_in_init(&in, wire, sizeof(wire));
		assert_false(rpcmsg_get_opaque(&in, SIZE_MAX, &data, &len));
	}
}

static int grow(struct proc_reply *reply, size_t need)
{
	uint8_t *p;

	assert_true(need <= reply->limit);
	p = realloc(reply->data, need);
	if (!p)
		return -ENOMEM;
	reply->data = p;
	reply->size = need;
	return 0;
}

static void output_grows_to_its_limit(void **state)
{
	struct proc_reply reply = {.data = malloc(10), .size = 10, .limit = 1002, .grow = grow};
	struct rpcmsg_out out;
	uint8_t *wire;

	(void)state;
	assert_non_null(reply.data);
	rpcmsg_out_init(&out, &reply);
	for (uint32_t i = 0; i < 250; i++)
		rpcmsg_put_u32(&out, i);
	assert_true(rpcmsg_out_done(&out));
	assert_int_equal(reply.len, 1000);
	for (uint32_t i = 0; i < 250; i++) {
		wire = reply.data + (size_t)4 * i;
		assert_int_equal(wire[0] << 24 | wire[1] << 16 | wire[2] << 8 | wire[3], i);
	}
	rpcmsg_put_u32(&out, 250);
	assert_true(out.failed);
	assert_false(rpcmsg_out_done(&out));
	rpcmsg_out_init(&out, &reply);
	rpcmsg_put_u32(&out, 1);
	assert_true(rpcmsg_out_done(&out));
	assert_int_equal(reply.len, 4);
	free(reply.data);
}

static int refuse(struct proc_reply *reply, size_t need)
{
	(void)reply;
	(void)need;
	return -ENOMEM;
}

static void output_without_room(void **state)
{
	uint8_t room[12];
	struct proc_reply reply = {.data = room, .size = 8, .limit = 100};
	struct rpcmsg_out out;

	(void)state;
	memset(room, 0xee, sizeof(room));
	for (int i = 0; i < 2; i++) {
		rpcmsg_out_init(&out, &reply);
		rpcmsg_put_string(&out, "abcd");
		assert_true(rpcmsg_out_done(&out));
		assert_int_equal(reply.len, 8);
		rpcmsg_put_u32(&out, 0);
		assert_false(rpcmsg_out_done(&out));
		/* Once failed, what would fit is not written either. */
		rpcmsg_out_init(&out, &reply);
		rpcmsg_put_string(&out, "abcde");
		rpcmsg_put_u32(&out, 0);
		assert_false(rpcmsg_out_done(&out));
		reply.grow = refuse;
	}
	assert_memory_equal(room + 8, "\xee\xee\xee\xee", 4);
}

static void padding_is_zero(void **state)
{
	uint8_t room[32];
	struct proc_reply reply = {.data = room, .size = sizeof(room)};
	struct rpcmsg_out out;

	(void)state;
	memset(room, 0xee, sizeof(room));
	rpcmsg_out_init(&out, &reply);
	rpcmsg_put_string(&out, "a");
	rpcmsg_put_bytes(&out, "bcdef", 5);
	rpcmsg_put_opaque(&out, NULL, 0);
	assert_true(rpcmsg_out_done(&out));
	assert_int_equal(reply.len, 20);
	assert_memory_equal(room, "\0\0\0\1a\0\0\0bcdef\0\0\0\0\0\0\0", 20);
}

static void reserved_room(void **state)
{
	uint8_t room[28];
	struct proc_reply reply = {.data = room, .size = 24};
	struct rpcmsg_out out;
	uint8_t *p;

	(void)state;
	memset(room, 0xee, sizeof(room));
	rpcmsg_out_init(&out, &reply);
	rpcmsg_put_u32(&out, 1);
	p = rpcmsg_reserve(&out, 4 + rpcmsg_string_size(5));
	assert_ptr_equal(p, room + 4);
	p = rpcmsg_fill_u32(p, 2);
	p = rpcmsg_fill_string(p, "abcde", 5);
	assert_ptr_equal(p, room + 20);
	rpcmsg_put_u32(&out, 3);
	assert_true(rpcmsg_out_done(&out));
	assert_int_equal(reply.len, 24);
	assert_memory_equal(room, "\0\0\0\1\0\0\0\2\0\0\0\5abcde\0\0\0\0\0\0\3", 24);
	assert_null(rpcmsg_reserve(&out, 4));
	assert_false(rpcmsg_out_done(&out));
	/* Once failed, there is no room for anything. */
	rpcmsg_out_init(&out, &reply);
	assert_null(rpcmsg_reserve(&out, 28));
	assert_null(rpcmsg_reserve(&out, 4));
	rpcmsg_out_init(&out, &reply);
	assert_null(rpcmsg_reserve(&out, SIZE_MAX - 2));
	assert_true(out.failed);
	assert_memory_equal(room + 24, "\xee\xee\xee\xee", 4);
}

/* The entries of a list stay where they are when room is made for more. */
static void reserved_room_grows(void **state)
{
	struct proc_reply reply = {.data = malloc(10), .size = 10, .limit = 1002, .grow = grow};
	struct rpcmsg_out out;

	(void)state;
	assert_non_null(reply.data);
	rpcmsg_out_init(&out, &reply);
	for (uint32_t i = 0; i < 125; i++)
		rpcmsg_fill_u32(rpcmsg_fill_u32(rpcmsg_reserve(&out, 8), i), ~i);
	assert_true(rpcmsg_out_done(&out));
	assert_int_equal(reply.len, 1000);
	for (uint32_t i = 0; i < 125; i++)
		assert_int_equal(reply.data[(size_t)8 * i + 3], i);
	assert_null(rpcmsg_reserve(&out, 8));
	free(reply.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_at_any_alignment),
		cmocka_unit_test(words_at_any_alignment),
		cmocka_unit_test(calls_at_any_alignment),
		cmocka_unit_test(strings),
		cmocka_unit_test(opaque_lengths),
		cmocka_unit_test(output_grows_to_its_limit),
		cmocka_unit_test(output_without_room),
		cmocka_unit_test(padding_is_zero),
		cmocka_unit_test(reserved_room),
		cmocka_unit_test(reserved_room_grows),
	};

	return cmocka_run_group_tests_name("rpcmsg", tests, NULL, NULL);
}
