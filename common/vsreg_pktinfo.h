/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control messages by which a UDP socket that several VSs share learns where a datagram went,
 * and says where an answer comes from (ip(7), ipv6(7)). Nothing here looks at a socket or a VS.
 *
 * An IPv4 datagram on an IPv6 socket is told of twice: by IPV6_PKTINFO with a mapped address, and by
 * IP_PKTINFO. The latter decides, because only it tells a broadcast from an address of ours.
 */
#ifndef NSAUX_VSREG_PKTINFO_H
#define NSAUX_VSREG_PKTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for what is asked for here, and some for what else the application has turned on. */
#define PKTINFO_ROOM 128
/* Room for one IP_PKTINFO or IPV6_PKTINFO and one SO_MARK. */
#define PKTINFO_SEND_ROOM 64

union pktinfo_control {
	struct cmsghdr align;
	unsigned char bytes[PKTINFO_ROOM];
};

union pktinfo_send_control {
	struct cmsghdr align;
	unsigned char bytes[PKTINFO_SEND_ROOM];
};

struct pktinfo {
	/* The address that was asked, in the socket's family; to a group or a broadcast address the
	 * one that the kernel would answer from, which for IPv6 is the wildcard: it does not say. */
	union {
		struct sockaddr any;
		struct sockaddr_in6 room; /* the largest */
	} local;
	socklen_t local_len;
	unsigned ifindex;
	bool is_group; /* it went to a group or a broadcast address */
};

/* False: nothing that could be believed tells it, for want of it or because it was cut off. */
bool pktinfo_read(const struct msghdr *msg, struct pktinfo *info);

/* As an IPv4 address where it is a mapped one: *in and true. */
bool pktinfo_unmap(const struct sockaddr *addr, struct sockaddr_in *in);

/* Is it the wildcard of its family, also mapped? */
bool pktinfo_is_wildcard(const struct sockaddr *addr);
/* ... a group or the broadcast address of all networks? */
bool pktinfo_is_group(const struct sockaddr *addr);

/*
 * The control messages of an answer from that address with that mark (0: none of its own); ifindex
 * counts only where the address means nothing without it. The length of both, which may be 0.
 */
size_t pktinfo_write(union pktinfo_send_control *control, const struct sockaddr *local,
	unsigned ifindex, uint32_t mark);

#endif
