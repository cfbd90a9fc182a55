/* SPDX-License-Identifier: BSD-3-Clause */
/* What getaddrinfo remembers, until when, and what makes it forget. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dns_message.h"
#include "gai_rig.h"
#include "memo.h"

static const struct gai_record before[] = {
	{"host.test", DNS_A, "192.0.2.1", 0},
	{"many.test", DNS_A, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4", 0},
	{"fleeting.test", DNS_A, "192.0.2.3", GAI_TTL_0},
	{"name.a.test", DNS_A, "192.0.2.4", 0},
	{NULL, 0, NULL, 0},
};
static const struct gai_record after[] = {
	{"host.test", DNS_A, "192.0.2.99", 0},
	{"missing.test", DNS_A, "192.0.2.98", 0},
	{"name.b.test", DNS_A, "192.0.2.97", 0},
	{NULL, 0, NULL, 0},
};

/* ---- a memo by itself, under a time of the test's */

static struct memo memo_of(struct gai_rig *rig, const char *address)
{
	const struct vsresolv_info info = {.source = VSRESOLV_NETWORK, .ad = 1};
	struct in_addr in4;
	struct rconf *conf;
	struct memo memo;

	assert_int_equal(source_get(rig->ctx->source, 0, &conf), 0);
	memo_init(&memo, 0, &info);
	assert_int_equal(inet_pton(AF_INET, address, &in4), 1);
	front_addr(&memo.data.addrs[memo.count++], AF_INET, &in4);
	memo_set_canonical(&memo, "canonical.test");
	memo.epoch = atomic_load(&rig->ctx->epoch);
	memo.generation = conf->generation;
	rconf_unref(conf);
	return memo;
}

/* At that time, when the files have just been looked at. */
static bool is_found(struct gai_rig *rig, const char *node, const struct front_hints *hints,
	uint64_t now, struct memo *memo)
{
	struct rconf *conf;

	assert_int_equal(source_get(rig->ctx->source, now, &conf), 0);
	rconf_unref(conf);
	return memo_find(rig->ctx, node, hints, now, memo);
}

static void time_of_a_memo(void **state)
{
	const uint64_t t0 = 1000 * LOOP_SEC;
	struct front_hints hints = {.family = AF_INET};
	struct gai_rig *rig = *state;
	struct vsresolv_info info;
	struct memo memo, found;

	gai_open(rig, before, false);
	memo = memo_of(rig, "192.0.2.1");
	memo.expires = t0 + 10 * LOOP_SEC;
	assert_false(is_found(rig, "a.test", &hints, t0, &found));
	memo_keep(rig->ctx, "a.test", &hints, t0, memo.expires, &memo);
	assert_true(is_found(rig, "a.test", &hints, t0 + LOOP_SEC - 1, &found));
	assert_int_equal(found.count, 1);
	assert_memory_equal(&found.data.addrs[0], &memo.data.addrs[0], sizeof(found.data.addrs[0]));
	assert_string_equal(memo_canonical(&found), "canonical.test");
	memo_info(&found, t0, &info);
	assert_int_equal(info.source, VSRESOLV_CACHE);
	assert_int_equal(info.ttl, 10);
	assert_int_equal(info.ad, 1);
	memo_info(&found, t0 + LOOP_SEC - 1, &info);
	assert_int_equal(info.ttl, 9);
	assert_false(is_found(rig, "a.test", &hints, t0 + LOOP_SEC, &found));
	/* Not longer than its answers, and not at all if they have no time. */
	memo_keep(rig->ctx, "a.test", &hints, t0, t0 + 5, &memo);
	assert_true(is_found(rig, "a.test", &hints, t0 + 4, &found));
	assert_false(is_found(rig, "a.test", &hints, t0 + 5, &found));
	memo_keep(rig->ctx, "b.test", &hints, t0, t0, &memo);
	assert_false(is_found(rig, "b.test", &hints, t0, &found));
}

static void key_of_a_memo(void **state)
{
	static const int other_flags[] = {AI_CANONNAME, AI_V4MAPPED, AI_ALL, AI_ADDRCONFIG, AI_IDN,
		AI_CANONIDN};
	struct front_hints hints = {.family = AF_INET};
	struct gai_rig *rig = *state;
	struct memo memo, found;

	gai_open(rig, before, false);
	memo = memo_of(rig, "192.0.2.1");
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_false(is_found(rig, "b.test", &hints, LOOP_SEC, &found));
	assert_false(is_found(rig, "a.test.", &hints, LOOP_SEC, &found));
	hints.family = AF_UNSPEC;
	assert_false(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	hints.family = AF_INET;
	for (size_t i = 0; i < sizeof(other_flags) / sizeof(other_flags[0]); i++) {
		hints.flags = other_flags[i];
		assert_false(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	}
	/* These do not change what is found. */
	hints.flags = AI_PASSIVE | AI_NUMERICSERV;
	assert_true(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
}

static void changes_end_a_memo(void **state)
{
	struct front_hints hints = {.family = AF_INET};
	struct gai_rig *rig = *state;
	struct memo memo, found;

	gai_open(rig, before, false);
	memo = memo_of(rig, "192.0.2.1");
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_true(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	atomic_fetch_add(&rig->ctx->epoch, 1);
	assert_false(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	/* What was looked at before a flush is not kept after it. */
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	atomic_fetch_sub(&rig->ctx->epoch, 1);
	assert_true(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	memo.generation++;
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_false(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
}

/* A memo does not keep a changed file from being seen. */
static void a_look_is_due(void **state)
{
	struct front_hints hints = {.family = AF_INET};
	struct gai_rig *rig = *state;
	struct memo memo, found;

	gai_open(rig, before, false);
	memo = memo_of(rig, "192.0.2.1");
	assert_false(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_true(memo_find(rig->ctx, "a.test", &hints, LOOP_SEC, &found));
	assert_false(memo_find(rig->ctx, "a.test", &hints, 2 * LOOP_SEC - 1, &found));
}

static void the_largest_memo(void **state)
{
	struct front_hints hints = {.family = AF_INET};
	struct gai_rig *rig = *state;
	struct memo memo, found;
	char name[DNS_TEXT_MAX], node[CACHE_KEY_MAX + 1];

	gai_open(rig, before, false);
	memo = memo_of(rig, "192.0.2.1");
	memo.canonical = 0;
	while (memo.count < FRONT_ADDRS_MAX)
		memo.data.addrs[memo.count++] = memo.data.addrs[0];
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memo_set_canonical(&memo, name);
	memo_keep(rig->ctx, "a.test", &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_true(is_found(rig, "a.test", &hints, LOOP_SEC, &found));
	assert_int_equal(found.count, FRONT_ADDRS_MAX);
	assert_string_equal(memo_canonical(&found), name);
	/* What is too long for a key is not kept. */
	memset(node, 'a', sizeof(node));
	node[sizeof(node) - 1] = '\0';
	memo_keep(rig->ctx, node, &hints, LOOP_SEC, UINT64_MAX, &memo);
	assert_false(is_found(rig, node, &hints, LOOP_SEC, &found));
}

/* ---- as the user sees it */

static void asked_once(void **state)
{
	struct gai_rig *rig = *state;

	gai_open(rig, before, false);
	gai_expect(rig, "many.test", AF_INET, 0,
		"network: 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
	gai_expect(rig, "missing.test", AF_INET, 0, "network: NONAME");
	gai_expect(rig, "host.test", AF_INET6, 0, "network: NODATA");
	gai_expect_asked(rig, "A many.test A missing.test AAAA host.test");
	gai_set_zone(rig, after);
	gai_expect(rig, "many.test", AF_INET, 0,
		"cache: 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
	gai_expect(rig, "missing.test", AF_INET, 0, "cache: NONAME");
	gai_expect(rig, "host.test", AF_INET6, 0, "cache: NODATA");
	gai_expect_asked(rig, "");
}

static void no_time_to_live(void **state)
{
	struct gai_rig *rig = *state;

	gai_open(rig, before, false);
	gai_expect(rig, "fleeting.test", AF_INET, 0, "network: 192.0.2.3");
	gai_expect(rig, "fleeting.test", AF_INET, 0, "network: 192.0.2.3");
	gai_expect_asked(rig, "A fleeting.test A fleeting.test");
}

static void without_a_cache(void **state)
{
	struct gai_rig *rig = *state;

	rig->config.flags = VSRESOLV_NO_CACHE;
	gai_open(rig, before, false);
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.1");
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.1");
}

static void flushed(void **state)
{
	struct gai_rig *rig = *state;

	gai_open(rig, before, false);
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.1");
	gai_expect(rig, "missing.test", AF_INET, 0, "network: NONAME");
	gai_set_zone(rig, after);
	assert_int_equal(vsresolv_flush(rig->ctx, "host.test"), 0);
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.99");
	gai_expect(rig, "missing.test", AF_INET, 0, "cache: NONAME");
	assert_int_equal(vsresolv_flush(rig->ctx, NULL), 0);
	gai_expect(rig, "missing.test", AF_INET, 0, "network: 192.0.2.98");
}

static void reloaded(void **state)
{
	struct gai_rig *rig = *state;

	rig->config.hosts_file = GAI_HOSTS;
	rig->config.resolv_conf = GAI_RESOLV_CONF;
	gai_write(GAI_RESOLV_CONF, "search a.test\n");
	gai_write(GAI_HOSTS, "192.0.2.10 Files.test alias\n192.0.2.11 alias\n2001:db8::a alias\n");
	gai_open(rig, before, false);
	gai_expect(rig, "name", AF_INET, 0, "network: 192.0.2.4");
	gai_expect(rig, "alias", AF_INET, AI_CANONNAME,
		"hosts: 192.0.2.10 192.0.2.11 (Files.test)");
	gai_expect(rig, "alias", AF_INET, 0, "hosts: 192.0.2.10 192.0.2.11");
	gai_expect(rig, "FILES.test.", AF_UNSPEC, 0, "hosts: 192.0.2.10");
	gai_expect(rig, "alias", AF_INET6, 0, "hosts: 2001:db8::a");
	gai_expect(rig, "alias", AF_INET6, AI_V4MAPPED, "hosts: 2001:db8::a");
	gai_expect(rig, "files.test", AF_INET6, AI_V4MAPPED, "hosts: ::ffff:192.0.2.10");
	/* Of that family it has none: the server may. */
	gai_expect(rig, "files.test", AF_INET6, 0, "network: NONAME");
	gai_set_zone(rig, after);
	gai_write(GAI_RESOLV_CONF, "search b.test\n");
	gai_write(GAI_HOSTS, "192.0.2.20 alias\n");
	assert_int_equal(vsresolv_reload(rig->ctx), 0);
	gai_expect(rig, "name", AF_INET, 0, "network: 192.0.2.97");
	gai_expect(rig, "alias", AF_INET, 0, "hosts: 192.0.2.20");
}

/* Without vsresolv_reload(): a second later at the latest. */
static void a_changed_file_is_seen(void **state)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct gai_rig *rig = *state;
	uint64_t until = nst_now() + NST_PATIENCE * LOOP_MSEC;
	struct vsresolv_info info;
	struct addrinfo *res;
	char text[GAI_TEXT];

	rig->config.hosts_file = GAI_HOSTS;
	gai_write(GAI_HOSTS, "192.0.2.10 host\n192.0.2.11 host\n");
	gai_open(rig, before, false);
	gai_expect(rig, "host", AF_INET, 0, "hosts: 192.0.2.10 192.0.2.11");
	unlink(GAI_HOSTS);
	gai_write(GAI_HOSTS, "192.0.2.12 host\n192.0.2.13 host\n");
	do {
		assert_true(nst_now() < until);
		assert_int_equal(vsresolv_getaddrinfo(rig->ctx, "host", NULL, &hints, 5000, &res,
					 &info), 0);
		gai_text(0, res, &info, text);
		vsresolv_freeaddrinfo(res);
	} while (strcmp(text, "hosts: 192.0.2.12 192.0.2.13") != 0);
}

static void counted(void **state)
{
	struct vsresolv_stats stats = {.size = sizeof(stats)};
	struct gai_rig *rig = *state;

	gai_open(rig, before, false);
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.1");
	gai_expect(rig, "host.test", AF_INET, 0, "cache: 192.0.2.1");
	gai_expect(rig, "127.1", AF_INET, 0, "local: 127.0.0.1");
	assert_int_equal(vsresolv_stats(rig->ctx, &stats), 0);
	assert_int_equal(stats.requests, 3);
	assert_int_equal(stats.cache_hits, 1);
	assert_int_equal(stats.queries, 1);
}

static void in_a_child(void **state)
{
	struct gai_rig *rig = *state;
	struct addrinfo *res = NULL;
	struct vsresolv_info info;
	int status, e;
	pid_t pid;

	gai_open(rig, before, false);
	gai_expect(rig, "host.test", AF_INET, 0, "network: 192.0.2.1");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		e = vsresolv_getaddrinfo(rig->ctx, "host.test", NULL, NULL, 1000, &res, &info);
		_exit(e == EAI_SYSTEM && info.error == -EPROTOTYPE && !res ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, gai_setup, gai_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(time_of_a_memo), TEST(key_of_a_memo),
		TEST(changes_end_a_memo), TEST(a_look_is_due), TEST(the_largest_memo),
		TEST(asked_once), TEST(no_time_to_live), TEST(without_a_cache), TEST(flushed),
		TEST(reloaded), TEST(a_changed_file_is_seen), TEST(counted), TEST(in_a_child)};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
