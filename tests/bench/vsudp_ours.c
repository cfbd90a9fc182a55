/* SPDX-License-Identifier: BSD-3-Clause */
/* Ours: what libvsreg has for it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "vsudp.h"

struct slot {
	struct sockaddr_in from;
	struct iovec iov;
	unsigned char data[REQUEST_SIZE];
};

/* The vectors of a server, made once: what changes is put back after each batch. */
struct room {
	struct slot slots[BATCH_MAX];
	struct mmsghdr messages[BATCH_MAX];
	struct vs *vs[BATCH_MAX];
	struct vs_path path[BATCH_MAX];
};

static void make_room(struct server *s)
{
	struct room *r = calloc(1, sizeof(*r));

	if (!r)
		bench_die("vsudp", ENOMEM);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		struct slot *slot = &r->slots[i];

		slot->iov = (struct iovec){ slot->data, sizeof(slot->data) };
		r->messages[i].msg_hdr = (struct msghdr){ .msg_name = &slot->from,
			.msg_namelen = sizeof(slot->from), .msg_iov = &slot->iov, .msg_iovlen = 1 };
	}
	s->room = r;
}

static void answer(struct room *r, int n)
{
	for (int i = 0; i < n; i++)
		r->slots[i].iov.iov_len = r->messages[i].msg_len;
}

static void put_back(struct room *r, int n)
{
	for (int i = 0; i < n; i++) {
		r->slots[i].iov.iov_len = REQUEST_SIZE;
		r->messages[i].msg_hdr.msg_namelen = sizeof(r->slots[i].from);
	}
}

/* The mark VSs m0 and m1 in the place of the peers. */
static void find_marks(struct server *s)
{
	for (unsigned i = 0; i < VS_COUNT; i++) {
		s->mark[i] = vs_by_mark(s->reg, vsudp_marks[i]);
		if (!s->mark[i])
			bench_die("the mark VS", ENOENT);
	}
}

static void open_each(struct server *s)
{
	struct vs_bound bound[SOCKETS_MAX];

	if (!s->place->is_each)
		find_marks(s);
	for (unsigned i = 0; i < VS_COUNT; i++) {
		struct vs *vs = s->place->is_each ? s->vs[i] : s->mark[i];
		int n = vs_listen_each(vs, SOCK_DGRAM | SOCK_NONBLOCK, s->port, bound, 0, SOCKETS_MAX);

		if (n < 0 || s->fd_count + (unsigned)n > SOCKETS_MAX)
			bench_die("vs_listen_each", n < 0 ? n : ENOSPC);
		for (int j = 0; j < n; j++) {
			vsudp_set(bound[j].fd, SOL_SOCKET, SO_RCVBUFFORCE, 4 * 1024 * 1024);
			s->fd[s->fd_count++] = bound[j].fd;
		}
	}
	vsudp_poll_all(s);
	make_room(s);
}

static bool serve_each_one(struct server *s, int fd)
{
	struct room *r = s->room;
	int n = recvmmsg(fd, r->messages, s->batch, 0, NULL);

	if (n <= 0)
		return false;
	answer(r, n);
	if (sendmmsg(fd, r->messages, (unsigned)n, 0) != n)
		bench_die("answers", errno);
	put_back(r, n);
	s->answered += (unsigned)n;
	return true;
}

static void serve_each(struct server *s)
{
	int ready[SOCKETS_MAX], n = 1;
	bool is_some = true;

	while (s->answered < REQUESTS && n > 0 && is_some) {
		n = vsudp_ready(s, ready);
		is_some = false;
		for (int i = 0; i < n; i++)
			is_some |= serve_each_one(s, ready[i]);
	}
}

static void open_shared(struct server *s)
{
	int fd, rc;

	find_marks(s);
	fd = vsudp_socket(s->mark[0]);
	rc = vs_path_prepare(fd);
	if (rc < 0)
		bench_die("vs_path_prepare", rc);
	vsudp_bind(fd, (struct in_addr){ INADDR_ANY }, s->port);
	s->fd[s->fd_count++] = fd;
	make_room(s);
}

static bool serve_shared_batch(struct server *s)
{
	struct room *r = s->room;
	int rc, n = vs_recvmmsg(s->reg, s->fd[0], r->messages, s->batch, 0, r->vs, r->path);

	if (n <= 0)
		return false;
	answer(r, n);
	rc = vs_sendmmsg(s->fd[0], r->messages, (unsigned)n, 0, r->vs, r->path);
	if (rc != n)
		bench_die("vs_sendmmsg", rc);
	for (int i = 0; i < n; i++)
		vs_unref(r->vs[i]);
	put_back(r, n);
	s->answered += (unsigned)n;
	return true;
}

static void serve_shared(struct server *s)
{
	while (s->answered < REQUESTS && serve_shared_batch(s))
		continue;
}

static bool serve_single_one(struct server *s)
{
	struct room *r = s->room;
	struct msghdr *msg = &r->messages[0].msg_hdr;
	ssize_t rc, n = vs_recvmsg(s->reg, s->fd[0], msg, 0, &r->vs[0], &r->path[0]);

	if (n < 0)
		return false;
	r->slots[0].iov.iov_len = (size_t)n;
	rc = r->vs[0] ? vs_sendmsg(r->vs[0], s->fd[0], msg, 0, &r->path[0]) : 0;
	if (rc < 0)
		bench_die("vs_sendmsg", (int)rc);
	vs_unref(r->vs[0]);
	put_back(r, 1);
	s->answered++;
	return true;
}

static void serve_single(struct server *s)
{
	while (s->answered < REQUESTS && serve_single_one(s))
		continue;
}

const struct method vsudp_ours[] = {
	{ "each", "vs_listen_each, recvmmsg and sendmmsg", &vsudp_marked, 0, false, open_each,
		serve_each },
	{ "shared", "vs_recvmmsg, vs_sendmmsg", &vsudp_marked, 0, false, open_shared, serve_shared },
	{ "single", "vs_recvmsg, vs_sendmsg", &vsudp_marked, 0, false, open_shared, serve_single },
	{ "each-ns", "namespace flavour: vs_listen_each, recvmmsg and sendmmsg", &vsudp_spaces, 0,
		false, open_each, serve_each },
	{ .name = NULL },
};
