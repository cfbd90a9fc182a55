/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asks the example server (vsserver.c), and looks at the answers: "VS PEER LOCAL TEXT".
 *
 * Once: prints the answer, with what UDP says of where it came from, or "timeout", "refused", ...
 * With -n: that many requests, a few on their way at a time (TCP: a connection for each, one after the
 * other). Each answer has to name the VS, the address that was asked, and its request, and to come from
 * that address; "right=N wrong=N lost=N" is printed, and the status is 1 when some are not right.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define LINE 1024
#define WINDOW 8

struct asker {
	const char *const *target; /* udp|tcp HOST PORT */
	const char *vs, *text;
	uint64_t count, patience_ms;
	struct peer peer;
	uint64_t right, wrong;
};

static void usage(void)
{
	fputs("usage: vsask [-t MILLISECONDS] udp|tcp HOST PORT TEXT\n"
	      "       vsask [-t MILLISECONDS] -n COUNT udp|tcp HOST PORT VS\n", stderr);
	exit(2);
}

static int open_peer(struct asker *a)
{
	const struct peer_source source = { .unconnected = true };
	int on = 1, off = 0, rc = peer_open(&a->peer, a->target, &source);

	/* For groups and broadcasts, to which a server beside us is not to answer. */
	setsockopt(a->peer.fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	setsockopt(a->peer.fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off));
	return rc;
}

/* The line without its end. Its length, or -errno. */
static ssize_t read_answer(struct asker *a, char *line)
{
	struct pollfd p = { .fd = a->peer.fd, .events = POLLIN };
	ssize_t n;

	a->peer.from_len = sizeof(a->peer.from);
	if (poll(&p, 1, (int)a->patience_ms) != 1)
		return -ETIMEDOUT;
	n = recvfrom(a->peer.fd, line, LINE - 1, 0, (struct sockaddr *)&a->peer.from,
		&a->peer.from_len);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return n;
}

static void source_of(const struct asker *a, char host[INET6_ADDRSTRLEN + 16])
{
	host[0] = '\0';
	if (a->peer.from_len)
		getnameinfo((const struct sockaddr *)&a->peer.from, a->peer.from_len, host,
			INET6_ADDRSTRLEN + 16, NULL, 0, NI_NUMERICHOST);
}

static int ask_once(struct asker *a)
{
	char line[LINE], host[INET6_ADDRSTRLEN + 16];
	ssize_t n = open_peer(a);

	if (n == 0)
		n = peer_write(&a->peer, a->text, strlen(a->text), 0);
	if (n == 0)
		n = read_answer(a, line);
	if (n < 0) {
		puts(peer_error((int)n));
		return 1;
	}
	source_of(a, host);
	printf("%s%s%s\n", line, host[0] ? " from " : "", host);
	return 0;
}

/* "[::ffff:HOST]:PORT" is right, too: the server has one socket for both versions. */
static bool is_local(const struct asker *a, const char *local)
{
	static const char *const forms[][2] = { { "", ":" }, { "[", "]:" }, { "[::ffff:", "]:" } };
	char want[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(want, sizeof(want), "%s%s%s%s", forms[i][0], a->target[1], forms[i][1],
			a->target[2]);
		if (strcmp(local, want) == 0)
			return true;
	}
	return false;
}

/* The number of the request that it answers, if all of it is right; else -1. */
static int64_t judge(const struct asker *a, const char *line)
{
	char vs[128], from[64], local[64], text[32], host[INET6_ADDRSTRLEN + 16];
	uint64_t number;

	if (sscanf(line, "%127s %63s %63s %31s", vs, from, local, text) != 4)
		return -1;
	source_of(a, host);
	if (strcmp(vs, a->vs) != 0 || !is_local(a, local) ||
		(host[0] && strcmp(host, a->target[1]) != 0) ||
		parse_u64(text, 0, a->count - 1, &number) < 0)
		return -1;
	return (int64_t)number;
}

static int send_request(struct asker *a, uint64_t number)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)number);

	return peer_write(&a->peer, text, (size_t)n, 0);
}

static void take_answers(struct asker *a, uint64_t wanted, bool *seen)
{
	char line[LINE];

	while (wanted-- > 0 && read_answer(a, line) > 0) {
		int64_t number = judge(a, line);

		if (number < 0 || seen[number]) {
			fprintf(stderr, "wrong: %s\n", line);
			a->wrong++;
			continue;
		}
		seen[number] = true;
		a->right++;
	}
}

static int ask_udp(struct asker *a, bool *seen)
{
	int rc = open_peer(a);

	for (uint64_t i = 0; i < a->count && rc == 0; i += WINDOW) {
		uint64_t n = a->count - i < WINDOW ? a->count - i : WINDOW;

		for (uint64_t j = 0; j < n && rc == 0; j++)
			rc = send_request(a, i + j);
		take_answers(a, n, seen);
	}
	return rc;
}

static int ask_tcp(struct asker *a, bool *seen)
{
	int rc = 0;

	for (uint64_t i = 0; i < a->count && rc == 0; i++) {
		rc = open_peer(a);
		if (rc == 0)
			rc = send_request(a, i);
		if (rc == 0)
			take_answers(a, 1, seen);
		peer_close(&a->peer);
	}
	return rc;
}

static int ask_many(struct asker *a)
{
	bool *seen = calloc(a->count, sizeof(*seen));
	int rc = -ENOMEM;

	if (seen)
		rc = strcmp(a->target[0], "tcp") == 0 ? ask_tcp(a, seen) : ask_udp(a, seen);
	free(seen);
	printf("right=%llu wrong=%llu lost=%llu%s%s\n", (unsigned long long)a->right,
		(unsigned long long)a->wrong, (unsigned long long)(a->count - a->right - a->wrong),
		rc ? " " : "", rc ? peer_error(rc) : "");
	return rc != 0 || a->right != a->count || a->wrong != 0;
}

int main(int argc, char **argv)
{
	struct asker a = { .patience_ms = 3000, .peer.fd = -1 };
	int c, rc = 0;

	while (rc == 0 && (c = getopt(argc, argv, "n:t:")) != -1) {
		if (c == 'n')
			rc = parse_u64(optarg, 1, 10000000, &a.count);
		else if (c == 't')
			rc = parse_u64(optarg, 1, 100000, &a.patience_ms);
		else
			rc = -EINVAL;
	}
	if (rc || argc - optind != 4)
		usage();
	a.target = (const char *const *)(argv + optind);
	a.vs = a.text = argv[optind + 3];
	rc = a.count ? ask_many(&a) : ask_once(&a);
	peer_close(&a.peer);
	return rc;
}
