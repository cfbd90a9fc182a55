/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening, and what all streams share. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"
#include "server.h"
#include "stream.h"
#include "stream_private.h"
#include "turn.h"

#define ACCEPT_TURN 32 /* connections taken in one turn of the loop from one listener */
#define SWEEP_EVERY (5 * LOOP_SEC)
#define SWEEP_TURN 32 /* connections looked at in one turn of the loop */
#define IDLE_MAX (300 * LOOP_SEC)
#define STUCK_MAX (30 * LOOP_SEC)
#define REFUSED_MAX (5 * LOOP_SEC)
#define RESCAN_EVERY (20 * LOOP_MSEC)

/* Out of descriptors: the client is told by a close, not by silence, and the listener does not
 * stay readable for ever. */
static void shed(struct stream_listener *l)
{
	struct stream_server *ss = &l->server->stream;
	uint64_t dropped;
	int fd;

	if (log_limit_ok(&ss->exhausted_limit, loop_now(l->server->loop), &dropped))
		log_err(l->vs ? l->vs->name : NULL, "out of descriptors, connections are closed");
	if (ss->reserve_fd < 0)
		return;
	close(ss->reserve_fd);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	ss->reserve_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

/* Few descriptors are left, and they are for all: the VS that has most connections gives one. */
static bool make_room(struct server *server)
{
	struct vserver *vs, *next, *most = NULL;
	uint64_t dropped;

	HASH_ITER(by_id, server->by_id, vs, next) {
		if (!most || vs->remote_count + vs->inside_count >
				     most->remote_count + most->inside_count)
			most = vs;
	}
	if (!most || !stream_conn_evict(most))
		return false;
	if (log_limit_ok(&server->stream.exhausted_limit, loop_now(server->loop), &dropped))
		log_warn(most->name, "descriptors run short, connections of the virtual server "
				     "that has most are closed");
	return true;
}

/* The descriptor takes the number of the one that was given up, so that those above the limit stay
 * free. -1 with errno 0: it is closed. */
static int move_below_limit(struct server *server, int fd)
{
	int low = make_room(server) ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	close(fd);
	errno = 0;
	if (low < server->stream.fd_limit)
		return low;
	close(low);
	return -1;
}

/* Some go with their connection; the others come from a socket that does not listen any more, as
 * after a SOCK_DESTROY by root of the VS, and would come for ever. */
static bool is_lost(int error)
{
	return error == EINVAL || error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP;
}

/* False: there are no more for now, or the listener was closed. */
static bool accept_one(struct stream_listener *l)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= l->server->stream.fd_limit)
		fd = move_below_limit(l->server, fd);
	if (fd >= 0) {
		stream_conn_start(l, fd, &peer, len);
		return true;
	}
	if (is_lost(errno)) {
		l->lost(l);
		return false;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		shed(l);
	return errno != EAGAIN && errno != EMFILE;
}

/* At least one in a turn. Those who come by the path socket are of no VS yet: together they have
 * the time of one. */
static void on_acceptable(struct loop_io *io, uint32_t events)
{
	struct stream_listener *l = container_of(io, struct stream_listener, io);
	uint64_t begin = turn_clock();
	unsigned i = 0;

	if (events & EPOLLHUP) {
		l->lost(l);
		return;
	}
	if (l->vs)
		turn_start(l->vs);
	while (accept_one(l) && ++i < ACCEPT_TURN) {
		if (l->vs)
			turn_lap(l->vs, TURN_ACCEPT);
		if (l->vs ? !turn_has_time(l->vs, TURN_ACCEPT) : turn_clock() - begin >= TURN_SLICE)
			return;
	}
}

void stream_listener_init(struct stream_listener *l, struct server *server, struct vserver *vs,
	enum netid netid, void (*lost)(struct stream_listener *l))
{
	*l = (struct stream_listener){.io = LOOP_IO_INIT(on_acceptable),
		.fd = -1,
		.netid = netid,
		.server = server,
		.vs = vs,
		.lost = lost};
}

int stream_listener_open(struct stream_listener *l, int fd)
{
	int rc = loop_io_add(l->server->loop, &l->io, fd, EPOLLIN);

	if (!rc)
		l->fd = fd;
	return rc;
}

void stream_listener_close(struct stream_listener *l)
{
	if (l->fd < 0)
		return;
	loop_io_del(l->server->loop, &l->io);
	close(l->fd);
	l->fd = -1;
}

static bool is_overdue(const struct stream_conn *c, uint64_t now)
{
	uint64_t quiet = now - c->active;

	if (c->refused)
		return quiet > REFUSED_MAX;
	if (c->out || record_partial(&c->in))
		return quiet > STUCK_MAX;
	return c->caller.netid != NETID_LOCAL && quiet > IDLE_MAX;
}

/* Some connections in a turn: those who came together would else be closed together, while all
 * others wait. What was looked at goes to the end of the list. */
static void on_sweep(struct loop_timer *timer)
{
	struct stream_server *ss = container_of(timer, struct stream_server, sweep);
	struct server *server = container_of(ss, struct server, stream);
	struct stream_conn *c;

	if (!ss->sweep_left) {
		ss->sweep_left = ss->count;
		stream_reply_trim(ss);
	}
	for (unsigned i = 0; i < SWEEP_TURN && ss->sweep_left && (c = TAILQ_FIRST(&ss->all)); i++) {
		ss->sweep_left--;
		TAILQ_REMOVE(&ss->all, c, in_server);
		TAILQ_INSERT_TAIL(&ss->all, c, in_server);
		if (is_overdue(c, loop_now(server->loop)))
			stream_conn_close(c);
	}
	if (ss->count)
		loop_timer_in(server->loop, &ss->sweep, ss->sweep_left ? 0 : SWEEP_EVERY);
	else
		ss->sweep_left = 0;
}

void stream_need_sweep(struct server *server)
{
	if (!loop_timer_set(&server->stream.sweep))
		loop_timer_in(server->loop, &server->stream.sweep, SWEEP_EVERY);
}

static void on_rescan(struct loop_timer *timer)
{
	struct stream_server *ss = container_of(timer, struct stream_server, rescan);
	struct server *server = container_of(ss, struct server, stream);
	int rc = link_rescan(server->link);

	if (rc)
		log_err(NULL, "cannot ask the opener to look again: %s", strerror(-rc));
}

void stream_need_rescan(struct server *server)
{
	struct stream_server *ss = &server->stream;
	uint64_t now = loop_now(server->loop);

	if (loop_timer_set(&ss->rescan))
		return;
	if (ss->rescan_after < now)
		ss->rescan_after = now;
	loop_timer_at(server->loop, &ss->rescan, ss->rescan_after);
	ss->rescan_after += RESCAN_EVERY;
}

/* The kernel hands out the lowest free descriptor, so that its number tells how full the table
 * is. What is kept free is for the sockets of new VSs and for vsctl. */
static int descriptor_limit(void)
{
	struct rlimit rl;
	int limit = 1024;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < INT_MAX)
		limit = (int)rl.rlim_cur;
	return limit - (limit / 4 < STREAM_RESERVE ? limit / 4 : STREAM_RESERVE);
}

int stream_server_init(struct server *server)
{
	struct stream_server *ss = &server->stream;

	TAILQ_INIT(&ss->all);
	TAILQ_INIT(&ss->waiting);
	ss->sweep.fn = on_sweep;
	ss->rescan.fn = on_rescan;
	turn_init(server);
	ss->refused_limit = (struct log_limit){.burst = 10, .interval = 10 * LOOP_SEC};
	ss->exhausted_limit = (struct log_limit){.burst = 1, .interval = 60 * LOOP_SEC};
	ss->fd_limit = descriptor_limit();
	ss->reserve_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ss->scratch = malloc(STREAM_SCRATCH);
	if (stream_reply_init(ss) || !ss->scratch)
		return -ENOMEM;
	return 0;
}

void stream_server_clear(struct server *server)
{
	struct stream_server *ss = &server->stream;
	struct stream_conn *c;

	while ((c = TAILQ_FIRST(&ss->all)))
		stream_conn_close(c);
	loop_timer_del(server->loop, &ss->sweep);
	loop_timer_del(server->loop, &ss->work);
	loop_timer_del(server->loop, &ss->rescan);
	if (ss->reserve_fd >= 0)
		close(ss->reserve_fd);
	free(ss->scratch);
	stream_reply_clear(ss);
}

void stream_adopt(struct server *server, struct vserver *vs)
{
	struct stream_conn *c, *next;

	TAILQ_FOREACH_MUT(c, &server->stream.waiting, in_vs, next) {
		if (c->cookie == vs->cookie)
			stream_conn_settle(c, vs);
	}
}

void stream_close_all(struct vserver *vs)
{
	struct stream_conn *c;

	while ((c = TAILQ_FIRST(&vs->conns)))
		stream_conn_close(c);
}
