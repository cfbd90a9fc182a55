/* SPDX-License-Identifier: BSD-3-Clause */
/* control_call_path() against a real control socket, and against liars. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t.h"
#include "control_rig.h"

#define PATIENCE_MS 20000

struct fixture {
	char dir[64];
	char path[108];
	int listener;
	pid_t server; /* a child */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/nsaux-client-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
	memcpy(address.sun_path, f->path, sizeof(f->path));
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->server > 0) {
		kill(f->server, SIGKILL);
		assert_int_equal(waitpid(f->server, NULL, 0), f->server);
	}
	close(f->listener);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void serve(int listener)
{
	static struct rig rig;

	if (loop_new(&rig.loop, NULL) == 0 &&
		control_new(&rig.control, rig.loop, listener, rig_methods, &rig) == 0)
		loop_run(rig.loop);
	_exit(1);
}

/* Takes one call, answers these bytes, hangs up. */
static void lie(int listener, const char *data, size_t len)
{
	int fd = accept(listener, NULL, NULL);
	char byte = 'x';

	while (byte != '\0' && recv(fd, &byte, 1, 0) == 1)
		;
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		data += n;
		len -= (size_t)n;
	}
	close(fd);
	close(listener);
	_exit(0);
}

/* data NULL: the real server. */
static void start(struct fixture *f, const char *data, size_t len)
{
	f->server = fork();
	assert_true(f->server >= 0);
	if (f->server > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (data)
		lie(f->listener, data, len);
	serve(f->listener);
}

static int call(struct fixture *f, const char *method, json_t *parameters, json_t **reply)
{
	return control_call_path(f->path, method, parameters, PATIENCE_MS, reply);
}

static void replies(void **state)
{
	struct fixture *f = *state;
	json_t *parameters = json_pack("{s:[i,s]}", "a", 1, "b"), *reply = NULL;

	start(f, NULL, 0);
	assert_int_equal(call(f, "com.example.Echo", parameters, &reply), 0);
	assert_true(json_equal(reply, parameters));
	json_decref(reply);
	assert_int_equal(parameters->refcount, 1);
	json_decref(parameters);

	assert_int_equal(call(f, "com.example.Echo", NULL, &reply), 0);
	assert_true(json_is_object(reply));
	assert_int_equal(json_object_size(reply), 0);
	json_decref(reply);
}

static void long_reply(void **state)
{
	struct fixture *f = *state;
	json_t *parameters = json_pack("{s:i}", "mib", 5), *reply = NULL;

	start(f, NULL, 0);
	assert_int_equal(call(f, "com.example.Big", parameters, &reply), 0);
	assert_int_equal(json_string_length(json_object_get(reply, "x")), 5 << 20);
	json_decref(reply);
	json_decref(parameters);
}

static void error_reply(void **state)
{
	struct fixture *f = *state;
	json_t *reply = NULL;

	start(f, NULL, 0);
	assert_int_equal(call(f, "com.example.Fail", NULL, &reply), -EREMOTEIO);
	assert_string_equal(
		json_string_value(json_object_get(reply, "error")), "com.example.Failed");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(reply, "parameters"), "why")),
		7);
	json_decref(reply);
}

static void long_request(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(70000);
	json_t *parameters, *reply = NULL;
	int rc;

	assert_non_null(text);
	memset(text, 'x', 70000);
	parameters = json_pack("{s:s#}", "x", text, 70000);
	free(text);
	start(f, NULL, 0);
	rc = call(f, "com.example.Echo", parameters, &reply);
	assert_true(rc == -ECONNRESET || rc == -EPIPE);
	assert_null(reply);
	json_decref(parameters);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void timeouts(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t before = now_ms();
	json_t *reply = NULL;
	int fds[2], rc;

	/* Nobody accepts; later not even the backlog has room. */
	memcpy(address.sun_path, f->path, sizeof(f->path));
	assert_int_equal(control_call_path(f->path, "a.B", NULL, 50, &reply), -ETIMEDOUT);
	assert_true(now_ms() - before >= 50);
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		rc = connect(fds[i], (struct sockaddr *)&address, sizeof(address));
		assert_true(rc == 0 || errno == EAGAIN);
	}
	before = now_ms();
	assert_int_equal(control_call_path(f->path, "a.B", NULL, 50, &reply), -ETIMEDOUT);
	assert_true(now_ms() - before >= 45);
	close(fds[0]);
	close(fds[1]);
	assert_null(reply);
}

static void held(void **state)
{
	struct fixture *f = *state;
	json_t *reply = NULL;

	start(f, NULL, 0);
	assert_int_equal(
		control_call_path(f->path, "com.example.Hold", NULL, 50, &reply), -ETIMEDOUT);
	assert_null(reply);
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;
	char path[200];
	json_t *reply = NULL;

	snprintf(path, sizeof(path), "%s/nobody", f->dir);
	assert_int_equal(control_call_path(path, "a.B", NULL, 50, &reply), -ENOENT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_call_path(path, "a.B", NULL, 50, &reply), -ENAMETOOLONG);
	close(f->listener);
	f->listener = -1;
	assert_int_equal(call(f, "a.B", NULL, &reply), -ECONNREFUSED);
	assert_null(reply);
}

static int call_liar(struct fixture *f, const char *data, size_t len, json_t **reply)
{
	int rc;

	start(f, data, len);
	rc = call(f, "a.B", NULL, reply);
	kill(f->server, SIGKILL);
	assert_int_equal(waitpid(f->server, NULL, 0), f->server);
	f->server = 0;
	return rc;
}

static void liars(void **state)
{
	static const char *const bad[] = {"", "hello", "[]", "{\"parameters\":[]}",
		"{\"parameters\":null}", "{\"error\":1}", "{\"error\":\"a.B\",\"parameters\":1}",
		"{\"a\":1,\"a\":1}", "{} {}"};
	struct fixture *f = *state;
	json_t *reply = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(call_liar(f, bad[i], strlen(bad[i]) + 1, &reply), -EPROTO);
	assert_int_equal(call_liar(f, "{}", 2, &reply), -ECONNRESET); /* no NUL */
	assert_int_equal(call_liar(f, "", 0, &reply), -ECONNRESET);
	assert_null(reply);

	assert_int_equal(call_liar(f, "{}", 3, &reply), 0);
	assert_int_equal(json_object_size(reply), 0);
	json_decref(reply);
	assert_int_equal(call_liar(f, "{\"error\":\"a.Bad\"}", 18, &reply), -EREMOTEIO);
	assert_true(json_is_object(json_object_get(reply, "parameters")));
	json_decref(reply);
}

/* A server that never ends its reply. */
static void endless_reply(void **state)
{
	size_t len = 65 << 20;
	struct fixture *f = *state;
	char *data = malloc(len);
	json_t *reply = NULL;

	assert_non_null(data);
	memset(data, ' ', len);
	assert_int_equal(call_liar(f, data, len, &reply), -EMSGSIZE);
	assert_null(reply);
	free(data);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(replies),
		test(long_reply),
		test(error_reply),
		test(long_request),
		test(timeouts),
		test(held),
		test(nobody_there),
		test(liars),
		test(endless_reply),
	};

	return cmocka_run_group_tests_name("control_client", tests, NULL, NULL);
}
