/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without memory from the n-th allocation on, for all n: opening and asking say so, and leave
 * nothing behind. The allocator's entry points are taken over for that, which the sanitizers do
 * themselves.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api_rig.h"
#include "heap_rig.h"

#if defined(NSAUX_SANITIZED) || defined(__SANITIZE_THREAD__)

int main(void)
{
	puts("1..0 # SKIP the sanitizer owns the allocator");
	return 0;
}

#else

#define MANY 1000

static void fail_from(size_t n)
{
	heap.calls = 0;
	heap.fail_from = n;
}

/* A name server that never says a word. */
static struct {
	int sock;
	char text[32];
} silent;

static void silent_open(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	silent.sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(silent.sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(silent.sock, (struct sockaddr *)&addr, &len), 0);
	snprintf(silent.text, sizeof(silent.text), "127.0.0.1:%u", ntohs(addr.sin_port));
}

static int open_one(struct vsresolv **ctx, struct vsresolv_loop *loop)
{
	const char *const servers[] = {silent.text, NULL};
	static const char *const search[] = {"a.example", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;

	config.name = "t";
	config.servers = servers;
	config.search = search;
	config.options = "ndots:2";
	config.hosts_file = "/nowhere/hosts";
	config.flags = VSRESOLV_GUARD;
	return vsresolv_open(ctx, loop, &config);
}

/* Once with a loop, once without. */
static void try_open(struct vsresolv_loop *loop)
{
	struct vsresolv *ctx;
	int rc = -ENOMEM;
	size_t n;

	for (n = 1; n < MANY && rc != 0; n++) {
		long live = heap.live;

		fail_from(n);
		rc = open_one(&ctx, loop);
		fail_from(0);
		if (rc == 0)
			vsresolv_close(ctx);
		else
			assert_int_equal(rc, -ENOMEM);
		assert_int_equal(heap.live, live);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 4);
}

static void opening(void **state)
{
	struct vsresolv_loop *loop = NULL;
	int rc = -ENOMEM;

	(void)state;
	for (size_t n = 1; n < MANY && rc != 0; n++) {
		long live = heap.live;

		fail_from(n);
		rc = vsresolv_loop_open(&loop);
		fail_from(0);
		if (rc != 0)
			assert_int_equal(rc, -ENOMEM);
		if (rc != 0)
			assert_int_equal(heap.live, live);
	}
	assert_int_equal(rc, 0);
	try_open(NULL);
	try_open(loop);
	vsresolv_loop_close(loop);
}

struct came {
	int count, status;
};

static void note(void *arg, int status, uint8_t *message, size_t len,
	const struct vsresolv_info *info)
{
	struct came *came = arg;

	(void)len;
	(void)info;
	came->count++;
	came->status = status;
	vsresolv_free(message);
}

/* The start fails, or the callback tells; once it is under way it is cancelled. */
static void starting(void **state)
{
	struct vsresolv_loop *loop = api_loop();
	struct vsresolv *ctx = NULL;
	bool under_way = false;
	size_t n;

	(void)state;
	for (n = 1; n < MANY && !under_way; n++) {
		long live = heap.live;
		struct came came = {0};
		uint64_t id = 0;
		int rc;

		assert_int_equal(open_one(&ctx, loop), 0);
		fail_from(n);
		rc = vsresolv_query_start(ctx, "a.example", DNS_A, 20000, note, &came, &id);
		fail_from(0);
		assert_true(rc == 0 || rc == -ENOMEM);
		if (rc == 0)
			assert_true(vsresolv_process(loop) >= 0);
		assert_true(came.count <= 1);
		if (came.count)
			assert_int_equal(came.status, EAI_MEMORY);
		under_way = rc == 0 && came.count == 0;
		if (under_way)
			assert_int_equal(vsresolv_cancel(loop, id), 0);
		vsresolv_close(ctx);
		/* The loop keeps room for timers and ids. */
		assert_in_range(heap.live, live, live + 2);
	}
	assert_true(under_way);
	assert_true(n > 4);
	vsresolv_loop_close(loop);
}

static void running(void **state)
{
	struct vsresolv *ctx;
	int status = EAI_MEMORY;

	(void)state;
	for (size_t n = 1; n < MANY && status == EAI_MEMORY; n++) {
		long live = heap.live;
		uint8_t *message;
		size_t len;

		assert_int_equal(open_one(&ctx, NULL), 0);
		fail_from(n);
		status = vsresolv_query(ctx, "a.example", DNS_A, 30, &message, &len, NULL);
		fail_from(0);
		vsresolv_close(ctx);
		assert_int_equal(heap.live, live);
	}
	assert_int_equal(status, EAI_AGAIN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(starting),
		cmocka_unit_test(running),
	};

	silent_open();
	return cmocka_run_group_tests_name("context_alloc", tests, NULL, NULL);
}

#endif
