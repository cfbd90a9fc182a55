/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record marking of streams. The input is a size and a stream: fed in pieces of that size it must
 * give the very records, or the very error, that it gives fed at once.
 */
#include <string.h>

#include "fuzz.h"
#include "rpcbind-ns/record.h"

struct outcome {
	size_t records, bytes;
	uint64_t digest;
	bool failed, partial;
};

static void digest(struct outcome *outcome, const uint8_t *record, size_t len)
{
	FUZZ_CHECK(len <= RECORD_MAX);
	outcome->records++;
	outcome->bytes += len;
	outcome->digest = (outcome->digest ^ len) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < len; i++)
		outcome->digest = (outcome->digest ^ record[i]) * UINT64_C(0x100000001b3);
}

/* Feeds one piece, which may hold several records. */
static void feed_piece(
	struct record_reader *reader, const uint8_t *piece, size_t len, struct outcome *outcome)
{
	const uint8_t *record;
	size_t record_len;
	ssize_t used;

	while (len > 0 && !outcome->failed) {
		used = record_feed(reader, piece, len, &record, &record_len);
		if (used < 0) {
			outcome->failed = true;
			return;
		}
		FUZZ_CHECK((size_t)used <= len && (used > 0 || record));
		FUZZ_CHECK(record || (size_t)used == len);
		if (record)
			digest(outcome, record, record_len);
		piece += used;
		len -= (size_t)used;
	}
}

static struct outcome feed(const uint8_t *data, size_t size, size_t piece_size)
{
	struct record_reader reader = {0};
	struct outcome outcome = {0};

	for (size_t at = 0; at < size && !outcome.failed; at += piece_size) {
		size_t len = size - at < piece_size ? size - at : piece_size;
		uint8_t *piece = malloc(len);

		FUZZ_CHECK(piece);
		memcpy(piece, data + at, len);
		feed_piece(&reader, piece, len, &outcome);
		free(piece);
	}
	outcome.partial = !outcome.failed && record_partial(&reader);
	record_clear(&reader);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 2)
		return 0;
	whole = feed(data + 1, size - 1, size);
	pieces = feed(data + 1, size - 1, (size_t)data[0] + 1);
	FUZZ_CHECK(whole.records == pieces.records && whole.bytes == pieces.bytes);
	FUZZ_CHECK(whole.digest == pieces.digest);
	FUZZ_CHECK(whole.failed == pieces.failed && whole.partial == pieces.partial);
	return 0;
}
