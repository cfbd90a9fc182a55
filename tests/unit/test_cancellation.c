/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that is cancelled goes on to the end of each call: it leaves neither a lock nor a
 * descriptor behind. */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_rig.h"

struct bench {
	char path[64]; /* a resolv.conf */
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
	int reached; /* how far the cancelled thread came */
	int status;
};

static void open_files(struct bench *b, struct vsresolv_loop *loop)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;

	config.resolv_conf = b->path;
	config.hosts_file = b->path;
	config.netns_path = "/proc/self/ns/net";
	assert_int_equal(vsresolv_open(&b->ctx, loop, &config), 0);
}

static int setup(void **state)
{
	static const char text[] = "nameserver 127.0.0.1\n";
	struct bench *b = calloc(1, sizeof(*b));
	int fd;

	assert_non_null(b);
	snprintf(b->path, sizeof(b->path), "/tmp/nsaux-cancel.XXXXXX");
	fd = mkostemp(b->path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	unlink(b->path);
	free(b);
	return 0;
}

/* Runs play() in a thread that has been cancelled before; *state stays what it is. */
static void run_cancelled(struct bench *b, void *(*play)(void *))
{
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, play, b), 0);
	pthread_join(thread, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

static int resolve(struct bench *b)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *res = NULL;
	int status = vsresolv_getaddrinfo(b->ctx, "nobody.test", NULL, &hints, 0, &res, NULL);

	vsresolv_freeaddrinfo(res);
	return status;
}

static void *first_request(void *arg)
{
	struct bench *b = arg;

	pthread_cancel(pthread_self());
	b->status = resolve(b);
	b->reached = 1;
	pthread_testcancel();
	return NULL;
}

/* The first request reads the files, under a lock that all others want. */
static void the_files_are_not_kept_locked(void **state)
{
	struct bench *b = *state;
	unsigned before = api_count_fds();

	open_files(b, NULL);
	run_cancelled(b, first_request);
	assert_int_equal(b->reached, 1);
	assert_int_equal(b->status, EAI_AGAIN);
	alarm(10);
	assert_int_equal(resolve(b), EAI_AGAIN);
	alarm(0);
	vsresolv_close(b->ctx);
	assert_int_equal(api_count_fds(), before);
}

static void *all_calls(void *arg)
{
	struct bench *b = arg;

	pthread_cancel(pthread_self());
	assert_int_equal(vsresolv_loop_open(&b->loop), 0);
	b->reached++;
	open_files(b, b->loop);
	b->reached++;
	assert_int_equal(vsresolv_reload(b->ctx), 0);
	b->reached++;
	assert_int_equal(resolve(b), EAI_AGAIN);
	b->reached++;
	assert_int_equal(vsresolv_process(b->loop), 0);
	b->reached++;
	vsresolv_close(b->ctx);
	b->reached++;
	vsresolv_loop_close(b->loop);
	b->reached++;
	pthread_testcancel();
	return NULL;
}

static void no_call_is_a_cancellation_point(void **state)
{
	struct bench *b = *state;
	unsigned before = api_count_fds();

	alarm(10);
	run_cancelled(b, all_calls);
	alarm(0);
	assert_int_equal(b->reached, 7);
	assert_int_equal(api_count_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_files_are_not_kept_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(no_call_is_a_cancellation_point, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
