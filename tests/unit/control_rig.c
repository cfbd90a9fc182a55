/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "control_rig.h"

static uint64_t test_now(void *arg)
{
	return ((struct rig *)arg)->now;
}

static void echo(struct control_call *call, json_t *parameters, void *arg)
{
	((struct rig *)arg)->served++;
	control_reply(call, json_incref(parameters));
}

static void hold(struct control_call *call, json_t *parameters, void *arg)
{
	struct rig *f = arg;

	assert_true(json_is_object(parameters));
	assert_true(f->held_count < HELD_MAX);
	f->held[f->held_count++] = call;
}

static void fail_it(struct control_call *call, json_t *parameters, void *arg)
{
	(void)parameters;
	(void)arg;
	control_error(call, "com.example.Failed", json_pack("{s:i}", "why", 7));
}

/* A reply of about as many MiB as asked for. */
static void big(struct control_call *call, json_t *parameters, void *arg)
{
	size_t size = (size_t)json_integer_value(json_object_get(parameters, "mib")) << 20;
	char *text = malloc(size);

	(void)arg;
	assert_non_null(text);
	memset(text, 'x', size);
	control_reply(call, json_pack("{s:s#}", "x", text, (int)size));
	free(text);
}

static void nothing(struct control_call *call, json_t *parameters, void *arg)
{
	(void)parameters;
	(void)arg;
	control_reply(call, NULL);
}

const struct control_method rig_methods[] = {
	{"com.example.Echo", echo},
	{"com.example.Hold", hold},
	{"com.example.Fail", fail_it},
	{"com.example.Big", big},
	{"org.other.Nothing", nothing},
	{NULL, NULL},
};

int rig_setup(void **state)
{
	struct rig *f = calloc(1, sizeof(*f));
	struct loop_clock clock = {.now = test_now, .arg = f};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/nsaux-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	f->address.sun_family = AF_UNIX;
	snprintf(f->address.sun_path, sizeof(f->address.sun_path), "%s/control", f->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(chmod(f->address.sun_path, 0777), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(loop_new(&f->loop, &clock), 0);
	assert_int_equal(control_new(&f->control, f->loop, fd, rig_methods, f), 0);
	*state = f;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *f = *state;

	control_free(f->control);
	loop_free(f->loop);
	unlink(f->address.sun_path);
	rmdir(f->dir);
	free(f);
	return 0;
}

void rig_turn(struct rig *f)
{
	for (unsigned i = 0; i < 100000; i++) {
		int n = loop_turn(f->loop, 0);

		assert_true(n >= 0);
		if (n == 0)
			return;
	}
	fail_msg("the loop never rests");
}

int rig_dial(struct rig *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	rig_turn(f);
	return fd;
}

void rig_put(int fd, const char *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

void rig_say(struct rig *f, int fd, const char *text)
{
	rig_put(fd, text, strlen(text) + 1);
	rig_turn(f);
}

const char *rig_hear(int fd)
{
	static char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return "EOF";
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return "";
	}
	for (ssize_t i = 0; i < n; i++)
		text[i] = text[i] == '\0' ? '|' : text[i];
	text[n] = '\0';
	return text;
}
