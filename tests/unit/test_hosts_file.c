/* SPDX-License-Identifier: BSD-3-Clause */
/* A hosts file as a table: what is found, what is told, and how fast. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "t.h"
#include "hosts_file.h"

struct told {
	unsigned count, line; /* the last */
	char text[128];
};

static void on_fault(void *arg, unsigned line, const char *text)
{
	struct told *told = arg;

	told->count++;
	told->line = line;
	snprintf(told->text, sizeof(told->text), "%s", text);
}

/* From memory of the very size, so that a sanitizer sees each step beyond it. */
static struct hosts *parse_bytes(const char *text, size_t len, struct told *told)
{
	struct told ignored;
	struct hosts *hosts = NULL;
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	told = told ? told : &ignored;
	*told = (struct told){0};
	assert_int_equal(hosts_parse(&hosts, exact, len, on_fault, told), 0);
	free(exact);
	return hosts;
}

static struct hosts *parse(const char *text, struct told *told)
{
	return parse_bytes(text, strlen(text), told);
}

/* "ADDRESS ADDRESS >CANONICAL" */
static void expect(const struct hosts *hosts, const char *name, int family, const char *want)
{
	struct hosts_addr addrs[HOSTS_ADDRS_MAX];
	const char *canonical = NULL;
	size_t count = hosts_find(hosts, name, family, addrs, HOSTS_ADDRS_MAX, &canonical);
	char got[4096] = "", text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < count; i++) {
		assert_non_null(inet_ntop(addrs[i].family, addrs[i].addr, text, sizeof(text)));
		strncat(got, text, sizeof(got) - strlen(got) - 1);
		strncat(got, " ", sizeof(got) - strlen(got) - 1);
	}
	if (canonical) {
		strncat(got, ">", sizeof(got) - strlen(got) - 1);
		strncat(got, canonical, sizeof(got) - strlen(got) - 1);
	}
	assert_string_equal(got, want);
}

static void expect_names(const struct hosts *hosts, const char *addr, const char *want)
{
	struct hosts_addr key = {.family = strchr(addr, ':') ? AF_INET6 : AF_INET};
	const char *names[8];
	char got[512] = "";
	size_t count;

	assert_int_equal(inet_pton(key.family, addr, key.addr), 1);
	count = hosts_find_addr(hosts, &key, names, 8);
	for (size_t i = 0; i < count; i++) {
		strncat(got, names[i], sizeof(got) - strlen(got) - 1);
		strncat(got, " ", sizeof(got) - strlen(got) - 1);
	}
	assert_string_equal(got, want);
}

static void finds_names(void **state)
{
	struct told told;
	struct hosts *hosts = parse("# the tenant's\n"
				    "127.0.0.1\tlocalhost\n"
				    "::1 localhost ip6-localhost # both\n"
				    "192.0.2.1 Server.Example. server www\r\n"
				    "   192.0.2.2\t server  \n"
				    "2001:db8::1 server6 SERVER\n"
				    "192.0.2.1 other server\n"
				    "\n"
				    "192.0.2.9 last",
		&told);

	(void)state;
	assert_int_equal(told.count, 0);
	expect(hosts, "localhost", AF_UNSPEC, "127.0.0.1 ::1 >localhost");
	expect(hosts, "LocalHost.", AF_INET6, "::1 >localhost");
	expect(hosts, "server", AF_INET, "192.0.2.1 192.0.2.2 >Server.Example");
	expect(hosts, "server", AF_INET6, "2001:db8::1 >server6");
	expect(hosts, "server.example", AF_UNSPEC, "192.0.2.1 >Server.Example");
	expect(hosts, "server.example.", AF_INET6, "");
	expect(hosts, "last", AF_UNSPEC, "192.0.2.9 >last");
	expect(hosts, "192.0.2.9", AF_UNSPEC, "");
	expect(hosts, "serve", AF_UNSPEC, "");
	expect(hosts, "server.", AF_INET, "192.0.2.1 192.0.2.2 >Server.Example");
	expect(hosts, "server..", AF_INET, "");
	expect(hosts, ".", AF_UNSPEC, "");
	expect(hosts, "", AF_UNSPEC, "");
	hosts_free(hosts);
}

static void finds_addresses(void **state)
{
	struct hosts *hosts = parse("192.0.2.1 a b\n::ffff:192.0.2.1 mapped\n192.0.2.1 c\n"
				    "0.0.0.0 x\n:: y\n192.0.2.1 d e f g h i j\n",
		NULL);

	(void)state;
	expect_names(hosts, "192.0.2.1", "a b c d e f g h ");
	expect_names(hosts, "::ffff:192.0.2.1", "mapped ");
	expect_names(hosts, "0.0.0.0", "x ");
	expect_names(hosts, "::", "y ");
	expect_names(hosts, "192.0.2.2", "");
	hosts_free(hosts);
}

static void finds_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "#", "# nothing\n\n", "   \t"};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hosts *hosts = parse(texts[i], &told);

		assert_int_equal(told.count, 0);
		expect(hosts, "a", AF_UNSPEC, "");
		expect_names(hosts, "192.0.2.1", "");
		hosts_free(hosts);
	}
	expect(NULL, "a", AF_UNSPEC, "");
	expect_names(NULL, "::1", "");
	hosts_free(NULL);
}

static void tells_faults(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} faults[] = {
		{"localhost 127.0.0.1\n", 1},
		{"192.0.2.1 a\n\n127.1 b\n", 3},
		{"192.0.2.01 a\n", 1},
		{"192.0.2.1\n", 1},
		{"192.0.2.1 . \n", 1},
		{"192.0.2.1 # a\n", 1},
		{"fe80::1%lo a\n", 1},
		{"192.0.2.1 a\x01\n", 1},
		{"192.0.2.1/24 a\n", 1},
	};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct hosts *hosts = parse(faults[i].text, &told);

		assert_true(told.count >= 1);
		assert_int_equal(told.line, faults[i].line);
		expect(hosts, "b", AF_UNSPEC, "");
		hosts_free(hosts);
	}
	hosts_free(parse_bytes("192.0.2.1 a\0b\n192.0.2.1 c", 25, &told));
	assert_int_equal(told.count, 2); /* the name, and that no other is there */
}

static void one_fault_does_not_spoil_the_line(void **state)
{
	char text[1024];
	struct told told;
	struct hosts *hosts;

	(void)state;
	snprintf(text, sizeof(text), "192.0.2.1 a %0256d b %0255d\n192.0.2.2 %0255d.", 1, 2, 3);
	hosts = parse(text, &told);
	assert_int_equal(told.count, 1);
	expect(hosts, "b", AF_UNSPEC, "192.0.2.1 >a");
	snprintf(text, sizeof(text), "%0255d", 2);
	expect(hosts, text, AF_INET6, "");
	assert_int_equal(hosts_find(hosts, text, AF_INET, NULL, 0, NULL), 1);
	snprintf(text, sizeof(text), "%0255d.", 3);
	assert_int_equal(hosts_find(hosts, text, AF_INET, NULL, 0, NULL), 1);
	snprintf(text, sizeof(text), "%0256d", 1);
	assert_int_equal(hosts_find(hosts, text, AF_INET, NULL, 0, NULL), 0);
	hosts_free(hosts);
}

static void faults_are_told_twenty_times(void **state)
{
	char text[1024] = "";
	struct told told;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		strncat(text, "x\n", sizeof(text) - strlen(text) - 1);
	hosts_free(parse(text, &told));
	assert_int_equal(told.count, 20);
}

static void many_addresses_of_a_name(void **state)
{
	char *text = malloc(100 * 32);
	struct hosts_addr addrs[2];
	struct hosts *hosts;
	struct told told;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, 32, "192.0.2.%u name n%u\n", i % 66, i);
	hosts = parse(text, &told);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.line, 66);
	assert_int_equal(hosts_find(hosts, "name", AF_UNSPEC, addrs, 2, NULL), HOSTS_ADDRS_MAX);
	assert_int_equal(addrs[1].addr[3], 1);
	expect(hosts, "n65", AF_UNSPEC, "192.0.2.65 >name");
	expect_names(hosts, "192.0.2.1", "name n1 name n67 ");
	hosts_free(hosts);
	free(text);
}

static void references(void **state)
{
	struct hosts *hosts = parse("192.0.2.1 a\n", NULL);

	(void)state;
	assert_ptr_equal(hosts_ref(hosts), hosts);
	hosts_free(hosts);
	expect(hosts, "a", AF_UNSPEC, "192.0.2.1 >a");
	hosts_free(hosts);
	assert_null(hosts_ref(NULL));
}

static void too_large(void **state)
{
	size_t len = HOSTS_FILE_MAX + 1;
	char *text = malloc(len);
	struct hosts *hosts = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '#', len);
	assert_int_equal(hosts_parse(&hosts, text, len, NULL, NULL), -EFBIG);
	assert_int_equal(hosts_parse(&hosts, text, len - 1, NULL, NULL), 0);
	hosts_free(hosts);
	hosts = NULL;
	memcpy(text, "::1 ", 4);
	for (size_t i = 4; i < len; i++)
		text[i] = i % 2 ? ' ' : 'a';
	assert_int_equal(hosts_parse(&hosts, text, len - 1, NULL, NULL), -EFBIG);
	assert_null(hosts);
	free(text);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#define LINES 100000u

#define NAMES 4096u

static double time_look_ups(const struct hosts *hosts)
{
	static char names[NAMES][32];
	double start;

	for (unsigned i = 0; i < NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "host%u.tenant.example", i * 7919 % LINES);
	start = seconds();
	for (unsigned i = 0; i < 100 * NAMES; i++)
		if (hosts_find(hosts, names[i % NAMES], AF_INET, NULL, 0, NULL) != 1)
			fail_msg("%s is not found", names[i % NAMES]);
	return (seconds() - start) / (100 * NAMES);
}

/* The bounds are such that only another kind of algorithm would miss them: the machine may be
 * busy. */
static void hundred_thousand_lines(void **state)
{
	char *text = malloc((size_t)LINES * 64);
	struct hosts *hosts = NULL;
	double start, read, found;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, 64,
			"10.%u.%u.%u host%u.tenant.example host%u\n", i >> 16, i >> 8 & 255,
			i & 255, i, i);
	start = seconds();
	assert_int_equal(hosts_parse(&hosts, text, len, NULL, NULL), 0);
	read = seconds() - start;
	found = time_look_ups(hosts);
	printf("# %u lines: %.0f ms; a look-up: %.0f ns\n", LINES, read * 1e3, found * 1e9);
	assert_true(read < 2);
	assert_true(found < 1e-5);
	hosts_free(hosts);
	free(text);
}

/* Lists of names to be blocked have one address for all. */
static void one_address_for_all(void **state)
{
	char *text = malloc((size_t)LINES * 32);
	struct hosts *hosts = NULL;
	double start = seconds();
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, 32, "0.0.0.0 ads%u.example\n", i);
	assert_int_equal(hosts_parse(&hosts, text, len, NULL, NULL), 0);
	expect(hosts, "ads99999.example", AF_UNSPEC, "0.0.0.0 >ads99999.example");
	expect_names(hosts, "0.0.0.0",
		"ads0.example ads1.example ads2.example ads3.example "
		"ads4.example ads5.example ads6.example ads7.example ");
	hosts_free(hosts);
	assert_true(seconds() - start < 5);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_names),
		cmocka_unit_test(finds_addresses),
		cmocka_unit_test(finds_nothing),
		cmocka_unit_test(tells_faults),
		cmocka_unit_test(one_fault_does_not_spoil_the_line),
		cmocka_unit_test(faults_are_told_twenty_times),
		cmocka_unit_test(many_addresses_of_a_name),
		cmocka_unit_test(references),
		cmocka_unit_test(too_large),
		cmocka_unit_test(hundred_thousand_lines),
		cmocka_unit_test(one_address_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
