/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose is a new connection? And which goes when there are too many. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind.h"
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

static void on_hold_end(struct loop_timer *timer)
{
	stream_conn_settle(container_of(timer, struct stream_conn, hold), NULL);
}

/* at: the VS whose own socket it came by, or NULL. */
static void refuse(struct stream_conn *c, const struct vserver *at)
{
	struct stream_server *ss = &c->server->stream;
	uint64_t dropped;

	if (log_limit_ok(&ss->refused_limit, loop_now(c->server->loop), &dropped))
		log_notice(at ? at->name : NULL, "refused a client of %s: network namespace "
						 "cookie %llu, uid %u, process %d (%llu more not "
						 "logged)",
			at ? "another network namespace at LocalSocket" : "no known virtual server",
			(unsigned long long)c->cookie, c->uid, (int)c->pid,
			(unsigned long long)dropped);
	c->refused = true;
	ss->refused_count++;
	/* What it asks is denied; if it never asks it is closed like any stuck connection. */
	c->caller.inside = true;
}

/* Who is missed least: connections from outside, then others over IP, then those of ordinary users.
 * Long-lived ones of servers and of the kernel come last. Of each kind those go first by which nothing
 * was ever asked: they are many when somebody wants to have others thrown out. */
static int importance(const struct stream_conn *c)
{
	int kind = is_local(c) ? 2 + (c->uid == 0) : c->caller.inside;

	return 2 * kind + c->has_asked;
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
		refuse(c, NULL);
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

/* The device, where the address means nothing without. */
static unsigned link_of(const struct sockaddr_storage *local)
{
	struct sockaddr_in6 in6;

	if (local->ss_family != AF_INET6)
		return 0;
	memcpy(&in6, local, sizeof(in6));
	return IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) ? in6.sin6_scope_id : 0;
}

static int identify_tcp(struct stream_conn *c, const struct sockaddr_storage *peer,
	socklen_t peer_len)
{
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	int rc;

	if (getsockname(c->fd, (struct sockaddr *)&local, &len) < 0)
		return -errno;
	c->ifindex = link_of(&local);
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

/* Who came by the own socket of a VS, from elsewhere. */
static int turn_away(struct stream_conn *c, const struct vserver *at)
{
	int rc = c->server->stream.refused_count < STREAM_REFUSED_MAX ? 0 : -EBUSY;

	if (!rc)
		rc = loop_io_add(c->server->loop, &c->io, c->fd, EPOLLIN);
	if (!rc)
		refuse(c, at);
	return rc;
}

/* Whose is it, by where it came in? NULL: it is not known, or nobody's. */
static struct vserver *find_vs(struct stream_conn *c, const struct stream_listener *l)
{
	struct vserver *vs;

	if (l->netid == NETID_LOCAL)
		return l->is_own ? l->vs : server_by_cookie(c->server, c->cookie);
	if (!l->vs->share)
		return l->vs;
	vs = share_owner(l->vs, &c->caller.contacted, c->ifindex);
	if (!vs)
		share_count_nobodys(l->vs, &c->caller.contacted);
	return vs;
}

/* 0: served or waiting; else the connection is to be closed by the caller, who still has it. */
static int begin(struct stream_conn *c, struct stream_listener *l,
	const struct sockaddr_storage *peer, socklen_t peer_len)
{
	struct vserver *vs;
	int rc = l->netid == NETID_LOCAL ? identify_local(c) : identify_tcp(c, peer, peer_len);

	if (rc)
		return rc;
	c->caller.common = c->caller.inside && !l->is_own;
	vs = find_vs(c, l);
	if (l->is_own && c->cookie != l->vs->cookie)
		return turn_away(c, l->vs);
	if (!vs)
		return l->netid == NETID_LOCAL ? wait_for_vs(c) : -EADDRNOTAVAIL;
	/* It was made before the settings changed, and accepted after. */
	if (!bind_serves(vs->conf.bind, &c->caller.contacted))
		return -EADDRNOTAVAIL;
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
	stream_conn_init(c);
	c->hold.fn = on_hold_end;
	c->active = loop_now(l->server->loop);
	c->caller.netid = l->netid;
	TAILQ_INSERT_TAIL(&l->server->stream.all, c, in_server);
	l->server->stream.count++;
	stream_need_sweep(l->server);
	if (begin(c, l, peer, peer_len)) {
		TAILQ_REMOVE(&l->server->stream.all, c, in_server);
		l->server->stream.count--;
		close(fd);
		free(c);
	}
}
