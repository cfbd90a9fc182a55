/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "container.h"
#include "list.h"

/* Requests are left unread while this many answers wait. */
#define QUEUE_HIGH 64
/* Messages handled in one turn of the loop, so that a busy peer does not starve the others. */
#define TURN_MAX 64

struct queued {
	TAILQ_ENTRY(queued) link;
	size_t len;
	size_t fd_count;
	int fds[CHANNEL_FDS_MAX];
	uint8_t data[];
};

struct channel {
	struct loop *loop;
	struct loop_io io;
	int fd; /* io's, also when it is not watched any more */
	struct channel_handler handler;
	TAILQ_HEAD(, queued) queue;
	size_t queue_len;
	bool throttle;
	bool *freed; /* set while messages are delivered, so that a handler may free us */
	uint8_t in[CHANNEL_MESSAGE_MAX];
};

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
};

static void close_fds(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void queued_free(struct queued *q)
{
	close_fds(q->fds, q->fd_count);
	free(q);
}

static int send_now(int fd, const void *data, size_t len, const int *fds, size_t fd_count)
{
	union fd_control control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd_count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *c = &control.align;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	for (;;) {
		if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static int enqueue(struct channel *channel, const struct buf_writer *w, const int *fds,
	size_t fd_count)
{
	struct queued *q = malloc(sizeof(*q) + w->len);

	if (!q)
		return -ENOMEM;
	q->len = w->len;
	q->fd_count = 0;
	memcpy(q->data, w->base, w->len);
	for (size_t i = 0; i < fd_count; i++) {
		q->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (q->fds[i] < 0) {
			int rc = -errno;
			queued_free(q);
			return rc;
		}
		q->fd_count++;
	}
	TAILQ_INSERT_TAIL(&channel->queue, q, link);
	channel->queue_len++;
	return 0;
}

static bool may_read(const struct channel *channel)
{
	return !channel->throttle || channel->queue_len < QUEUE_HIGH;
}

static int update_interest(struct channel *channel)
{
	uint32_t events = 0;

	if (may_read(channel))
		events |= EPOLLIN;
	if (channel->queue_len)
		events |= EPOLLOUT;
	return loop_io_mod(channel->loop, &channel->io, events);
}

int channel_send(struct channel *channel, const struct buf_writer *message, const int *fds,
	size_t fd_count)
{
	int rc = -EAGAIN;

	if (message->failed || message->len > CHANNEL_MESSAGE_MAX || fd_count > CHANNEL_FDS_MAX)
		return -EMSGSIZE;
	if (!channel->queue_len)
		rc = send_now(channel->fd, message->base, message->len, fds, fd_count);
	if (rc == -EAGAIN || rc == -ENOBUFS) {
		rc = enqueue(channel, message, fds, fd_count);
		if (!rc)
			rc = update_interest(channel);
	}
	return rc;
}

static int flush(struct channel *channel)
{
	struct queued *q;

	while ((q = TAILQ_FIRST(&channel->queue))) {
		int rc = send_now(channel->fd, q->data, q->len, q->fds, q->fd_count);
		if (rc == -EAGAIN || rc == -ENOBUFS)
			break;
		if (rc)
			return rc;
		TAILQ_REMOVE(&channel->queue, q, link);
		channel->queue_len--;
		queued_free(q);
	}
	return update_interest(channel);
}

/* Takes every descriptor out of the control data, also those of a message that is refused. */
static void take_fds(struct msghdr *msg, struct channel_message *m)
{
	m->fd_count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n && m->fd_count < CHANNEL_FDS_MAX; i++)
			memcpy(&m->fds[m->fd_count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

/* 1: a message; 0: none now; -errno. */
static int receive(struct channel *channel, struct channel_message *m)
{
	union fd_control control;
	struct iovec iov = {.iov_base = channel->in, .iov_len = sizeof(channel->in)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	do
		n = recvmsg(channel->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	take_fds(&msg, m);
	m->fds_lost = msg.msg_flags & MSG_CTRUNC;
	if (n == 0 || (msg.msg_flags & MSG_TRUNC)) {
		close_fds(m->fds, m->fd_count);
		return n == 0 ? -ECONNRESET : -EMSGSIZE;
	}
	buf_reader_init(&m->body, channel->in, (size_t)n);
	return 1;
}

static int deliver(struct channel *channel, bool *freed)
{
	for (unsigned i = 0; i < TURN_MAX && may_read(channel); i++) {
		struct channel_message m;
		int rc = receive(channel, &m);
		if (rc <= 0)
			return rc;
		channel->handler.message(&m, channel->handler.arg);
		close_fds(m.fds, m.fd_count);
		if (*freed)
			return 0;
	}
	return 0;
}

static void on_io(struct loop_io *io, uint32_t events)
{
	struct channel *channel = container_of(io, struct channel, io);
	bool freed = false;
	int rc = 0;

	channel->freed = &freed;
	if (events & EPOLLOUT)
		rc = flush(channel);
	if (!rc && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		rc = deliver(channel, &freed);
	if (freed)
		return;
	channel->freed = NULL;
	if (rc) {
		loop_io_del(channel->loop, &channel->io);
		channel->handler.closed(rc, channel->handler.arg);
	}
}

int channel_new(struct channel **channel, struct loop *loop, int fd, bool throttle,
	const struct channel_handler *handler)
{
	struct channel *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->throttle = throttle;
	c->handler = *handler;
	c->io = (struct loop_io)LOOP_IO_INIT(on_io);
	TAILQ_INIT(&c->queue);
	rc = loop_io_add(loop, &c->io, fd, EPOLLIN);
	if (rc) {
		free(c);
		return rc;
	}
	c->fd = fd;
	*channel = c;
	return 0;
}

void channel_free(struct channel *channel)
{
	struct queued *q;

	if (!channel)
		return;
	if (channel->freed)
		*channel->freed = true;
	loop_io_del(channel->loop, &channel->io);
	while ((q = TAILQ_FIRST(&channel->queue))) {
		TAILQ_REMOVE(&channel->queue, q, link);
		queued_free(q);
	}
	close(channel->fd);
	free(channel);
}
