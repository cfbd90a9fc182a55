/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: calls and replies. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"
#include "control_rig.h"

static void one_call(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);

	rig_say(f, fd, "{\"method\":\"com.example.Echo\",\"parameters\":{\"a\":[1,null]}}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{\"a\":[1,null]}}|");
	rig_say(f, fd, "{\"method\":\"com.example.Echo\"}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	rig_say(f, fd, "{\"method\":\"org.other.Nothing\",\"more\":true}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	rig_say(f, fd, "{\"method\":\"com.example.Fail\"}");
	assert_string_equal(
		rig_hear(fd), "{\"error\":\"com.example.Failed\",\"parameters\":{\"why\":7}}|");
	close(fd);
	rig_turn(f);
}

static void byte_by_byte(void **state)
{
	static const char text[] = "{\"method\":\"com.example.Echo\",\"parameters\":{\"a\":1}}";
	struct rig *f = *state;
	int fd = rig_dial(f);

	for (size_t i = 0; i < sizeof(text); i++) {
		assert_string_equal(rig_hear(fd), "");
		rig_put(fd, text + i, 1);
		rig_turn(f);
	}
	assert_string_equal(rig_hear(fd), "{\"parameters\":{\"a\":1}}|");
	close(fd);
}

static void pipelined(void **state)
{
	static const char text[] = "{\"method\":\"com.example.Echo\",\"parameters\":{\"n\":1}}\0"
				   "{\"method\":\"com.example.Fail\"}\0"
				   "{\"method\":\"com.example.Echo\",\"parameters\":{\"n\":3}}\0"
				   "{\"method\":\"com.example.Echo\",\"para";
	struct rig *f = *state;
	int fd = rig_dial(f);

	rig_put(fd, text, sizeof(text) - 1);
	rig_turn(f);
	assert_string_equal(rig_hear(fd),
		"{\"parameters\":{\"n\":1}}|"
		"{\"error\":\"com.example.Failed\",\"parameters\":{\"why\":7}}|"
		"{\"parameters\":{\"n\":3}}|");
	rig_say(f, fd, "meters\":{\"n\":4}}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{\"n\":4}}|");
	close(fd);
}

static void get_info(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);
	char expected[512];

	rig_say(f, fd, "{\"method\":\"" SERVICE ".GetInfo\",\"parameters\":{}}");
	snprintf(expected, sizeof(expected),
		"{\"parameters\":{\"vendor\":\"nsaux\",\"product\":\"%s\",\"version\":\"%s\","
		"\"url\":\"\",\"interfaces\":[\"" SERVICE "\",\"com.example\",\"org.other\"]}}|",
		program_invocation_short_name, PACKAGE_VERSION);
	assert_string_equal(rig_hear(fd), expected);
	close(fd);
}

static void refused_calls(void **state)
{
	static const char *const calls[][2] = {
		{"{\"method\":\"com.example.Nope\"}",
			"{\"error\":\"" SERVICE ".MethodNotFound\","
			"\"parameters\":{\"method\":\"com.example.Nope\"}}|"},
		{"{\"method\":\"\"}", "{\"error\":\"" SERVICE
				      ".MethodNotFound\",\"parameters\":{\"method\":\"\"}}|"},
		{"{\"method\":\"com.example.Echo\",\"parameters\":[]}",
			"{\"error\":\"" SERVICE ".InvalidParameter\","
			"\"parameters\":{\"parameter\":\"parameters\"}}|"},
		{"{\"method\":\"com.example.Echo\",\"oneway\":1}",
			"{\"error\":\"" SERVICE ".InvalidParameter\","
			"\"parameters\":{\"parameter\":\"oneway\"}}|"},
		{"{\"method\":\"com.example.Echo\",\"upgrade\":true}",
			"{\"error\":\"" SERVICE ".InvalidParameter\","
			"\"parameters\":{\"parameter\":\"upgrade\"}}|"},
	};
	struct rig *f = *state;
	int fd = rig_dial(f);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		rig_say(f, fd, calls[i][0]);
		assert_string_equal(rig_hear(fd), calls[i][1]);
	}
	assert_int_equal(f->served, 0);
	close(fd);
}

static void oneway(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);

	rig_say(f, fd, "{\"method\":\"com.example.Echo\",\"oneway\":true}");
	rig_say(f, fd, "{\"method\":\"com.example.Nope\",\"oneway\":true}");
	rig_say(f, fd, "{\"method\":\"com.example.Echo\",\"oneway\":true,\"parameters\":1}");
	rig_say(f, fd, "{\"method\":\"com.example.Hold\",\"oneway\":true}");
	rig_say(f, fd, "{\"method\":\"com.example.Echo\",\"oneway\":false}");
	assert_string_equal(rig_hear(fd), "");
	assert_int_equal(f->served, 1);
	control_reply(f->held[0], NULL);
	rig_turn(f);
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	assert_int_equal(f->served, 2);
	close(fd);

	/* Sent, and hung up at once. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	rig_put(fd, "{\"method\":\"com.example.Echo\",\"oneway\":true}", 44);
	close(fd);
	rig_turn(f);
	assert_int_equal(f->served, 3);
}

static void garbage(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} all[] = {
		{"", 1},
		{"\0\0\0", 4},
		{"hello", 6},
		{"[]", 3},
		{"{}", 3},
		{"\"com.example.Echo\"", 19},
		{"{\"method\":1}", 13},
		{"{\"method\":\"com.example.Echo\"", 29},
		{"{\"method\":\"com.example.Echo\"} x", 32},
		{"{\"method\":\"com.example.Echo\",\"method\":\"com.example.Echo\"}", 58},
		{"{\"method\":\"com.example.Echo\\u0000\"}", 36},
		{"{\"method\":\"\xff\xfe\"}", 16},
	};
	struct rig *f = *state;
	char deep[20000];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = rig_dial(f);

		rig_put(fd, all[i].data, all[i].len);
		rig_turn(f);
		assert_string_equal(rig_hear(fd), "EOF");
		close(fd);
	}
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	for (int fd = rig_dial(f), once = 1; once; close(fd), once = 0) {
		rig_say(f, fd, deep);
		assert_string_equal(rig_hear(fd), "EOF");
	}
	assert_int_equal(f->served, 0);
}

/* A request whose message is len bytes with its NUL. */
static void put_long(struct rig *f, int fd, size_t len, bool nul)
{
	static const char head[] = "{\"method\":\"com.example.Echo\",\"oneway\":true,\"x\":\"";
	char *text = malloc(len);
	size_t sent = 0;

	assert_non_null(text);
	memset(text, 'x', len);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + len - 3, nul ? "\"}\0" : "\"}}", 3);
	for (unsigned i = 0; i < 1000 && sent < len; i++) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		rig_turn(f);
	}
	free(text);
}

static void long_requests(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);

	put_long(f, fd, 64 * 1024, true);
	put_long(f, fd, 64 * 1024, true);
	assert_int_equal(f->served, 2);
	rig_say(f, fd, "{\"method\":\"com.example.Echo\"}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	put_long(f, fd, 65 * 1024, true);
	assert_string_equal(rig_hear(fd), "EOF");
	close(fd);
	fd = rig_dial(f);
	put_long(f, fd, 64 * 1024, false);
	assert_string_equal(rig_hear(fd), "EOF");
	close(fd);
	assert_int_equal(f->served, 3);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(one_call),
		test(byte_by_byte),
		test(pipelined),
		test(get_info),
		test(refused_calls),
		test(oneway),
		test(garbage),
		test(long_requests),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
