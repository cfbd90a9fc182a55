/* SPDX-License-Identifier: BSD-3-Clause */
/* struct vsresolv_loop, for the files that make it up: engine.c drives, deliver.c gives the
 * finished requests back. All of it is under the lock but for what never changes. */
#ifndef NSAUX_ENGINE_PRIVATE_H
#define NSAUX_ENGINE_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "engine.h"
#include "request_ids.h"

/* One synchronous call that waits; on its stack. */
struct engine_waiter {
	TAILQ_ENTRY(engine_waiter) link;
	pthread_cond_t cond;
	bool (*is_done)(void *arg);
	void *arg;
};

/* A callback that is running now; on the stack of vsresolv_process(). */
struct engine_delivery {
	LIST_ENTRY(engine_delivery) link;
	pthread_t thread;
	const struct vsresolv *ctx; /* not to be looked into: the callback may have closed it */
};

struct vsresolv_loop {
	pthread_mutex_t lock;
	int cancel_state; /* of the thread that has the lock, from before */
	uint64_t process;
	bool pollable;

	unsigned holds;
	struct loop *loop; /* NULL: nobody holds it */
	struct share *share;
	struct loop_io wake; /* an eventfd for the leader, made when there is need of it */
	TAILQ_HEAD(, engine_waiter) waiters;
	struct engine_waiter *leader; /* waits for descriptors, without the lock, until: */
	uint64_t led_until;

	/* Pollable ones alone. */
	int fd;       /* an epoll of the loop's and the next two */
	int timer_fd; /* due no later than the loop's first timer */
	int done_fd;  /* an eventfd, readable while done is not empty and nobody is about to
		       * deliver */
	uint64_t armed; /* what timer_fd is set to; UINT64_MAX: nothing */
	bool rung;      /* done_fd is readable */
	bool turning;   /* for vsresolv_process(), which delivers next */
	unsigned done_count;
	TAILQ_HEAD(, request) done;
	LIST_HEAD(, engine_delivery) deliveries;
	pthread_cond_t delivered; /* a callback has returned */
	struct request_ids ids;
};

/* Sets timer_fd; UINT64_MAX: to nothing. */
void engine_arm(struct vsresolv_loop *engine, uint64_t due);
/* A turn of the loop: what is due is done, and those whose wait is over are told. */
void engine_turn(struct vsresolv_loop *engine);

#endif
