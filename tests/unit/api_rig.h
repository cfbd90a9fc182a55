/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts without servers that answer, and requests of a kind that needs none: they end by a
 * timer. */
#ifndef NSAUX_TESTS_API_RIG_H
#define NSAUX_TESTS_API_RIG_H

#include <stdatomic.h>

#include "t.h"
#include "request.h"

#define API_PATIENCE (10 * LOOP_SEC)
#define API_NEVER UINT64_MAX

struct fake;
typedef void fake_fn(struct fake *fake, void *arg);

struct fake {
	struct request request;
	struct loop_timer timer;
	uint64_t delay; /* nanoseconds after begin(); 0: at once; API_NEVER */
	int ends_with;
	int expires_with; /* status at the deadline */
	unsigned stopped;
	fake_fn *fn;
	void *arg;
};

/* Objects that are there, and callbacks that ran; of all fakes. */
struct fake_count {
	atomic_long alive, delivered;
};
extern struct fake_count fake_count;

/* With a server where nobody is. loop may be NULL. */
struct vsresolv *api_open(struct vsresolv_loop *loop);
struct vsresolv_loop *api_loop(void);
struct fake *fake_new(struct vsresolv *ctx, uint64_t delay, int ends_with, fake_fn *fn, void *arg);
/* Asserts that it starts. */
uint64_t fake_start(struct vsresolv *ctx, uint64_t delay, int timeout_ms, fake_fn *fn, void *arg);
/* Runs one in the calling thread; the status. */
int fake_run(struct vsresolv *ctx, uint64_t delay, int timeout_ms);

/* Polls and processes until *value is `wanted`; fails when that never is. */
void api_process_until(struct vsresolv_loop *loop, atomic_long *value, long wanted);
/* Is the loop's descriptor readable within the time? */
bool api_readable(struct vsresolv_loop *loop, int ms);
/* Descriptors of this process. */
unsigned api_count_fds(void);

#endif
