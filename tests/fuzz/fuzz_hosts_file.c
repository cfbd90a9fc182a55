/* SPDX-License-Identifier: BSD-3-Clause */
/* hosts: what a simple reading of each line says is what the table has. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "hosts_file.h"

#define NAMES_MAX 64

static void on_fault(void *arg, unsigned line, const char *text)
{
	unsigned *told = arg;

	FUZZ_CHECK(line > 0 && text && *text);
	FUZZ_CHECK(++*told <= 20);
}

static void expect_pair(const struct hosts *hosts, const char *name, const struct hosts_addr *addr)
{
	struct hosts_addr found[HOSTS_ADDRS_MAX];
	const char *canonical = NULL, *names[NAMES_MAX];
	size_t count = hosts_find(hosts, name, addr->family, found, HOSTS_ADDRS_MAX, &canonical), i;

	FUZZ_CHECK(count > 0 && count <= HOSTS_ADDRS_MAX && canonical && *canonical);
	for (i = 0; i < count && memcmp(&found[i], addr, sizeof(*addr)); i++)
		;
	/* The table may be full of addresses of the other family. */
	FUZZ_CHECK(
		i < count || hosts_find(hosts, name, AF_UNSPEC, NULL, 0, NULL) == HOSTS_ADDRS_MAX);
	count = hosts_find_addr(hosts, addr, names, NAMES_MAX);
	FUZZ_CHECK(count > 0 && count <= NAMES_MAX);
	for (i = 0; i < count && strncasecmp(names[i], name, strlen(names[i])); i++)
		;
	FUZZ_CHECK(i < count || count == NAMES_MAX);
}

static void read_line(const struct hosts *hosts, char *line)
{
	struct hosts_addr addr = {.family = AF_INET};
	char *save = NULL, *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, " \t\r", &save);
	if (!word)
		return;
	if (inet_pton(AF_INET, word, addr.addr) != 1) {
		addr.family = AF_INET6;
		if (inet_pton(AF_INET6, word, addr.addr) != 1)
			return;
	}
	while ((word = strtok_r(NULL, " \t\r", &save))) {
		size_t len = strlen(word);

		for (size_t i = 0; i < len; i++)
			if ((unsigned char)word[i] < ' ' || word[i] == 0x7f)
				len = 0;
		if (len > 0 && len <= HOSTS_NAME_MAX && strcmp(word, ".") != 0)
			expect_pair(hosts, word, &addr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hosts *hosts = NULL;
	unsigned told = 0;
	char *copy;
	int rc = hosts_parse(&hosts, (const char *)data, size, on_fault, &told);

	FUZZ_CHECK(rc == 0 || rc == -EFBIG);
	if (rc < 0)
		return 0;
	copy = malloc(size + 1);
	FUZZ_CHECK(copy);
	memcpy(copy, data, size);
	copy[size] = '\0';
	/* What has a NUL is only parsed. */
	if (strlen(copy) == size) {
		for (char *line = copy, *end; line; line = end) {
			end = strchr(line, '\n');
			if (end)
				*end++ = '\0';
			read_line(hosts, line);
		}
	}
	free(copy);
	FUZZ_CHECK(hosts_find(hosts, "", AF_UNSPEC, NULL, 0, NULL) == 0);
	hosts_free(hosts);
	return 0;
}
