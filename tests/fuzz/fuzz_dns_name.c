/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names: the first byte says whether the rest is a text, or a message in which there are names at
 * all offsets. What is read is within its bounds, and the same when it is written and read again.
 */
#include <string.h>

#include "dns_name.h"
#include "fuzz.h"

static void check_same(const struct dns_name *a, const struct dns_name *b)
{
	FUZZ_CHECK(a->len == b->len);
	FUZZ_CHECK(memcmp(a->wire, b->wire, a->len) == 0);
}

/* What holds for any name. */
static void check_name(const struct dns_name *name)
{
	struct dns_name again, lower = *name, root = {.len = 1};
	char text[DNS_TEXT_MAX];
	size_t pos = 0;
	unsigned at = 0, labels = 0;

	while (name->wire[at]) {
		FUZZ_CHECK(name->wire[at] <= DNS_LABEL_MAX);
		at += name->wire[at] + 1u;
		FUZZ_CHECK(at < name->len);
		labels++;
	}
	FUZZ_CHECK(at + 1 == name->len && labels == dns_name_labels(name));
	FUZZ_CHECK(dns_name_text(name, text, sizeof(text)) == 0);
	FUZZ_CHECK(dns_name_parse(&again, text) == 0);
	check_same(name, &again);
	FUZZ_CHECK(dns_name_read(&again, name->wire, name->len, &pos) == 0 && pos == name->len);
	check_same(name, &again);
	dns_name_lower(&lower);
	FUZZ_CHECK(dns_name_equal(name, &lower) && dns_name_ends(name, &lower));
	FUZZ_CHECK(dns_name_ends(name, &root));
	FUZZ_CHECK(dns_name_append(&root, name) == 0);
	check_same(name, &root);
	if (dns_name_is_host(name))
		FUZZ_CHECK(!strpbrk(text, "\\ /_\n$;") && labels > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_name name;
	char *text;

	if (size < 1)
		return 0;
	if (data[0] & 1) {
		for (size_t from = 1; from < size; from++) {
			size_t pos = from - 1;

			if (dns_name_read(&name, data + 1, size - 1, &pos) < 0)
				continue;
			FUZZ_CHECK(pos >= from && pos <= size - 1);
			check_name(&name);
		}
		return 0;
	}
	text = malloc(size);
	FUZZ_CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (dns_name_parse(&name, text) == 0)
		check_name(&name);
	free(text);
	return 0;
}
