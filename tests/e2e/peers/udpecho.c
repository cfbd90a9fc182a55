/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends back what comes, by the same system calls as the daemon: the load that it is compared to. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse.h"

#define BATCH 32
#define SIZE 9000

struct slot {
	struct sockaddr_in from;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	unsigned char data[SIZE];
};

static void prepare(struct mmsghdr *msg, struct slot *slots)
{
	for (size_t i = 0; i < BATCH; i++) {
		slots[i].iov = (struct iovec){ slots[i].data, SIZE };
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &slots[i].from,
						  .msg_namelen = sizeof(slots[i].from),
						  .msg_iov = &slots[i].iov,
						  .msg_iovlen = 1,
						  .msg_control = slots[i].control.bytes,
						  .msg_controllen = sizeof(slots[i].control.bytes) };
	}
}

/* Back, from the address that was asked. */
static void turn_round(struct mmsghdr *msg, struct slot *slot)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg->msg_hdr);
	struct in_pktinfo info;

	slot->iov.iov_len = msg->msg_len;
	if (!c)
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	info.ipi_ifindex = 0;
	memcpy(CMSG_DATA(c), &info, sizeof(info));
}

static void echo(int fd)
{
	static struct slot slots[BATCH];
	static struct mmsghdr msg[BATCH];
	int n, done = 0;

	prepare(msg, slots);
	n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		turn_round(&msg[i], &slots[i]);
	while (done < n) {
		int sent = sendmmsg(fd, msg + done, (unsigned)(n - done), MSG_DONTWAIT | MSG_NOSIGNAL);

		done += sent > 0 ? sent : 1;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
	uint64_t port;

	if (argc != 2 || parse_u64(argv[1], 1, 65535, &port)) {
		fputs("usage: udpecho PORT\n", stderr);
		return 2;
	}
	sin.sin_port = htons((uint16_t)port);
	if (fd < 0 || epoll < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
		fprintf(stderr, "udpecho: %s\n", strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (epoll_wait(epoll, &event, 1, -1) > 0)
		echo(fd);
	return 1;
}
