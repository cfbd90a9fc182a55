/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A turn serves descriptors first and timers after, so that what has arrived beats the
 * timer that would give it up.
 *
 * epoll hands back the watcher's address. What makes that safe is that loop_io_del() also
 * strikes the watcher out of the batch of events that the present turn has fetched.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "loop.h"

#define BATCH 64

/* The key stands beside the pointer: a comparison touches no watcher. */
struct heap_entry {
	uint64_t due, order; /* order of arming */
	struct loop_timer *timer;
};

struct loop {
	int epoll_fd;
	struct loop_clock clock;
	uint64_t now;

	struct heap_entry *heap; /* heap[1] is due first; heap[0] is unused */
	size_t heap_count, heap_size;
	uint64_t order;

	struct epoll_event batch[BATCH];
	int batch_next, batch_count; /* not served yet */
	bool turning;
	struct loop_io signal_io;
	void (*signal_fn)(void *arg, int signo);
	void *signal_arg;
	bool stopped;
	int status;
};

static uint64_t monotonic_now(__attribute__((unused)) void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

static void read_clock(struct loop *loop)
{
	uint64_t now = loop->clock.now(loop->clock.arg);

	loop->now = now > loop->now ? now : loop->now;
}

static void signals_ready(struct loop_io *io, __attribute__((unused)) uint32_t events)
{
	struct loop *loop = container_of(io, struct loop, signal_io);
	struct signalfd_siginfo info;

	/* One a turn: the descriptor stays readable while there are more. */
	if (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->signal_fn(loop->signal_arg, (int)info.ssi_signo);
}

int loop_new(struct loop **out, const struct loop_clock *clock)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (!loop || fd < 0) {
		int rc = loop ? -errno : -ENOMEM;

		if (fd >= 0)
			close(fd);
		free(loop);
		return rc;
	}
	loop->epoll_fd = fd;
	loop->clock = clock ? *clock : (struct loop_clock){.now = monotonic_now};
	read_clock(loop);
	loop->signal_io = (struct loop_io)LOOP_IO_INIT(signals_ready);
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->signal_io.fd >= 0)
		close(loop->signal_io.fd);
	close(loop->epoll_fd);
	free(loop->heap);
	free(loop);
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll_fd;
}

uint64_t loop_due(const struct loop *loop)
{
	return loop->heap_count > 0 ? loop->heap[1].due : UINT64_MAX;
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

uint64_t loop_refresh(struct loop *loop)
{
	read_clock(loop);
	return loop->now;
}

int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = io};

	if (io->fd >= 0)
		return -EEXIST;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	io->fd = fd;
	io->events = events;
	return 0;
}

int loop_io_mod(struct loop *loop, struct loop_io *io, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = io};

	if (io->fd < 0)
		return -EBADF;
	if (events == io->events)
		return 0;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) < 0)
		return -errno;
	io->events = events;
	return 0;
}

void loop_io_del(struct loop *loop, struct loop_io *io)
{
	if (io->fd < 0)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->fd = -1;
	for (int i = loop->batch_next; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == io)
			loop->batch[i].data.ptr = NULL;
	}
}

/* Timers: a binary heap; a timer knows its slot in it. */

static bool entry_before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct loop *loop, size_t slot, struct heap_entry entry)
{
	loop->heap[slot] = entry;
	entry.timer->slot = slot;
}

/* Puts entry where it belongs, from the free slot up or down. */
static void heap_place(struct loop *loop, size_t slot, struct heap_entry entry)
{
	size_t child;

	while (slot > 1 && entry_before(&entry, &loop->heap[slot / 2])) {
		heap_put(loop, slot, loop->heap[slot / 2]);
		slot /= 2;
	}
	while ((child = slot * 2) <= loop->heap_count) {
		if (child < loop->heap_count &&
			entry_before(&loop->heap[child + 1], &loop->heap[child]))
			child++;
		if (!entry_before(&loop->heap[child], &entry))
			break;
		heap_put(loop, slot, loop->heap[child]);
		slot = child;
	}
	heap_put(loop, slot, entry);
}

static bool heap_reserve(struct loop *loop)
{
	size_t size = loop->heap_size ? loop->heap_size * 2 : 16;
	struct heap_entry *heap;

	if (loop->heap_count + 1 < loop->heap_size)
		return true;
	heap = reallocarray(loop->heap, size, sizeof(*heap));
	if (!heap)
		return false;
	loop->heap = heap;
	loop->heap_size = size;
	return true;
}

int loop_timer_at(struct loop *loop, struct loop_timer *timer, uint64_t due)
{
	size_t slot = timer->slot;
	struct heap_entry entry = {.order = loop->order++, .timer = timer};

	if (slot == 0 && !heap_reserve(loop))
		return -ENOMEM;
	if (slot == 0)
		slot = ++loop->heap_count;
	/* Not before now: else a timer that always arms itself in the past would
	 * stand before all others for ever. */
	entry.due = timer->due = due > loop->now ? due : loop->now;
	heap_place(loop, slot, entry);
	return 0;
}

int loop_timer_in(struct loop *loop, struct loop_timer *timer, uint64_t delay)
{
	uint64_t due = loop->now + delay;

	return loop_timer_at(loop, timer, due < delay ? UINT64_MAX : due);
}

void loop_timer_del(struct loop *loop, struct loop_timer *timer)
{
	size_t slot = timer->slot;
	struct heap_entry last;

	if (slot == 0)
		return;
	timer->slot = 0;
	last = loop->heap[loop->heap_count--];
	if (last.timer != timer)
		heap_place(loop, slot, last);
}

bool loop_timer_set(const struct loop_timer *timer)
{
	return timer->slot != 0;
}

int loop_signals(struct loop *loop, const int *signos, size_t count,
	void (*fn)(void *arg, int signo), void *arg)
{
	sigset_t set;
	int fd, rc;

	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, signos[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	rc = loop_io_add(loop, &loop->signal_io, fd, EPOLLIN);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	loop->signal_fn = fn;
	loop->signal_arg = arg;
	return 0;
}

/* How long epoll may wait, in milliseconds rounded up; some days are as good as for ever. */
static int wait_for(struct loop *loop, uint64_t max_wait)
{
	uint64_t due = loop_due(loop);

	if (loop->clock.now != monotonic_now || loop->stopped)
		return 0;
	read_clock(loop);
	if (due <= loop->now)
		return 0;
	if (due - loop->now < max_wait)
		max_wait = due - loop->now;
	if (max_wait > (uint64_t)INT_MAX / 2 * LOOP_MSEC)
		return INT_MAX / 2;
	return (int)((max_wait + LOOP_MSEC - 1) / LOOP_MSEC);
}

static int serve_batch(struct loop *loop)
{
	int handlers = 0;

	while (loop->batch_next < loop->batch_count) {
		const struct epoll_event *event = &loop->batch[loop->batch_next++];
		struct loop_io *io = event->data.ptr;
		/* loop_io_mod() may have come between. */
		uint32_t events = io ? event->events & (io->events | EPOLLERR | EPOLLHUP) : 0;

		if (events) {
			io->fn(io, events);
			handlers++;
		}
	}
	return handlers;
}

/* Those armed in this turn, from armed on, wait for the next one: descriptors come first. */
static int serve_timers(struct loop *loop, uint64_t armed)
{
	int handlers = 0;

	while (loop->heap_count > 0 && loop->heap[1].due <= loop->now &&
		loop->heap[1].order < armed) {
		struct loop_timer *timer = loop->heap[1].timer;

		loop_timer_del(loop, timer);
		timer->fn(timer);
		handlers++;
	}
	return handlers;
}

int loop_turn(struct loop *loop, uint64_t max_wait)
{
	uint64_t armed = loop->order;
	int n, handlers;

	if (loop->turning)
		return -EBUSY;
	n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, wait_for(loop, max_wait));
	if (n < 0 && errno != EINTR)
		return -errno;
	loop->turning = true;
	loop->batch_next = 0;
	loop->batch_count = n > 0 ? n : 0;
	read_clock(loop);
	handlers = serve_batch(loop);
	handlers += serve_timers(loop, armed);
	loop->turning = false;
	return handlers;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	while (!loop->stopped && rc >= 0)
		rc = loop_turn(loop, UINT64_MAX);
	if (rc < 0)
		return rc;
	loop->stopped = false;
	return loop->status;
}

void loop_stop(struct loop *loop, int status)
{
	loop->stopped = true;
	loop->status = status;
}
