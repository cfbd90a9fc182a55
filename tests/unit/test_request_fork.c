/* SPDX-License-Identifier: BSD-3-Clause */
/* A child of the process that opened: it gets errors, frees, opens anew, and does nothing to
 * the parent. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_rig.h"

#define MS LOOP_MSEC

static void note(struct fake *fake, void *arg)
{
	(void)fake;
	atomic_fetch_add((atomic_long *)arg, 1);
}

/* Runs in a child; true: as it should be. */
typedef bool child_fn(struct vsresolv_loop *loop, struct vsresolv *ctx);

static void in_child(child_fn *fn, struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(10); /* a lock that is never let go */
		_exit(fn(loop, ctx) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool all_calls_fail(struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv_info info;
	struct vsresolv *another;
	uint8_t *message;
	size_t len;
	struct fake *fake = fake_new(ctx, 0, 0, NULL, NULL);

	return vsresolv_query(ctx, "a.example", DNS_A, 100, &message, &len, &info) == EAI_SYSTEM &&
		info.error == -EPROTOTYPE &&
		request_start(&fake->request, 0, NULL) == -EPROTOTYPE &&
		vsresolv_process(loop) == -EPROTOTYPE && vsresolv_cancel(loop, 1) == -EPROTOTYPE &&
		vsresolv_reload(ctx) == -EPROTOTYPE && vsresolv_flush(ctx, NULL) == -EPROTOTYPE &&
		vsresolv_stats(ctx, &stats) == -EPROTOTYPE &&
		vsresolv_open(&another, loop, &config) == -EPROTOTYPE;
}

static bool closing_frees(struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	return fake_count.alive == 0 && fake_count.delivered == 0;
}

static bool opens_anew(struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	atomic_long delivered = 0;

	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	loop = api_loop();
	ctx = api_open(loop);
	fake_start(ctx, 1 * MS, 1000, note, &delivered);
	if (fake_run(ctx, 3 * MS, 1000) != 0)
		return false;
	api_process_until(loop, &delivered, 1);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	return true;
}

/* What the child does leaves the parent's requests alone: timers, the finished, the descriptors. */
static void try_child(child_fn *fn)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = api_open(loop);
	atomic_long delivered = 0;

	fake_start(ctx, 0, 1000, note, &delivered);
	fake_start(ctx, 50 * MS, 5000, note, &delivered);
	fake_start(ctx, API_NEVER, 100, note, &delivered);
	in_child(fn, loop, ctx);
	assert_true(api_readable(loop, 0));
	api_process_until(loop, &delivered, 3);
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	atomic_store(&fake_count.delivered, 0);
	assert_int_equal(fake_count.alive, 0);
}

static void calls_fail_in_a_child(void **state)
{
	(void)state;
	try_child(all_calls_fail);
}

static void closing_in_a_child(void **state)
{
	(void)state;
	try_child(closing_frees);
}

static void a_child_opens_anew(void **state)
{
	(void)state;
	try_child(opens_anew);
}

/* ---- what the parent watches */

static struct loop_io parents_io;

static bool unwatches(struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	(void)ctx;
	if (engine_detach(loop) < 0)
		return false;
	loop_io_del(engine_loop(loop), &parents_io);
	return true;
}

static void seen(struct loop_io *io, uint32_t events)
{
	char byte;

	(void)events;
	assert_int_equal(read(io->fd, &byte, 1), 1);
}

static void the_parent_goes_on_watching(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	parents_io = (struct loop_io)LOOP_IO_INIT(seen);
	assert_int_equal(loop_io_add(engine_loop(loop), &parents_io, fds[0], EPOLLIN), 0);
	in_child(unwatches, loop, NULL);
	assert_false(api_readable(loop, 0));
	assert_int_equal(write(fds[1], "", 1), 1);
	assert_true(api_readable(loop, 0));
	assert_int_equal(vsresolv_process(loop), 0);
	assert_false(api_readable(loop, 0));
	loop_io_del(engine_loop(loop), &parents_io);
	close(fds[0]);
	close(fds[1]);
	vsresolv_loop_close(loop);
}

/* ---- a fork while another thread is in the library */

struct holder {
	struct vsresolv_loop *loop;
	pthread_barrier_t locked, forked;
};

static void *hold_lock(void *arg)
{
	struct holder *h = arg;

	engine_lock(h->loop);
	pthread_barrier_wait(&h->locked);
	pthread_barrier_wait(&h->forked);
	engine_unlock(h->loop);
	return NULL;
}

static bool closes_without_the_lock(struct vsresolv_loop *loop, struct vsresolv *ctx)
{
	vsresolv_close(ctx);
	vsresolv_loop_close(loop);
	return fake_count.alive == 1; /* left as it is */
}

static void the_lock_is_nobodys_in_the_child(void **state)
{
	struct holder h = {.loop = api_loop()};
	struct vsresolv *ctx = api_open(h.loop);
	atomic_long delivered = 0;
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&h.locked, NULL, 2);
	pthread_barrier_init(&h.forked, NULL, 2);
	fake_start(ctx, API_NEVER, 1000, note, &delivered);
	assert_int_equal(pthread_create(&thread, NULL, hold_lock, &h), 0);
	pthread_barrier_wait(&h.locked);
	in_child(closes_without_the_lock, h.loop, ctx);
	pthread_barrier_wait(&h.forked);
	pthread_join(thread, NULL);
	vsresolv_close(ctx);
	vsresolv_loop_close(h.loop);
	pthread_barrier_destroy(&h.locked);
	pthread_barrier_destroy(&h.forked);
}

/* ---- a child with the same number */

/* The first process of a PID namespace is number 1. *status: of fn() there; false: there are no
 * such namespaces here. */
static bool in_first_process(int flags, bool (*fn)(void), int *status)
{
	pid_t pid;

	if (unshare(flags) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		alarm(10);
		_exit(getpid() == 1 && fn() ? 0 : 1);
	}
	return waitpid(pid, status, 0) == pid;
}

static struct {
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
} of_parent;

static bool is_no_parent(void)
{
	return all_calls_fail(of_parent.loop, of_parent.ctx);
}

static bool has_child(void)
{
	int status = 1;

	of_parent.loop = api_loop();
	of_parent.ctx = api_open(of_parent.loop);
	return in_first_process(CLONE_NEWPID, is_no_parent, &status) && status == 0;
}

#define CANNOT 77

static void a_child_with_the_same_number(void **state)
{
	int flags = CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER), status = 1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (!in_first_process(flags, has_child, &status))
			_exit(CANNOT);
		_exit(status == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
		print_message("no PID namespaces can be made here\n");
	else
		assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_fail_in_a_child),
		cmocka_unit_test(closing_in_a_child),
		cmocka_unit_test(a_child_opens_anew),
		cmocka_unit_test(a_child_with_the_same_number),
		cmocka_unit_test(the_parent_goes_on_watching),
		cmocka_unit_test(the_lock_is_nobodys_in_the_child),
	};

	return cmocka_run_group_tests_name("request_fork", tests, NULL, NULL);
}
