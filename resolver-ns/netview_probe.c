/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source addresses, by asking the kernel: a UDP socket of the VS is connected and tells its own
 * end. Nothing is sent. The socket has the VS's mark, device and source address, and is kept.
 */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <linux/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netview_private.h"

#define PROBE_PORT 53 /* where the destination has none */

/* Without that version of IP in the VS no destination of it is reached. */
static int get_socket(struct netview *view, int family)
{
	int *kept = family == AF_INET ? &view->probe4 : &view->probe6;

	if (*kept < 0) {
		int sock = place_socket(view->place, family, SOCK_DGRAM, IPPROTO_UDP);

		if (sock < 0)
			return sock;
		*kept = sock;
	}
	return *kept;
}

static socklen_t make_target(union netview_addr *target, const union netview_addr *to)
{
	*target = *to;
	if (to->sa.sa_family == AF_INET) {
		if (target->in4.sin_port == 0)
			target->in4.sin_port = htons(PROBE_PORT);
		return sizeof(target->in4);
	}
	if (IN6_IS_ADDR_V4MAPPED(&to->in6.sin6_addr)) {
		target->in4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(PROBE_PORT)};
		memcpy(&target->in4.sin_addr, to->in6.sin6_addr.s6_addr + 12,
			sizeof(target->in4.sin_addr));
		return sizeof(target->in4);
	}
	if (target->in6.sin6_port == 0)
		target->in6.sin6_port = htons(PROBE_PORT);
	return sizeof(target->in6);
}

/* Disconnected at once, so that no datagram is taken in meanwhile, and that the next source is
 * chosen freely. */
static bool ask(int sock, const union netview_addr *target, socklen_t len, union netview_addr *own)
{
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	socklen_t own_len = sizeof(*own);
	bool is_reached;

	if (connect(sock, &target->sa, len) < 0)
		return false;
	is_reached = getsockname(sock, &own->sa, &own_len) == 0;
	return connect(sock, &nowhere, sizeof(nowhere)) == 0 && is_reached;
}

int netview_probe(struct netview *view, const union netview_addr *to, struct in6_addr *src,
	bool *is_reached)
{
	union netview_addr target, own;
	socklen_t len = make_target(&target, to);
	int sock = get_socket(view, target.sa.sa_family);

	if (sock < 0 && sock != -EAFNOSUPPORT)
		return sock;
	*is_reached = sock >= 0 && ask(sock, &target, len, &own);
	if (*is_reached && own.sa.sa_family == AF_INET)
		*src = netview_mapped(&own.in4.sin_addr);
	else if (*is_reached)
		*src = own.in6.sin6_addr;
	return 0;
}

bool netview_is_tunnel(const struct netview *view, unsigned ifindex)
{
	struct ifreq ifr = {.ifr_ifindex = (int)ifindex};
	int sock = view->probe6 >= 0 ? view->probe6 : view->probe4;

	if (sock < 0 || ioctl(sock, SIOCGIFNAME, &ifr) < 0 || ioctl(sock, SIOCGIFHWADDR, &ifr) < 0)
		return false;
	switch (ifr.ifr_hwaddr.sa_family) {
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return true;
	default:
		return false;
	}
}
