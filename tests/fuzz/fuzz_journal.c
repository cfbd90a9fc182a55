/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State files. The input is what stands after the header; a fuzzer does not guess checksums, so
 * that it is a list of bodies, each with its length before it (u8), and the records are made
 * here. A length of 0 means that all the rest is raw. What was loaded, written anew, and
 * loaded again must be the same.
 */
#include <string.h>

#include "crc32.h"
#include "fuzz.h"
#include "rpcbind-ns/journal_record.h"

#define ENTRIES_MAX 40
#define FILE_SIZE_MAX (64 * 1024)

static const struct state_id id = {{1, 2}, 3, "red"};

static struct regs *new_regs(void)
{
	static const struct regs_limits limits = {ENTRIES_MAX, ENTRIES_MAX, ENTRIES_MAX};
	struct regs *regs;

	FUZZ_CHECK(regs_new(&regs, &limits, NULL) == 0);
	return regs;
}

static void put_bytes(struct buf_writer *w, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_put_u8(w, data[i]);
}

static void put_record(struct buf_writer *w, const uint8_t *body, uint32_t len)
{
	buf_put_u32(w, len);
	buf_put_u32(w, crc32_add(crc32_add(0, &len, sizeof(len)), body, len));
	put_bytes(w, body, len);
}

static void make_file(struct buf_writer *w, const uint8_t *data, size_t size)
{
	state_put_header(w, &id);
	while (size > 0 && data[0] > 0) {
		size_t len = data[0] < size ? data[0] : size - 1;

		put_record(w, data + 1, (uint32_t)len);
		data += 1 + len;
		size -= 1 + len;
	}
	put_bytes(w, data, size);
}

static void check_same(const struct regs *a, const struct regs *b)
{
	const struct regs_entry *x = NULL, *y = NULL;

	FUZZ_CHECK(regs_count(a) == regs_count(b) && regs_count(a) <= ENTRIES_MAX);
	while ((x = regs_next(a, x))) {
		y = regs_next(b, y);
		FUZZ_CHECK(y && x->prog == y->prog && x->vers == y->vers && x->netid == y->netid);
		FUZZ_CHECK(x->prog != REGS_PROG_RPCBIND && strcmp(x->text, y->text) == 0);
		FUZZ_CHECK(x->owner.superuser == y->owner.superuser);
		FUZZ_CHECK(x->owner.superuser || x->owner.uid == y->owner.uid);
	}
}

/* In memory of the file's very size, so that a sanitizer sees each step beyond it. */
static void replay(const struct buf_writer *w, struct regs *regs, struct journal_end *end)
{
	uint8_t *exact = malloc(w->len);

	FUZZ_CHECK(exact);
	memcpy(exact, w->base, w->len);
	FUZZ_CHECK(journal_replay(exact, w->len, &id, regs, end) == 0);
	free(exact);
	FUZZ_CHECK(end->offset <= w->len && (end->why || end->offset == w->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct regs *first = new_regs(), *second = new_regs(), *third = new_regs();
	uint8_t *room = malloc(FILE_SIZE_MAX);
	struct journal_end end;
	struct buf_writer w;

	FUZZ_CHECK(room);
	buf_writer_init(&w, room, FILE_SIZE_MAX);
	make_file(&w, data, size);
	if (!w.failed) {
		replay(&w, first, &end);
		/* What is before the end is good by itself. */
		w.len = end.offset;
		replay(&w, second, &end);
		FUZZ_CHECK(!end.why);
		check_same(first, second);
		buf_writer_init(&w, room, FILE_SIZE_MAX);
		state_put_header(&w, &id);
		journal_put_all(&w, first);
		replay(&w, third, &end);
		FUZZ_CHECK(!end.why);
		check_same(first, third);
	}
	free(room);
	regs_free(first);
	regs_free(second);
	regs_free(third);
	return 0;
}
