/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /etc/netconfig. Each error names a line that there is; what is visible is named; and a file
 * without errors has none when it is read once more with a comment before it.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "rpcbind-ns/netconfig.h"

struct seen {
	unsigned lines, errors;
};

static void on_error(void *arg, const char *file, unsigned line, const char *text)
{
	struct seen *seen = arg;

	FUZZ_CHECK(file && text && *text && line >= 1 && line <= seen->lines);
	seen->errors++;
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void with_comment(const uint8_t *data, size_t size, const struct netconfig *want)
{
	static const char comment[] = "# comment\n";
	struct netconfig got;
	char *text = malloc(sizeof(comment) + size);

	FUZZ_CHECK(text);
	memcpy(text, comment, sizeof(comment) - 1);
	memcpy(text + sizeof(comment) - 1, data, size);
	FUZZ_CHECK(!netconfig_parse(&got, text, sizeof(comment) - 1 + size, "file", NULL, NULL));
	FUZZ_CHECK(got.named == want->named && got.visible == want->visible);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netconfig netconfig = {.named = UINT32_MAX};
	struct seen seen = {count_lines(data, size), 0};
	int rc = netconfig_parse(&netconfig, (const char *)data, size, "file", on_error, &seen);

	FUZZ_CHECK(rc == 0 || rc == -EINVAL);
	FUZZ_CHECK((rc == 0) == (seen.errors == 0));
	if (rc) {
		FUZZ_CHECK(netconfig.named == UINT32_MAX);
		return 0;
	}
	FUZZ_CHECK(!(netconfig.visible & ~netconfig.named));
	FUZZ_CHECK(!(netconfig.named & ~(NETCONFIG_BIT(NETID_COUNT) - 2)));
	with_comment(data, size, &netconfig);
	return 0;
}
