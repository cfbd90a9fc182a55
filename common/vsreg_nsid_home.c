/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of addresses and devices in our own namespace, where nsids cannot be used. A socket in a
 * tenant's would keep that alive; this process lives in its own anyway.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vsreg_private.h"

#define MESSAGE_MAX 8192
#define READS_MAX 256

static int open_home(uint64_t cookie)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int sock = netns_socket_here(
		cookie, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (sock < 0 || bind(sock, (const struct sockaddr *)&groups, sizeof(groups)) == 0)
		return sock;
	close(sock);
	return -1;
}

/* In our own namespace anybody may listen. Without a socket it is looked at again and again. */
void nsid_want_home(struct vs_reg *reg, bool wanted)
{
	struct reg_nsid *nsid = &reg->nsid;

	if (wanted && nsid->home < 0) {
		nsid->home = open_home(reg->host_cookie);
		if (nsid->home >= 0 && watch_add(&reg->watch, nsid->home) < 0)
			wanted = false;
	}
	if (!wanted && nsid->home >= 0) {
		close(nsid->home);
		nsid->home = -1;
	}
}

/* Whatever it says: it is looked at. A loss says as much. */
void nsid_hear_home(struct vs_reg *reg)
{
	unsigned char bytes[MESSAGE_MAX];

	for (int i = 0; i < READS_MAX; i++) {
		if (recv(reg->nsid.home, bytes, sizeof(bytes), 0) < 0 && errno != ENOBUFS)
			return;
		mark_note_address(reg, reg->host_cookie);
	}
}
