/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asks addresses without end, each by UDP, TCP and ping at once, and knows what became of every
 * question: for when addresses come and go.
 *
 * usage: vschurn SOURCE PORT TEXT stay ADDRESS... change ADDRESS...
 *
 * The other end is "vsprobe serve", whose TCP answer must be TEXT. Of addresses that stay an
 * answer is awaited for two seconds, and lost if there is none then; of those that change for
 * 30 ms.
 * At SIGTERM a line for each: "stay|change udp|tcp|ping ADDRESS asked N right N none N wrong N".
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse.h"

#define ASKERS_MAX 64
#define STAY_MS 2000
#define CHANGE_MS 30
#define TEXT_MAX 200

enum kind { UDP, TCP, PING, KINDS };
enum verdict { RIGHT, NONE, WRONG };

static const char *const kind_names[] = {"udp", "tcp", "ping"};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct asker {
	pthread_t thread;
	enum kind kind;
	bool stays;
	const char *name;
	union address source, target;
	const char *text; /* that a TCP server sends */
	unsigned counts[3], asked;
	const atomic_bool *stop;
};

static bool get_address(const char *text, uint64_t port, union address *a)
{
	*a = (union address){.any.sa_family = AF_UNSPEC};
	if (inet_pton(AF_INET, text, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->in6.sin6_addr) != 1)
		return false;
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons((uint16_t)port);
	return true;
}

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

static bool same_address(const union address *a, const union address *b)
{
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

static bool is_ready(const struct asker *a, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, a->stays ? STAY_MS : CHANGE_MS) == 1;
}

static int open_socket(const struct asker *a, int type, int protocol)
{
	int fd = socket(a->target.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd >= 0 && bind(fd, &a->source.any, size_of(&a->source)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The answer to one datagram: it must come from where it went to, with the same end. */
static enum verdict ask_datagram(struct asker *a, int fd, const void *ask, size_t len,
	const void *want, size_t want_len, size_t skip)
{
	unsigned char answer[TEXT_MAX];
	union address from = {.any.sa_family = AF_UNSPEC};
	socklen_t from_len = sizeof(from);
	ssize_t n;

	if (sendto(fd, ask, len, 0, &a->target.any, size_of(&a->target)) < 0)
		return NONE;
	if (!is_ready(a, fd, POLLIN))
		return NONE;
	n = recvfrom(fd, answer, sizeof(answer), 0, &from.any, &from_len);
	if (n < 0)
		return errno == EHOSTUNREACH || errno == ENETUNREACH ? NONE : WRONG;
	if (!same_address(&from, &a->target) || (size_t)n != skip + want_len)
		return WRONG;
	return memcmp(answer + skip, want, want_len) == 0 ? RIGHT : WRONG;
}

static enum verdict ask_udp(struct asker *a)
{
	char text[TEXT_MAX], id[40];
	int id_len = snprintf(id, sizeof(id), "c%u", a->asked);
	int len = snprintf(text, sizeof(text), "%s source 0 ", id);
	int fd = open_socket(a, SOCK_DGRAM, 0);
	enum verdict v = NONE;

	if (fd < 0)
		return WRONG;
	v = ask_datagram(a, fd, text, (size_t)len, id, (size_t)id_len, 0);
	close(fd);
	return v;
}

static enum verdict ask_ping(struct asker *a)
{
	bool is_ipv4 = a->target.any.sa_family == AF_INET;
	/* The header of both: type, code, checksum and id (the kernel's), sequence. */
	unsigned char ask[8 + sizeof(a->asked)] = {is_ipv4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	int fd = open_socket(a, SOCK_DGRAM, is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	enum verdict v;

	if (fd < 0)
		return WRONG;
	memcpy(ask + 8, &a->asked, sizeof(a->asked));
	v = ask_datagram(a, fd, ask, sizeof(ask), ask + 8, sizeof(a->asked), 8);
	close(fd);
	return v;
}

static enum verdict talk(struct asker *a, int fd)
{
	char text[TEXT_MAX] = "";
	int error = 0;
	socklen_t len = sizeof(error);
	ssize_t n;

	if (connect(fd, &a->target.any, size_of(&a->target)) < 0 && errno != EINPROGRESS)
		return errno == EHOSTUNREACH || errno == ENETUNREACH ? NONE : WRONG;
	if (!is_ready(a, fd, POLLOUT))
		return NONE;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		return error == EHOSTUNREACH || error == ENETUNREACH ? NONE : WRONG;
	if (!is_ready(a, fd, POLLIN))
		return NONE;
	n = recv(fd, text, sizeof(text) - 1, 0);
	return n > 0 && strncmp(text, a->text, strlen(a->text)) == 0 ? RIGHT : WRONG;
}

static enum verdict ask_tcp(struct asker *a)
{
	/* No TIME_WAIT, of which there would be too many. */
	const struct linger hard = {.l_onoff = 1};
	int fd = open_socket(a, SOCK_STREAM, 0);
	enum verdict v;

	if (fd < 0)
		return WRONG;
	v = talk(a, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	return v;
}

static void *run(void *arg)
{
	static enum verdict (*const ask[])(struct asker *) = {ask_udp, ask_tcp, ask_ping};
	struct asker *a = arg;

	while (!atomic_load(a->stop)) {
		a->asked++;
		a->counts[ask[a->kind](a)]++;
		poll(NULL, 0, 1);
	}
	return NULL;
}

static int usage(void)
{
	fputs("usage: vschurn SOURCE PORT TEXT stay ADDRESS... change ADDRESS...\n", stderr);
	return 2;
}

/* The number of askers; 0: the arguments are wrong. */
static size_t make_askers(struct asker *askers, char **argv, uint64_t port, const atomic_bool *stop)
{
	size_t count = 0;
	bool stays = true;

	for (char **arg = argv + 4; *arg; arg++) {
		if (strcmp(*arg, "stay") == 0 || strcmp(*arg, "change") == 0) {
			stays = **arg == 's';
			continue;
		}
		for (int kind = UDP; kind < KINDS; kind++) {
			struct asker *a = &askers[count];

			if (count++ == ASKERS_MAX)
				return 0;
			*a = (struct asker){.kind = (enum kind)kind,
				.stays = stays,
				.name = *arg,
				.text = argv[3],
				.stop = stop};
			if (!get_address(argv[1], 0, &a->source) ||
				!get_address(*arg, kind == PING ? 0 : port, &a->target))
				return 0;
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	static struct asker askers[ASKERS_MAX];
	atomic_bool stop = false;
	uint64_t port;
	sigset_t term;
	size_t count;
	int signo;

	if (argc < 6 || parse_u64(argv[2], 1, 65535, &port))
		return usage();
	count = make_askers(askers, argv, port, &stop);
	if (count == 0)
		return usage();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&askers[i].thread, NULL, run, &askers[i]))
			return 1;
	puts("ready");
	fflush(stdout);
	sigwait(&term, &signo);
	atomic_store(&stop, true);
	for (size_t i = 0; i < count; i++) {
		const struct asker *a = &askers[i];

		pthread_join(a->thread, NULL);
		printf("%s %s %s asked %u right %u none %u wrong %u\n",
			a->stays ? "stay" : "change", kind_names[a->kind], a->name, a->asked,
			a->counts[RIGHT], a->counts[NONE], a->counts[WRONG]);
	}
	return 0;
}
