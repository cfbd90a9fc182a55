/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends bytes to a portmapper as they are given and says what comes back, one line a message.
 *
 * A message is given in hexadecimal; its first four bytes are replaced by a running xid, which
 * the reply must carry. Over streams it is put into a record, of fragments as wished.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

struct options {
	struct peer_source source;
	size_t fragment;  /* bytes of each fragment; 0: one fragment */
	size_t write;     /* bytes of each write(2); 0: all at once */
	bool empty_first; /* begin with a fragment of no bytes */
	bool raw;         /* no record marks, the xid untouched */
	bool truncate;    /* send each message cut at each length */
	bool half_close;  /* shut down the sending side afterwards */
	bool leave;       /* close at once, without an answer */
	bool hex;         /* print the results' bytes of a success */
	bool from;        /* print who answered; UDP */
	int timeout_ms;
};

static int usage(void)
{
	fputs("usage: rpcraw [-aehnrTux] [-s ADDRESS] [-p PORT] [-f BYTES] [-w BYTES] [-t MS] TARGET HEX...\n"
	      "TARGET: udp HOST PORT | tcp HOST PORT | unix PATH | abstract NAME | seqpacket PATH\n"
	      "  -e  begin each record with an empty fragment   -f  fragments of so many bytes\n"
	      "  -h  half-close after the last message          -w  writes of so many bytes\n"
	      "  -n  close once it is sent, reading nothing     -u  do not connect the UDP socket\n"
	      "  -r  send raw bytes, without xid or record mark -x  print the results of a success\n"
	      "  -a  print the address of who answers over UDP\n"
	      "  -T  send each message cut at each length; complain about a success\n", stderr);
	return 2;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	uint64_t n;
	int c;

	while ((c = getopt(argc, argv, "+aehnrTuxs:p:f:w:t:")) != -1) {
		if (strchr("pfwt", c) && parse_u64(optarg, 0, 1000000, &n))
			return false;
		switch (c) {
		case 'a': o->from = true; break;
		case 'e': o->empty_first = true; break;
		case 'h': o->half_close = true; break;
		case 'n': o->leave = true; break;
		case 'r': o->raw = true; break;
		case 'T': o->truncate = true; break;
		case 'u': o->source.unconnected = true; break;
		case 'x': o->hex = true; break;
		case 's': o->source.host = optarg; break;
		case 'p': o->source.port = (uint16_t)n; break;
		case 'f': o->fragment = n; break;
		case 'w': o->write = n; break;
		case 't': o->timeout_ms = (int)n; break;
		default: return false;
		}
	}
	return true;
}

/* The record of a message: fragments of the wished size, the last one marked. */
static size_t frame(const struct options *o, const uint8_t *msg, size_t len, uint8_t *out)
{
	size_t size = o->fragment ? o->fragment : len;
	size_t used = 0, done = 0;

	if (o->empty_first) {
		put_u32(out, 0);
		used = 4;
	}
	do {
		size_t n = len - done < size ? len - done : size;

		put_u32(out + used, (uint32_t)n | (done + n == len ? 0x80000000U : 0));
		if (n)
			memcpy(out + used + 4, msg + done, n);
		used += 4 + n;
		done += n;
	} while (done < len);
	return used;
}

static int send_message(const struct options *o, struct peer *peer, const uint8_t *msg, size_t len)
{
	static uint8_t record[PEER_MAX * 5 + 4];
	size_t n;

	if (!peer->stream)
		return peer_write(peer, msg, len, 0);
	if (o->raw)
		return peer_write(peer, msg, len, o->write);
	n = frame(o, msg, len, record);
	return peer_write(peer, record, n, o->write);
}

static void print_from(const struct peer *peer)
{
	char host[NI_MAXHOST];

	if (!getnameinfo((const struct sockaddr *)&peer->from, peer->from_len, host, sizeof(host),
		    NULL, 0, NI_NUMERICHOST))
		printf(" from %s", host);
}

static void print_reply(const struct options *o, const struct peer *peer, uint32_t xid,
	const uint8_t *reply, size_t len)
{
	char text[80];
	size_t results;

	results = peer_describe(reply, len, o->raw ? NULL : &xid, text, sizeof(text));
	fputs(text, stdout);
	if (o->hex && results && results < len)
		putchar(' ');
	for (size_t i = results; o->hex && results && i < len; i++)
		printf("%02x", reply[i]);
	if (o->from && !peer->stream)
		print_from(peer);
	putchar('\n');
}

/* Sends one message and prints one line. False: the connection is of no use any more. */
static bool exchange(const struct options *o, struct peer *peer, uint8_t *msg, size_t len, uint32_t xid)
{
	static uint8_t reply[PEER_REPLY_MAX];
	ssize_t n;
	int rc;

	if (!o->raw && len >= 4)
		put_u32(msg, xid);
	rc = send_message(o, peer, msg, len);
	if (rc == 0 && o->leave)
		return true;
	if (rc == 0 && o->half_close)
		peer_half_close(peer);
	n = rc ? rc : peer_read(peer, reply, sizeof(reply), o->timeout_ms);
	if (n >= 0)
		print_reply(o, peer, xid, reply, (size_t)n);
	else
		puts(peer_error((int)n));
	return n >= 0 || n == -ETIMEDOUT;
}

/*
 * Sends what is left of a message when its end is cut off, then a whole NULL call: whatever was
 * answered to the first has come before the answer to the second. 1: it was a success.
 */
static int try_cut(const struct options *o, const char *const *target, uint8_t *msg, size_t len, uint32_t xid)
{
	static uint8_t reply[PEER_REPLY_MAX];
	uint8_t ping[PEER_CALL_SIZE];
	struct peer peer;
	char text[80];
	ssize_t n = 0;
	int rc;

	rc = peer_open(&peer, target, &o->source);
	if (rc)
		return rc;
	if (len >= 4)
		put_u32(msg, xid);
	rc = send_message(o, &peer, msg, len);
	peer_call(ping, xid + 1, 100000, 2, 0);
	if (rc == 0)
		rc = send_message(o, &peer, ping, sizeof(ping));
	while (rc == 0 && (n = peer_read(&peer, reply, sizeof(reply), o->timeout_ms)) > 0) {
		if (n >= 4 && get_u32(reply) == xid + 1)
			break;
		peer_describe(reply, (size_t)n, &xid, text, sizeof(text));
		if (strcmp(text, "success") == 0)
			rc = 1;
	}
	/* A stream may be closed on such a record; a datagram must not end the service. */
	if (rc == 0 && n < 0 && (!peer.stream || n == -ETIMEDOUT))
		rc = (int)n;
	peer_close(&peer);
	return rc;
}

static bool truncated(const struct options *o, const char *const *target, const uint8_t *whole, size_t len)
{
	uint8_t msg[PEER_MAX];
	bool good = true;

	for (size_t cut = 0; cut < len; cut++) {
		int rc;

		memcpy(msg, whole, len);
		rc = try_cut(o, target, msg, cut, 0x7a000000 + (uint32_t)cut * 2);
		if (rc == 0)
			continue;
		printf("cut at %zu of %zu: %s\n", cut, len, rc > 0 ? "success" : peer_error(rc));
		good = false;
	}
	return good;
}

int main(int argc, char **argv)
{
	struct options o = { .timeout_ms = 2000 };
	const char *const *target;
	struct peer peer = { .fd = -1 };
	uint32_t xid = 0x7a000000;
	bool good = true;
	int words, rc = 0;

	if (!parse_options(argc, argv, &o))
		return usage();
	target = (const char *const *)argv + optind;
	words = peer_target_words(target);
	if (!words || argc - optind <= words)
		return usage();
	if (!o.truncate && (rc = peer_open(&peer, target, &o.source)) != 0)
		puts(peer_error(rc));
	for (int i = optind + words; rc == 0 && good && i < argc; i++) {
		uint8_t msg[PEER_MAX];
		ssize_t len = peer_unhex(argv[i], msg, sizeof(msg));

		if (len < 0)
			return usage();
		if (o.truncate)
			good = truncated(&o, target, msg, (size_t)len) && good;
		else
			good = exchange(&o, &peer, msg, (size_t)len, xid++);
	}
	peer_close(&peer);
	return rc == 0 && good ? 0 : 1;
}
