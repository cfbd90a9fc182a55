/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network identifiers, universal addresses and socket addresses. The input is a control byte, and
 * a text or socket address. What parses must say the same when it is formatted and parsed again.
 */
#include <string.h>

#include "fuzz.h"
#include "rpcbind-ns/uaddr.h"

static void check_text(int family, const char *text)
{
	struct sockaddr_storage ss;
	struct uaddr first, again;
	char back[UADDR_MAX];
	socklen_t len;

	if (uaddr_parse(family, text, &first) < 0)
		return;
	FUZZ_CHECK(first.family == family);
	FUZZ_CHECK(strlen(text) < UADDR_MAX);
	if (family == AF_UNIX)
		return;
	FUZZ_CHECK(uaddr_format(&first, back, sizeof(back)) == strlen(back));
	FUZZ_CHECK(strlen(back) < UADDR_MAX);
	FUZZ_CHECK(uaddr_parse(family, back, &again) == 0);
	FUZZ_CHECK(memcmp(&first, &again, sizeof(first)) == 0);
	len = uaddr_to_sockaddr(&first, &ss);
	FUZZ_CHECK(uaddr_from_sockaddr((struct sockaddr *)&ss, len, &again) == 0);
	FUZZ_CHECK(again.port == first.port);
	FUZZ_CHECK(again.family != family || uaddr_same_host(&first, &again));
}

static void check_sockaddr(const uint8_t *data, size_t size)
{
	struct uaddr uaddr;
	char text[UADDR_MAX];

	if (uaddr_from_sockaddr(
		    (const struct sockaddr *)(const void *)data, (socklen_t)size, &uaddr) < 0 ||
		uaddr.family == AF_UNIX)
		return;
	FUZZ_CHECK(uaddr_format(&uaddr, text, sizeof(text)) < sizeof(text));
	check_text(uaddr.family, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int families[4] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
	enum netid netid;
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	FUZZ_CHECK(text);
	memcpy(text, data + 1, size - 1);
	if (data[0] & 4) {
		check_sockaddr((uint8_t *)text, size - 1);
	} else {
		text[size - 1] = '\0';
		check_text(families[data[0] & 3], text);
		netid = netid_parse(text);
		FUZZ_CHECK(netid >= NETID_NONE && netid < NETID_COUNT);
	}
	free(text);
	return 0;
}
