/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "t.h"
#include "loop.h"

struct fixture {
	struct loop *loop;
	uint64_t now;
	char order[256]; /* one letter for each handler that ran */
};

struct tick {
	struct loop_timer timer;
	struct fixture *f;
	char name;
	unsigned fired, rearm;
	uint64_t delay;
};

/* A socket pair whose one end is watched. */
struct wire {
	struct loop_io io;
	struct fixture *f;
	int near, far;
	unsigned served;
	bool drain; /* read the byte */
	uint32_t events;
	struct wire **victim; /* removed and freed by the handler */
};

static uint64_t test_now(void *arg)
{
	return ((struct fixture *)arg)->now;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct loop_clock clock = {.now = test_now, .arg = f};

	assert_non_null(f);
	f->now = 1000;
	assert_int_equal(loop_new(&f->loop, &clock), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	free(f);
	return 0;
}

static void note(struct fixture *f, char name)
{
	size_t len = strlen(f->order);

	assert_true(len + 1 < sizeof(f->order));
	f->order[len] = name;
}

static void on_tick(struct loop_timer *timer)
{
	struct tick *t = (struct tick *)timer;

	assert_false(loop_timer_set(timer));
	if (t->name)
		note(t->f, t->name);
	t->fired++;
	if (t->rearm > 0) {
		t->rearm--;
		assert_int_equal(loop_timer_in(t->f->loop, timer, t->delay), 0);
	}
}

static void on_wire(struct loop_io *io, uint32_t events)
{
	struct wire *w = (struct wire *)io;

	char byte;

	w->served++;
	w->events = events;
	if (w->drain)
		assert_int_equal(read(io->fd, &byte, 1), 1);
	note(w->f, 'w');
	if (w->victim && *w->victim) {
		struct wire *victim = *w->victim;

		*w->victim = NULL;
		loop_io_del(w->f->loop, &victim->io);
		close(victim->near);
		close(victim->far);
		free(victim);
	}
}

static struct wire *wire_new(struct fixture *f)
{
	struct wire *w = calloc(1, sizeof(*w));
	int fds[2];

	assert_non_null(w);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	*w = (struct wire){.io = LOOP_IO_INIT(on_wire), .f = f, .near = fds[0], .far = fds[1]};
	assert_int_equal(loop_io_add(f->loop, &w->io, w->near, EPOLLIN), 0);
	return w;
}

static void wire_free(struct wire *w)
{
	if (!w)
		return;
	loop_io_del(w->f->loop, &w->io);
	close(w->near);
	close(w->far);
	free(w);
}

static void wake(const struct wire *w)
{
	assert_int_equal(write(w->far, "x", 1), 1);
}

/* A timer that arms itself at once, or in the past, holds up neither descriptors nor others. */
static void no_starving(void **state)
{
	struct fixture *f = *state;
	struct wire *w = wire_new(f);
	struct tick a = {.timer.fn = on_tick, .f = f, .name = 'a', .rearm = 3};
	struct tick b = {.timer.fn = on_tick, .f = f, .name = 'b'};

	wake(w);
	assert_int_equal(loop_timer_at(f->loop, &a.timer, 0), 0);
	f->now += 100;
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 2);
	assert_int_equal(loop_timer_at(f->loop, &b.timer, 0), 0);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 3);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 2);
	assert_string_equal(f->order, "wawabwa");
	loop_timer_del(f->loop, &a.timer);
	wire_free(w);
}

static void descriptors(void **state)
{
	struct fixture *f = *state;
	struct wire *w = wire_new(f);

	assert_int_equal(loop_io_add(f->loop, &w->io, w->far, EPOLLIN), -EEXIST);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 0);
	wake(w);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_int_equal(w->events, EPOLLIN);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1); /* level-triggered */
	assert_int_equal(loop_io_mod(f->loop, &w->io, EPOLLOUT), 0);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_int_equal(w->events, EPOLLOUT);
	assert_int_equal(loop_io_mod(f->loop, &w->io, 0), 0);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 0);
	assert_int_equal(shutdown(w->far, SHUT_RDWR), 0);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_int_equal(w->events & EPOLLHUP, EPOLLHUP);
	loop_io_del(f->loop, &w->io);
	loop_io_del(f->loop, &w->io);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 0);
	assert_int_equal(loop_io_mod(f->loop, &w->io, EPOLLIN), -EBADF);
	assert_int_equal(loop_io_add(f->loop, &w->io, -1, EPOLLIN), -EBADF);
	assert_int_equal(w->io.fd, -1);
	wire_free(w);
}

/* Both are in the batch; the one that is served first frees the other. */
static void stale_event(void **state)
{
	struct fixture *f = *state;
	struct wire *pair[2] = {wire_new(f), wire_new(f)};

	pair[0]->victim = &pair[1];
	pair[1]->victim = &pair[0];
	wake(pair[0]);
	wake(pair[1]);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_true(!pair[0] != !pair[1]);
	wire_free(pair[0]);
	wire_free(pair[1]);
}

static void frees_itself(void **state)
{
	struct fixture *f = *state;
	struct wire *w = wire_new(f), *other = wire_new(f);

	w->victim = &w;
	wake(w);
	wake(other);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 2);
	assert_null(w);
	wire_free(other);
}

/* Removed and added again, with the same number: the event that was fetched is the old one's. */
struct swap {
	struct loop_io io;
	struct fixture *f;
	struct wire *other;
};

static void on_swap(struct loop_io *io, uint32_t events)
{
	struct swap *s = (struct swap *)io;
	struct wire *w = s->other;
	int fds[2], number = w->near;

	(void)events;
	if (!w || w->served)
		return;
	loop_io_del(s->f->loop, &w->io);
	close(w->near);
	close(w->far);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	w->near = fds[0];
	w->far = fds[1];
	assert_true(fds[0] == number || fds[1] == number);
	assert_int_equal(loop_io_add(s->f->loop, &w->io, w->near, EPOLLIN), 0);
}

static void reused_descriptor(void **state)
{
	struct fixture *f = *state;
	struct wire *w = wire_new(f);
	struct swap s = {.io = LOOP_IO_INIT(on_swap), .f = f, .other = w};
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	/* Ready before the wire, hence before it in the batch. */
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(loop_io_add(f->loop, &s.io, fds[0], EPOLLIN), 0);
	wake(w);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_int_equal(w->served, 0);
	loop_io_del(f->loop, &s.io);
	close(fds[0]);
	close(fds[1]);
	wire_free(w);
}

/* Events that loop_io_mod() has switched off meanwhile are not delivered. */
static void on_mute(struct loop_io *io, uint32_t events)
{
	struct swap *s = (struct swap *)io;

	(void)events;
	assert_int_equal(loop_io_mod(s->f->loop, &s->other->io, EPOLLPRI), 0);
}

static void muted_event(void **state)
{
	struct fixture *f = *state;
	struct wire *w = wire_new(f);
	struct swap s = {.io = LOOP_IO_INIT(on_mute), .f = f, .other = w};
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(loop_io_add(f->loop, &s.io, fds[0], EPOLLIN), 0);
	wake(w);
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_int_equal(w->served, 0);
	loop_io_del(f->loop, &s.io);
	close(fds[0]);
	close(fds[1]);
	wire_free(w);
}

static void more_than_a_batch(void **state)
{
	struct fixture *f = *state;
	struct wire *w[200];
	unsigned served = 0;
	int n;

	for (size_t i = 0; i < 200; i++) {
		w[i] = wire_new(f);
		w[i]->drain = true;
		wake(w[i]);
	}
	while ((n = loop_turn(f->loop, UINT64_MAX)) > 0)
		served += (unsigned)n;
	assert_int_equal(served, 200);
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(w[i]->served, 1);
		wire_free(w[i]);
	}
}

static void on_nested(struct loop_timer *timer)
{
	struct tick *t = (struct tick *)timer;

	assert_int_equal(loop_turn(t->f->loop, 0), -EBUSY);
	t->fired++;
	loop_stop(t->f->loop, 42);
}

static void stops(void **state)
{
	struct fixture *f = *state;
	struct tick a = {.timer.fn = on_nested, .f = f};
	struct tick b = {.timer.fn = on_tick, .f = f, .name = 'b'};

	assert_int_equal(loop_timer_in(f->loop, &a.timer, 0), 0);
	assert_int_equal(loop_timer_in(f->loop, &b.timer, 0), 0);
	assert_int_equal(loop_run(f->loop), 42);
	assert_int_equal(a.fired, 1);
	assert_string_equal(f->order, "b"); /* the turn was finished */
	assert_int_equal(loop_timer_in(f->loop, &a.timer, 0), 0);
	assert_int_equal(loop_run(f->loop), 42);
	assert_int_equal(a.fired, 2);
}

static void on_signal(void *arg, int signo)
{
	note(arg, signo == SIGHUP ? 'h' : 't');
}

static void signals(void **state)
{
	static const int signos[] = {SIGHUP, SIGTERM};
	struct fixture *f = *state;
	sigset_t before, now;

	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
	assert_int_equal(loop_signals(f->loop, signos, 2, on_signal, f), 0);
	assert_int_equal(loop_signals(f->loop, signos, 2, on_signal, f), -EEXIST);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGHUP), 1);
	assert_int_equal(loop_turn(f->loop, 0), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(loop_turn(f->loop, 0), 1);
	assert_int_equal(loop_turn(f->loop, 0), 1);
	assert_int_equal(loop_turn(f->loop, 0), 0);
	assert_string_equal(f->order, "ht");
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static uint64_t real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

static void on_alarm(int signo)
{
	(void)signo;
}

/* The real clock: a turn waits for the timer, for max_wait, or until a signal handler ran. */
static void real_clock(void **state)
{
	struct fixture f = {.now = 0};
	struct tick a = {.timer.fn = on_tick, .f = &f, .name = 'a'};
	const struct sigaction action = {.sa_handler = on_alarm};
	/* Again and again, for one may come before the wait. */
	const struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
	const struct itimerval never = {.it_value.tv_usec = 0};
	uint64_t start = real_now();

	(void)state;
	assert_int_equal(loop_new(&f.loop, NULL), 0);
	assert_int_equal(loop_turn(f.loop, 5 * LOOP_MSEC), 0);
	assert_true(real_now() - start >= 5 * LOOP_MSEC);

	start = real_now();
	assert_int_equal(loop_timer_at(f.loop, &a.timer, start + 20 * LOOP_MSEC), 0);
	assert_int_equal(loop_turn(f.loop, UINT64_MAX), 1);
	assert_true(real_now() - start >= 20 * LOOP_MSEC);
	assert_true(loop_now(f.loop) >= start + 20 * LOOP_MSEC);

	/* A timer that is due already does not make it wait. */
	assert_int_equal(loop_timer_at(f.loop, &a.timer, 0), 0);
	assert_int_equal(loop_turn(f.loop, UINT64_MAX), 1);

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(loop_turn(f.loop, UINT64_MAX), 0); /* EINTR */
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	loop_free(f.loop);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(no_starving),
		test(descriptors),
		test(stale_event),
		test(frees_itself),
		test(reused_descriptor),
		test(muted_event),
		test(more_than_a_batch),
		test(stops),
		test(signals),
		cmocka_unit_test(real_clock),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
