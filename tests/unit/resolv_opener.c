/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "resolv_opener.h"
#include "t.h"

struct request {
	char path[256];
	int domain, type, protocol, port, error;
	uint32_t mark;
};

static int set_up(int sock, const struct request *r)
{
	const struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port)};

	if (r->mark != 0 && setsockopt(sock, SOL_SOCKET, SO_MARK, &r->mark, sizeof(r->mark)) < 0)
		return -errno;
	if (r->port != 0 && bind(sock, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	return sock;
}

static int make(const struct request *r)
{
	int sock, ns = netns_open(r->path);
	uint64_t cookie;

	if (r->error < 0 || ns < 0)
		return r->error < 0 ? r->error : ns;
	sock = netns_cookie(ns, NETNS_NO_GET_ID, &cookie);
	if (sock == 0)
		sock = netns_socket(ns, cookie, r->domain, r->type, r->protocol);
	close(ns);
	return sock < 0 ? sock : set_up(sock, r);
}

static void answer(int to, int sock)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {&sock, sizeof(sock)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (sock >= 0) {
		memcpy(CMSG_DATA(&control.head), &sock, sizeof(sock));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	if (sendmsg(to, &msg, MSG_NOSIGNAL) < 0)
		_exit(1);
	if (sock >= 0)
		close(sock);
}

static void __attribute__((noreturn)) serve(int sock)
{
	struct request r;

	while (recv(sock, &r, sizeof(r), 0) == (ssize_t)sizeof(r))
		answer(sock, make(&r));
	_exit(0);
}

void opener_lead(struct opener *opener, const char *path)
{
	assert_true(snprintf(opener->path, sizeof(opener->path), "%s", path) <
		    (int)sizeof(opener->path));
}

void opener_start(struct opener *opener, const char *path)
{
	int pair[2];

	memset(opener, 0, sizeof(*opener));
	opener_lead(opener, path);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	opener->pid = fork();
	if (opener->pid == 0) {
		close(pair[0]);
		serve(pair[1]);
	}
	assert_true(opener->pid > 0);
	close(pair[1]);
	opener->sock = pair[0];
}

void opener_stop(struct opener *opener)
{
	int status;

	close(opener->sock);
	assert_int_equal(waitpid(opener->pid, &status, 0), opener->pid);
	assert_int_equal(status, 0);
}

int opener_socket(void *arg, int domain, int type, int protocol)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct opener *opener = arg;
	struct request r = {.domain = domain, .type = opener->type ? opener->type : type,
		.protocol = opener->type ? 0 : protocol, .port = opener->port,
		.error = opener->error, .mark = opener->mark};
	int sock = -EIO;
	struct iovec iov = {&sock, sizeof(sock)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	memcpy(r.path, opener->path, sizeof(r.path));
	if (send(opener->sock, &r, sizeof(r), MSG_NOSIGNAL) < 0 ||
		recvmsg(opener->sock, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(sock))
		return -EIO;
	if (sock < 0)
		return sock;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -EIO;
	memcpy(&sock, CMSG_DATA(c), sizeof(sock));
	return sock;
}
