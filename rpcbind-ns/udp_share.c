/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One socket for the VSs of a namespace. The kernel has one queue for all of them, in which the
 * datagrams of a VS that is flooded stand before those of the others: it is emptied as fast as can
 * be, and what a VS has no time for is dropped, but for a few that wait for its next turn.
 */
#include "config.h"

#include <netinet/in.h>

#include "bind.h"
#include "server.h"
#include "turn.h"
#include "udp_private.h"
#include "vserver.h"

/* Of a VS and family. A VS that asks as much as others may have asked this often while the machine
 * did not let us run. */
#define KEPT_MAX 256
#define KEPT_BYTES (64u << 10)

static unsigned link_of(const struct udp_call *call)
{
	return call->path.family == AF_INET6 ? call->path.info.v6.ipi6_ifindex : 0;
}

/* With Bind= what is sent to many is sent to none of the addresses, unless it stands for all. */
static bool is_bound_to(const struct vserver *vs, const struct udp_call *call)
{
	struct uaddr many = {.family = call->caller.contacted.family,
		.addr = {0xff, 0xff, 0xff, 0xff}};

	return bind_serves(vs->conf.bind, call->to_many ? &many : &call->caller.contacted);
}

struct vserver *udp_share_choose(const struct udp_socket *s, const struct udp_call *call)
{
	const struct uaddr *contacted = &call->caller.contacted;
	struct vserver *vs = share_owner(s->vs, contacted, link_of(call));

	/* One VS answers what was sent to all, and from its own address. */
	if (vs && call->to_many && vs != share_common(s->vs))
		return NULL;
	if (!vs)
		share_count_nobodys(s->vs, contacted);
	return vs && is_bound_to(vs, call) ? vs : NULL;
}

static void keep(struct vserver *vs, const struct udp_socket *s, const struct udp_call *call)
{
	struct udp_socket *own = s->netid == NETID_UDP ? &vs->udp4 : &vs->udp6;

	if (own->kept_count >= KEPT_MAX || own->kept_bytes + call->len > KEPT_BYTES) {
		vs->dropped++;
		return;
	}
	udp_keep(own, call);
	own->queued = true;
	turn_need(vs);
}

bool udp_share_now(struct vserver *vs, const struct udp_socket *s, const struct udp_call *call)
{
	/* No time of the carrier's own goes to who comes by loopback. */
	if (vs->share) {
		vs->dropped += !turn_has_time(vs, TURN_ACCEPT);
		return turn_has_time(vs, TURN_ACCEPT);
	}
	/* In order: what waits comes first. */
	if (!vs->udp4.kept_count && !vs->udp6.kept_count && turn_has_time(vs, TURN_UDP))
		return true;
	keep(vs, s, call);
	return false;
}

int udp_answer_fd(const struct udp_socket *s)
{
	const struct vserver *carrier = s->fd < 0 ? share_carrier(s->vs) : NULL;

	if (!carrier)
		return s->fd;
	return s->netid == NETID_UDP ? carrier->udp4.fd : carrier->udp6.fd;
}
