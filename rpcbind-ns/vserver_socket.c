/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sockets a VS should have, how it gets them, and what is told while one is missing. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "vserver.h"

#define RETRY_MIN (1 * LOOP_SEC)
#define RETRY_MAX (30 * LOOP_SEC)
#define BUSY_RETRY (50 * LOOP_MSEC)
#define HURRY_FOR (300 * LOOP_SEC)

static int socket_fd(const struct vserver *vs, enum opener_kind kind)
{
	switch (kind) {
	case OPENER_UDP4:
		return vs->udp4.fd;
	case OPENER_UDP6:
		return vs->udp6.fd;
	case OPENER_TCP4:
		return vs->tcp4.fd;
	case OPENER_TCP6:
		return vs->tcp6.fd;
	case OPENER_ABSTRACT:
		return vs->abstract.fd;
	case OPENER_LOCAL:
		return vs->local.fd;
	case OPENER_DIAG:
		return vs->diag_fd;
	case OPENER_CALL4:
		return vs->remote.call4.fd;
	case OPENER_CALL6:
		return vs->remote.call6.fd;
	default:
		return -1;
	}
}

static int open_socket(struct vserver *vs, enum opener_kind kind, int fd)
{
	switch (kind) {
	case OPENER_UDP4:
		return udp_open(&vs->udp4, fd);
	case OPENER_UDP6:
		return udp_open(&vs->udp6, fd);
	case OPENER_TCP4:
		return stream_listener_open(&vs->tcp4, fd);
	case OPENER_TCP6:
		return stream_listener_open(&vs->tcp6, fd);
	case OPENER_ABSTRACT:
		return stream_listener_open(&vs->abstract, fd);
	case OPENER_LOCAL:
		return stream_listener_open(&vs->local, fd);
	case OPENER_DIAG:
		vs->diag_fd = fd;
		return 0;
	case OPENER_CALL4:
		return remote_open(&vs->remote, &vs->remote.call4, fd);
	case OPENER_CALL6:
		return remote_open(&vs->remote, &vs->remote.call6, fd);
	default:
		return -EINVAL;
	}
}

/* The opener takes back what it cannot keep to the settings of the VS. */
static void give_back(struct vserver *vs, unsigned kind)
{
	if (kind == OPENER_UDP4)
		udp_close(&vs->udp4);
	else if (kind == OPENER_UDP6)
		udp_close(&vs->udp6);
	else if (kind == OPENER_TCP4)
		stream_listener_close(&vs->tcp4);
	else if (kind == OPENER_TCP6)
		stream_listener_close(&vs->tcp6);
}

static uint32_t kinds_of(const struct vserver *vs)
{
	uint32_t mask = 0;

	if (!vs->conf.serve)
		return 0;
	mask = OPENER_BIT(OPENER_DIAG) | (vs->shares ? 0 : OPENER_CARRIED);
	if (vs->share)
		return mask;
	if (*vs->conf.local)
		mask |= OPENER_BIT(OPENER_LOCAL);
	if (vs->conf.remote_calls)
		mask |= OPENER_BIT(OPENER_CALL4) | OPENER_BIT(OPENER_CALL6);
	return mask | vserver_journal_wants(vs);
}

/* From now on clients that came by the path socket are served too: not before, since what they
 * register would not be found over the network. */
static void first_answer(struct vserver *vs)
{
	if (vs->answered)
		return;
	vs->answered = true;
	if (server_by_cookie(vs->server, vs->cookie) == vs)
		stream_adopt(vs->server, vs);
	server_answered(vs->server);
}

void vserver_request_sockets(struct vserver *vs)
{
	uint32_t mask = 0;
	int rc;

	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if ((kinds_of(vs) & (1u << k)) && socket_fd(vs, (enum opener_kind)k) < 0)
			mask |= 1u << k;
	mask &= ~vs->wanted;
	if (!mask) {
		if (!vs->wanted)
			first_answer(vs);
		return;
	}
	rc = link_listen(vs->server->link, vs->id, mask);
	if (rc)
		log_err(vs->name, "cannot ask for sockets: %s", strerror(-rc));
	else
		vs->wanted |= mask;
}

/* "port 111/udp6", or what else the socket is. */
static void describe_kind(const struct vserver *vs, unsigned kind, char *text, size_t size)
{
	const char *name = opener_kind_name((enum opener_kind)kind);

	if (kind <= OPENER_TCP6)
		snprintf(text, size, "port %u/%s", vs->server->stream.port, name);
	else
		snprintf(text, size, "%s", name);
}

/* "port 111/udp: Address already in use, held by rpcbind[1234]" */
static int describe_error(const struct vserver *vs, unsigned kind, char *text, size_t size)
{
	char what[40];

	describe_kind(vs, kind, what, sizeof(what));
	return snprintf(text, size, "%s: %s%s%s", what, strerror(vs->error[kind]),
		vs->holder[kind] ? ", held by " : "", vs->holder[kind] ? vs->holder[kind] : "");
}

/* A family or a name that this kernel or this configuration does not have is no defect. */
static bool is_absent(unsigned kind, int error)
{
	if (OPENER_STATES & (1u << kind))
		return false;
	return error == EAFNOSUPPORT || error == EOPNOTSUPP || error == EADDRNOTAVAIL;
}

static void note_error(struct vserver *vs, unsigned kind, const struct link_socket *s)
{
	bool news = vs->error[kind] != s->error;
	char text[256];

	vs->error[kind] = is_absent(kind, s->error) ? 0 : s->error;
	free(vs->holder[kind]);
	vs->holder[kind] = vs->error[kind] && *s->holder ? strdup(s->holder) : NULL;
	if (!vs->error[kind] || !news)
		return;
	describe_error(vs, kind, text, sizeof(text));
	log_err(vs->name, "degraded: %s", text);
}

static void take_socket(struct vserver *vs, unsigned kind, struct link_socket *s)
{
	char what[40];
	int rc = 0;

	if (s->fd < 0)
		give_back(vs, kind);
	/* The opener sends another one when somebody has removed the socket from its path. */
	if (kind == OPENER_LOCAL)
		stream_listener_close(&vs->local);
	/* The configuration may have changed while the request was on its way. */
	if (!(kinds_of(vs) & (1u << kind)) || socket_fd(vs, (enum opener_kind)kind) >= 0)
		return;
	if (s->fd < 0) {
		note_error(vs, kind, s);
		return;
	}
	rc = open_socket(vs, (enum opener_kind)kind, s->fd);
	if (rc) {
		note_error(vs, kind, &(struct link_socket){-1, -rc, ""});
		return;
	}
	s->fd = -1;
	if (vs->error[kind]) {
		describe_kind(vs, kind, what, sizeof(what));
		log_notice(vs->name, "%s is served now", what);
	}
	vs->error[kind] = 0;
}

static bool has_errors(const struct vserver *vs)
{
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (vs->error[k])
			return true;
	return false;
}

static bool is_degraded(const struct vserver *vs)
{
	const struct vserver *carrier = share_carrier(vs);

	return has_errors(vs) || (carrier && has_errors(carrier));
}

void vserver_update_builtins(struct vserver *vs)
{
	const struct vserver *carrier = vs->shares ? share_carrier(vs) : vs;
	unsigned netids = 0;

	if (!carrier) {
		regs_use_builtins(vs->proc.regs, vs->server->builtins, netids);
		return;
	}
	netids |= carrier->udp4.fd >= 0 ? NETID_BIT(NETID_UDP) : 0;
	netids |= carrier->tcp4.fd >= 0 ? NETID_BIT(NETID_TCP) : 0;
	netids |= carrier->udp6.fd >= 0 ? NETID_BIT(NETID_UDP6) : 0;
	netids |= carrier->tcp6.fd >= 0 ? NETID_BIT(NETID_TCP6) : 0;
	if ((carrier->abstract.fd >= 0 || vs->server->path.fd >= 0) &&
		(carrier == vs || share_common(share_carrier(vs)) == vs))
		netids |= NETID_BIT(NETID_LOCAL);
	regs_use_builtins(vs->proc.regs, vs->server->builtins, netids);
}

void vserver_listening(struct vserver *vs, uint32_t mask, struct link_socket *sockets)
{
	vs->wanted &= ~mask;
	/* First of all what is registered: no answer without it. */
	if (!vserver_journal_listening(vs, mask, sockets)) {
		loop_timer_in(vs->server->loop, &vs->retry, BUSY_RETRY);
		return;
	}
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (mask & ~OPENER_STATES & (1u << k))
			take_socket(vs, k, &sockets[k]);
	vserver_update_builtins(vs);
	if (vs->share)
		share_update_builtins(vs);
	if (has_errors(vs)) {
		vs->retry_delay = vs->retry_delay ? vs->retry_delay * 2 : RETRY_MIN;
		if (vs->retry_delay > RETRY_MAX)
			vs->retry_delay = RETRY_MAX;
		if (loop_now(vs->server->loop) < vs->hurry_until)
			vs->retry_delay = RETRY_MIN;
		loop_timer_in(vs->server->loop, &vs->retry, vs->retry_delay);
	} else {
		vs->retry_delay = 0;
	}
	first_answer(vs);
}

void vserver_note_error(struct vserver *vs, enum opener_kind kind, int error)
{
	const struct link_socket lost = {-1, error, ""};

	note_error(vs, kind, &lost);
	if (loop_timer_set(&vs->retry))
		return;
	vs->retry_delay = RETRY_MIN;
	loop_timer_in(vs->server->loop, &vs->retry, RETRY_MIN);
}

void vserver_socket_lost(struct vserver *vs, enum opener_kind kind, int error)
{
	const struct link_socket lost = {-1, error, ""};
	int rc = link_release(vs->server->link, vs->id, OPENER_BIT(kind));

	if (rc)
		log_err(vs->name, "cannot give a socket back: %s", strerror(-rc));
	note_error(vs, kind, &lost);
	vserver_update_builtins(vs);
	if (vs->share)
		share_update_builtins(vs);
	vs->retry_delay = RETRY_MIN;
	if (!loop_timer_set(&vs->retry))
		loop_timer_in(vs->server->loop, &vs->retry, RETRY_MIN);
}

void vserver_hurry(struct vserver *vs)
{
	struct vserver *carrier = share_carrier(vs);

	if (carrier)
		vserver_hurry(carrier);
	vs->hurry_until = loop_now(vs->server->loop) + HURRY_FOR;
	if (loop_timer_set(&vs->retry))
		loop_timer_in(vs->server->loop, &vs->retry, RETRY_MIN);
}

static bool is_starting(const struct vserver *vs)
{
	const struct vserver *carrier = share_carrier(vs);

	return !vs->answered || (vs->shares && (!carrier || !carrier->answered ||
						       !carrier->share->told));
}

const char *vserver_state(const struct vserver *vs)
{
	if (!vs->conf.serve)
		return "off";
	if (is_degraded(vs))
		return "degraded";
	return is_starting(vs) ? "starting" : "ok";
}

static size_t add_problems(const struct vserver *vs, char *text, size_t len, size_t size)
{
	for (unsigned k = 0; k < OPENER_KIND_COUNT && len + 2 < size; k++) {
		if (!vs->error[k] || !vs->conf.serve)
			continue;
		if (len) {
			memcpy(text + len, "; ", 3);
			len += 2;
		}
		int n = describe_error(vs, k, text + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

void vserver_problem(const struct vserver *vs, char *text, size_t size)
{
	const struct vserver *carrier = vs->conf.serve ? share_carrier(vs) : NULL;
	size_t len;

	text[0] = '\0';
	len = add_problems(vs, text, 0, size);
	if (carrier)
		add_problems(carrier, text, len, size);
}
