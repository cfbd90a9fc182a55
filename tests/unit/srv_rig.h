/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_srv_start() of one name, and what came of it. */
#ifndef NSAUX_TESTS_SRV_RIG_H
#define NSAUX_TESTS_SRV_RIG_H

#include "names_rig.h"

#define SRV_NAME "_ldap._tcp.example"
#define END                                                                                        \
	{                                                                                          \
		.owner = NULL                                                                      \
	}

struct srv_got {
	unsigned told;
	int status;
	struct vsresolv_srv *res;
	struct vsresolv_info info;
};

extern const struct addrinfo srv_stream, srv_ipv4; /* hints: SOCK_STREAM, any family or AF_INET */

vsresolv_srv_fn srv_note; /* arg: a struct srv_got */
void srv_start(struct names *n, struct srv_got *got, const struct addrinfo *hints, unsigned flags,
	int first_ms, int timeout_ms);
/* The same, and waits for it. */
struct srv_got srv_look_up(struct names *n, const struct addrinfo *hints, unsigned flags);

/* Status 0, and these targets: "dc1.example:389[192.0.2.1 2001:db8::1] dc2.example:390(-5)", with
 * the status of those that have no addresses. Frees them. */
void srv_expect(struct srv_got *got, const char *wanted);
void srv_expect_status(const struct srv_got *got, int status);

#endif
