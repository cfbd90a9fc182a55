/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of others: plain system calls, as one would write them by hand. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vsudp.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

#define CONTROL 128

/* How the answer is told which way to go. */
enum way {
	WAY_SOURCE = 1 << 0,   /* IP_PKTINFO out */
	WAY_OPTION = 1 << 1,   /* setsockopt(SO_MARK) */
	WAY_CHANGES = 1 << 2,  /* ... only when it changes */
	WAY_MARK = 1 << 3,     /* SO_MARK control message */
	WAY_RECEIVED = 1 << 4, /* ... with the mark that came in */
	WAY_PLAIN = 1 << 5,    /* no control messages at all */
};

struct datagram {
	struct sockaddr_in from;
	struct iovec iov;
	unsigned char data[REQUEST_SIZE];
	union {
		struct cmsghdr align;
		unsigned char bytes[CONTROL];
	} control;
};

static void prepare(struct msghdr *msg, struct datagram *d, enum way way)
{
	d->iov = (struct iovec){ d->data, sizeof(d->data) };
	*msg = (struct msghdr){ .msg_name = &d->from, .msg_namelen = sizeof(d->from),
		.msg_iov = &d->iov, .msg_iovlen = 1 };
	if (way & WAY_PLAIN)
		return;
	msg->msg_control = d->control.bytes;
	msg->msg_controllen = sizeof(d->control.bytes);
}

/* What came in by control messages. */
static void read_control(struct msghdr *msg, struct in_addr *to, uint32_t *mark)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*to = info.ipi_addr;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK) {
			memcpy(mark, CMSG_DATA(c), sizeof(*mark));
		}
	}
}

static size_t put(unsigned char *at, int level, int type, const void *data, size_t size)
{
	struct cmsghdr head = { .cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type };

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, size);
	return CMSG_SPACE(size);
}

/* Turns what was received into its answer. */
static void turn_round(struct server *s, struct msghdr *msg, struct datagram *d, size_t len,
	enum way way, int fd)
{
	struct in_pktinfo info = { .ipi_ifindex = 0 };
	size_t control = 0;
	uint32_t mark = 0;

	d->iov.iov_len = len;
	if (way & WAY_PLAIN)
		return;
	read_control(msg, &info.ipi_spec_dst, &mark);
	if (!(way & WAY_RECEIVED))
		mark = way & (WAY_OPTION | WAY_MARK) ? vsudp_mark_of(s, info.ipi_spec_dst) : 0;
	if (way & WAY_OPTION && !(way & WAY_CHANGES && s->last == mark)) {
		vsudp_set(fd, SOL_SOCKET, SO_MARK, mark);
		s->last = mark;
	}
	if (way & WAY_SOURCE)
		control += put(d->control.bytes, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (way & WAY_MARK)
		control += put(d->control.bytes + control, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	msg->msg_control = control ? d->control.bytes : NULL;
	msg->msg_controllen = control;
}

static bool serve_one(struct server *s, int fd, enum way way)
{
	struct datagram d;
	struct msghdr msg;
	ssize_t n;

	prepare(&msg, &d, way);
	n = recvmsg(fd, &msg, 0);
	if (n < 0)
		return false;
	turn_round(s, &msg, &d, (size_t)n, way, fd);
	if (sendmsg(fd, &msg, 0) < 0)
		bench_die("an answer", errno);
	s->answered++;
	return true;
}

static bool serve_batch(struct server *s, int fd, enum way way)
{
	struct datagram d[BATCH_MAX];
	struct mmsghdr msg[BATCH_MAX];
	int n;

	for (unsigned i = 0; i < s->batch; i++)
		prepare(&msg[i].msg_hdr, &d[i], way);
	n = recvmmsg(fd, msg, s->batch, 0, NULL);
	if (n <= 0)
		return false;
	for (int i = 0; i < n; i++)
		turn_round(s, &msg[i].msg_hdr, &d[i], msg[i].msg_len, way, fd);
	if (sendmmsg(fd, msg, (unsigned)n, 0) != n)
		bench_die("answers", errno);
	s->answered += (unsigned)n;
	return true;
}

/* One of each socket that is ready, or a batch, until all is answered. */
static void serve(struct server *s, enum way way,
	bool (*turn)(struct server *s, int fd, enum way way))
{
	int ready[SOCKETS_MAX], n = 1;
	bool is_some = true;

	while (s->answered < REQUESTS && n > 0 && is_some) {
		n = vsudp_ready(s, ready);
		is_some = false;
		for (int i = 0; i < n; i++)
			is_some |= turn(s, ready[i], way);
	}
}

static void open_wildcard(struct server *s, struct vs *vs)
{
	int fd = vsudp_socket(vs);

	vsudp_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	vsudp_bind(fd, (struct in_addr){ INADDR_ANY }, s->port);
	s->fd[s->fd_count++] = fd;
}

static void open_shared(struct server *s)
{
	open_wildcard(s, s->vs[0]);
}

static void open_received(struct server *s)
{
	open_shared(s);
	vsudp_set(s->fd[0], SOL_SOCKET, SO_RCVMARK, 1);
}

static void open_each_space(struct server *s)
{
	for (unsigned i = 0; i < VS_COUNT; i++)
		open_wildcard(s, s->vs[i]);
	vsudp_poll_all(s);
}

static void open_each_ip(struct server *s)
{
	for (unsigned i = 0; i < IPS; i++) {
		int fd = vsudp_socket(s->vs[0]);

		vsudp_set(fd, SOL_SOCKET, SO_MARK, vsudp_marks[i % VS_COUNT]);
		vsudp_bind(fd, s->ip[i], s->port);
		s->fd[s->fd_count++] = fd;
	}
	vsudp_poll_all(s);
}

/* A program that gives datagrams to the first two addresses, 10.0.1.5 and 10.0.2.5, to socket 0. */
static void open_reuseport(struct server *s)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(s->ip[0].s_addr), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(s->ip[2].s_addr), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	for (unsigned i = 0; i < VS_COUNT; i++) {
		int fd = vsudp_socket(s->vs[0]);

		vsudp_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		vsudp_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		vsudp_set(fd, SOL_SOCKET, SO_MARK, vsudp_marks[i]);
		vsudp_bind(fd, (struct in_addr){ INADDR_ANY }, s->port);
		s->fd[s->fd_count++] = fd;
	}
	if (setsockopt(s->fd[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)))
		bench_die("SO_ATTACH_REUSEPORT_CBPF", errno);
	vsudp_poll_all(s);
}

static void serve_source(struct server *s)
{
	serve(s, WAY_SOURCE, serve_one);
}

static void serve_option(struct server *s)
{
	serve(s, WAY_SOURCE | WAY_OPTION, serve_one);
}

static void serve_option_alone(struct server *s)
{
	serve(s, WAY_OPTION, serve_one);
}

static void serve_changes(struct server *s)
{
	serve(s, WAY_SOURCE | WAY_OPTION | WAY_CHANGES, serve_one);
}

static void serve_mark(struct server *s)
{
	serve(s, WAY_SOURCE | WAY_MARK, serve_one);
}

static void serve_received(struct server *s)
{
	serve(s, WAY_SOURCE | WAY_MARK | WAY_RECEIVED, serve_one);
}

static void serve_mark_batch(struct server *s)
{
	serve(s, WAY_SOURCE | WAY_MARK, serve_batch);
}

static void serve_source_batch(struct server *s)
{
	serve(s, WAY_SOURCE, serve_batch);
}

static void serve_plain(struct server *s)
{
	serve(s, WAY_PLAIN, serve_one);
}

const struct method vsudp_peers[] = {
	{ "P1", "one socket, IP_PKTINFO in and out", &vsudp_marked, 0, false, open_shared,
		serve_source },
	{ "P2", "the paper: setsockopt(SO_MARK) for each packet, and IP_PKTINFO", &vsudp_marked, 0,
		false, open_shared, serve_option },
	{ "P2a", "the paper to the letter: the same, no IP_PKTINFO out", &vsudp_marked, 0, true,
		open_shared, serve_option_alone },
	{ "P2b", "setsockopt when the VS changes, runs of 16", &vsudp_marked, 16, false, open_shared,
		serve_changes },
	{ "P3", "SO_MARK as control message", &vsudp_marked, 0, false, open_shared, serve_mark },
	{ "P4", "SO_RCVMARK in (set by nft), control message out", &vsudp_ingress, 0, false,
		open_received, serve_received },
	{ "P5", "recvmmsg, sendmmsg, SO_MARK control messages", &vsudp_marked, 0, false, open_shared,
		serve_mark_batch },
	{ "P5b", "the same, IP_PKTINFO alone", &vsudp_marked, 0, false, open_shared,
		serve_source_batch },
	{ "P6", "SO_REUSEPORT socket for each VS, classic BPF", &vsudp_marked, 0, false,
		open_reuseport, serve_source },
	{ "P7", "socket for each address, bound and marked once", &vsudp_marked, 0, false,
		open_each_ip, serve_plain },
	{ "P8", "one unmarked socket, nft marks the output", &vsudp_output, 0, false, open_shared,
		serve_source },
	{ "N1", "namespace flavour, a socket for each VS", &vsudp_spaces, 0, false, open_each_space,
		serve_source },
	{ "N2", "the same, recvmmsg and sendmmsg", &vsudp_spaces, 0, false, open_each_space,
		serve_source_batch },
	{ .name = NULL },
};
