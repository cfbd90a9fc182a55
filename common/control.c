/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket's connections.
 *
 * A peer's calls are served one by one: the next message is looked at when the call before is
 * answered and its reply is sent. So replies are in order, and a peer holds at most one request
 * and one reply of memory, whatever it pipelines.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"
#include "control_private.h"

#define ACCEPT_BATCH 16
#define ACCEPT_RETRY LOOP_SEC

static void peer_free(struct control_peer *peer)
{
	struct control *control = peer->control;
	int fd = peer->io.fd;

	if (peer->call)
		peer->call->peer = NULL;
	LIST_REMOVE(peer, link);
	control->peer_count--;
	if (peer->stranger)
		control->stranger_count--;
	loop_timer_del(control->loop, &peer->patience);
	loop_io_del(control->loop, &peer->io);
	close(fd);
	free(peer->out);
	free(peer);
}

static void peer_flush(struct control_peer *peer)
{
	ssize_t n = send(peer->io.fd, peer->out + peer->out_sent, peer->out_len - peer->out_sent,
		MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		peer->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	peer->out_sent += (size_t)n;
	if (!peer->stranger)
		loop_timer_del(peer->control->loop, &peer->patience);
	if (peer->out_sent == peer->out_len) {
		free(peer->out);
		peer->out = NULL;
	}
}

void control_peer_send(struct control_peer *peer, char *text)
{
	if (!text) {
		peer->broken = true;
		return;
	}
	peer->out = text;
	peer->out_len = strlen(text) + 1;
	peer->out_sent = 0;
	peer_flush(peer);
}

static void peer_read(struct control_peer *peer)
{
	ssize_t n;

	memmove(peer->in, peer->in + peer->in_start, peer->in_end - peer->in_start);
	peer->in_end -= peer->in_start;
	peer->in_start = 0;
	n = recv(peer->io.fd, peer->in + peer->in_end, sizeof(peer->in) - peer->in_end,
		MSG_DONTWAIT);
	if (n > 0)
		peer->in_end += (size_t)n;
	else if (n == 0)
		peer->ended = true;
	else
		peer->broken = errno != EAGAIN && errno != EINTR;
}

/* Serves one message. False when there is none yet. */
static bool peer_serve(struct control_peer *peer)
{
	char *text = peer->in + peer->in_start;
	size_t left = peer->in_end - peer->in_start;
	char *end = memchr(text, '\0', left);

	if (!end) {
		peer->broken = left == sizeof(peer->in);
		return false;
	}
	peer->in_start += (size_t)(end - text) + 1;
	control_call_start(peer, text, (size_t)(end - text));
	return true;
}

/* Waits for what comes next. */
static void peer_watch(struct control_peer *peer)
{
	struct loop *loop = peer->control->loop;
	uint32_t events = 0;

	if (peer->out)
		events = EPOLLOUT;
	else if (!peer->call && !peer->ended)
		events = EPOLLIN;
	if (loop_io_mod(loop, &peer->io, events) < 0)
		peer->broken = true;
	if (peer->out && !loop_timer_set(&peer->patience) &&
		loop_timer_in(loop, &peer->patience, CONTROL_PATIENCE) < 0)
		peer->broken = true;
}

void control_peer_advance(struct control_peer *peer)
{
	if (peer->serving)
		return;
	peer->serving = true;
	while (!peer->broken && !peer->call && !peer->out && peer_serve(peer))
		;
	peer->serving = false;
	if (!peer->broken)
		peer_watch(peer);
	if (peer->broken || (peer->ended && !peer->call && !peer->out))
		peer_free(peer);
}

static void peer_ready(struct loop_io *io, uint32_t events)
{
	struct control_peer *peer = container_of(io, struct control_peer, io);

	if (peer->out)
		peer_flush(peer);
	else if (events & EPOLLIN)
		peer_read(peer);
	else
		peer->broken = true; /* hung up before the answer */
	control_peer_advance(peer);
}

static void peer_impatient(struct loop_timer *timer)
{
	peer_free(container_of(timer, struct control_peer, patience));
}

/* Is the other end root or the daemon's own user? */
static int peer_is_known(int fd, bool *known)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*known = cred.uid == 0 || cred.uid == geteuid();
	return 0;
}

/* Takes over fd on success. */
static int peer_new(struct control *control, int fd)
{
	struct control_peer *peer;
	bool known = false;
	int rc = peer_is_known(fd, &known);

	if (rc < 0)
		return rc;
	if (control->peer_count >= CONTROL_PEERS_MAX ||
		(!known && control->stranger_count >= CONTROL_STRANGERS_MAX))
		return -EUSERS;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->control = control;
	peer->io = (struct loop_io)LOOP_IO_INIT(peer_ready);
	peer->patience.fn = peer_impatient;
	peer->stranger = !known;
	rc = loop_io_add(control->loop, &peer->io, fd, EPOLLIN);
	if (rc == 0 && peer->stranger)
		rc = loop_timer_in(control->loop, &peer->patience, CONTROL_PATIENCE);
	if (rc < 0) {
		loop_io_del(control->loop, &peer->io);
		free(peer);
		return rc;
	}
	LIST_INSERT_HEAD(&control->peers, peer, link);
	control->peer_count++;
	control->stranger_count += peer->stranger;
	return 0;
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
	struct control *control = container_of(io, struct control, listener);

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0 && peer_new(control, fd) < 0)
			close(fd);
		if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
			continue;
		/* Out of descriptors or memory: the listener stays readable, so look away. */
		if (errno != EAGAIN &&
			loop_timer_in(control->loop, &control->retry, ACCEPT_RETRY) == 0)
			loop_io_mod(control->loop, io, 0);
		return;
	}
}

static void listener_retry(struct loop_timer *timer)
{
	struct control *control = container_of(timer, struct control, retry);

	loop_io_mod(control->loop, &control->listener, EPOLLIN);
}

int control_new(struct control **out, struct loop *loop, int fd,
	const struct control_method *methods, void *arg)
{
	struct control *control = calloc(1, sizeof(*control));
	int flags = fcntl(fd, F_GETFL);
	int rc;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->listener = (struct loop_io)LOOP_IO_INIT(listener_ready);
	control->retry.fn = listener_retry;
	control->methods = methods;
	control->arg = arg;
	LIST_INIT(&control->peers);
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		rc = -errno;
	else
		rc = loop_io_add(loop, &control->listener, fd, EPOLLIN);
	if (rc < 0) {
		free(control);
		return rc;
	}
	*out = control;
	return 0;
}

void control_free(struct control *control)
{
	struct control_peer *peer;
	int fd;

	if (!control)
		return;
	while ((peer = LIST_FIRST(&control->peers)))
		peer_free(peer);
	fd = control->listener.fd;
	loop_io_del(control->loop, &control->listener);
	loop_timer_del(control->loop, &control->retry);
	close(fd);
	free(control);
}
