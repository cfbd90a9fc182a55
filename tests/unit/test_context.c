/* SPDX-License-Identifier: BSD-3-Clause */
/* What vsresolv_open() takes and refuses, what a context tells of itself, and what it costs. */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_rig.h"

#define CONTEXTS 1000
#define IDLE_BYTES 2048
#define IDLE_NS 10000

static void keep_text(void *arg, int priority, const char *vs, const char *text)
{
	char *kept = arg;

	(void)priority;
	snprintf(kept, 512, "%s: %s", vs, text);
}

static const char *const servers[] = {"192.0.2.1", NULL};

/* Opens with one thing set; the text for log(), or "". */
static const char *refusal(struct vsresolv_config *config)
{
	static char text[512];
	struct vsresolv *ctx = NULL;
	int rc;

	text[0] = '\0';
	config->name = "t1";
	config->log = keep_text;
	config->log_arg = text;
	rc = vsresolv_open(&ctx, NULL, config);
	if (rc == 0) {
		vsresolv_close(ctx);
		return "";
	}
	assert_int_equal(rc, -EINVAL);
	assert_null(ctx);
	assert_string_not_equal(text, "");
	return text;
}

static int no_socket(void *arg, int domain, int type, int protocol)
{
	(void)arg;
	(void)domain;
	(void)type;
	(void)protocol;
	return -EPERM;
}

#define REFUSED(text, ...)                                                                         \
	do {                                                                                       \
		struct vsresolv_config config = {                                                  \
			.size = sizeof(config), .netns_fd = -1, __VA_ARGS__};                      \
		assert_string_equal(refusal(&config), text);                                       \
	} while (0)

static void wrong_configurations_are_told(void **state)
{
	(void)state;
	REFUSED("", .servers = servers);
	REFUSED("t1: flags 0x40 are not known", .flags = 0x40);
	REFUSED("t1: VSRESOLV_GUARD and VSRESOLV_NO_GUARD exclude each other", .flags = 3);
	REFUSED("t1: in_flight 1025 is more than 1024", .in_flight = 1025);
	REFUSED("t1: waiting 1048577 is more than 1048576", .waiting = 1048577);
	REFUSED("t1: stale_seconds 604801 is more than 604800", .stale_seconds = 604801);
	REFUSED("t1: socket and netns_path or netns_fd: one place too many", .socket = no_socket,
		.netns_path = "/run/netns/x");
	REFUSED("t1: netns_path \"x\" is not absolute", .netns_path = "x");
	REFUSED("t1: device \"\" is no name of a device", .device = "");
	REFUSED("t1: device \"abcdefghijklmnop\" is no name of a device",
		.device = "abcdefghijklmnop");
	REFUSED("t1: bind4 \"::1\" is no IPv4 address", .bind4 = "::1");
	REFUSED("t1: bind6 \"127.0.0.1\" is no IPv6 address", .bind6 = "127.0.0.1");
	REFUSED("t1: resolv_conf \"resolv.conf\" is not absolute", .resolv_conf = "resolv.conf");
	REFUSED("t1: hosts_file \"\" is not absolute", .hosts_file = "");
}

static void long_names_are_refused(void **state)
{
	char name[129] = {0};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vsresolv *ctx;

	(void)state;
	memset(name, 'n', 128);
	config.name = name;
	assert_int_equal(vsresolv_open(&ctx, NULL, &config), -EINVAL);
	name[127] = '\0';
	assert_int_equal(vsresolv_open(&ctx, NULL, &config), 0);
	assert_string_equal(vsresolv_name(ctx), name);
	assert_true(vsresolv_name(ctx) != name);
	vsresolv_close(ctx);
	config.name = NULL;
	assert_int_equal(vsresolv_open(&ctx, NULL, &config), 0);
	assert_string_equal(vsresolv_name(ctx), "");
	vsresolv_close(ctx);
}

/* A program that was built with another version of the header. */
static void sizes_of_other_versions(void **state)
{
	struct {
		struct vsresolv_config config;
		unsigned char more[16];
	} later = {.config = VSRESOLV_CONFIG_INIT};
	struct vsresolv_config early = {.size = offsetof(struct vsresolv_config, servers)};
	struct vsresolv *ctx;

	(void)state;
	later.config.size = sizeof(later);
	assert_int_equal(vsresolv_open(&ctx, NULL, &later.config), 0);
	vsresolv_close(ctx);
	later.more[15] = 1;
	assert_int_equal(vsresolv_open(&ctx, NULL, &later.config), -EINVAL);

	/* Its netns_fd counts as unset only if it is beyond; what is beyond is not looked at. */
	early.netns_fd = -1;
	early.servers = (const char *const *)(uintptr_t)1;
	early.in_flight = 99999;
	assert_int_equal(vsresolv_open(&ctx, NULL, &early), 0);
	vsresolv_close(ctx);
	early.size = offsetof(struct vsresolv_config, netns_fd);
	early.netns_fd = 0;
	assert_int_equal(vsresolv_open(&ctx, NULL, &early), 0);
	vsresolv_close(ctx);
	early.size = sizeof(size_t);
	assert_int_equal(vsresolv_open(&ctx, NULL, &early), -EINVAL);
	assert_int_equal(vsresolv_open(&ctx, NULL, NULL), -EINVAL);
	assert_int_equal(vsresolv_open_vs(&ctx, NULL, NULL, NULL), -EINVAL);
}

/* ---- what it tells */

static void statistics_by_size(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	struct vsresolv_stats stats;

	(void)state;
	assert_int_equal(fake_run(ctx, 0, 0), 0);
	memset(&stats, 0xee, sizeof(stats));
	stats.size = offsetof(struct vsresolv_stats, cache_hits);
	assert_int_equal(vsresolv_stats(ctx, &stats), 0);
	assert_int_equal(stats.size, offsetof(struct vsresolv_stats, cache_hits));
	assert_int_equal(stats.requests, 1);
	assert_int_equal(stats.cache_hits, 0xeeeeeeeeeeeeeeee);
	stats.size = sizeof(stats) + 8;
	assert_int_equal(vsresolv_stats(ctx, &stats), 0);
	assert_int_equal(stats.waiting, 0);
	stats.size = 4;
	assert_int_equal(vsresolv_stats(ctx, &stats), -EINVAL);
	vsresolv_close(ctx);
}

static void memos_end_with_the_epoch(void **state)
{
	struct vsresolv *ctx = api_open(NULL);
	unsigned epoch = ctx->epoch;

	(void)state;
	assert_int_equal(vsresolv_flush(ctx, "a.example"), 0);
	assert_int_not_equal(ctx->epoch, epoch);
	epoch = ctx->epoch;
	assert_int_equal(vsresolv_flush(ctx, NULL), 0);
	assert_int_not_equal(ctx->epoch, epoch);
	epoch = ctx->epoch;
	assert_int_equal(vsresolv_reload(ctx), 0);
	assert_int_not_equal(ctx->epoch, epoch);
	assert_int_equal(vsresolv_flush(ctx, "a..example"), -EINVAL);
	vsresolv_close(ctx);
}

static void threads_are_bound_one_by_one(void **state)
{
	struct vsresolv *ctx = api_open(NULL);

	(void)state;
	assert_null(vsresolv_thread_bound());
	vsresolv_thread_bind(ctx);
	assert_ptr_equal(vsresolv_thread_bound(), ctx);
	vsresolv_thread_bind(NULL);
	assert_null(vsresolv_thread_bound());
	vsresolv_close(ctx);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	vsresolv_close(NULL);
	vsresolv_loop_close(NULL);
	vsresolv_free(NULL);
	assert_int_equal(vsresolv_process(NULL), -EINVAL);
	assert_int_equal(vsresolv_loop_open(NULL), -EINVAL);
	assert_int_equal(vsresolv_flush(NULL, NULL), -EINVAL);
	assert_int_equal(vsresolv_reload(NULL), -EINVAL);
	assert_int_equal(vsresolv_stats(NULL, NULL), -EINVAL);
}

/* ---- what it costs */

static uint64_t heap(void)
{
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void idle_contexts(struct vsresolv_loop *loop, const char *what)
{
	static struct vsresolv *ctx[CONTEXTS];
	unsigned fds = api_count_fds();
	uint64_t before = heap(), began = engine_now(), took, bytes;

	for (int i = 0; i < CONTEXTS; i++)
		ctx[i] = api_open(loop);
	took = (engine_now() - began) / CONTEXTS;
	bytes = (heap() - before) / CONTEXTS;
	print_message("%s: %llu bytes and %llu ns for each idle context\n", what,
		(unsigned long long)bytes, (unsigned long long)took);
	assert_int_equal(api_count_fds(), fds);
#ifndef NSAUX_SANITIZED
	assert_true(bytes <= IDLE_BYTES);
	/* Of time no more than that it is not wildly off: the machine may be busy. */
	assert_true(took <= 20 * IDLE_NS);
#endif
	for (int i = 0; i < CONTEXTS; i++)
		vsresolv_close(ctx[i]);
}

static void idle_contexts_are_light(void **state)
{
	struct vsresolv_loop *loop = api_loop();

	(void)state;
	idle_contexts(NULL, "synchronous");
	idle_contexts(loop, "with a loop");
	vsresolv_loop_close(loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_configurations_are_told),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(sizes_of_other_versions),
		cmocka_unit_test(statistics_by_size),
		cmocka_unit_test(memos_end_with_the_epoch),
		cmocka_unit_test(threads_are_bound_one_by_one),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(idle_contexts_are_light),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
