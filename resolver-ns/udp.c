/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "list.h"
#include "udp.h"

/* Datagrams read in one go: who is flooded with forged ones does not keep back the others. */
#define READS 16
/* Of a socket that is to be emptied; with more behind them it is closed instead. */
#define DRAIN_READS 64

struct udp_socket {
	TAILQ_ENTRY(udp_socket) link; /* of the idle ones */
	struct loop_io io;
	struct udp *udp;
	struct udp_exchange *exchange; /* NULL: idle */
	uint64_t released;
	int family;
	int ifindex; /* SO_BINDTODEVICE; 0: none */
};

TAILQ_HEAD(udp_sockets, udp_socket);

struct udp {
	struct loop *loop;
	struct place *place;
	struct counters *counters;
	struct udp_sockets idle4, idle6; /* used last, first */
	unsigned sockets;
	bool forsaken;
};

int udp_new(struct udp **out, struct loop *loop, struct place *place, struct counters *counters)
{
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp)
		return -ENOMEM;
	udp->loop = loop;
	udp->place = place;
	udp->counters = counters;
	TAILQ_INIT(&udp->idle4);
	TAILQ_INIT(&udp->idle6);
	*out = udp;
	return 0;
}

void udp_free(struct udp *udp)
{
	if (!udp)
		return;
	udp_rest(udp);
	free(udp);
}

void udp_forsake(struct udp *udp)
{
	udp->forsaken = true;
}

bool udp_has_sockets(const struct udp *udp)
{
	return udp->sockets > 0;
}

static struct udp_sockets *idle_ones(struct udp *udp, int family)
{
	return family == AF_INET6 ? &udp->idle6 : &udp->idle4;
}

static void socket_close(struct udp_socket *s)
{
	int fd = s->io.fd;

	loop_io_del(s->udp->loop, &s->io);
	close(fd);
	s->udp->sockets--;
	free(s);
}

/* Reads and throws away what is queued, errors too. False: it does not end. */
static bool drain(int fd)
{
	for (unsigned i = 0; i < DRAIN_READS; i++) {
		uint8_t byte;

		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno == EAGAIN)
			return true;
	}
	return false;
}

static bool same_peer(const union answer_server *a, const union answer_server *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_port == b->in4.sin_port &&
		       a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0 &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

/* One datagram. False: no more for now, or the exchange is over. */
static bool receive(struct udp_socket *s)
{
	struct udp_exchange *x = s->exchange;
	uint8_t message[UDP_MESSAGE_MAX];
	union answer_server from = {.sa.sa_family = AF_UNSPEC};
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(
		s->io.fd, message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC, &from.sa, &from_len);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			x->error(x, -errno);
		return false;
	}
	/* The port is open to the world for a moment before the socket is connected
	 * (inet_autobind() in the kernel), so the address is looked at, too. */
	if (same_peer(&from, &x->peer) && (size_t)n <= sizeof(message) &&
		x->reply(x, message, (size_t)n))
		return false;
	count(&s->udp->counters->ignored);
	if (++x->ignored < UDP_IGNORED_MAX)
		return true;
	x->error(x, -EBADMSG);
	return false;
}

static void on_events(struct loop_io *io, __attribute__((unused)) uint32_t events)
{
	struct udp_socket *s = container_of(io, struct udp_socket, io);

	if (!s->exchange) {
		/* The event was for an exchange that is over, or came between the loss of the port
		 * and the look at the queue. */
		if (drain(s->io.fd))
			return;
		TAILQ_REMOVE(idle_ones(s->udp, s->family), s, link);
		socket_close(s);
		return;
	}
	for (unsigned i = 0; i < READS && receive(s); i++)
		;
}

/* The device is asked of the socket: it is the place's, or the opener's, to know why. */
static int socket_new(struct udp *udp, int family, struct udp_socket **out)
{
	struct udp_socket *s = calloc(1, sizeof(*s));
	int fd, rc;
	socklen_t len = sizeof(s->ifindex);

	if (!s)
		return -ENOMEM;
	*s = (struct udp_socket){
		.io = LOOP_IO_INIT(on_events), .udp = udp, .family = family, .ifindex = 0};
	fd = place_socket(udp->place, family, SOCK_DGRAM, 0);
	rc = fd;
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &s->ifindex, &len) < 0)
		rc = -errno;
	if (rc >= 0)
		rc = loop_io_add(udp->loop, &s->io, fd, EPOLLIN);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		free(s);
		return rc;
	}
	udp->sockets++;
	*out = s;
	return 0;
}

int udp_open(struct udp *udp, struct udp_exchange *x, int family)
{
	struct udp_sockets *idle = idle_ones(udp, family);
	struct udp_socket *s = TAILQ_FIRST(idle);

	if (s) {
		TAILQ_REMOVE(idle, s, link);
	} else {
		int rc = socket_new(udp, family, &s);

		if (rc < 0)
			return rc;
	}
	s->exchange = x;
	x->socket = s;
	x->ignored = 0;
	return 0;
}

int udp_send(struct udp_exchange *x, const void *message, size_t len)
{
	int fd = x->socket->io.fd;
	socklen_t size =
		x->peer.sa.sa_family == AF_INET6 ? sizeof(x->peer.in6) : sizeof(x->peer.in4);

	if (connect(fd, &x->peer.sa, size) < 0)
		return -errno;
	if (send(fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	count(&x->socket->udp->counters->datagrams);
	return 0;
}

/* The way back to a socket without peer and port. Disconnecting takes the device away, too
 * (__udp_disconnect() in the kernel), without which it would be anybody's: it is put back, or the
 * socket is not used again. */
static bool disconnect(struct udp_socket *s)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = s->io.fd;

	if (connect(fd, &none, sizeof(none)) < 0)
		return false;
	if (s->ifindex != 0 &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &s->ifindex, sizeof(s->ifindex)) < 0)
		return false;
	return drain(fd);
}

void udp_end(struct udp_exchange *x)
{
	struct udp_socket *s = x->socket;

	if (!s)
		return;
	x->socket = NULL;
	s->exchange = NULL;
	if (s->udp->forsaken || !disconnect(s)) {
		socket_close(s);
		return;
	}
	s->released = loop_now(s->udp->loop);
	TAILQ_INSERT_HEAD(idle_ones(s->udp, s->family), s, link);
}

static uint64_t sweep(struct udp_sockets *idle, uint64_t now)
{
	const uint64_t linger = VSRESOLV_LINGER_MS * LOOP_MSEC;
	struct udp_socket *s;

	while ((s = TAILQ_LAST(idle, udp_sockets)) != NULL) {
		if (s->released + linger > now)
			return s->released + linger;
		TAILQ_REMOVE(idle, s, link);
		socket_close(s);
	}
	return UINT64_MAX;
}

uint64_t udp_sweep(struct udp *udp, uint64_t now)
{
	uint64_t due4 = sweep(&udp->idle4, now), due6 = sweep(&udp->idle6, now);

	return due4 < due6 ? due4 : due6;
}

void udp_rest(struct udp *udp)
{
	sweep(&udp->idle4, UINT64_MAX);
	sweep(&udp->idle6, UINT64_MAX);
}
