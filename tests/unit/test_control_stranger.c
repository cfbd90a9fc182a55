/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: peers that are neither root nor the daemon's own user. */
#include "config.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"
#include "control_rig.h"

#define STRANGER_UID 65534

/* Credentials are those of the moment of connect(2). */
static int dial_as_stranger(struct rig *f)
{
	int fd;

	assert_int_equal(seteuid(STRANGER_UID), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(seteuid(0), 0);
	rig_turn(f);
	return fd;
}

static void strangers(void **state)
{
	static const char call[] = "{\"method\":\"com.example.Echo\"}";
	struct rig *f = *state;
	int fds[4], more;

	for (size_t i = 0; i < 4; i++)
		fds[i] = dial_as_stranger(f);
	more = dial_as_stranger(f);
	assert_string_equal(rig_hear(more), "EOF");
	close(more);
	more = rig_dial(f);
	rig_say(f, more, call);
	assert_string_equal(rig_hear(more), "{\"parameters\":{}}|");
	close(more);

	rig_say(f, fds[0], call);
	assert_string_equal(rig_hear(fds[0]),
		"{\"error\":\"" SERVICE ".PermissionDenied\",\"parameters\":{}}|");
	assert_string_equal(rig_hear(fds[0]), "EOF");
	rig_say(f, fds[1], "{\"method\":\"com.example.Echo\",\"oneway\":true}");
	assert_string_equal(rig_hear(fds[1]), "EOF");
	f->now += 9 * LOOP_SEC;
	rig_put(fds[2], call, 5); /* does not prolong its stay */
	rig_turn(f);
	assert_string_equal(rig_hear(fds[2]), "");
	f->now += LOOP_SEC;
	rig_turn(f);
	assert_string_equal(rig_hear(fds[2]), "EOF");
	assert_string_equal(rig_hear(fds[3]), "EOF");
	assert_int_equal(f->served, 1);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strangers, rig_setup, rig_teardown),
	};

	if (geteuid() != 0) {
		puts("1..0 # SKIP only root can be somebody else");
		return 0;
	}
	return cmocka_run_group_tests_name("control_stranger", tests, NULL, NULL);
}
