/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random configurations that are sound: up to three mark VSs, a, b and c, on the devices d0 to d2, or
 * one namespace VS t that makes these from e0 to e2 of the parent. Addresses are so few that they
 * often move.
 */
#ifndef NSAUX_TESTS_NET_RANDOM_H
#define NSAUX_TESTS_NET_RANDOM_H

#include "net_rig.h"

unsigned net_pick(uint64_t *random, unsigned below);
/* In the place of what the rig has. */
void net_random_group(struct rig *rig, uint64_t *random, bool is_mark);

#endif
