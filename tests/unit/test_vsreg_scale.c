/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thousand namespaces: found at the start, and made in one burst beside the running registry;
 * the times and the memory are printed. What is asserted is far above what is measured, because
 * other programs run on the same machine.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nstest.h"

#define COUNT 1000u
#define SINGLES 9
#define SINGLE_MS 20
#define MEMORY_MAX 2048 /* bytes a VS */

/* The kernel ends namespaces slowly: one more is not made before the last thousand are gone. */
static void make_many(unsigned count, const char *prefix)
{
	char path[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof(path), NST_NETNS "/%s%04u", prefix, i);
		nst_add(path);
	}
}

static unsigned count_vs(struct nst *t)
{
	unsigned count = 0;

	for (struct vs *v = NULL; (v = vs_reg_next(t->reg, v));)
		count++;
	return count;
}

static double cpu_ms(void)
{
	struct rusage r;

	getrusage(RUSAGE_THREAD, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

static double ms_since(uint64_t start)
{
	return (double)(nst_now() - start) / 1e6;
}

static void open_and_look(struct nst *t, const char *kernel)
{
	uint64_t start = nst_now();
	size_t before = mallinfo2().uordblks, bytes;
	double open_ms, rescan_ms;

	nst_open(t);
	open_ms = ms_since(start);
	bytes = (mallinfo2().uordblks - before) / COUNT;
	assert_int_equal(count_vs(t), COUNT + 1);
	start = nst_now();
	nst_rescan(t);
	rescan_ms = ms_since(start);
	print_message("# %s: opened with %u namespaces in %.2f ms, looked again in %.2f ms, "
		      "%zu bytes a VS\n",
		kernel, COUNT, open_ms, rescan_ms, bytes);
#ifndef NSAUX_SANITIZED
	assert_in_range(bytes, 1, MEMORY_MAX);
#endif
}

static void note_time(struct vs *vs, enum vs_event event, void *arg)
{
	uint64_t *when = arg;

	(void)vs;
	if (event == VS_ADDED)
		*when = nst_now();
}

/* ip(8) in a directory of its choice is not to be had: it knows only /run/netns. */
static pid_t start_ip(const char *verb, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("ip", "ip", "netns", verb, name, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

/* Serves the registry until the process ends; when it does is returned, 0 when it failed. */
static uint64_t serve_until_exit(struct nst *t, pid_t pid)
{
	int status = 0, fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[] = {{fd, POLLIN, 0}, {vs_reg_fd(t->reg), POLLIN, 0}};
	uint64_t end;

	assert_true(fd >= 0);
	do {
		assert_true(poll(p, 2, NST_PATIENCE) > 0);
		end = nst_now();
		if (p[1].revents)
			nst_dispatch(t);
	} while (!p[0].revents);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? end : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* One more by ip(8), again and again: how long after its end does the VS appear? */
static void add_singles(struct nst *t, const char *kernel)
{
	double late[SINGLES];
	uint64_t seen = 0, end;
	char name[32];

	t->hook = note_time;
	t->hook_arg = &seen;
	for (unsigned i = 0; i < SINGLES; i++) {
		snprintf(name, sizeof(name), "single%u", i);
		seen = 0;
		t->events[0] = '\0';
		end = serve_until_exit(t, start_ip("add", name));
		if (end == 0) {
			print_message("# ip(8) does not work here\n");
			return;
		}
		for (uint64_t stop = nst_now() + UINT64_C(5000000000); !seen && nst_now() < stop;)
			nst_turn(t, 1000);
		assert_int_not_equal(seen, 0);
		late[i] = seen > end ? (double)(seen - end) / 1e6 : 0;
	}
	qsort(late, SINGLES, sizeof(late[0]), by_value);
	print_message("# %s: seen after the end of `ip netns add` beside %u: median %.2f ms, worst "
		      "%.2f ms\n",
		kernel, COUNT, late[SINGLES / 2], late[SINGLES - 1]);
#ifndef NSAUX_SANITIZED
	assert_true(late[SINGLES / 2] < SINGLE_MS);
#endif
	t->hook = NULL;
	for (unsigned i = 0; i < SINGLES; i++) {
		snprintf(name, sizeof(name), "single%u", i);
		assert_int_not_equal(serve_until_exit(t, start_ip("delete", name)), 0);
	}
}

static void *burst(void *arg)
{
	(void)arg;
	make_many(COUNT, "b");
	return NULL;
}

/* Serves until there are count VSs, without counting them at each turn. */
static void serve_until(struct nst *t, unsigned count)
{
	uint64_t end = nst_now() + UINT64_C(60000000000);

	while (count_vs(t) != count && nst_now() < end) {
		uint64_t pause = nst_now() + UINT64_C(10000000);

		do {
			t->events[0] = '\0';
			nst_turn(t, 10);
		} while (nst_now() < pause);
	}
	assert_int_equal(count_vs(t), count);
}

static void add_burst(struct nst *t, const char *kernel)
{
	uint64_t start = nst_now();
	double cpu = cpu_ms();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, burst, NULL), 0);
	serve_until(t, 2 * COUNT + 1);
	print_message("# %s: %u more in a burst of %.0f ms took %.0f ms of our CPU\n", kernel,
		COUNT, ms_since(start), cpu_ms() - cpu);
	pthread_join(thread, NULL);
}

static void test_thousand(void **state)
{
	struct nst *t = *state;
	const char *kernel = t->config.flags ? "old kernel" : "this kernel";
	char path[64];
	double cpu;
	uint64_t start;

	/* So that ip(8) works on our directory. */
	assert_true(mkdir("/run/netns", 0755) == 0 || errno == EEXIST);
	assert_int_equal(mount(NST_NETNS, "/run/netns", "none", MS_BIND | MS_REC, NULL), 0);
	make_many(COUNT, "n");
	open_and_look(t, kernel);
	add_singles(t, kernel);
	add_burst(t, kernel);
	start = nst_now();
	cpu = cpu_ms();
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), NST_NETNS "/b%04u", i);
		nst_del(path);
		t->events[0] = '\0';
		nst_turn(t, 0);
	}
	serve_until(t, COUNT + 1);
	print_message("# %s: %u deleted in %.0f ms, %.0f ms of CPU with the deletions\n", kernel,
		COUNT, ms_since(start), cpu_ms() - cpu);
	assert_int_equal(umount2("/run/netns", MNT_DETACH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_thousand),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
