/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asks and answers as a program may that knows nothing of virtual servers, in each of the ways in
 * which it can pick a source address, a device and a mark. What the kernel makes of that is what
 * table1.netns is about.
 *
 * usage: vsprobe serve NAME PORT             UDP and TCP, on the wildcard of both families
 *        vsprobe ask SOURCE TARGET PORT ID METHOD [MARK [DEVICE]]
 *        vsprobe connect TARGET PORT [mark N] [device DEVICE] [bind ADDRESS]
 *
 * ask says how its UDP request is to be answered: "plain" or a list of "ifindex", "source",
 * "device" (SO_BINDTODEVICE) and "mark" (SO_MARK), joined by "+". It prints "right", "wrong source
 * ADDRESS", "nothing" or the error's name. When the answer cannot be sent, the server prints
 * "ID ERROR".
 * connect prints "NAME sees ADDRESS", or the error's name.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "parse.h"

#define PATIENCE_MS 400
#define TEXT_MAX 200

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct request {
	char id[40], method[40], device[IF_NAMESIZE];
	unsigned mark;
};

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

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

static const char *print_address(const union address *a, char *text)
{
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->in.sin_addr
							 : (const void *)&a->in6.sin6_addr;

	return inet_ntop(a->any.sa_family, bytes, text, INET6_ADDRSTRLEN);
}

static bool same_address(const union address *a, const union address *b)
{
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static int set_option(int fd, int level, int option, const void *value, size_t size)
{
	return setsockopt(fd, level, option, value, (socklen_t)size);
}

static int turn_on(int fd, int level, int option)
{
	const int on = 1;

	return set_option(fd, level, option, &on, sizeof(on));
}

/* ---- serve */

static int listener(int family, int type, uint64_t port)
{
	union address a = {.any.sa_family = (sa_family_t)family};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	a.in.sin_port = htons((uint16_t)port); /* at the same place in both */
	if (fd < 0 || turn_on(fd, SOL_SOCKET, SO_REUSEADDR) < 0)
		return -1;
	if (family == AF_INET6 && turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0)
		return -1;
	if (type == SOCK_DGRAM && family == AF_INET && turn_on(fd, IPPROTO_IP, IP_PKTINFO) < 0)
		return -1;
	if (type == SOCK_DGRAM && family == AF_INET6 &&
		turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) < 0)
		return -1;
	if (bind(fd, &a.any, size_of(&a)) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		return -1;
	return fd;
}

static void answer_stream(int fd, const char *name)
{
	char text[TEXT_MAX], host[INET6_ADDRSTRLEN];
	union address from;
	socklen_t len = sizeof(from);
	int n, client = accept4(fd, &from.any, &len, SOCK_CLOEXEC);

	if (client < 0)
		return;
	n = snprintf(text, sizeof(text), "%s sees %s\n", name, print_address(&from, host));
	(void)!send(client, text, (size_t)n, MSG_NOSIGNAL);
	close(client);
}

/* Keeps of the packet's information what the method says. */
static void pick_info(struct msghdr *m, const char *method)
{
	bool source = strstr(method, "source"), ifindex = strstr(method, "ifindex");
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct in6_pktinfo info6;
	struct in_pktinfo info;

	if (!c || (!source && !ifindex)) {
		m->msg_control = NULL;
		m->msg_controllen = 0;
	} else if (c->cmsg_level == IPPROTO_IP) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		info.ipi_ifindex = ifindex ? info.ipi_ifindex : 0;
		info.ipi_spec_dst.s_addr = source ? info.ipi_spec_dst.s_addr : 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		info6.ipi6_ifindex = ifindex ? info6.ipi6_ifindex : 0;
		if (!source)
			info6.ipi6_addr = in6addr_any;
		memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	}
}

/* The socket's own options; empty values take them away again. */
static int set_way(int fd, const struct request *r, bool on)
{
	const char *device = on && strstr(r->method, "device") ? r->device : "";
	unsigned mark = on && strstr(r->method, "mark") ? r->mark : 0;

	if (set_option(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)) < 0)
		return -1;
	return set_option(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static bool get_request(const char *text, struct request *r)
{
	*r = (struct request){.mark = 0};
	return sscanf(text, "%39s %39s %u %15s", r->id, r->method, &r->mark, r->device) >= 2;
}

static void answer_datagram(int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	char text[TEXT_MAX] = "";
	union address from;
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, 0);
	struct request r;

	if (n <= 0 || !get_request(text, &r))
		return;
	iov.iov_len = strlen(r.id);
	pick_info(&m, r.method);
	if (set_way(fd, &r, true) < 0 || sendmsg(fd, &m, 0) < 0)
		printf("%s %s\n", r.id, strerrorname_np(errno));
	set_way(fd, &r, false);
}

static int serve(const char *name, uint64_t port)
{
	struct pollfd p[] = {{.fd = listener(AF_INET, SOCK_DGRAM, port)},
		{.fd = listener(AF_INET6, SOCK_DGRAM, port)},
		{.fd = listener(AF_INET, SOCK_STREAM, port)},
		{.fd = listener(AF_INET6, SOCK_STREAM, port)}};

	for (size_t i = 0; i < 4; i++) {
		p[i].events = POLLIN;
		if (p[i].fd < 0)
			return failed("listen");
	}
	puts("ready");
	while (poll(p, 4, -1) > 0) {
		for (size_t i = 0; i < 4; i++) {
			if (p[i].revents && i < 2)
				answer_datagram(p[i].fd);
			else if (p[i].revents)
				answer_stream(p[i].fd, name);
		}
	}
	return failed("poll");
}

/* ---- ask */

static int ask(char **argv, uint64_t port)
{
	struct pollfd p = {.fd = -1, .events = POLLIN};
	union address source, target, from = {.any.sa_family = AF_UNSPEC};
	char text[TEXT_MAX], answer[TEXT_MAX], host[INET6_ADDRSTRLEN];
	socklen_t len = sizeof(from);
	int n = snprintf(text, sizeof(text), "%s %s %s %s", argv[5], argv[6],
		argv[7] ? argv[7] : "0", argv[7] && argv[8] ? argv[8] : "");

	if (!get_address(argv[2], 0, &source) || !get_address(argv[3], port, &target))
		return 2;
	/* Not connected, so that an answer from elsewhere is seen. */
	p.fd = socket(target.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p.fd < 0 || turn_on(p.fd, IPPROTO_IP, IP_RECVERR) < 0 ||
		(target.any.sa_family == AF_INET6 && turn_on(p.fd, IPPROTO_IPV6, IPV6_RECVERR)) ||
		bind(p.fd, &source.any, size_of(&source)) < 0 ||
		sendto(p.fd, text, (size_t)n, 0, &target.any, size_of(&target)) < 0)
		return failed("ask");
	if (poll(&p, 1, PATIENCE_MS) < 1)
		puts("nothing");
	else if (recvfrom(p.fd, answer, sizeof(answer), 0, &from.any, &len) < 0)
		puts(strerrorname_np(errno));
	else if (same_address(&from, &target))
		puts("right");
	else
		printf("wrong source %s\n", print_address(&from, host));
	return 0;
}

/* ---- connect */

static int prepare(int fd, char **argv)
{
	union address source;
	uint64_t mark;
	unsigned value;

	for (; argv[0] && argv[1]; argv += 2) {
		if (strcmp(argv[0], "mark") == 0 && parse_u64(argv[1], 0, UINT32_MAX, &mark) == 0) {
			value = (unsigned)mark;
			if (set_option(fd, SOL_SOCKET, SO_MARK, &value, sizeof(value)) < 0)
				return failed("mark");
		} else if (strcmp(argv[0], "device") == 0) {
			if (set_option(fd, SOL_SOCKET, SO_BINDTODEVICE, argv[1],
				    strlen(argv[1])) < 0)
				return failed("device");
		} else if (strcmp(argv[0], "bind") == 0 && get_address(argv[1], 0, &source)) {
			if (bind(fd, &source.any, size_of(&source)) < 0)
				return failed("bind");
		} else {
			return 2;
		}
	}
	return argv[0] ? 2 : 0;
}

static int join(char **argv, uint64_t port)
{
	/* SO_SNDTIMEO is that of connect(2), too. */
	const struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
	char text[TEXT_MAX] = "";
	union address target;
	int fd, rc;

	if (!get_address(argv[2], port, &target))
		return 2;
	fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || set_option(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		set_option(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return failed("socket");
	rc = prepare(fd, argv + 4);
	if (rc != 0)
		return rc;
	if (connect(fd, &target.any, size_of(&target)) < 0) {
		puts(errno == EINPROGRESS ? "ETIMEDOUT" : strerrorname_np(errno));
		return 0;
	}
	if (recv(fd, text, sizeof(text) - 1, MSG_WAITALL) < 0)
		return failed("recv");
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t port = 0;
	int rc = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(argv[1], "serve") == 0 && !parse_u64(argv[3], 1, 65535, &port))
		rc = serve(argv[2], port);
	else if (argc >= 7 && argc <= 9 && strcmp(argv[1], "ask") == 0 &&
		 !parse_u64(argv[4], 1, 65535, &port))
		rc = ask(argv, port);
	else if (argc >= 4 && strcmp(argv[1], "connect") == 0 &&
		 !parse_u64(argv[3], 1, 65535, &port))
		rc = join(argv, port);
	if (rc == 2)
		fputs("usage: vsprobe serve|ask|connect ..., see vsprobe.c\n", stderr);
	return rc;
}
