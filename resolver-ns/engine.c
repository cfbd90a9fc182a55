/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leader and followers: of the synchronous calls that wait one is the leader. It polls the loop's
 * descriptor without the lock, for as long as no timer is due, takes the lock and turns the loop.
 * Followers sleep until theirs is done or they are to lead.
 *
 * The application polls another epoll, in which the loop's stands beside a timer and an eventfd: a
 * leader need not see that finished requests wait for a thread that is busy elsewhere.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "engine_private.h"
#include "process_mark.h"

/* The leader looks by itself after that: poll(2) does not count the time of a suspended
 * machine, and the wake descriptor may have been refused. */
#define LEAD_MAX LOOP_SEC

uint64_t engine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t clock_now(__attribute__((unused)) void *arg)
{
	return engine_now();
}

/* ---- the loop */

/* While there is a leader, somebody else turns the loop: the leader is yet to see it. */
static void woken(struct loop_io *io, __attribute__((unused)) uint32_t events)
{
	const struct vsresolv_loop *engine = container_of(io, struct vsresolv_loop, wake);
	eventfd_t count;

	if (!engine->leader)
		eventfd_read(io->fd, &count);
}

static int loop_begin(struct vsresolv_loop *engine)
{
	const struct loop_clock boottime = {.now = clock_now};
	struct share *share;
	int rc = share_new(&share, SHARE_MAX);

	if (rc < 0)
		return rc;
	rc = loop_new(&engine->loop, &boottime);
	if (rc < 0) {
		share_free(share);
		return rc;
	}
	engine->share = share;
	return 0;
}

static void loop_end(struct vsresolv_loop *engine)
{
	if (!engine->loop)
		return;
	if (engine->wake.fd >= 0)
		close(engine->wake.fd);
	engine->wake.fd = -1;
	loop_free(engine->loop);
	engine->loop = NULL;
	share_free(engine->share);
	engine->share = NULL;
}

int engine_hold(struct vsresolv_loop *engine)
{
	int rc = engine->loop ? 0 : loop_begin(engine);

	if (rc < 0)
		return rc;
	engine->holds++;
	loop_refresh(engine->loop);
	return 0;
}

void engine_release(struct vsresolv_loop *engine)
{
	engine->holds--;
	if (engine->holds == 0 && !engine->pollable)
		loop_end(engine);
}

struct loop *engine_loop(struct vsresolv_loop *engine)
{
	return engine->loop;
}

struct share *engine_share(struct vsresolv_loop *engine)
{
	return engine->share;
}

/* ---- what the application polls */

static int watch(const struct vsresolv_loop *engine, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(engine->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int poll_begin(struct vsresolv_loop *engine)
{
	int rc = loop_begin(engine);

	if (rc < 0)
		return rc;
	engine->fd = epoll_create1(EPOLL_CLOEXEC);
	if (engine->fd < 0)
		return -errno;
	engine->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (engine->timer_fd < 0)
		return -errno;
	engine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (engine->done_fd < 0)
		return -errno;
	rc = watch(engine, loop_fd(engine->loop));
	if (rc == 0)
		rc = watch(engine, engine->timer_fd);
	return rc == 0 ? watch(engine, engine->done_fd) : rc;
}

static void close_known(int fd)
{
	if (fd >= 0)
		close(fd);
}

void engine_free(struct vsresolv_loop *engine)
{
	if (!engine)
		return;
	loop_end(engine);
	close_known(engine->fd);
	close_known(engine->timer_fd);
	close_known(engine->done_fd);
	request_ids_clear(&engine->ids);
	/* A copy of a lock that a thread of the parent holds must not be destroyed. */
	if (!engine_is_foreign(engine)) {
		pthread_cond_destroy(&engine->delivered);
		pthread_mutex_destroy(&engine->lock);
	}
	free(engine);
}

int engine_new(struct vsresolv_loop **out, bool pollable)
{
	struct vsresolv_loop *engine = calloc(1, sizeof(*engine));
	int rc;

	if (!engine)
		return -ENOMEM;
	pthread_mutex_init(&engine->lock, NULL);
	pthread_cond_init(&engine->delivered, NULL);
	engine->process = process_mark();
	engine->pollable = pollable;
	engine->fd = engine->timer_fd = engine->done_fd = -1;
	engine->wake = (struct loop_io)LOOP_IO_INIT(woken);
	engine->armed = UINT64_MAX;
	TAILQ_INIT(&engine->waiters);
	TAILQ_INIT(&engine->done);
	LIST_INIT(&engine->deliveries);
	rc = pollable ? poll_begin(engine) : 0;
	if (rc < 0) {
		engine_free(engine);
		return rc;
	}
	*out = engine;
	return 0;
}

bool engine_is_pollable(const struct vsresolv_loop *engine)
{
	return engine->pollable;
}

bool engine_is_foreign(const struct vsresolv_loop *engine)
{
	return engine->process != process_mark();
}

int engine_detach(struct vsresolv_loop *engine)
{
	int fd, rc;

	/* The copy of a lock that a thread of the parent had stays locked. */
	if (pthread_mutex_trylock(&engine->lock) != 0)
		return -EBUSY;
	pthread_mutex_unlock(&engine->lock);
	if (!engine->loop)
		return 0;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = dup3(fd, loop_fd(engine->loop), O_CLOEXEC) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* ---- the lock */

void engine_lock(struct vsresolv_loop *engine)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_mutex_lock(&engine->lock);
	engine->cancel_state = state;
}

void engine_unlock(struct vsresolv_loop *engine)
{
	int state = engine->cancel_state;

	pthread_mutex_unlock(&engine->lock);
	pthread_setcancelstate(state, &state);
}

/* ---- driving */

/* The leader must look again. */
static void wake_leader(struct vsresolv_loop *engine)
{
	if (engine->wake.fd < 0) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return; /* it looks by itself soon */
		if (loop_io_add(engine->loop, &engine->wake, fd, EPOLLIN) < 0) {
			close(fd);
			return;
		}
	}
	eventfd_write(engine->wake.fd, 1);
}

void engine_rearm(struct vsresolv_loop *engine)
{
	uint64_t due;

	if (!engine->loop)
		return;
	due = loop_due(engine->loop);
	if (engine->leader && due < engine->led_until) {
		engine->led_until = due;
		wake_leader(engine);
	}
	if (engine->pollable && due < engine->armed)
		engine_arm(engine, due);
}

void engine_arm(struct vsresolv_loop *engine, uint64_t due)
{
	/* 0 would disarm it. */
	uint64_t at = due == UINT64_MAX ? 0 : due > 0 ? due : 1;
	struct itimerspec spec = {
		.it_value = {.tv_sec = (time_t)(at / LOOP_SEC), .tv_nsec = (long)(at % LOOP_SEC)},
	};

	engine->armed = due;
	timerfd_settime(engine->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void engine_turn(struct vsresolv_loop *engine)
{
	struct engine_waiter *w;

	loop_turn(engine->loop, 0);
	TAILQ_FOREACH(w, &engine->waiters, link) {
		if (!w->is_done(w->arg))
			continue;
		if (w == engine->leader)
			wake_leader(engine);
		else
			pthread_cond_signal(&w->cond);
	}
	engine_rearm(engine);
}

static void lead(struct vsresolv_loop *engine, struct engine_waiter *w)
{
	struct pollfd pfd = {.fd = loop_fd(engine->loop), .events = POLLIN};
	uint64_t now = engine_now(), due = loop_due(engine->loop);
	uint64_t wait = due > now ? due - now : 0;
	struct timespec ts;
	int state = engine->cancel_state;

	wait = wait < LEAD_MAX ? wait : LEAD_MAX;
	ts = (struct timespec){(time_t)(wait / LOOP_SEC), (long)(wait % LOOP_SEC)};
	engine->leader = w;
	engine->led_until = now + wait;
	pthread_mutex_unlock(&engine->lock);
	ppoll(&pfd, 1, &ts, NULL);
	pthread_mutex_lock(&engine->lock);
	engine->cancel_state = state;
	engine->leader = NULL;
	engine_turn(engine);
}

static void follow(struct vsresolv_loop *engine, struct engine_waiter *w)
{
	int state = engine->cancel_state;

	pthread_cond_wait(&w->cond, &engine->lock);
	engine->cancel_state = state;
}

void engine_wait(struct vsresolv_loop *engine, bool (*is_done)(void *arg), void *arg)
{
	struct engine_waiter w = {
		.cond = PTHREAD_COND_INITIALIZER, .is_done = is_done, .arg = arg};
	struct engine_waiter *next;

	TAILQ_INSERT_TAIL(&engine->waiters, &w, link);
	engine_rearm(engine);
	while (!is_done(arg)) {
		if (engine->leader)
			follow(engine, &w);
		else
			lead(engine, &w);
	}
	TAILQ_REMOVE(&engine->waiters, &w, link);
	pthread_cond_destroy(&w.cond);
	next = TAILQ_FIRST(&engine->waiters);
	if (next && !engine->leader)
		pthread_cond_signal(&next->cond);
}
