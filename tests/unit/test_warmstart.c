/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of registrations: files that stock has written, and what is wrong with others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "rpcbind-ns/warmstart.h"

#define ENTRIES_MAX 32
#define FILE_MAX 4096

struct list {
	struct warmstart_entry entry[ENTRIES_MAX];
	unsigned count;
	int stop_at; /* the entry at which reading is to end with -ECANCELED */
};

static uint8_t bytes[FILE_MAX];

static int collect(const struct warmstart_entry *e, void *arg)
{
	struct list *list = arg;

	assert_true(list->count < ENTRIES_MAX);
	list->entry[list->count++] = *e;
	return list->stop_at && (int)list->count == list->stop_at ? -ECANCELED : 0;
}

static size_t stock(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/warmstart/%s", top ? top : ".", name);
	file = fopen(path, "rbe");
	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_true(n > 0 && n < sizeof(bytes));
	return n;
}

static void is_entry(const struct warmstart_entry *e, uint32_t prog, uint32_t vers,
	const char *netid, const char *addr, const char *owner)
{
	assert_int_equal(e->prog, prog);
	assert_int_equal(e->vers, vers);
	assert_string_equal(e->netid, netid);
	assert_string_equal(e->addr, addr);
	assert_string_equal(e->owner, owner);
	assert_false(e->mangled);
}

static void reads_stocks_rpcbind_xdr(void **state)
{
	size_t len = stock("rpcb-stock"), offset = 77;
	struct list list = {0};

	(void)state;
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, len, collect, &list, &offset), 0);
	assert_int_equal(offset, 77);
	assert_int_equal(list.count, 19);
	is_entry(&list.entry[0], 100000, 4, "tcp6", "::.0.111", "superuser");
	is_entry(&list.entry[11], 100000, 3, "local", "/run/rpcbind.sock", "superuser");
	is_entry(&list.entry[14], 250001, 1, "udp", "10.1.1.1.3.9", "superuser");
	is_entry(&list.entry[17], 250004, 1, "udp6", "::.200.1", "65534");
	assert_false(list.entry[17].port_only);
	assert_int_equal(warmstart_guess(bytes, len, "portmap.xdr"), WARMSTART_RPCB);
	assert_int_equal(warmstart_read(WARMSTART_PMAP, bytes, len, NULL, NULL, &offset), -EBADMSG);
}

static void reads_stocks_portmap_xdr(void **state)
{
	size_t len = stock("pmap-stock"), offset;
	struct list list = {0};

	(void)state;
	assert_int_equal(warmstart_read(WARMSTART_PMAP, bytes, len, collect, &list, &offset), 0);
	assert_int_equal(list.count, 10);
	is_entry(&list.entry[6], 100003, 3, "tcp", "", "unknown");
	assert_true(list.entry[6].port_only);
	assert_int_equal(list.entry[6].port, 2049);
	is_entry(&list.entry[9], 250005, 2, "udp", "", "unknown");
	assert_int_equal(list.entry[9].port, 4712);
	assert_int_equal(warmstart_guess(bytes, len, "rpcbind.xdr"), WARMSTART_PMAP);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, len, NULL, NULL, &offset), -EBADMSG);
}

/* Each cut gives exactly the entries before it, and tells where the next one starts. */
static void every_cut(void **state)
{
	static const struct {
		enum warmstart_kind kind;
		const char *name;
	} files[] = {{WARMSTART_RPCB, "rpcb-stock"}, {WARMSTART_PMAP, "pmap-stock"}};

	(void)state;
	for (unsigned f = 0; f < 2; f++) {
		size_t len = stock(files[f].name), last = 0;
		unsigned entries = 0;

		for (size_t cut = 0; cut < len; cut++) {
			struct list list = {0};
			size_t offset;

			assert_int_equal(warmstart_read(files[f].kind, bytes, cut, collect, &list,
						 &offset), -EBADMSG);
			assert_true(offset <= cut);
			assert_true(list.count == entries || list.count == entries + 1);
			assert_true(list.count == entries ? offset == last : offset == cut);
			entries = list.count;
			last = offset;
		}
	}
}

static size_t put_u32(size_t at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		bytes[at + i] = (uint8_t)(value >> (24 - 8 * i));
	return at + 4;
}

static size_t put_text(size_t at, const void *text, size_t len)
{
	at = put_u32(at, (uint32_t)len);
	memset(bytes + at, 0, len + 3);
	memcpy(bytes + at, text, len);
	return at + (len + 3) / 4 * 4;
}

static size_t put_rpcb(size_t at, const char *netid, const char *addr, const char *owner)
{
	at = put_u32(at, 1);
	at = put_u32(at, 300);
	at = put_u32(at, 1);
	at = put_text(at, netid, strlen(netid));
	at = put_text(at, addr, strlen(addr));
	return put_text(at, owner, strlen(owner));
}

static void odd_texts(void **state)
{
	char longest[200];
	size_t len = 0, offset;
	struct list list = {0};

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[UADDR_MAX - 1] = '\0';
	len = put_rpcb(len, "udp", longest, "superuser");
	longest[UADDR_MAX - 1] = 'a';
	longest[UADDR_MAX] = '\0';
	len = put_rpcb(len, "udp", longest, "superuser");
	len = put_rpcb(len, "a-netid-with-more-than-31-letters", "0.0.0.0.8.1", "1");
	len = put_rpcb(len, "udp", "\x1b[2J", "1");
	len = put_rpcb(len, "udp", "0.0.0.0.8.1", "a\nb");
	len = put_rpcb(len, "udp", "0.0.0.0.8.1", "somebody-whose-name-is-much-too-long");
	len = put_u32(len, 0);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, len, collect, &list, &offset), 0);
	assert_int_equal(list.count, 6);
	assert_false(list.entry[0].mangled);
	assert_int_equal(strlen(list.entry[0].addr), UADDR_MAX - 1);
	for (unsigned i = 1; i < 4; i++)
		assert_true(list.entry[i].mangled);
	assert_string_equal(list.entry[3].addr, "?[2J");
	is_entry(&list.entry[4], 300, 1, "udp", "0.0.0.0.8.1", "unknown");
	is_entry(&list.entry[5], 300, 1, "udp", "0.0.0.0.8.1", "unknown");
}

static void not_lists(void **state)
{
	struct list list = {0};
	size_t len, offset;

	(void)state;
	/* Neither TRUE nor FALSE. */
	len = put_rpcb(0, "udp", "0.0.0.0.8.1", "1");
	len = put_u32(len, 2);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, len, collect, &list, &offset), -EBADMSG);
	assert_int_equal(offset, len - 4);
	assert_int_equal(list.count, 1);
	/* More behind the end. */
	put_u32(len - 4, 0);
	len = put_u32(len, 0);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, len, NULL, NULL, &offset), -EBADMSG);
	assert_int_equal(offset, len - 4);
	/* A string that claims what stock never has. */
	len = put_u32(put_u32(put_u32(put_u32(0, 1), 300), 1), 9001);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, FILE_MAX, NULL, NULL, &offset), -EBADMSG);
	assert_int_equal(offset, 0);
	put_u32(len - 4, UINT32_MAX);
	assert_int_equal(warmstart_read(WARMSTART_RPCB, bytes, FILE_MAX, NULL, NULL, &offset), -EBADMSG);
	assert_int_equal(warmstart_guess(bytes, len, "/x/portmap.xdr"), WARMSTART_PMAP);
	assert_int_equal(warmstart_guess(bytes, len, "/x/other"), WARMSTART_RPCB);
}

static void fn_ends_it(void **state)
{
	struct list list = {.stop_at = 3};
	size_t len = stock("rpcb-stock"), offset = 77;

	(void)state;
	assert_int_equal(
		warmstart_read(WARMSTART_RPCB, bytes, len, collect, &list, &offset), -ECANCELED);
	assert_int_equal(list.count, 3);
	assert_int_equal(offset, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_stocks_rpcbind_xdr),
		cmocka_unit_test(reads_stocks_portmap_xdr),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(odd_texts),
		cmocka_unit_test(not_lists),
		cmocka_unit_test(fn_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
