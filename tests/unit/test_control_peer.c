/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: peers that come, stay away, hang up, or do not read. */
#include "config.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"
#include "control_rig.h"

static void answered_later(void **state)
{
	static const char text[] = "{\"method\":\"com.example.Hold\"}\0"
				   "{\"method\":\"com.example.Echo\"}\0"
				   "{\"method\":\"com.example.Hold\"}\0";
	struct rig *f = *state;
	int a = rig_dial(f), b = rig_dial(f);

	rig_put(a, text, sizeof(text) - 1);
	rig_turn(f);
	assert_int_equal(f->held_count, 1);
	assert_int_equal(f->served, 0);
	rig_say(f, b, "{\"method\":\"com.example.Echo\",\"parameters\":{\"b\":1}}");
	assert_string_equal(rig_hear(b), "{\"parameters\":{\"b\":1}}|");
	assert_string_equal(rig_hear(a), "");
	control_reply(f->held[0], json_pack("{s:i}", "held", 1));
	assert_string_equal(rig_hear(a), "{\"parameters\":{\"held\":1}}|{\"parameters\":{}}|");
	assert_int_equal(f->held_count, 2);
	control_error(f->held[1], "com.example.Late", NULL);
	assert_string_equal(rig_hear(a), "{\"error\":\"com.example.Late\",\"parameters\":{}}|");
	close(a);
	close(b);
}

static void hung_up_before_answer(void **state)
{
	static const char text[] = "{\"method\":\"com.example.Hold\"}\0"
				   "{\"method\":\"com.example.Echo\"}\0";
	struct rig *f = *state;

	for (unsigned i = 0; i < HELD_MAX; i++) {
		int fd = rig_dial(f);

		rig_put(fd, text, sizeof(text) - 1);
		rig_turn(f);
		close(fd);
		rig_turn(f);
		assert_int_equal(f->held_count, i + 1);
	}
	for (unsigned i = 0; i < HELD_MAX; i++)
		control_reply(f->held[i], json_object());
	rig_turn(f);
	assert_int_equal(f->served, 0);
}

/* The peer has said all, and still waits for the answer. */
static void half_closed(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);

	rig_say(f, fd, "{\"method\":\"com.example.Hold\"}");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	rig_turn(f);
	assert_string_equal(rig_hear(fd), "");
	control_reply(f->held[0], NULL);
	rig_turn(f);
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	assert_string_equal(rig_hear(fd), "EOF");
	close(fd);
}

static void freed_before_answer(void **state)
{
	struct rig *f = *state;
	int a = rig_dial(f), b = rig_dial(f);

	rig_say(f, a, "{\"method\":\"com.example.Hold\"}");
	rig_say(f, b, "{\"method\":\"com.example.Hold\",\"oneway\":true}");
	control_free(f->control);
	f->control = NULL;
	assert_string_equal(rig_hear(a), "EOF");
	control_reply(f->held[0], json_pack("{s:i}", "a", 1));
	control_error(f->held[1], "com.example.Late", NULL);
	rig_turn(f);
	close(a);
	close(b);
}

/* Reads until there is nothing; the number of bytes. */
static size_t drain(int fd)
{
	static char spent[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(fd, spent, sizeof(spent), 0)) > 0)
		all += (size_t)n;
	return all;
}

static void peer_that_does_not_read(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);

	rig_say(f, fd, "{\"method\":\"com.example.Big\",\"parameters\":{\"mib\":4}}");
	rig_say(f, fd, "{\"method\":\"com.example.Echo\"}");
	assert_int_equal(f->served, 0);
	f->now += 9 * LOOP_SEC;
	rig_turn(f);
	assert_true(drain(fd) > 0); /* a little way, a new term */
	rig_turn(f);
	f->now += 9 * LOOP_SEC;
	rig_turn(f);
	assert_true(drain(fd) > 0);
	rig_turn(f);
	f->now += 10 * LOOP_SEC;
	rig_turn(f);
	assert_int_equal(f->served, 0);
	assert_true(drain(fd) > 0); /* what was under way */
	assert_string_equal(rig_hear(fd), "EOF");
	close(fd);
}

static void long_reply(void **state)
{
	struct rig *f = *state;
	int fd = rig_dial(f);
	size_t all = 0;

	rig_say(f, fd, "{\"method\":\"com.example.Big\",\"parameters\":{\"mib\":4}}");
	rig_say(f, fd, "{\"method\":\"com.example.Echo\"}");
	for (unsigned i = 0; i < 10000 && f->served == 0; i++) {
		all += drain(fd);
		rig_turn(f);
	}
	all += drain(fd);
	assert_int_equal(f->served, 1);
	assert_int_equal(all, (4 << 20) + strlen("{\"parameters\":{\"x\":\"\"}}|") +
				      strlen("{\"parameters\":{}}|"));
	f->now += 60 * LOOP_SEC; /* idle as long as it likes */
	rig_turn(f);
	rig_say(f, fd, "{\"method\":\"com.example.Echo\"}");
	assert_string_equal(rig_hear(fd), "{\"parameters\":{}}|");
	close(fd);
}

static void sixteen_peers(void **state)
{
	struct rig *f = *state;
	int fds[16], more;

	for (size_t i = 0; i < 16; i++)
		fds[i] = rig_dial(f);
	more = rig_dial(f);
	assert_string_equal(rig_hear(more), "EOF");
	close(more);
	close(fds[7]);
	rig_turn(f);
	fds[7] = rig_dial(f);
	for (size_t i = 0; i < 16; i++) {
		rig_say(f, fds[i], "{\"method\":\"com.example.Echo\"}");
		assert_string_equal(rig_hear(fds[i]), "{\"parameters\":{}}|");
		close(fds[i]);
	}
}

/* accept(2) fails, the listener stays readable: no busy loop, and served in the end. */
static void out_of_descriptors(void **state)
{
	struct rig *f = *state;
	struct rlimit saved, none;
	int fds[2], later;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	none.rlim_cur = 3;
	for (unsigned i = 0; i < 2; i++) {
		/* A new one each time, for under valgrind accept(2) takes and loses it. */
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
			connect(fds[i], (struct sockaddr *)&f->address, sizeof(f->address)), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		f->now += LOOP_SEC;
		rig_turn(f);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	}
	later = rig_dial(f);
	rig_say(f, later, "{\"method\":\"com.example.Echo\"}");
	assert_int_equal(f->served, 0);
	f->now += LOOP_SEC;
	rig_turn(f);
	assert_string_equal(rig_hear(later), "{\"parameters\":{}}|");
	close(fds[0]);
	close(fds[1]);
	close(later);
}

#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(answered_later),
		test(hung_up_before_answer),
		test(half_closed),
		test(freed_before_answer),
		test(peer_that_does_not_read),
		test(long_reply),
		test(sixteen_peers),
		test(out_of_descriptors),
	};

	return cmocka_run_group_tests_name("control_peer", tests, NULL, NULL);
}
