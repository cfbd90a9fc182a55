/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: descriptors (epoll), timers, and signals, under a clock that a test can own.
 *
 * Watchers are embedded in the caller's objects; the loop allocates nothing after loop_new()
 * but the room for its timer heap. A handler may remove any watcher, its own included, and
 * free the object it stands in: an event that is already fetched for a removed watcher is not
 * delivered. Single-threaded. A turn serves descriptors first and timers after, in order of due
 * time and then of arming; a timer armed during a turn waits for the next.
 *
 * fork: the child shares the epoll instance, and loop_io_del() there would end the parent's
 * watching. A child may do no more with the loop than loop_free().
 */
#ifndef NSAUX_LOOP_H
#define NSAUX_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

struct loop_clock {
	uint64_t (*now)(void *arg); /* nanoseconds, never backwards */
	void *arg;
};

struct loop_io {
	int fd; /* -1 when not watched */
	void (*fn)(struct loop_io *io, uint32_t events);
	uint32_t events; /* kept by the loop */
};

struct loop_timer {
	void (*fn)(struct loop_timer *timer);
	uint64_t due;  /* kept by the loop: nanoseconds of its clock */
	size_t slot;   /* kept by the loop; 0 when not set */
};

/* Before its first use a loop_io is set with LOOP_IO_INIT, a loop_timer is zero but for fn. */
#define LOOP_IO_INIT(handler) { .fd = -1, .fn = (handler) }
#define LOOP_MSEC UINT64_C(1000000)
#define LOOP_SEC UINT64_C(1000000000)

/* clock NULL: CLOCK_MONOTONIC. 0 or -errno. */
int loop_new(struct loop **loop, const struct loop_clock *clock);
/* Calls nobody; watchers still armed are forgotten. Signals stay blocked. NULL is allowed. */
void loop_free(struct loop *loop);

/* For a loop within a loop: readable when a descriptor has work, not when a timer is due. */
int loop_fd(const struct loop *loop);
/* When the first timer is due, by the loop's clock; UINT64_MAX: none is set. */
uint64_t loop_due(const struct loop *loop);

/* The clock as read at the start of this turn of the loop. */
uint64_t loop_now(const struct loop *loop);
/* Reads the clock, as a turn does: for who sets timers between turns, of which the last may be
 * long ago. */
uint64_t loop_refresh(struct loop *loop);

/* Watch fd, which stays the caller's. events: EPOLLIN, EPOLLOUT, EPOLLPRI (level-triggered), or 0;
 * EPOLLERR and EPOLLHUP always come. 0, -EEXIST when io watches already, or as epoll_ctl(2). */
int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events);
int loop_io_mod(struct loop *loop, struct loop_io *io, uint32_t events);
/* Stop watching; call it before the descriptor is closed. Harmless when not watched. */
void loop_io_del(struct loop *loop, struct loop_io *io);

/* (Re-)arm; a time in the past counts as now, and fires on the next turn. 0 or -ENOMEM (only
 * when not armed before). */
int loop_timer_at(struct loop *loop, struct loop_timer *timer, uint64_t due);
int loop_timer_in(struct loop *loop, struct loop_timer *timer, uint64_t delay);
void loop_timer_del(struct loop *loop, struct loop_timer *timer);
bool loop_timer_set(const struct loop_timer *timer);

/* Signals through a signalfd: blocks them for the calling thread, so call it before there are
 * others. One handler for all; a second call is -EEXIST. */
int loop_signals(struct loop *loop, const int *signos, size_t count,
	void (*fn)(void *arg, int signo), void *arg);

/* One turn: waits for at most max_wait nanoseconds (UINT64_MAX: as long as it takes; with a test's
 * clock never blocks), then serves. Number of handlers run, or -errno; -EBUSY in a handler. */
int loop_turn(struct loop *loop, uint64_t max_wait);
/* Turns until loop_stop(), whose turn is finished first; returns its argument, or -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

#endif
