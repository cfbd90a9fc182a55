/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "caller.h"
#include "container.h"
#include "remote.h"
#include "server.h"
#include "turn.h"
#include "udp_private.h"
#include "vserver.h"

#define BATCH 16
/* The clock is read after each call that asked the kernel something, and after so many others. */
#define CHECK_EVERY 8
/* Stock's sizes: what a call may have, and what a reply may have over UDP. */
#define CALL_MAX 9000
#define REPLY_MAX 8800

union pktinfo_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct slot {
	struct udp_path path;
	union pktinfo_control control;
	struct iovec iov;
	uint8_t data[CALL_MAX + 8] __attribute__((aligned(8)));
};

struct udp_batch {
	struct mmsghdr in_msg[BATCH], out_msg[BATCH];
	struct slot in[BATCH], out[BATCH];
	unsigned stale; /* of in_msg: so many were written by the kernel since they were prepared */
};

int udp_batch_new(struct udp_batch **batch)
{
	*batch = calloc(1, sizeof(**batch));
	if (!*batch)
		return -ENOMEM;
	(*batch)->stale = BATCH;
	return 0;
}

void udp_batch_free(struct udp_batch *batch)
{
	free(batch);
}

/* The slots lie far apart: where one datagram comes at a time the others are not touched. */
static void prepare_in(struct udp_batch *b)
{
	for (unsigned i = 0; i < b->stale; i++) {
		struct slot *s = &b->in[i];
		s->iov = (struct iovec){s->data, CALL_MAX + 1};
		b->in_msg[i].msg_hdr = (struct msghdr){.msg_name = &s->path.peer,
			.msg_namelen = sizeof(s->path.peer),
			.msg_iov = &s->iov,
			.msg_iovlen = 1,
			.msg_control = s->control.bytes,
			.msg_controllen = sizeof(s->control.bytes)};
	}
}

static void set_out(struct msghdr *msg, struct slot *s, const struct udp_path *path, size_t len)
{
	bool v4 = path->family == AF_INET;
	size_t size = v4 ? sizeof(path->info.v4) : sizeof(path->info.v6);
	struct cmsghdr *c = &s->control.align;

	s->path = *path;
	s->iov = (struct iovec){s->data, len};
	*msg = (struct msghdr){.msg_name = &s->path.peer,
		.msg_namelen = path->peer_len,
		.msg_iov = &s->iov,
		.msg_iovlen = 1,
		.msg_control = s->control.bytes,
		.msg_controllen = CMSG_SPACE(size)};
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), &path->info, size);
}

int udp_send(int fd, const struct udp_path *path, const void *data, size_t len)
{
	struct slot *s;
	struct msghdr msg;
	int rc = 0;

	if (len > REPLY_MAX)
		return -EMSGSIZE;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	memcpy(s->data, data, len);
	set_out(&msg, s, path, len);
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		rc = -errno;
	free(s);
	return rc;
}

struct loopback_peer {
	struct vserver *vs;
	const struct proc_caller *caller;
	bool asked;
};

static int peer_uid(void *arg, uid_t *uid, bool *sure)
{
	struct loopback_peer *p = arg;

	if (!p->caller->inside)
		return -ENOENT;
	p->asked = true;
	return vserver_loopback_uid(p->vs, IPPROTO_UDP, p->caller, uid, sure);
}

/* False: nothing that can be answered. */
static bool read_call(struct udp_socket *s, struct udp_batch *b, unsigned i, struct udp_call *call)
{
	call->data = b->in[i].data;
	call->len = b->in_msg[i].msg_len;
	if (call->len > CALL_MAX)
		return false;
	call->path.peer = b->in[i].path.peer;
	return udp_read_path(s, &b->in_msg[i].msg_hdr, call);
}

bool udp_may_exceed(struct vserver *vs, const struct proc_caller *caller, size_t bytes)
{
	uint64_t now = loop_now(vs->server->loop), dropped;
	char text[UADDR_MAX];

	if (caller->inside ||
		excess_allow(&vs->excess, vs->conf.amplification_rate, &caller->peer, bytes, now))
		return true;
	if (log_limit_ok(&vs->excess_limit, now, &dropped)) {
		uaddr_format(&caller->peer, text, sizeof(text));
		log_notice(vs->name, "AmplificationRate is reached, calls over UDP from %s and others "
				     "are answered with an error", text);
	}
	return false;
}

/* In place of an answer that would be too much: an error, if that is not longer than the call. */
static size_t refuse(const struct udp_call *call, struct proc_reply *reply)
{
	if (proc_refuse(call->data, call->len, reply) != PROC_REPLY || reply->len > call->len)
		return 0;
	return reply->len;
}

/* The answers of a batch, as they are made. */
struct answers {
	struct udp_socket *s;
	struct udp_batch *b;
	unsigned count;
	unsigned served; /* calls */
	bool late;       /* the VS has no more time in this turn */
	/* Of a carrier: whose they are, and what was done for them. */
	struct vserver *of[BATCH];
	uint64_t begin, others;
};

/* The number of bytes to answer with, 0 for none. */
static size_t answer(struct udp_socket *s, struct vserver *vs, struct udp_call *call,
	struct loopback_peer *peer, uint8_t *data)
{
	struct proc_reply reply = {.data = data, .size = REPLY_MAX, .limit = REPLY_MAX};
	struct proc_forward forward;

	call->caller.wall_seconds = (uint64_t)time(NULL);
	call->caller.peer_uid = peer_uid;
	call->caller.arg = peer;
	switch (proc_call(&vs->proc, &call->caller, call->data, call->len, &reply, &forward)) {
	case PROC_REPLY:
		if (reply.len > call->len &&
			!udp_may_exceed(vs, &call->caller, reply.len - call->len))
			return refuse(call, &reply);
		return reply.len;
	case PROC_FORWARD:
		remote_forward(&vs->remote, s->netid == NETID_UDP ? &vs->udp4 : &vs->udp6, call,
			&forward);
		return 0;
	default:
		return 0;
	}
}

/* True when the kernel was asked something. */
static bool serve_for(struct answers *a, struct vserver *vs, struct udp_call *call)
{
	struct loopback_peer peer = {vs, &call->caller, false};
	struct slot *out = &a->b->out[a->count];
	size_t len = answer(a->s, vs, call, &peer, out->data);

	a->of[a->count] = vs;
	if (len)
		set_out(&a->b->out_msg[a->count++].msg_hdr, out, &call->path, len);
	return peer.asked;
}

static void serve(struct answers *a, struct udp_call *call)
{
	if (!serve_for(a, a->s->vs, call) && ++a->served % CHECK_EVERY != 0)
		return;
	turn_lap(a->s->vs, TURN_UDP);
	a->late = !turn_has_time(a->s->vs, TURN_UDP);
}

/* An answer that cannot be sent is its peer's loss alone: the next goes out all the same. */
static void send_batch(int fd, struct mmsghdr *msg, unsigned count)
{
	unsigned done = 0;

	while (done < count) {
		int n = sendmmsg(fd, msg + done, count - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		done += n > 0 ? (unsigned)n : 1;
	}
}

static void queue_up(struct udp_socket *s)
{
	s->queued = true;
	if (s->fd >= 0)
		loop_io_mod(s->vs->server->loop, &s->io, 0);
	turn_need(s->vs);
}

static void begin(struct answers *a, struct udp_socket *s)
{
	turn_start(s->vs);
	a->s = s;
	a->b = s->vs->server->batch;
	a->count = a->served = 0;
	a->late = false;
	a->begin = turn_clock();
	a->others = 0;
}

/* It came in by the socket of a carrier. */
static void share_out(struct answers *a, struct udp_call *call)
{
	struct vserver *vs = udp_share_choose(a->s, call);
	uint64_t from;

	if (!vs || !udp_share_now(vs, a->s, call))
		return;
	from = turn_clock();
	serve_for(a, vs, call);
	from = turn_clock() - from;
	turn_charge(vs, vs->share ? TURN_ACCEPT : TURN_UDP, from);
	a->others += from;
}

/* To send an answer takes as long as to make it: that is for who gave it. What is left is the
 * carrier's: to receive, and to find out whose it is. */
static void end_shared(struct answers *a)
{
	uint64_t from = turn_clock(), took;

	if (a->count)
		send_batch(udp_answer_fd(a->s), a->b->out_msg, a->count);
	took = turn_clock() - from;
	for (unsigned i = 0; i < a->count; i++)
		turn_charge(a->of[i], a->of[i]->share ? TURN_ACCEPT : TURN_UDP, took / a->count);
	turn_charge(a->s->vs, TURN_UDP, from - a->begin - a->others);
}

static void end(struct answers *a)
{
	if (a->count)
		send_batch(udp_answer_fd(a->s), a->b->out_msg, a->count);
	turn_lap(a->s->vs, TURN_UDP);
}

/* True when there may be more. */
static bool serve_batch(struct udp_socket *s)
{
	/* Without time one call all the same, so that one family does not keep the other out. */
	int max = turn_has_time(s->vs, TURN_UDP) ? BATCH : 1, n;
	struct answers a;

	begin(&a, s);
	prepare_in(a.b);
	n = recvmmsg(s->fd, a.b->in_msg, (unsigned)max, MSG_DONTWAIT, NULL);
	/* And the one at which it stopped. */
	a.b->stale = n < 0 ? 1 : n < BATCH ? (unsigned)n + 1 : BATCH;
	/* Only a SOCK_DESTROY gives this, and takes the port with it. */
	if (n < 0 && errno == ECONNABORTED) {
		udp_close(s);
		vserver_socket_lost(s->vs, s->netid == NETID_UDP ? OPENER_UDP4 : OPENER_UDP6,
			ECONNABORTED);
		return false;
	}
	for (int i = 0; i < n; i++) {
		struct udp_call call;
		if (!read_call(s, a.b, (unsigned)i, &call))
			continue;
		if (s->vs->share)
			share_out(&a, &call);
		else if (a.late)
			udp_keep(s, &call);
		else
			serve(&a, &call);
	}
	if (s->vs->share)
		end_shared(&a);
	else
		end(&a);
	return n == max || !STAILQ_EMPTY(&s->kept);
}

/*
 * What waits behind the datagrams of one VS may be another's: the socket of a carrier is read for
 * as long as there is time, whether or not those whose they are have any.
 */
static void receive(struct udp_socket *s)
{
	bool more;

	do
		more = serve_batch(s);
	while (more && s->vs->share && turn_has_time(s->vs, TURN_UDP));
	if (more)
		queue_up(s);
}

static void serve_kept(struct udp_socket *s)
{
	struct udp_kept *k;
	struct answers a;

	begin(&a, s);
	while (!a.late && a.count < BATCH && (k = udp_take_kept(s))) {
		serve(&a, &k->call);
		free(k);
	}
	end(&a);
	/* There may be more, but of a VS whose socket another one reads. */
	if (s->fd >= 0 || !STAILQ_EMPTY(&s->kept))
		queue_up(s);
}

static void on_readable(struct loop_io *io, uint32_t events)
{
	(void)events;
	receive(container_of(io, struct udp_socket, io));
}

void udp_resume(struct udp_socket *s)
{
	if (!s->queued)
		return;
	s->queued = false;
	if (!STAILQ_EMPTY(&s->kept))
		serve_kept(s);
	else if (s->fd >= 0)
		receive(s);
	if (s->fd >= 0 && !s->queued)
		loop_io_mod(s->vs->server->loop, &s->io, EPOLLIN);
}

void udp_init(struct udp_socket *s, struct vserver *vs, enum netid netid)
{
	*s = (struct udp_socket){.io = LOOP_IO_INIT(on_readable), .fd = -1, .netid = netid, .vs = vs};
	STAILQ_INIT(&s->kept);
}

int udp_open(struct udp_socket *s, int fd)
{
	int rc = loop_io_add(s->vs->server->loop, &s->io, fd, EPOLLIN);

	if (!rc)
		s->fd = fd;
	return rc;
}

void udp_close(struct udp_socket *s)
{
	if (s->fd < 0)
		return;
	loop_io_del(s->vs->server->loop, &s->io);
	close(s->fd);
	s->fd = -1;
	s->queued = false;
	udp_forget_kept(s);
}
