/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "dns_query.h"
#include "tcp.h"

#define PREFIX 2u  /* bytes of the length */
#define ROOM 2048u /* at first; more is taken as more has come, not as it is announced */

struct tcp {
	struct loop_io io;
	struct loop *loop;
	tcp_fn *fn;
	void *arg;
	uint8_t out[PREFIX + DNS_QUERY_MAX];
	size_t out_len, sent;
	uint8_t *in; /* with the prefix */
	size_t in_size, got;
};

static int send_some(struct tcp *tcp)
{
	ssize_t n = send(tcp->io.fd, tcp->out + tcp->sent, tcp->out_len - tcp->sent,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	tcp->sent += (size_t)n;
	if (tcp->sent < tcp->out_len)
		return 0;
	return loop_io_mod(tcp->loop, &tcp->io, EPOLLIN);
}

/* Bytes of the message with its prefix; before that has come, of the prefix. */
static size_t wanted(const struct tcp *tcp)
{
	if (tcp->got < PREFIX)
		return PREFIX;
	return PREFIX + ((size_t)tcp->in[0] << 8 | tcp->in[1]);
}

static int make_room(struct tcp *tcp)
{
	size_t size = tcp->in_size ? tcp->in_size * 2 : ROOM;
	uint8_t *in;

	if (tcp->got < tcp->in_size)
		return 0;
	in = realloc(tcp->in, size);
	if (!in)
		return -ENOMEM;
	tcp->in = in;
	tcp->in_size = size;
	return 0;
}

/* 1: the message is there. 0: not yet. */
static int receive_some(struct tcp *tcp)
{
	int rc = make_room(tcp);
	size_t want = rc == 0 ? wanted(tcp) : 0;
	ssize_t n;

	if (rc < 0)
		return rc;
	if (want > tcp->in_size)
		want = tcp->in_size;
	n = recv(tcp->io.fd, tcp->in + tcp->got, want - tcp->got, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	tcp->got += (size_t)n;
	if (tcp->got >= PREFIX && wanted(tcp) < PREFIX + DNS_HEADER)
		return -EBADMSG;
	return tcp->got > PREFIX && tcp->got == wanted(tcp);
}

/* An error of the connection comes out of send() and recv(). */
static void on_events(struct loop_io *io, __attribute__((unused)) uint32_t events)
{
	struct tcp *tcp = container_of(io, struct tcp, io);
	int rc = 0;

	if (tcp->sent < tcp->out_len)
		rc = send_some(tcp);
	/* The prefix, then what it announces, without another turn between. */
	for (unsigned i = 0; i < 2 && rc == 0 && tcp->sent == tcp->out_len; i++)
		rc = receive_some(tcp);
	if (rc < 0)
		tcp->fn(tcp->arg, rc, NULL, 0);
	else if (rc > 0)
		tcp->fn(tcp->arg, 0, tcp->in + PREFIX, tcp->got - PREFIX);
}

static int begin(struct tcp *tcp, struct place *place, const union answer_server *server)
{
	socklen_t size =
		server->sa.sa_family == AF_INET6 ? sizeof(server->in6) : sizeof(server->in4);
	int fd = place_socket(place, server->sa.sa_family, SOCK_STREAM, 0);
	int rc = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, &server->sa, size) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (rc == 0)
		rc = loop_io_add(tcp->loop, &tcp->io, fd, EPOLLOUT);
	if (rc < 0)
		close(fd);
	return rc;
}

int tcp_open(struct tcp **out, struct loop *loop, struct place *place,
	const union answer_server *server, const uint8_t *query, size_t len, tcp_fn *fn, void *arg)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));
	int rc;

	if (!tcp)
		return -ENOMEM;
	assert(len <= DNS_QUERY_MAX);
	tcp->io = (struct loop_io)LOOP_IO_INIT(on_events);
	tcp->loop = loop;
	tcp->fn = fn;
	tcp->arg = arg;
	tcp->out[0] = (uint8_t)(len >> 8);
	tcp->out[1] = (uint8_t)len;
	memcpy(tcp->out + PREFIX, query, len);
	tcp->out_len = PREFIX + len;
	rc = begin(tcp, place, server);
	if (rc < 0) {
		free(tcp);
		return rc;
	}
	*out = tcp;
	return 0;
}

void tcp_close(struct tcp *tcp)
{
	int fd;

	if (!tcp)
		return;
	fd = tcp->io.fd;
	loop_io_del(tcp->loop, &tcp->io);
	close(fd);
	free(tcp->in);
	free(tcp);
}
