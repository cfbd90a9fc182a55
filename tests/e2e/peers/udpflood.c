/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls over UDP as fast as they go, from many sockets, on many addresses if wanted. What comes back
 * is counted, and how much longer than the calls it is.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"
#include "peer.h"

#define SOCKETS_MAX 16384
#define BATCH 32
#define CALL_MAX 2048
#define ANSWER_MAX 9000
#define SECOND UINT64_C(1000000000)

struct flood {
	int *fds;
	size_t count;
	uint64_t rate; /* calls in a second; 0: no limit */
	bool distinct; /* another program in each call */
	uint32_t calls;
	uint64_t sent, answers;
	uint64_t beyond; /* bytes of answers that are more than those of their calls */
	size_t len;
	uint8_t call[BATCH][CALL_MAX];
	uint8_t answer[BATCH][ANSWER_MAX];
};

static int usage(void)
{
	fputs("usage: udpflood [-d] [-r RATE] [-s ADDRESS] SOCKETS SECONDS HOST PORT HEX\n"
	      "       calls without a pause, and what came back\n"
	      "       -d: another program, the first argument, in each\n"
	      "       -r: at most so many in a second\n"
	      "       -s: IPv4 address of the first socket; each has the one after\n", stderr);
	return 2;
}

static int open_socket(const char *const *host_port, const char *first, size_t i)
{
	const char *const target[] = { "udp", host_port[0], host_port[1], NULL };
	struct peer_source source = { .host = NULL };
	char text[INET_ADDRSTRLEN];
	struct in_addr addr;
	struct peer peer;
	int rc;

	if (first) {
		if (inet_pton(AF_INET, first, &addr) != 1)
			return -EINVAL;
		addr.s_addr = htonl(ntohl(addr.s_addr) + (uint32_t)i);
		source.host = inet_ntop(AF_INET, &addr, text, sizeof(text));
	}
	rc = peer_open(&peer, target, &source);
	return rc ? rc : peer.fd;
}

static void renew_calls(struct flood *f)
{
	for (size_t i = 0; i < BATCH; i++) {
		put_u32(f->call[i], f->calls);
		if (f->distinct && f->len >= PEER_CALL_SIZE + 4)
			put_u32(f->call[i] + PEER_CALL_SIZE, 0x30000000 + f->calls);
		f->calls++;
	}
}

static void send_calls(struct flood *f, int fd)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ f->call[i], f->len };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	renew_calls(f);
	n = sendmmsg(fd, msg, BATCH, MSG_DONTWAIT | MSG_NOSIGNAL);
	f->sent += n > 0 ? (uint64_t)n : 0;
}

static void read_answers(struct flood *f, int fd)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ f->answer[i], ANSWER_MAX };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		f->answers++;
		f->beyond += msg[i].msg_len > f->len ? msg[i].msg_len - f->len : 0;
	}
}

static void run(struct flood *f, uint64_t seconds)
{
	uint64_t begin = peer_now(), end = begin + seconds * SECOND, now;

	for (size_t i = 0; (now = peer_now()) < end; i++) {
		int fd = f->fds[i % f->count];

		if (f->rate && f->sent >= (now - begin) / 1000 * f->rate / 1000000) {
			for (size_t k = 0; k < f->count; k++)
				read_answers(f, f->fds[k]);
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
			continue;
		}
		send_calls(f, fd);
		read_answers(f, fd);
	}
	/* What is still under way. */
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	for (size_t i = 0; i < f->count * 8; i++)
		read_answers(f, f->fds[i % f->count]);
	printf("sent %llu, answers %llu, beyond %llu bytes\n", (unsigned long long)f->sent,
	       (unsigned long long)f->answers, (unsigned long long)f->beyond);
}

static int set_up(struct flood *f, char **words, const char *first, uint64_t *seconds)
{
	ssize_t len = peer_unhex(words[4], f->call[0], CALL_MAX);
	uint64_t count;

	if (len < 4 || parse_u64(words[0], 1, SOCKETS_MAX, &count) || parse_u64(words[1], 1, 3600, seconds))
		return usage();
	f->len = (size_t)len;
	for (size_t i = 1; i < BATCH; i++)
		memcpy(f->call[i], f->call[0], f->len);
	f->fds = calloc(count, sizeof(*f->fds));
	for (f->count = 0; f->fds && f->count < count; f->count++) {
		f->fds[f->count] = open_socket((const char *const *)words + 2, first, f->count);
		if (f->fds[f->count] < 0) {
			fprintf(stderr, "udpflood: socket %zu: %s\n", f->count, strerror(-f->fds[f->count]));
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct flood f;
	const char *first = NULL;
	uint64_t seconds;
	int option, rc;

	while ((option = getopt(argc, argv, "dr:s:")) != -1) {
		if (option == 'd')
			f.distinct = true;
		else if (option == 's')
			first = optarg;
		else if (option != 'r' || parse_u64(optarg, 1, 100000000, &f.rate))
			return usage();
	}
	if (argc - optind != 5)
		return usage();
	peer_all_files();
	rc = set_up(&f, argv + optind, first, &seconds);
	if (rc)
		return rc;
	puts("ready");
	fflush(stdout);
	run(&f, seconds);
	free(f.fds);
	return 0;
}
