/* SPDX-License-Identifier: BSD-3-Clause */
/* What the devices of a virtual server have carried. */
#ifndef NSAUX_VSCTL_TRAFFIC_H
#define NSAUX_VSCTL_TRAFFIC_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "vsreg.h"

#define TRAFFIC_DEVICES_MAX 4096

struct traffic {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
};

struct traffic_device {
	char name[IF_NAMESIZE];
	struct traffic traffic;
};

/*
 * The devices of a VS but lo, of a mark VS those that its file names by Device=; at most
 * TRAFFIC_DEVICES_MAX, in the kernel's order. *devices is the caller's to free, NULL when there are
 * none. 0 or -errno: what vs_socket() gives, -ENOMEM, -EPROTO, -ETIMEDOUT.
 */
int traffic_read(struct vs *vs, struct traffic_device **devices, size_t *count);

#endif
