/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection: whose it is, its records in, its replies out. */
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

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define HOLD (1 * LOOP_SEC)

static bool is_local(const struct stream_conn *c)
{
	return c->caller.netid == NETID_LOCAL;
}

static void unlink_from_vs(struct stream_conn *c)
{
	if (c->vs) {
		TAILQ_REMOVE(&c->vs->conns, c, in_vs);
		if (c->caller.inside)
			c->vs->inside_count--;
		else
			c->vs->remote_count--;
		c->vs->backlog -= c->out_len - c->out_sent;
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
	close(c->fd);
	record_clear(&c->in);
	free(c->stash);
	free(c->out);
	free(c);
}

static int peer_uid(void *arg, uid_t *uid)
{
	struct stream_conn *c = arg;

	int rc = 0;

	if (!c->caller.inside || (!c->vs && !c->uid_known))
		return -ENOENT;
	/* The owner of a socket is its maker, for good. */
	if (!c->uid_known)
		rc = vserver_loopback_uid(c->vs, IPPROTO_TCP, &c->caller, &c->uid);
	/* A peer that has reset the connection may have left its port to somebody else, whom the
	 * look-up then found. */
	if (!rc && !c->uid_known && !caller_tcp_is_connected(c->fd))
		rc = -ENOTCONN;
	if (rc)
		return rc;
	c->uid_known = true;
	*uid = c->uid;
	return 0;
}

/* The reply stands behind the room for its record mark. */
struct stream_reply {
	struct proc_reply reply;
	struct stream_server *ss;
};

static int grow_reply(struct proc_reply *reply, size_t need)
{
	struct stream_server *ss = ((struct stream_reply *)(void *)reply)->ss;
	size_t size = ss->reply_size;
	uint8_t *p;

	if (need > STREAM_REPLY_MAX)
		return -ENOMEM;
	while (size < need + 4)
		size *= 2;
	p = realloc(ss->reply, size);
	if (!p)
		return -ENOMEM;
	ss->reply = p;
	ss->reply_size = size;
	reply->data = p + 4;
	reply->size = size - 4;
	return 0;
}

static void shrink_reply(struct stream_server *ss)
{
	uint8_t *p;

	if (ss->reply_size == STREAM_REPLY_SMALL)
		return;
	p = realloc(ss->reply, STREAM_REPLY_SMALL);
	if (p) {
		ss->reply = p;
		ss->reply_size = STREAM_REPLY_SMALL;
	}
}

/* Keeps what the peer does not take. While something is kept nothing more is read. */
static int send_reply(struct stream_conn *c, const uint8_t *data, size_t len)
{
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return 0;
	data += n;
	len -= (size_t)n;
	if (c->vs && c->vs->backlog + len > STREAM_BACKLOG_MAX)
		return -ENOBUFS;
	c->out = malloc(len);
	if (!c->out)
		return -ENOMEM;
	memcpy(c->out, data, len);
	c->out_len = len;
	c->out_sent = 0;
	if (c->vs)
		c->vs->backlog += len;
	return loop_io_mod(c->server->loop, &c->io, EPOLLOUT);
}

static int serve_record(struct stream_conn *c, const uint8_t *record, size_t len)
{
	struct stream_server *ss = &c->server->stream;
	struct stream_reply r = {.ss = ss,
		.reply = {.data = ss->reply + 4,
			.size = ss->reply_size - 4,
			.limit = STREAM_REPLY_MAX,
			.grow = grow_reply}};
	struct proc_forward forward;
	int rc = 0;

	uint64_t begin = stream_clock();

	c->caller.wall_seconds = (uint64_t)time(NULL);
	if (proc_call(c->vs ? &c->vs->proc : NULL, &c->caller, record, len, &r.reply, &forward) ==
		PROC_REPLY) {
		record_mark(ss->reply, r.reply.len);
		rc = send_reply(c, ss->reply, r.reply.len + 4);
		shrink_reply(ss);
	}
	if (c->vs)
		stream_worked(c->vs, begin);
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

static int feed(struct stream_conn *c, const uint8_t *data, size_t len)
{
	const uint8_t *record;
	size_t record_len;

	while (len) {
		ssize_t n = record_feed(&c->in, data, len, &record, &record_len);
		if (n < 0)
			return (int)n;
		data += n;
		len -= (size_t)n;
		int rc = record ? serve_record(c, record, record_len) : 0;
		if (rc)
			return rc;
		if (c->out)
			return keep_rest(c, data, len);
		if (c->vs && len && !stream_may_work(c->vs)) {
			rc = keep_rest(c, data, len);
			if (!rc)
				stream_enqueue(c);
			return rc;
		}
	}
	return 0;
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
	ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
		MSG_NOSIGNAL | MSG_DONTWAIT);
	int rc;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->out_sent += (size_t)n;
	if (c->vs)
		c->vs->backlog -= (size_t)n;
	if (c->out_sent < c->out_len)
		return 0;
	free(c->out);
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
	int rc;

	/* A refused client gains no time by what it sends. */
	if (!c->refused)
		c->active = loop_now(c->server->loop);
	if (c->vs && !c->out && !stream_may_work(c->vs)) {
		stream_enqueue(c);
		return;
	}
	if (c->out)
		rc = flush(c);
	else if (events & EPOLLIN)
		rc = receive(c);
	else
		rc = -ECONNRESET;
	if (rc)
		stream_conn_close(c);
}

void stream_conn_resume(struct stream_conn *c)
{
	int rc = loop_io_add(c->server->loop, &c->io, c->fd, EPOLLIN);

	c->active = loop_now(c->server->loop);
	if (!rc)
		rc = c->stash ? feed_stash(c) : receive(c);
	if (rc)
		stream_conn_close(c);
}

static void on_hold_end(struct loop_timer *timer)
{
	stream_conn_settle(container_of(timer, struct stream_conn, hold), NULL);
}

static void refuse(struct stream_conn *c)
{
	struct stream_server *ss = &c->server->stream;
	uint64_t dropped;

	if (log_limit_ok(&ss->refused_limit, loop_now(c->server->loop), &dropped))
		log_notice(NULL, "refused a client of no known virtual server: network namespace "
				 "cookie %llu, uid %u, process %d (%llu more not logged)",
			(unsigned long long)c->cookie, c->uid, (int)c->pid,
			(unsigned long long)dropped);
	c->refused = true;
	ss->refused_count++;
	/* What it asks is denied; if it never asks it is closed like any stuck connection. */
	c->caller.inside = true;
}

/* Who is missed least: connections from outside, then others over IP, then those of ordinary users.
 * Long-lived ones of servers and of the kernel come last. */
static int importance(const struct stream_conn *c)
{
	if (!c->caller.inside)
		return 0;
	if (!is_local(c))
		return 1;
	return c->uid != 0 ? 2 : 3;
}

bool stream_conn_evict(struct vserver *vs)
{
	struct stream_conn *c, *least = NULL;

	TAILQ_FOREACH(c, &vs->conns, in_vs) {
		if (!least || importance(c) < importance(least) ||
			(importance(c) == importance(least) && c->active < least->active))
			least = c;
	}
	if (!least)
		return false;
	stream_conn_close(least);
	return true;
}

/* Over IP on loopback nobody knows whose it is before he asks: together they count as one uid. */
static bool has_too_many(const struct stream_conn *c, const struct vserver *vs)
{
	const struct stream_conn *other;
	unsigned same = 0;

	if (is_local(c) && c->uid == 0)
		return vs->inside_count >= STREAM_INSIDE_MAX;
	TAILQ_FOREACH(other, &vs->conns, in_vs)
		same += other->caller.inside && is_local(other) == is_local(c) &&
			(!is_local(c) || other->uid == c->uid);
	return same >= STREAM_PER_UID_MAX ||
	       vs->inside_count >= STREAM_INSIDE_MAX - STREAM_PER_UID_MAX;
}

static int join(struct stream_conn *c, struct vserver *vs)
{
	if (c->caller.inside && has_too_many(c, vs))
		return -EBUSY;
	/* There is one from outside, and these go first. */
	if (!c->caller.inside && vs->remote_count >= STREAM_REMOTE_MAX)
		stream_conn_evict(vs);
	if (c->caller.inside)
		vs->inside_count++;
	else
		vs->remote_count++;
	c->vs = vs;
	TAILQ_INSERT_TAIL(&vs->conns, c, in_vs);
	return 0;
}

void stream_conn_settle(struct stream_conn *c, struct vserver *vs)
{
	struct stream_server *ss = &c->server->stream;
	int rc = 0;

	TAILQ_REMOVE(&ss->waiting, c, in_vs);
	ss->waiting_count--;
	loop_timer_del(c->server->loop, &c->hold);
	c->active = loop_now(c->server->loop);
	if (vs)
		rc = join(c, vs);
	if (!vs || rc)
		refuse(c);
	rc = loop_io_mod(c->server->loop, &c->io, EPOLLIN);
	if (rc || ss->refused_count > STREAM_REFUSED_MAX)
		stream_conn_close(c);
}

static bool may_wait(const struct stream_conn *c)
{
	const struct stream_server *ss = &c->server->stream;
	const struct stream_conn *other;
	unsigned same = 0;

	TAILQ_FOREACH(other, &ss->waiting, in_vs)
		same += other->uid == c->uid;
	if (c->uid == 0)
		return ss->waiting_count < 2 * STREAM_WAITING_MAX;
	return ss->waiting_count < STREAM_WAITING_MAX && same < STREAM_WAITING_PER_UID;
}

/* Until the VS is known the connection is not read from. */
static int wait_for_vs(struct stream_conn *c)
{
	struct stream_server *ss = &c->server->stream;
	int rc;

	if (!may_wait(c))
		return -EBUSY;
	rc = loop_io_add(c->server->loop, &c->io, c->fd, 0);
	if (rc)
		return rc;
	TAILQ_INSERT_TAIL(&ss->waiting, c, in_vs);
	ss->waiting_count++;
	stream_need_rescan(c->server);
	rc = loop_timer_in(c->server->loop, &c->hold, HOLD);
	if (rc)
		stream_conn_settle(c, NULL);
	return 0;
}

static int identify_local(struct stream_conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred), cookie_len = sizeof(c->cookie);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
		getsockopt(c->fd, SOL_SOCKET, SO_NETNS_COOKIE, &c->cookie, &cookie_len) < 0)
		return -errno;
	c->uid = cred.uid;
	c->uid_known = true;
	c->pid = cred.pid;
	c->caller.peer.family = AF_UNIX;
	c->caller.inside = true;
	return 0;
}

static int identify_tcp(struct stream_conn *c, const struct sockaddr_storage *peer,
	socklen_t peer_len)
{
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	int rc;

	if (getsockname(c->fd, (struct sockaddr *)&local, &len) < 0)
		return -errno;
	rc = uaddr_from_sockaddr((const struct sockaddr *)peer, peer_len, &c->caller.peer);
	if (!rc)
		rc = uaddr_from_sockaddr((struct sockaddr *)&local, len, &c->caller.contacted);
	if (rc)
		return rc;
	c->caller.inside = caller_is_loopback(&c->caller.peer) &&
			   caller_is_loopback(&c->caller.contacted) &&
			   caller_tcp_on_lo(c->fd, local.ss_family);
	return 0;
}

/* 0: served or waiting; else the connection is to be closed by the caller, who still has it. */
static int begin(struct stream_conn *c, struct stream_listener *l,
	const struct sockaddr_storage *peer, socklen_t peer_len)
{
	struct vserver *vs;
	int rc = l->netid == NETID_LOCAL ? identify_local(c) : identify_tcp(c, peer, peer_len);

	if (rc)
		return rc;
	vs = l->netid == NETID_LOCAL ? server_by_cookie(c->server, c->cookie) : l->vs;
	if (!vs)
		return wait_for_vs(c);
	rc = loop_io_add(c->server->loop, &c->io, c->fd, EPOLLIN);
	if (!rc) {
		rc = join(c, vs);
		if (rc)
			loop_io_del(c->server->loop, &c->io);
	}
	return rc;
}

void stream_conn_start(struct stream_listener *l, int fd, const struct sockaddr_storage *peer,
	socklen_t peer_len)
{
	struct stream_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->server = l->server;
	c->fd = fd;
	c->io = (struct loop_io)LOOP_IO_INIT(on_io);
	c->hold.fn = on_hold_end;
	c->active = loop_now(l->server->loop);
	c->caller.netid = l->netid;
	c->caller.peer_uid = peer_uid;
	c->caller.arg = c;
	TAILQ_INSERT_TAIL(&l->server->stream.all, c, in_server);
	stream_need_sweep(l->server);
	if (begin(c, l, peer, peer_len)) {
		TAILQ_REMOVE(&l->server->stream.all, c, in_server);
		close(fd);
		free(c);
	}
}
