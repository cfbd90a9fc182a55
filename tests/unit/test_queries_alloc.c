/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions without memory, and without room to send: an error or a wait, never a wrong answer, and
 * nothing is lost. The allocator's entry points are taken over for that, which the sanitizers do
 * themselves.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "heap_rig.h"
#include "queries_rig.h"

#define TAKEN_OVER __attribute__((visibility("default")))

/* ---- send(2) */

static volatile struct {
	unsigned fail; /* so many calls */
	int error;
	unsigned failed;
} sending;

TAKEN_OVER ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	if (sending.fail > 0) {
		sending.fail--;
		sending.failed++;
		errno = sending.error;
		return -1;
	}
	return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

/* The same server again, from another port; it is not thought ill of. */
static void no_room_to_send(void **state)
{
	static const int errors[] = {EAGAIN, ENOBUFS};
	struct rig *rig = *state;

	for (unsigned i = 0; i < 2; i++) {
		sending.error = errors[i];
		sending.fail = 3;
		rig_expect_address(rig, "a.example", "192.0.2.1");
		assert_int_equal(sending.fail, 0);
	}
	assert_int_equal(rig->servers[0].asked, 2);
	assert_int_equal(rig->servers[1].asked, 0);
	assert_int_equal(rig->counters.timeouts, 0);
	assert_string_equal(rig->log, "");
}

static void never_room_to_send(void **state)
{
	struct rig *rig = *state;
	struct rig_ask ask = {0};
	uint64_t before = rig_now(rig);

	sending.error = ENOBUFS;
	sending.fail = 1000000;
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	sending.fail = 0;
	assert_int_equal(ask.status, -ENOBUFS);
	assert_in_range(rig_now(rig) - before, LOOP_SEC, 3 * LOOP_SEC);
	assert_string_equal(rig->log, "");
}

/* What a packet filter forbids is no fault of ours: the next. */
static void not_permitted(void **state)
{
	struct rig *rig = *state;

	sending.error = EPERM;
	sending.fail = 1;
	rig_expect_address(rig, "a.example", "192.0.2.2");
	assert_int_equal(sending.fail, 0);
}

/* ---- memory */

#ifndef NSAUX_SANITIZED

/* From nothing: no queries, no sockets, no health. */
static void begin_anew(struct rig *rig)
{
	queries_free(rig->queries);
	rig->queries = NULL;
	health_forget(rig->health);
	cache_forget(rig->cache, NULL, NULL);
	rig->servers[0].step = 0;
}

/* The question, with some allocations refused. True: it met with one. */
static bool ask_without(struct rig *rig, size_t from, size_t to)
{
	struct rig_ask ask = {0};
	int rc;

	begin_anew(rig);
	heap.calls = 0;
	heap.fail_from = from;
	heap.fail_to = to;
	rc = queries_new(&rig->queries, &rig->config);
	if (rc == 0)
		rc = rig_ask_status(rig, &ask, "a.example", DNS_A);
	if (rc == 0) {
		rig_wait(&ask);
		rc = ask.status;
	}
	heap.fail_from = 0;
	if (from == 1 && to == SIZE_MAX)
		assert_int_equal(rc, -ENOMEM); /* the rig is in force */
	if (rc == 0)
		assert_true(rig_has_address(ask.answer, "a.example", "192.0.2.1"));
	else
		assert_int_equal(rc, -ENOMEM);
	rig_forget(&ask);
	return heap.calls >= from;
}

static void no_edns_then_truncated(struct rig_question *q)
{
	if (q->has_opt)
		rig_answer(q, DNS_FORMERR, NULL);
	else
		rig_truncates(q);
}

static void without_memory(void **state)
{
	static rig_script *const scripts[] = {rig_answers, rig_truncates, no_edns_then_truncated};
	struct rig *rig = *state;

	rig_listen(&rig->servers[0]);
	rig->conf->timeout_ms = 5000;
	rig->conf->server_count = 1;
	for (unsigned i = 0; i < 3; i++) {
		size_t n = 1;
		long live;

		rig->servers[0].script = scripts[i];
		assert_false(ask_without(rig, SIZE_MAX, SIZE_MAX));
		begin_anew(rig);
		live = heap.live; /* the loop and the cache have what they keep */
		for (; ask_without(rig, n, n); n++) {
			begin_anew(rig);
			rig_quiet(rig);
			assert_true(heap.live <= live);
		}
		assert_in_range(n, 5, 100);
	}
}

/* From then on there is none: the question ends all the same. */
static void out_of_memory(void **state)
{
	struct rig *rig = *state;

	rig->conf->server_count = 1;
	rig->conf->timeout_ms = 5000;
	for (size_t n = 1; ask_without(rig, n, SIZE_MAX); n++)
		assert_true(n < 100);
}

#define MEMORY_TESTS test(without_memory), test(out_of_memory),

#else

#define MEMORY_TESTS

#endif

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(no_room_to_send), test(never_room_to_send), test(not_permitted), MEMORY_TESTS};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_alloc", tests, NULL, NULL);
}
