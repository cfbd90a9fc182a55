/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "loop.h"

#define TIMERS 500

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

static void timers_in_order(void **state)
{
	struct fixture *f = *state;
	static const struct {
		char name;
		uint64_t due;
	} plan[] = {{'e', 3000}, {'b', 2000}, {'a', 1500}, {'c', 2000}, {'d', 2000}};
	struct tick t[5];

	for (size_t i = 0; i < 5; i++) {
		t[i] = (struct tick){.timer.fn = on_tick, .f = f, .name = plan[i].name};
		assert_int_equal(loop_timer_at(f->loop, &t[i].timer, plan[i].due), 0);
		assert_true(loop_timer_set(&t[i].timer));
	}
	f->now = 1499;
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 0);
	f->now = 1500;
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 1);
	assert_true(loop_now(f->loop) == 1500);
	f->now = 5000;
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 4);
	assert_string_equal(f->order, "abcde");
	assert_int_equal(loop_turn(f->loop, UINT64_MAX), 0);
}

static void timer_moved_and_removed(void **state)
{
	struct fixture *f = *state;
	struct tick a = {.timer.fn = on_tick, .f = f, .name = 'a'};
	struct tick b = {.timer.fn = on_tick, .f = f, .name = 'b'};

	loop_timer_del(f->loop, &a.timer);
	assert_int_equal(loop_timer_in(f->loop, &a.timer, 10), 0);
	assert_int_equal(loop_timer_in(f->loop, &b.timer, 20), 0);
	assert_int_equal(loop_timer_in(f->loop, &a.timer, 30), 0);
	f->now += 20;
	assert_int_equal(loop_turn(f->loop, 0), 1);
	f->now += 10;
	loop_timer_del(f->loop, &a.timer);
	assert_false(loop_timer_set(&a.timer));
	assert_int_equal(loop_turn(f->loop, 0), 0);
	assert_int_equal(loop_timer_in(f->loop, &a.timer, UINT64_MAX), 0);
	assert_true(a.timer.due == UINT64_MAX);
	f->now = UINT64_MAX - 1;
	assert_int_equal(loop_turn(f->loop, 0), 0);
	loop_timer_del(f->loop, &a.timer);
	assert_string_equal(f->order, "b");
}

/* Against a plain search, with a fixed pseudo-random sequence of arming, moving, removing. */
static void many_timers(void **state)
{
	static struct tick t[TIMERS];
	struct fixture *f = *state;
	uint32_t seed = 1;

	for (size_t i = 0; i < TIMERS; i++)
		t[i] = (struct tick){.timer.fn = on_tick, .f = f};
	for (unsigned step = 0; step < 20000; step++) {
		struct tick *one;

		seed = seed * 1664525u + 1013904223u;
		one = &t[(seed >> 8) % TIMERS];
		if ((seed >> 28) == 0)
			loop_timer_del(f->loop, &one->timer);
		else
			assert_int_equal(
				loop_timer_in(f->loop, &one->timer, (seed >> 16) % 997), 0);
		if (step % 50 != 0)
			continue;
		f->now += 37;
		assert_true(loop_turn(f->loop, 0) >= 0);
		for (size_t i = 0; i < TIMERS; i++)
			assert_true(!loop_timer_set(&t[i].timer) || t[i].timer.due > f->now);
	}
	f->now += 1000;
	loop_turn(f->loop, 0);
	for (size_t i = 0; i < TIMERS; i++)
		assert_false(loop_timer_set(&t[i].timer));
}

static void arms_other_in_past(struct loop_timer *timer)
{
	struct tick *t = (struct tick *)timer;

	assert_int_equal(loop_timer_at(t->f->loop, timer, 0), 0);
	note(t->f, t->name);
}

static void past_does_not_jump_the_queue(void **state)
{
	struct fixture *f = *state;
	struct tick a = {.timer.fn = arms_other_in_past, .f = f, .name = 'a'};
	struct tick b = {.timer.fn = on_tick, .f = f, .name = 'b', .rearm = 1, .delay = 5};

	assert_int_equal(loop_timer_in(f->loop, &a.timer, 1), 0);
	assert_int_equal(loop_timer_in(f->loop, &b.timer, 2), 0);
	f->now += 10;
	assert_int_equal(loop_turn(f->loop, 0), 2);
	f->now += 10;
	assert_int_equal(loop_turn(f->loop, 0), 2);
	assert_string_equal(f->order, "abab");
	loop_timer_del(f->loop, &a.timer);
}

static void clock_never_backwards(void **state)
{
	struct fixture *f = *state;

	f->now = 2000;
	loop_turn(f->loop, 0);
	f->now = 500;
	loop_turn(f->loop, 0);
	assert_true(loop_now(f->loop) == 2000);
}

/* Between turns, too, "in 100" is counted from now. */
static void refresh(void **state)
{
	struct fixture *f = *state;
	struct tick t = {.timer.fn = on_tick, .f = f};

	f->now = 5000;
	assert_int_equal(loop_now(f->loop), 1000);
	assert_int_equal(loop_refresh(f->loop), 5000);
	assert_int_equal(loop_now(f->loop), 5000);
	assert_int_equal(loop_timer_in(f->loop, &t.timer, 100), 0);
	assert_int_equal(loop_due(f->loop), 5100);
	f->now = 4000;
	assert_int_equal(loop_refresh(f->loop), 5000);
	loop_timer_del(f->loop, &t.timer);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(timers_in_order),
		test(timer_moved_and_removed),
		test(many_timers),
		test(past_does_not_jump_the_queue),
		test(clock_never_backwards),
		test(refresh),
	};

	return cmocka_run_group_tests_name("loop_timer", tests, NULL, NULL);
}
