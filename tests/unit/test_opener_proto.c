/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "t.h"
#include "opener_proto.h"

static const struct opener_vs blue = {.id = 7,
	.cookie = UINT64_C(0x1122334455667788),
	.flavour = VS_NAMESPACE,
	.mark = 77,
	.is_host = 1,
	.shares = 1,
	.owner = 1000,
	.root = (uid_t)-1,
	.name = "blue",
	.alias = {"azure", "navy"},
	.alias_count = 2};

static size_t write_message(uint8_t *room, size_t size)
{
	struct ini_doc *doc = ini_doc_new();
	const struct ini_setting s = {"Rpcbind", "Insecure", "yes", "/etc/x.conf", 12};
	struct buf_writer w;

	assert_non_null(doc);
	assert_int_equal(ini_doc_add(doc, &s), 0);
	buf_writer_init(&w, room, size);
	opener_put_vs(&w, &blue);
	opener_put_settings(&w, doc);
	assert_false(w.failed);
	ini_doc_free(doc);
	return w.len;
}

static int read_message(const uint8_t *data, size_t len, struct opener_vs *vs, struct ini_doc *doc)
{
	struct buf_reader r;
	int rc;

	buf_reader_init(&r, data, len);
	rc = opener_get_vs(&r, vs);
	if (!rc)
		rc = opener_get_settings(&r, doc);
	return !rc && !buf_reader_done(&r) ? -EPROTO : rc;
}

static void round_trip(void **state)
{
	uint8_t room[512];
	size_t len = write_message(room, sizeof(room));
	struct ini_doc *doc = ini_doc_new();
	struct opener_vs vs;

	(void)state;
	assert_int_equal(read_message(room, len, &vs, doc), 0);
	assert_true(vs.id == blue.id && vs.cookie == blue.cookie);
	assert_int_equal(vs.is_host, 1);
	assert_int_equal(vs.shares, 1);
	assert_int_equal(vs.mark, 77);
	assert_true(vs.owner == 1000 && vs.root == (uid_t)-1);
	assert_string_equal(vs.name, "blue");
	assert_int_equal(vs.alias_count, 2);
	assert_string_equal(vs.alias[1], "navy");
	assert_int_equal(ini_doc_count(doc), 1);
	assert_string_equal(ini_doc_get(doc, 0)->value, "yes");
	assert_int_equal(ini_doc_get(doc, 0)->line, 12);
	ini_doc_free(doc);
}

/* Neither a message cut anywhere, nor one with a byte too many, is taken for a whole one. */
static void cut_anywhere(void **state)
{
	uint8_t room[512];
	size_t len = write_message(room, sizeof(room) - 1);

	(void)state;
	room[len] = 0;
	for (size_t i = 0; i <= len + 1; i++) {
		struct ini_doc *doc = ini_doc_new();
		struct opener_vs vs;
		int rc = read_message(room, i, &vs, doc);
		assert_int_equal(rc, i == len ? 0 : -EPROTO);
		ini_doc_free(doc);
	}
}

static void hostile_counts(void **state)
{
	uint8_t room[64];
	struct buf_writer w;
	struct buf_reader r;
	struct ini_doc *doc = ini_doc_new();

	(void)state;
	buf_writer_init(&w, room, sizeof(room));
	buf_put_u32(&w, UINT32_MAX);
	buf_reader_init(&r, room, w.len);
	assert_int_equal(opener_get_settings(&r, doc), -EPROTO);
	assert_int_equal(ini_doc_count(doc), 0);
	ini_doc_free(doc);
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		assert_string_not_equal(opener_kind_name((enum opener_kind)k), "unknown");
	assert_string_equal(opener_kind_name(OPENER_KIND_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(hostile_counts),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests_name("opener_proto", tests, NULL, NULL);
}
