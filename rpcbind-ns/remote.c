/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "container.h"
#include "remote.h"
#include "server.h"
#include "vserver.h"

/* How long a service may take. A client of CALLIT gives up after some seconds. */
#define ANSWER_MAX (15 * LOOP_SEC)
#define MESSAGE_MAX 9000

struct remote_call {
	uint64_t until; /* loop time; in the past: free */
	uint32_t xid;   /* ours */
	struct uaddr service;
	const struct udp_socket *from; /* of the same VS, and gone only with it */
	struct udp_path path;
	unsigned link; /* where a link-local address was contacted */
	struct proc_caller caller; /* without the means to ask for his uid */
	size_t call_len;
	struct proc_forward forward; /* without what pointed into the call */
	char text[UADDR_MAX];        /* the service's address as the caller should see it */
};

static struct remote_call *find_free(struct remote *remote)
{
	uint64_t now = loop_now(remote->vs->server->loop);

	if (!remote->calls)
		remote->calls = calloc(REMOTE_MAX, sizeof(*remote->calls));
	for (unsigned i = 0; remote->calls && i < REMOTE_MAX; i++)
		if (remote->calls[i].until <= now)
			return &remote->calls[i];
	return NULL;
}

/* Where the service listens, as seen from inside the VS. Where VSs share a namespace loopback may
 * be another one's; the address that the caller contacted is this VS's. */
static struct uaddr service_address(const struct vserver *vs, const struct regs_entry *entry,
	const struct uaddr *contacted)
{
	struct uaddr a = entry->uaddr;

	if (!uaddr_is_wildcard(&a))
		return a;
	if (vs->shares) {
		memcpy(a.addr, contacted->addr, sizeof(a.addr));
		return a;
	}
	if (a.family == AF_INET) {
		a.addr[0] = 127;
		a.addr[3] = 1;
	} else {
		a.addr[15] = 1;
	}
	return a;
}

static int send_call(const struct remote_socket *s, const struct uaddr *to, const void *data,
	size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = uaddr_to_sockaddr(to, &ss);

	return sendto(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss,
		       ss_len) < 0 ? -errno : 0;
}

/* The service is asked on the link where the caller is, if its address is one of a link. */
static unsigned link_of(const struct uaddr *service, const struct udp_call *from)
{
	return service->family == AF_INET6 && from->path.family == AF_INET6
		       ? from->path.info.v6.ipi6_ifindex : 0;
}

void remote_forward(struct remote *remote, const struct udp_socket *s, const struct udp_call *from,
	const struct proc_forward *forward)
{
	uint8_t data[MESSAGE_MAX];
	struct proc_reply call = {.data = data, .size = sizeof(data), .limit = sizeof(data)};
	bool v4 = forward->entry->uaddr.family == AF_INET;
	const struct remote_socket *out = v4 ? &remote->call4 : &remote->call6;
	struct uaddr service =
		service_address(remote->vs, forward->entry, &from->caller.contacted);
	struct remote_call *c = out->fd >= 0 ? find_free(remote) : NULL;
	uint32_t xid;

	/* The xid is what a forged answer would have to guess, besides the port. */
	if (!c || !share_has(remote->vs, &service, link_of(&service, from), false) ||
		getrandom(&xid, sizeof(xid), 0) != sizeof(xid) ||
		proc_forward_call(forward, xid, &call))
		return;
	c->xid = xid;
	c->service = service;
	c->from = s;
	c->path = from->path;
	c->link = link_of(&from->caller.contacted, from);
	c->caller = from->caller;
	c->caller.peer_uid = NULL;
	c->caller.arg = NULL;
	c->call_len = from->len;
	c->forward = *forward;
	c->forward.entry = NULL;
	c->forward.args = c->forward.cred = NULL;
	c->forward.args_len = c->forward.cred_len = 0;
	regs_merge(forward->entry, &from->caller.contacted, c->text);
	if (send_call(out, &c->service, call.data, call.len) == 0)
		c->until = loop_now(remote->vs->server->loop) + ANSWER_MAX;
}

static struct remote_call *find_call(struct remote *remote, uint32_t xid, const struct uaddr *from)
{
	uint64_t now = loop_now(remote->vs->server->loop);

	for (unsigned i = 0; remote->calls && i < REMOTE_MAX; i++) {
		struct remote_call *c = &remote->calls[i];
		if (c->until > now && c->xid == xid && uaddr_same_host(&c->service, from) &&
			c->service.port == from->port)
			return c;
	}
	return NULL;
}

static void answer(struct remote *remote, const uint8_t *msg, size_t len, const struct uaddr *from)
{
	uint8_t data[MESSAGE_MAX];
	struct proc_reply reply = {.data = data, .size = sizeof(data), .limit = sizeof(data)};
	struct remote_call *c;
	uint32_t xid;

	if (len < sizeof(xid))
		return;
	memcpy(&xid, msg, sizeof(xid));
	c = find_call(remote, ntohl(xid), from);
	if (!c)
		return;
	c->until = 0;
	if (udp_answer_fd(c->from) < 0 ||
		!share_has(remote->vs, &c->caller.contacted, c->link, false) ||
		proc_forward_reply(&c->forward, c->text, msg, len, &reply) != PROC_REPLY)
		return;
	/* Over the limit INDIRECT gets an error, CALLIT and BCAST nothing. */
	if (reply.len > c->call_len &&
		!udp_may_exceed(remote->vs, &c->caller, reply.len - c->call_len) &&
		(proc_forward_reply(&c->forward, c->text, "", 0, &reply) != PROC_REPLY ||
			reply.len > c->call_len))
		return;
	udp_send(udp_answer_fd(c->from), &c->path, reply.data, reply.len);
}

static void on_readable(struct loop_io *io, uint32_t events)
{
	struct remote_socket *s = container_of(io, struct remote_socket, io);
	uint8_t msg[MESSAGE_MAX] __attribute__((aligned(8)));
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	ssize_t n = recvfrom(s->fd, msg, sizeof(msg), MSG_DONTWAIT, (struct sockaddr *)&ss, &len);
	struct uaddr from;

	(void)events;
	if (n > 0 && uaddr_from_sockaddr((struct sockaddr *)&ss, len, &from) == 0)
		answer(s->remote, msg, (size_t)n, &from);
}

void remote_init(struct remote *remote, struct vserver *vs)
{
	const struct remote_socket none = {LOOP_IO_INIT(on_readable), -1, remote};

	*remote = (struct remote){.vs = vs, .call4 = none, .call6 = none};
}

int remote_open(struct remote *remote, struct remote_socket *socket, int fd)
{
	int rc = loop_io_add(remote->vs->server->loop, &socket->io, fd, EPOLLIN);

	if (!rc)
		socket->fd = fd;
	return rc;
}

static void close_socket(struct remote *remote, struct remote_socket *s)
{
	if (s->fd < 0)
		return;
	loop_io_del(remote->vs->server->loop, &s->io);
	close(s->fd);
	s->fd = -1;
}

void remote_close(struct remote *remote)
{
	close_socket(remote, &remote->call4);
	close_socket(remote, &remote->call6);
	free(remote->calls);
	remote->calls = NULL;
}
