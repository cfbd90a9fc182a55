/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on one stream without waiting for replies; the replies must come whole and in order. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "parse.h"
#include "peer.h"

#define FIRST_XID 0x7b000000U
#define CALLS_MAX 16
#define SECOND UINT64_C(1000000000)

struct pipe {
	struct peer peer;
	uint8_t call[CALLS_MAX][4 + 256]; /* records, in turn */
	size_t call_len[CALLS_MAX];
	size_t calls;
	uint64_t count, sent, received; /* records */
	size_t sent_of;                 /* bytes of the record that is being sent */
	uint64_t read_after;            /* of peer_now() */
	uint8_t in[1 << 20];
	size_t in_len;
	uint64_t bytes;
};

static int usage(void)
{
	fputs("usage: rpcpipe COUNT MILLISECONDS TARGET HEX...\n"
	      "  sends COUNT calls, those given in turn, and reads nothing for so long\n", stderr);
	return 2;
}

static int take_calls(struct pipe *p, char **hex)
{
	for (; hex[p->calls]; p->calls++) {
		ssize_t len = p->calls < CALLS_MAX
			? peer_unhex(hex[p->calls], p->call[p->calls] + 4, 256) : -1;

		if (len < 4)
			return -EINVAL;
		put_u32(p->call[p->calls], 0x80000000U | (uint32_t)len);
		p->call_len[p->calls] = (size_t)len + 4;
	}
	return p->calls ? 0 : -EINVAL;
}

static int send_more(struct pipe *p)
{
	while (p->sent < p->count) {
		size_t i = p->sent % p->calls;
		ssize_t n;

		put_u32(p->call[i] + 4, FIRST_XID + (uint32_t)p->sent);
		n = send(p->peer.fd, p->call[i] + p->sent_of, p->call_len[i] - p->sent_of,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		p->sent_of += (size_t)n;
		if (p->sent_of < p->call_len[i])
			return 0;
		p->sent_of = 0;
		p->sent++;
	}
	return 0;
}

/* The whole records at the start of the input. */
static int take_replies(struct pipe *p)
{
	size_t at = 0;

	while (p->in_len - at >= 8) {
		size_t len = get_u32(p->in + at) & 0x7fffffff;

		if (len + 4 > sizeof(p->in) || len < 24)
			return -EMSGSIZE;
		if (p->in_len - at < len + 4)
			break;
		/* A reply, accepted, and a success (RFC 5531 section 9). */
		if (get_u32(p->in + at + 4) != FIRST_XID + (uint32_t)p->received ||
		    get_u32(p->in + at + 8) != 1 || get_u32(p->in + at + 12) != 0 ||
		    get_u32(p->in + at + 24) != 0)
			return -EBADMSG;
		p->received++;
		at += len + 4;
	}
	memmove(p->in, p->in + at, p->in_len - at);
	p->in_len -= at;
	return 0;
}

static int receive_more(struct pipe *p)
{
	ssize_t n = recv(p->peer.fd, p->in + p->in_len, sizeof(p->in) - p->in_len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	p->in_len += (size_t)n;
	p->bytes += (uint64_t)n;
	return take_replies(p);
}

static int turn(struct pipe *p)
{
	bool may_read = peer_now() >= p->read_after;
	struct pollfd fd = { .fd = p->peer.fd };
	int rc = 0;

	fd.events = (short)((may_read ? POLLIN : 0) | (p->sent < p->count ? POLLOUT : 0));
	if (poll(&fd, 1, may_read ? 10000 : 20) == 0 && may_read)
		return -ETIMEDOUT;
	if (fd.revents & POLLOUT)
		rc = send_more(p);
	if (rc == 0 && may_read && (fd.revents & ~POLLOUT))
		rc = receive_more(p);
	return rc;
}

int main(int argc, char **argv)
{
	static struct pipe p;
	uint64_t end = peer_now() + 60 * SECOND, wait;
	const char *const *target = (const char *const *)(argv + 3);
	int words = argc > 3 ? peer_target_words(target) : 0, rc;

	if (!words || parse_u64(argv[1], 1, 10000000, &p.count) || parse_u64(argv[2], 0, 10000, &wait) ||
	    take_calls(&p, argv + 3 + words))
		return usage();
	rc = peer_open(&p.peer, target, NULL);
	p.read_after = peer_now() + wait * 1000000;
	while (rc == 0 && p.received < p.count && peer_now() < end)
		rc = turn(&p);
	printf("%llu replies, %llu bytes%s%s\n", (unsigned long long)p.received,
	       (unsigned long long)p.bytes, rc ? ": " : "", rc ? peer_error(rc) : "");
	return rc == 0 && p.received == p.count ? 0 : 1;
}
