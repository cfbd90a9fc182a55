/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of registrations, as stock leaves them in files and answers DUMP with, read as either
 * kind and imported. What is not a list to its end is an error within it; what is imported is well
 * formed; and to import it again changes nothing.
 */
#include <string.h>

#include "fuzz.h"
#include "rpcbind-ns/import.h"
#include "rpcbind-ns/warmstart.h"

struct run {
	struct regs *regs;
	size_t entries, made;
};

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	FUZZ_CHECK(len < size);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(text[i] >= ' ' && text[i] <= '~');
}

static int on_entry(const struct warmstart_entry *e, void *arg)
{
	struct run *run = arg;
	const char *reason = NULL;
	enum import_result result;

	check_text(e->netid, sizeof(e->netid));
	check_text(e->addr, sizeof(e->addr));
	check_text(e->owner, sizeof(e->owner));
	run->entries++;
	result = import_entry(run->regs, e, &reason);
	FUZZ_CHECK((result == IMPORT_REFUSED) == (reason != NULL));
	FUZZ_CHECK(!e->mangled || result == IMPORT_REFUSED || result == IMPORT_OWN);
	run->made += result == IMPORT_NEW;
	return 0;
}

static void check_kind(enum warmstart_kind kind, const uint8_t *data, size_t size)
{
	static const struct regs_limits limits = {.entries = 1000, .entries_per_owner = 100};
	struct run first = {0}, again = {0};
	size_t offset = SIZE_MAX, offset_again = SIZE_MAX;
	int rc;

	FUZZ_CHECK(regs_new(&first.regs, &limits, NULL) == 0);
	again.regs = first.regs;
	rc = warmstart_read(kind, data, size, on_entry, &first, &offset);
	FUZZ_CHECK(rc == 0 ? offset == SIZE_MAX : offset <= size);
	FUZZ_CHECK(first.made == regs_count(first.regs) && first.made <= first.entries);
	FUZZ_CHECK(warmstart_read(kind, data, size, on_entry, &again, &offset_again) == rc);
	FUZZ_CHECK(offset_again == offset && again.entries == first.entries);
	FUZZ_CHECK(again.made == 0);
	if (rc == 0 && first.entries > 0)
		FUZZ_CHECK(warmstart_guess(data, size, "") == kind ||
			   warmstart_read(WARMSTART_RPCB, data, size, NULL, NULL, &offset) == 0);
	regs_free(first.regs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_kind(WARMSTART_RPCB, data, size);
	check_kind(WARMSTART_PMAP, data, size);
	return 0;
}
