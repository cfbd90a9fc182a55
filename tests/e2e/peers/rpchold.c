/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that are there for their own sake: come and gone at once, or kept for what they make the
 * other side keep. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define CONNS_MAX 4096
#define LEFT 300000 /* bytes that are not read: more than the socket's own buffers hold */

static int usage(void)
{
	fputs("usage: rpchold churn SECONDS TARGET  connects and resets, without a pause\n"
	      "       rpchold tail N TARGET         N connections that ask for a DUMP and read it but for the\n"
	      "                                     last " "300000 bytes; until SIGTERM\n", stderr);
	return 2;
}

/* A reset leaves nothing behind that would use up our ports. */
static int churn(uint64_t seconds, const char *const *target)
{
	const struct linger reset = { .l_onoff = 1 };
	uint64_t end = peer_now() + seconds * UINT64_C(1000000000), n = 0, failed = 0;
	struct peer peer;

	puts("ready");
	fflush(stdout);
	while (peer_now() < end) {
		if (peer_open(&peer, target, NULL)) {
			failed++;
			continue;
		}
		setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		peer_close(&peer);
		n++;
	}
	printf("%llu connections, %llu failed\n", (unsigned long long)n, (unsigned long long)failed);
	return 0;
}

/* Four bytes come at once. 0 or -errno. */
static int read_bytes(int fd, uint8_t *data, size_t size, size_t len)
{
	while (len > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, 5000) == 1 ? recv(fd, data, len < size ? len : size, 0) : -1;

		if (n <= 0)
			return -EIO;
		len -= (size_t)n;
	}
	return 0;
}

static int read_but_tail(struct peer *peer)
{
	static uint8_t data[65536];
	uint8_t record[4 + PEER_CALL_SIZE];
	size_t len;

	put_u32(record, 0x80000000U | PEER_CALL_SIZE);
	peer_call(record + 4, 1, 100000, 4, 4);
	if (peer_write(peer, record, sizeof(record), 0) || read_bytes(peer->fd, data, sizeof(data), 4))
		return -EIO;
	len = get_u32(data) & 0x7fffffff;
	return len > LEFT ? read_bytes(peer->fd, data, sizeof(data), len - LEFT) : 0;
}

static int tail(size_t n, const char *const *target)
{
	static struct peer peers[CONNS_MAX];
	size_t held = 0, i;
	sigset_t mask;
	int signo;

	if (n > CONNS_MAX)
		return usage();
	for (i = 0; i < n && peer_open(&peers[i], target, NULL) == 0; i++)
		held += read_but_tail(&peers[i]) == 0;
	printf("ready: %zu connections, %zu have a tail\n", i, held);
	fflush(stdout);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigwait(&mask, &signo);
	return 0;
}

int main(int argc, char **argv)
{
	const char *const *target = (const char *const *)argv + 3;
	uint64_t n;

	if (argc < 4 || parse_u64(argv[2], 1, 100000, &n) || !peer_target_words(target))
		return usage();
	peer_all_files();
	if (strcmp(argv[1], "churn") == 0)
		return churn(n, target);
	return strcmp(argv[1], "tail") == 0 ? tail(n, target) : usage();
}
