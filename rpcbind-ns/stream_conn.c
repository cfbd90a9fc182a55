/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection: its records in, its replies out. Whose it is: stream_owner.c. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "caller.h"
#include "container.h"
#include "server.h"
#include "stream.h"
#include "stream_private.h"
#include "turn.h"

static void unlink_from_vs(struct stream_conn *c)
{
	if (c->vs) {
		TAILQ_REMOVE(&c->vs->conns, c, in_vs);
		if (c->caller.inside)
			c->vs->inside_count--;
		else
			c->vs->remote_count--;
		c->vs->backlog -= c->out_len;
	} else if (c->refused) {
		c->server->stream.refused_count--;
	} else {
		TAILQ_REMOVE(&c->server->stream.waiting, c, in_vs);
		c->server->stream.waiting_count--;
	}
}

void stream_conn_close(struct stream_conn *c)
{
	loop_io_del(c->server->loop, &c->io);
	loop_timer_del(c->server->loop, &c->hold);
	stream_dequeue(c);
	unlink_from_vs(c);
	TAILQ_REMOVE(&c->server->stream.all, c, in_server);
	c->server->stream.count--;
	close(c->fd);
	record_clear(&c->in);
	free(c->stash);
	stream_reply_release(&c->server->stream, c->out, c->out_len);
	free(c);
}

static int peer_uid(void *arg, uid_t *uid, bool *sure)
{
	struct stream_conn *c = arg;
	bool is_sure = true;
	int rc = 0;

	if (!c->caller.inside || (!c->vs && !c->uid_known))
		return -ENOENT;
	/* The owner of a socket is its maker, for good. */
	if (!c->uid_known)
		rc = vserver_loopback_uid(c->vs, IPPROTO_TCP, &c->caller, &c->uid, &is_sure);
	/* A peer that has reset the connection may have left its port to somebody else, whom the
	 * look-up then found. */
	if (!rc && !c->uid_known && !caller_tcp_is_connected(c->fd))
		rc = -ENOTCONN;
	if (rc || !is_sure)
		return rc ? rc : -EPERM;
	c->uid_known = true;
	*uid = c->uid;
	*sure = true;
	return 0;
}

/* How much the peer took, or -errno. */
static ssize_t send_some(const struct stream_conn *c, const uint8_t *data, size_t len)
{
	ssize_t n = send(c->fd, data, len < STREAM_SEND ? len : STREAM_SEND,
		MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Whose peer reads least goes, when the VS holds too much for such peers. Those who do read are never
 * the ones who have made no progress for longest. False: there is nobody else. */
static bool make_room(struct stream_conn *c, size_t len)
{
	while (c->vs->backlog + len > STREAM_BACKLOG_MAX) {
		struct stream_conn *other, *least = NULL;

		TAILQ_FOREACH(other, &c->vs->conns, in_vs) {
			if (other->out && (!least || other->active < least->active))
				least = other;
		}
		if (!least)
			return false;
		stream_conn_close(least);
	}
	return true;
}

/*
 * Keeps the reply in ss->reply for a peer who took only sent bytes of it; while something is kept
 * nothing more is read. All of a large one counts until the peer has taken the last byte, since until
 * then its memory is not freed.
 */
static int keep_reply(struct stream_conn *c, size_t len, size_t sent)
{
	size_t unsent = len - sent;
	uint8_t *out = stream_reply_take(&c->server->stream, len, &sent);

	if (!out)
		return -ENOMEM;
	c->out = out;
	c->out_len = unsent + sent;
	c->out_sent = sent;
	if (c->vs)
		c->vs->backlog += c->out_len;
	return loop_io_mod(c->server->loop, &c->io, EPOLLOUT);
}

/* Sends len bytes of ss->reply. */
static int send_reply(struct stream_conn *c, size_t len)
{
	ssize_t n = send_some(c, c->server->stream.reply, len);

	if (n < 0 || (size_t)n == len)
		return n < 0 ? (int)n : 0;
	if (c->vs && !make_room(c, len))
		return -ENOBUFS;
	return keep_reply(c, len, (size_t)n);
}

/* The replies that stand in ss->reply. */
static int send_joined(struct stream_conn *c)
{
	struct stream_server *ss = &c->server->stream;
	size_t len = ss->joined;
	int rc;

	ss->joined = 0;
	rc = len ? send_reply(c, len) : 0;
	stream_reply_reset(ss);
	return rc;
}

/* The reply joins those to the records before, which go out together; a long one goes at once, so
 * that no more is made for a peer who does not read. */
static int serve_record(struct stream_conn *c, const uint8_t *record, size_t len)
{
	struct stream_server *ss = &c->server->stream;
	struct stream_reply r;
	struct proc_forward forward;
	int rc = 0;

	c->caller.wall_seconds = (uint64_t)time(NULL);
	stream_reply_begin(ss, &r);
	if (proc_call(c->vs ? &c->vs->proc : NULL, &c->caller, record, len, &r.reply, &forward) ==
		PROC_REPLY) {
		record_mark(ss->reply + ss->joined, r.reply.len);
		c->has_asked = true;
		ss->joined += r.reply.len + 4;
		if (ss->joined >= STREAM_JOIN)
			rc = send_joined(c);
	}
	if (c->vs)
		turn_lap(c->vs, TURN_STREAM);
	/* One answer is all that a refused client gets. */
	return c->refused && !rc ? -ECONNABORTED : rc;
}

static int keep_rest(struct stream_conn *c, const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	c->stash = malloc(len);
	if (!c->stash)
		return -ENOMEM;
	memcpy(c->stash, data, len);
	c->stash_len = len;
	return 0;
}

static int feed_record(struct stream_conn *c, const uint8_t **data, size_t *len)
{
	const uint8_t *record;
	size_t record_len;
	ssize_t n = record_feed(&c->in, *data, *len, &record, &record_len);

	if (n < 0)
		return (int)n;
	*data += n;
	*len -= (size_t)n;
	return record ? serve_record(c, record, record_len) : 0;
}

static int feed(struct stream_conn *c, const uint8_t *data, size_t len)
{
	int rc = 0, sent;

	while (len && !rc && !c->out) {
		rc = feed_record(c, &data, &len);
		if (c->vs && !turn_has_time(c->vs, TURN_STREAM))
			break;
	}
	/* What was served before an error is answered. */
	sent = send_joined(c);
	if (!rc)
		rc = sent;
	if (rc || !len)
		return rc;
	rc = keep_rest(c, data, len);
	/* Either the peer takes no more, or the time is over. */
	if (!rc && !c->out)
		stream_enqueue(c);
	return rc;
}

static int feed_stash(struct stream_conn *c)
{
	uint8_t *stash = c->stash;
	size_t len = c->stash_len;
	int rc;

	c->stash = NULL;
	c->stash_len = 0;
	rc = feed(c, stash, len);
	free(stash);
	return rc;
}

/* The peer took some: go on with what waits behind. */
static int flush(struct stream_conn *c)
{
	ssize_t n = send_some(c, c->out + c->out_sent, c->out_len - c->out_sent);
	int rc;

	if (n < 0)
		return (int)n;
	c->out_sent += (size_t)n;
	if (c->out_sent < c->out_len)
		return 0;
	if (c->vs)
		c->vs->backlog -= c->out_len;
	stream_reply_release(&c->server->stream, c->out, c->out_len);
	c->out = NULL;
	c->out_len = c->out_sent = 0;
	rc = feed_stash(c);
	if (!rc && !c->out && !c->is_queued)
		rc = loop_io_mod(c->server->loop, &c->io, EPOLLIN);
	return rc;
}

static int receive(struct stream_conn *c)
{
	uint8_t *scratch = c->server->stream.scratch;
	ssize_t n = recv(c->fd, scratch, STREAM_SCRATCH, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n == 0 ? -ECONNRESET : feed(c, scratch, (size_t)n);
}

static void on_io(struct loop_io *io, uint32_t events)
{
	struct stream_conn *c = container_of(io, struct stream_conn, io);
	struct vserver *vs = c->vs;
	int rc;

	/* A refused client gains no time by what it sends. */
	if (!c->refused)
		c->active = loop_now(c->server->loop);
	if (vs && !turn_has_time(vs, TURN_STREAM)) {
		stream_enqueue(c);
		return;
	}
	if (vs)
		turn_start(vs);
	if (c->out)
		rc = flush(c);
	else if (events & EPOLLIN)
		rc = receive(c);
	else
		rc = -ECONNRESET;
	if (rc)
		stream_conn_close(c);
	if (vs)
		turn_lap(vs, TURN_STREAM);
}

void stream_conn_resume(struct stream_conn *c)
{
	struct vserver *vs = c->vs;
	int rc = loop_io_add(c->server->loop, &c->io, c->fd, c->out ? EPOLLOUT : EPOLLIN);

	c->active = loop_now(c->server->loop);
	turn_start(vs);
	if (!rc && c->out)
		rc = flush(c);
	else if (!rc)
		rc = c->stash ? feed_stash(c) : receive(c);
	if (rc)
		stream_conn_close(c);
	turn_lap(vs, TURN_STREAM);
}

void stream_conn_init(struct stream_conn *c)
{
	c->io = (struct loop_io)LOOP_IO_INIT(on_io);
	c->caller.peer_uid = peer_uid;
	c->caller.arg = c;
}
