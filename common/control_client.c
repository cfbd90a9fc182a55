/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's side of the control socket. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "parse.h"

/* The server has less privilege than its administrator, whose memory it must not exhaust. */
#define REPLY_MAX ((size_t)64 << 20)

struct client {
	int fd;
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC */
	char *data;       /* what came */
	size_t len, size;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 0 when there are events, or -ETIMEDOUT. */
static int wait_for(const struct client *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int64_t left;
	int n;

	do {
		left = c->deadline - now_ms();
		if (left < 0)
			left = 0;
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n > 0 ? 0 : -ETIMEDOUT;
}

static int connect_to(struct client *c, const char *path, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* connect(2) waits while the server's backlog is full, and poll(2) cannot wait for
	 * that. All zero would mean for ever. */
	const struct timeval patience = {
		.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 + 1};
	int rc = copy_str(address.sun_path, sizeof(address.sun_path), path);

	if (rc < 0)
		return rc;
	if (setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	if (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

static int send_all(const struct client *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc = 0;

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			rc = wait_for(c, POLLOUT);
		} else if (errno != EINTR) {
			rc = -errno;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int send_call(const struct client *c, const char *method, json_t *parameters)
{
	json_t *call = json_object();
	char *text;
	int rc = -ENOMEM;

	json_object_set_new(call, "method", json_string(method));
	json_object_set_new(
		call, "parameters", parameters ? json_incref(parameters) : json_object());
	text = json_object_size(call) == 2 ? json_dumps(call, JSON_COMPACT) : NULL;
	if (text)
		rc = send_all(c, text, strlen(text) + 1);
	free(text);
	json_decref(call);
	return rc;
}

/* Makes room for more of the reply. */
static int reserve(struct client *c)
{
	size_t size = c->size ? c->size * 2 : 4096;
	char *data;

	if (c->len < c->size)
		return 0;
	if (c->size >= REPLY_MAX)
		return -EMSGSIZE;
	data = realloc(c->data, size);
	if (!data)
		return -ENOMEM;
	c->data = data;
	c->size = size;
	return 0;
}

/* Receives until the NUL; *len is the length before it. */
static int receive(struct client *c, size_t *len)
{
	for (;;) {
		int rc = reserve(c);
		const char *end;
		ssize_t n;

		if (rc == 0)
			rc = wait_for(c, POLLIN);
		if (rc < 0)
			return rc;
		n = recv(c->fd, c->data + c->len, c->size - c->len, MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		end = memchr(c->data + c->len, '\0', (size_t)n);
		c->len += (size_t)n;
		if (end) {
			*len = (size_t)(end - c->data);
			return 0;
		}
	}
}

static int parse_reply(const char *text, size_t len, json_t **reply)
{
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *parameters = json_object_get(message, "parameters");
	const json_t *error = json_object_get(message, "error");
	int rc = error ? -EREMOTEIO : 0;

	if (!json_is_object(message) || (parameters && !json_is_object(parameters)) ||
		(error && !json_is_string(error))) {
		rc = -EPROTO;
	} else if (!parameters) {
		parameters = json_object();
		if (json_object_set(message, "parameters", parameters) < 0)
			rc = -ENOMEM;
		json_decref(parameters); /* the message keeps it */
	}
	if (rc == 0 || rc == -EREMOTEIO)
		*reply = json_incref(error ? message : parameters);
	json_decref(message);
	return rc;
}

int control_call_path(
	const char *path, const char *method, json_t *parameters, int timeout_ms, json_t **reply)
{
	struct client c = {.deadline = now_ms() + timeout_ms};
	size_t len = 0;
	int rc;

	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c.fd < 0)
		return -errno;
	rc = connect_to(&c, path, timeout_ms);
	if (rc == 0)
		rc = send_call(&c, method, parameters);
	if (rc == 0)
		rc = receive(&c, &len);
	if (rc == 0)
		rc = parse_reply(c.data, len, reply);
	close(c.fd);
	free(c.data);
	return rc;
}
