/* SPDX-License-Identifier: BSD-3-Clause */
/* services: a name leads to a port, and that to an official name that leads back to it. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "lines.h"
#include "services.h"

static void on_fault(void *arg, unsigned line, const char *text)
{
	unsigned *told = arg;

	FUZZ_CHECK(line > 0 && text && *text);
	FUZZ_CHECK(++*told <= 20);
}

static void look_up(const struct services *services, const char *name)
{
	for (unsigned proto = 1; proto <= SERVICES_DCCP; proto *= 2) {
		const char *official;
		uint16_t port;
		int rc = services_port(services, name, proto, &port);

		FUZZ_CHECK(rc == 0 || rc == -ENOENT);
		if (rc < 0)
			continue;
		official = services_name(services, port, proto);
		FUZZ_CHECK(official && *official);
		FUZZ_CHECK(services_port(services, official, proto, &port) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct services *services = NULL;
	unsigned told = 0;
	struct span line, word;
	struct lines lines;
	int rc = services_parse(&services, (const char *)data, size, on_fault, &told);

	FUZZ_CHECK(rc == 0 || rc == -EFBIG);
	if (rc < 0)
		return 0;
	for (lines_begin(&lines, (const char *)data, size); lines_next(&lines, &line);) {
		char name[SERVICES_NAME_MAX + 1];

		while (line_word(&line, &word))
			if (span_text(&word, name, sizeof(name)))
				look_up(services, name);
	}
	services_free(services);
	return 0;
}
