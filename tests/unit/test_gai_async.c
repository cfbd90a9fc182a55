/* SPDX-License-Identifier: BSD-3-Clause */
/* getaddrinfo with a callback: when it comes, with what, and when not. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "dns_message.h"
#include "gai_rig.h"

#define CROWD 200

static const struct gai_record zone[] = {
	{"host.test", DNS_A, "192.0.2.1", 0},
	{"host.test", DNS_AAAA, "2001:db8::1", 0},
	{"next.test", DNS_A, "192.0.2.2", 0},
	{"silent.test", 0, "SILENT", 0},
	{NULL, 0, NULL, 0},
};

struct told {
	unsigned times;
	char text[GAI_TEXT];
	struct vsresolv_info info;
	struct gai_rig *rig;
};

static void told_fn(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct told *told = arg;

	assert_true(status == 0 ? res != NULL : res == NULL);
	told->times++;
	told->info = *info;
	gai_text(status, res, info, told->text);
	vsresolv_freeaddrinfo(res);
}

static uint64_t start(struct gai_rig *rig, const char *node, int family, int timeout_ms,
	vsresolv_addrinfo_fn *fn, struct told *told)
{
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	uint64_t id = 0;

	*told = (struct told){.rig = rig};
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, node, "80", &hints, timeout_ms, fn,
				 told, &id), 0);
	assert_true(id != 0);
	assert_int_equal(told->times, 0);
	return id;
}

static void process_until(struct gai_rig *rig, const struct told *told)
{
	uint64_t until = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	struct pollfd pfd = {.fd = vsresolv_loop_fd(rig->loop), .events = POLLIN};

	while (told->times == 0) {
		assert_true(nst_now() < until);
		poll(&pfd, 1, 1000);
		assert_true(vsresolv_process(rig->loop) >= 0);
	}
	assert_int_equal(told->times, 1);
}

static void expect(struct gai_rig *rig, const char *node, int family, const char *text)
{
	struct told told;

	start(rig, node, family, 5000, told_fn, &told);
	process_until(rig, &told);
	assert_string_equal(told.text, text);
}

static void results(void **state)
{
	struct gai_rig *rig = *state;

	rig->config.hosts_file = GAI_HOSTS;
	gai_write(GAI_HOSTS, "192.0.2.10 one\n192.0.2.11 two\n192.0.2.12 two\n");
	gai_open(rig, zone, true);
	expect(rig, "host.test", AF_INET, "network: 192.0.2.1");
	expect(rig, "host.test", AF_INET, "cache: 192.0.2.1");
	expect(rig, "next.test", AF_UNSPEC, "network: 192.0.2.2");
	expect(rig, "missing.test", AF_INET, "network: NONAME");
	expect(rig, "127.1", AF_INET, "local: 127.0.0.1");
	expect(rig, "x.onion", AF_INET, "local: NONAME");
	expect(rig, NULL, AF_INET, "local: 127.0.0.1");
	expect(rig, "one", AF_INET, "hosts: 192.0.2.10");
	expect(rig, "two", AF_INET, "hosts: 192.0.2.11 192.0.2.12");
	expect(rig, "b\303\274", AF_INET, "none: IDN_ENCODE");
	expect(rig, "a b", AF_INET, "none: NONAME");
}

/* Arguments that are wrong come by the callback; digits even if no file can be read. */
static void without_files(void **state)
{
	const struct addrinfo nonsense = {.ai_family = 77};
	struct gai_rig *rig = *state;
	struct told told = {.times = 0};

	rig->config.servers = NULL;
	rig->config.resolv_conf = GAI_RESOLV_CONF;
	gai_write(GAI_RESOLV_CONF, "nameserver nonsense\n");
	gai_open(rig, zone, true);
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, "a", NULL, &nonsense, 1000, told_fn,
				 &told, NULL), 0);
	process_until(rig, &told);
	assert_string_equal(told.text, "none: ?");
	expect(rig, "127.1", AF_INET, "local: 127.0.0.1");
}

static void at_hand(void **state)
{
	struct gai_rig *rig = *state;
	struct told told;

	gai_open(rig, zone, true);
	start(rig, "host.test", AF_INET, 0, told_fn, &told);
	process_until(rig, &told);
	assert_string_equal(told.text, "none: AGAIN");
	expect(rig, "host.test", AF_INET, "network: 192.0.2.1");
	start(rig, "host.test", AF_INET, 0, told_fn, &told);
	process_until(rig, &told);
	assert_string_equal(told.text, "cache: 192.0.2.1");
	gai_expect_asked(rig, "A host.test");
}

static void cancelled(void **state)
{
	struct told silent, done, other;
	struct gai_rig *rig = *state;
	uint64_t first, second;

	gai_open(rig, zone, true);
	first = start(rig, "silent.test", AF_UNSPEC, 5000, told_fn, &silent);
	second = start(rig, "127.1", AF_INET, 5000, told_fn, &done);
	assert_int_equal(vsresolv_cancel(rig->loop, first), 0);
	assert_int_equal(vsresolv_cancel(rig->loop, second), 0);
	assert_int_equal(vsresolv_cancel(rig->loop, first), -ENOENT);
	start(rig, "host.test", AF_INET, 5000, told_fn, &other);
	process_until(rig, &other);
	assert_int_equal(silent.times, 0);
	assert_int_equal(done.times, 0);
}

/* A callback starts the next one, and another closes the context with requests under way. */
static struct told next_told;

static void chain_fn(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct told *told = arg;

	told_fn(arg, status, res, info);
	start(told->rig, "next.test", AF_INET, 5000, told_fn, &next_told);
}

static void closing_fn(void *arg, int status, struct addrinfo *res,
	const struct vsresolv_info *info)
{
	struct told *told = arg;

	told_fn(arg, status, res, info);
	vsresolv_close(told->rig->ctx);
	told->rig->ctx = NULL;
}

static void in_callbacks(void **state)
{
	struct told first, silent;
	struct gai_rig *rig = *state;

	gai_open(rig, zone, true);
	start(rig, "host.test", AF_INET, 5000, chain_fn, &first);
	process_until(rig, &first);
	process_until(rig, &next_told);
	assert_string_equal(next_told.text, "network: 192.0.2.2");
	start(rig, "silent.test", AF_UNSPEC, 5000, told_fn, &silent);
	start(rig, "host.test", AF_UNSPEC, 5000, closing_fn, &first);
	process_until(rig, &first);
	assert_null(rig->ctx);
	assert_int_equal(silent.times, 0);
}

/* The same name for many: it is asked once. */
static void a_crowd(void **state)
{
	static struct told told[CROWD];
	struct gai_rig *rig = *state;

	gai_open(rig, zone, true);
	for (unsigned i = 0; i < CROWD; i++)
		start(rig, "host.test", i % 2 ? AF_INET : AF_INET6, 5000, told_fn, &told[i]);
	for (unsigned i = 0; i < CROWD; i++) {
		process_until(rig, &told[i]);
		assert_string_equal(strchr(told[i].text, ' '),
			i % 2 ? " 192.0.2.1" : " 2001:db8::1");
	}
	gai_expect_asked(rig, "AAAA host.test A host.test");
}

static void deadline(void **state)
{
	struct gai_rig *rig = *state;
	struct told told;

	rig->config.options = "timeout:5 attempts:2";
	gai_open(rig, zone, true);
	start(rig, "silent.test", AF_UNSPEC, 100, told_fn, &told);
	process_until(rig, &told);
	assert_string_equal(told.text, "none: AGAIN");
	assert_in_range(told.info.elapsed_us, 100000, 4000000);
}

static void no_loop(void **state)
{
	struct gai_rig *rig = *state;
	struct told told = {.times = 0};

	gai_open(rig, zone, false);
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, "127.1", NULL, NULL, 1000, told_fn,
				 &told, NULL), -ENOTCONN);
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, "host.test", NULL, NULL, 1000,
				 told_fn, &told, NULL), -ENOTCONN);
	assert_int_equal(told.times, 0);
}

static void no_callback(void **state)
{
	struct gai_rig *rig = *state;
	uint64_t id = 7;

	gai_open(rig, zone, true);
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, "127.1", NULL, NULL, 1000, NULL, NULL,
				 &id), -EINVAL);
	assert_int_equal(vsresolv_getaddrinfo_start(rig->ctx, "host.test", NULL, NULL, 1000, NULL,
				 NULL, &id), -EINVAL);
	assert_int_equal(id, 7);
	assert_int_equal(vsresolv_process(rig->loop), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, gai_setup, gai_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(results), TEST(without_files), TEST(at_hand),
		TEST(cancelled), TEST(in_callbacks), TEST(a_crowd), TEST(deadline), TEST(no_loop),
		TEST(no_callback)};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
