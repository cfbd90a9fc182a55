/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers many programs, as long-winded as is lawful. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "peer.h"

#define FIRST 0x31000000U

static int usage(void)
{
	fputs("usage: rpcfill [-l | -u] N TARGET\n"
	      "       SET of N programs, one version each; how many were set, and how many refused\n"
	      "       -l: with the longest address there is, a path of 107 bytes\n"
	      "       -u: of services over UDP\n", stderr);
	return 2;
}

/* The address says which program it is: two with the same would be no more work than one. */
static size_t make_call(uint8_t *msg, uint32_t i, const char *netid)
{
	size_t len = PEER_CALL_SIZE + 8;
	char address[108];

	if (!strcmp(netid, "local"))
		snprintf(address, sizeof(address), "/%0106u", i);
	else
		snprintf(address, sizeof(address), "0.0.0.0.%u.%u", 1 + i / 256 % 255, i % 256);
	peer_call(msg, i, 100000, 4, 1);
	put_u32(msg + PEER_CALL_SIZE, FIRST + i);
	put_u32(msg + PEER_CALL_SIZE + 4, 1);
	len += put_string(msg + len, netid);
	len += put_string(msg + len, address);
	return len + put_string(msg + len, "");
}

int main(int argc, char **argv)
{
	bool option = argc > 1 && argv[1][0] == '-';
	const char *netid = !option ? "tcp" : !strcmp(argv[1], "-l") ? "local" : "udp";
	const char *const *words = (const char *const *)argv + 1 + option;
	uint8_t record[512], reply[256];
	uint64_t n, set = 0, refused = 0;
	struct peer peer;

	if (argc - option < 3 || parse_u64(words[0], 1, 1000000, &n) ||
	    !peer_target_words(words + 1))
		return usage();
	if (peer_open(&peer, words + 1, NULL))
		return 1;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = make_call(record + 4, i, netid), skip = peer.stream ? 0 : 4;
		ssize_t got;

		put_u32(record, 0x80000000U | (uint32_t)len);
		if (peer_write(&peer, record + skip, len + 4 - skip, 0))
			return 1;
		got = peer_read(&peer, reply, sizeof(reply), 10000);
		if (got < 4)
			return 1;
		if (got == 28 && get_u32(reply + 24) == 1)
			set++;
		else
			refused++;
	}
	printf("%llu set, %llu refused\n", (unsigned long long)set, (unsigned long long)refused);
	peer_close(&peer);
	return 0;
}
