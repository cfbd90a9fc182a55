/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches in and out, of the daemon's size, and each reply from the address that was asked. */
#include "config.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "echo.h"

struct slot {
	struct sockaddr_storage peer;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec iov;
	uint8_t data[ECHO_MAX];
};

static void prepare(struct mmsghdr *msg, struct slot *slots, unsigned batch)
{
	for (unsigned i = 0; i < batch; i++) {
		slots[i].iov = (struct iovec){ slots[i].data, ECHO_MAX };
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &slots[i].peer,
			.msg_namelen = sizeof(slots[i].peer),
			.msg_iov = &slots[i].iov,
			.msg_iovlen = 1,
			.msg_control = slots[i].control.bytes,
			.msg_controllen = sizeof(slots[i].control.bytes) };
	}
}

/* The reply goes out of the slot that the request came in: nothing is copied. */
static bool turn_round(struct msghdr *msg, size_t len)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct in_pktinfo info;

	if (!c || c->cmsg_type != IP_PKTINFO)
		return false;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	info.ipi_ifindex = 0;
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	msg->msg_controllen = CMSG_SPACE(sizeof(info));
	msg->msg_iov->iov_len = len;
	return true;
}

void echo_datagrams(struct echo *echo, struct echo_socket *s)
{
	static struct slot slots[ECHO_BATCH_MAX];
	static struct mmsghdr msg[ECHO_BATCH_MAX];
	int n;

	prepare(msg, slots, echo->batch);
	n = recvmmsg(s->fd, msg, echo->batch, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		if (!turn_round(&msg[i].msg_hdr, echo->reply))
			return;
	}
	if (n > 0)
		sendmmsg(s->fd, msg, (unsigned)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}
