/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a datagram came from, whom it was meant for, and which way its answer goes. */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "caller.h"
#include "server.h"
#include "udp_private.h"
#include "vserver.h"

/*
 * The contacted address is the kernel's idea of ours: for a broadcast the address of the device
 * that it came in on (ipi_spec_dst); for a multicast of IPv6 none: multicast_answer() finds one.
 */
static unsigned read_pktinfo4(struct udp_call *call, const struct cmsghdr *c)
{
	struct in_pktinfo info;
	unsigned ifindex;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	ifindex = (unsigned)info.ipi_ifindex;
	call->caller.contacted.family = AF_INET;
	memcpy(call->caller.contacted.addr, &info.ipi_spec_dst, 4);
	call->to_many = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
	call->path.info.v4 = (struct in_pktinfo){.ipi_spec_dst = info.ipi_spec_dst};
	return ifindex;
}

static unsigned read_pktinfo6(struct udp_call *call, const struct cmsghdr *c)
{
	struct in6_pktinfo info;
	unsigned ifindex;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	ifindex = info.ipi6_ifindex;
	call->caller.contacted.family = AF_INET6;
	call->to_many = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
	if (call->to_many) {
		info.ipi6_addr = in6addr_any;
	} else {
		memcpy(call->caller.contacted.addr, &info.ipi6_addr, 16);
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
	}
	call->path.info.v6 = info;
	return ifindex;
}

/* False when the kernel did not say what was asked for; then nothing is known and nothing is
 * answered. */
bool udp_read_path(const struct udp_socket *s, struct msghdr *msg, struct udp_call *call)
{
	struct proc_caller *caller = &call->caller;
	struct udp_path *path = &call->path;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	unsigned ifindex;

	if (!c || (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	path->peer_len = msg->msg_namelen;
	path->family = s->netid == NETID_UDP ? AF_INET : AF_INET6;
	memset(caller, 0, sizeof(*caller));
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && path->family == AF_INET)
		ifindex = read_pktinfo4(call, c);
	else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		 path->family == AF_INET6)
		ifindex = read_pktinfo6(call, c);
	else
		return false;
	if (uaddr_from_sockaddr((const struct sockaddr *)&path->peer, path->peer_len,
		    &caller->peer))
		return false;
	if (path->family == AF_INET6 && uaddr_is_wildcard(&caller->contacted) &&
		!multicast_answer(&s->vs->multicast, ifindex, path, caller))
		return false;
	caller->contacted.port = s->vs->server->stream.port;
	caller->netid = s->netid;
	caller->inside = ifindex == CALLER_LO_IFINDEX && caller_is_loopback(&caller->peer) &&
			 caller_is_loopback(&caller->contacted);
	caller->common = caller->inside;
	return true;
}
