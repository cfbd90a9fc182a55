/* SPDX-License-Identifier: BSD-3-Clause */
/* Ours, by <vsresolv.h> alone. */
#ifndef NSAUX_BENCH_RESOLVOURS_H
#define NSAUX_BENCH_RESOLVOURS_H

#include "resolvload.h"
#include "vsresolv.h"

/* The context of the i-th VS; loop and budget may be NULL. Ends the program when there is none. */
struct vsresolv *ours_open(const struct rl_options *o, unsigned i, struct vsresolv_loop *loop,
	struct vsresolv_budget *budget);
struct vsresolv_loop *ours_loop(void);
struct addrinfo ours_hints(const struct rl_options *o);
/* All addresses of an answer are that name's, for that VS, and as many as there are to be. */
bool ours_is_right(const struct rl_options *o, const struct addrinfo *res, unsigned number,
	uint64_t hash);
/* Waits until the loop has something to do, but not beyond `until`, and does it. */
void ours_turn(struct vsresolv_loop *loop, uint64_t until);

/* Each returns the status of the program. */
int ours_hit(const struct rl_options *o);
int ours_miss(const struct rl_options *o);
int ours_idle(const struct rl_options *o);
int ours_many(const struct rl_options *o);
int ours_beside(const struct rl_options *o);

#endif
