/* SPDX-License-Identifier: BSD-3-Clause */
/* What vsmany, which answers, and vsmanyload, which asks, have in common. */
#ifndef NSAUX_BENCH_VSMANY_H
#define NSAUX_BENCH_VSMANY_H

#include <stdatomic.h>
#include <stdint.h>

#define VSMANY_REQUEST 64 /* bytes, and as many are the answer */

/* An answer is the request, in which the address that was asked has been filled in: from it the
 * client sees that no other virtual server has answered. */
struct vsmany_message {
	uint8_t address[4];
	uint32_t number;
	uint8_t rest[VSMANY_REQUEST - 8];
};

/* Kept by the server in a file that both have mapped. */
struct vsmany_counts {
	_Atomic uint64_t requests;
	/* Nanoseconds in the program itself, between system calls, and in how many pieces; without
	 * those in which something else has run. */
	_Atomic uint64_t user, pieces;
	uint64_t clock_price; /* nanoseconds of each piece, for the reading of the clock */
};

#endif
