/* SPDX-License-Identifier: BSD-3-Clause */
/* What vrfprobe's parts share. vrf.netns makes the namespaces, and has the picture of them. */
#ifndef NSAUX_TESTS_VRF_H
#define NSAUX_TESTS_VRF_H

#include <netinet/in.h>
#include <stdint.h>

#define VRFS 2
#define VRF_PORT 7000

/* A socket in a namespace of /run/netns. */
int vrf_socket(const char *ns, int type);
struct sockaddr_in vrf_address(const char *ip, uint16_t port);
/* The name of a device of a namespace. name: IF_NAMESIZE bytes. */
void vrf_device_name(int sock, unsigned index, char *name);
void vrf_bind_to(int sock, const char *device);

/* One datagram, and where it came in. -errno or its length. */
struct vrf_way {
	struct sockaddr_in from;
	struct in_pktinfo info;
};
ssize_t vrf_receive(int sock, void *data, size_t size, struct vrf_way *way);
/* The way back. mark 0: without one. */
ssize_t vrf_answer(int sock, const void *data, size_t len, const struct vrf_way *way, uint32_t mark);

int vrf_facts(void);
int vrf_measure(unsigned rounds);

#endif
