/* SPDX-License-Identifier: BSD-3-Clause */
/* What ours is compared with. Each returns the status of the program. */
#ifndef NSAUX_BENCH_RESOLVPEERS_H
#define NSAUX_BENCH_RESOLVPEERS_H

#include "resolvload.h"

/* getaddrinfo(3) by what /etc says, in the namespaces where it is started. */
int glibc_hit(const struct rl_options *o);
int glibc_miss(const struct rl_options *o);
/* How many answers are not those of this VS (number -v). */
int glibc_wrong(const struct rl_options *o);
/* c-ares with sockets made in the namespace -n by setns(2) in the socket functions. */
int cares_miss(const struct rl_options *o);     /* ares_getaddrinfo(), sorted */
int cares_raw_miss(const struct rl_options *o); /* ares_query(), and nothing is read */
int cares_idle(const struct rl_options *o);
/* libunbound, in the namespace where it is started; its own thread. */
int unbound_hit(const struct rl_options *o);
int unbound_miss(const struct rl_options *o);

#endif
