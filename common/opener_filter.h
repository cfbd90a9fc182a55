/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of its addresses a VS is served on: a filter of the kernel's in the opener's sockets, which
 * stay bound to the wildcard. What was sent to any other address is dropped before a process
 * sees it, on a listening TCP socket the SYN.
 *
 * A socket has its filter for all processes that share it, and gets another one in one step, with
 * no moment in between at which it has none.
 */
#ifndef NSAUX_OPENER_FILTER_H
#define NSAUX_OPENER_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "opener_proto.h"

#define OPENER_BIND_MAX 64 /* addresses of one VS */

struct opener_address {
	int family;       /* AF_INET or AF_INET6 */
	uint8_t addr[16]; /* 4 or 16 bytes used, network order; all zero: all of the family */
};

/* What the settings of one VS mean for the opener. */
struct opener_vs_policy {
	struct opener_address *bind; /* owned; loopback is served besides */
	unsigned bind_count;         /* 0: all addresses */
	bool multicast;              /* answers to what is sent to ff02::202 */
	bool idle;                   /* nothing is served there */
	char *local;                 /* owned; path of a local socket of its own; NULL: none */
};

void opener_vs_policy_clear(struct opener_vs_policy *policy);

/* Are there addresses of this family that are not served? */
bool opener_filter_restricts(const struct opener_vs_policy *policy, int family);

/* The most instructions: four words are loaded, and compared for each address and for ::1. */
#define OPENER_FILTER_MAX (8 + 9 * (OPENER_BIND_MAX + 1) + 1)

/* Writes the program; the number of its instructions. For a family that is restricted. */
unsigned opener_filter_build(const struct opener_vs_policy *policy, int family,
	struct sock_filter code[OPENER_FILTER_MAX]);

/*
 * Gives the socket the filter that the policy wants, or takes the old one away where it wants none;
 * kinds without a port of the service are left alone. 0 or -errno, and then the socket takes
 * nothing any more, as far as that can be had, and is to be closed.
 */
int opener_filter_set(int fd, enum opener_kind kind, const struct opener_vs_policy *policy);

#endif
