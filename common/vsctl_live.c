/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"
#include "rpcbind-ns/rpcmsg.h"
#include "vsctl_live.h"

#define DUMP_MAX ((size_t)64 << 20)
#define LAST_FRAGMENT 0x80000000u /* RFC 5531 section 11 */
#define PROC_DUMP 4               /* in all versions */

struct peer {
	int fd;
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* fd or -errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* connect(2) waits for room in the backlog. */
	const struct timeval patience = {.tv_sec = 5};
	int rc = copy_str(address.sun_path, sizeof(address.sun_path), path);
	int fd = rc ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return rc ? rc : -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return rc;
}

int vsctl_listener(const char *path, pid_t *pid)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	int fd = connect_to(path);
	int rc;

	if (fd < 0)
		return fd;
	rc = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ? -errno : 0;
	close(fd);
	if (!rc)
		*pid = cred.pid;
	return rc;
}

static int receive(const struct peer *peer, void *data, size_t len)
{
	uint8_t *at = data;

	while (len > 0) {
		struct pollfd p = {.fd = peer->fd, .events = POLLIN};
		int64_t left = peer->deadline - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = recv(peer->fd, at, len, MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* A whole record. *data is the caller's to free, in any case. */
static int receive_record(const struct peer *peer, uint8_t **data, size_t *len)
{
	uint32_t header = 0;

	*data = NULL;
	*len = 0;
	while (!(header & LAST_FRAGMENT)) {
		uint8_t *room;
		size_t size;
		int rc = receive(peer, &header, sizeof(header));

		header = ntohl(header);
		size = header & ~LAST_FRAGMENT;
		if (rc || size > DUMP_MAX - *len)
			return rc ? rc : -EMSGSIZE;
		room = realloc(*data, *len + size + 1);
		if (!room)
			return -ENOMEM;
		*data = room;
		rc = receive(peer, room + *len, size);
		if (rc)
			return rc;
		*len += size;
	}
	return 0;
}

static int send_call(const struct peer *peer, uint32_t vers)
{
	/* Record mark; xid, call, RPC version 2, program, version, procedure, no credential and
	 * no verifier (RFC 5531 section 9). */
	uint32_t words[] = {LAST_FRAGMENT | 40, vers, CALL, RPC_MSG_VERSION, REGS_PROG_RPCBIND,
		vers, PROC_DUMP, 0, 0, 0, 0};
	ssize_t n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = htonl(words[i]);
	n = send(peer->fd, words, sizeof(words), MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(words) ? 0 : -EPROTO;
}

/* 0: a list, now alone in data. -EOPNOTSUPP: it was not answered with one. */
static int take_list(uint32_t xid, uint8_t *data, size_t *len)
{
	struct rpcmsg_in in;
	const uint8_t *list;
	size_t list_len;
	uint32_t stat, word;

	rpcmsg_in_init(&in, data, *len);
	if (!rpcmsg_get_u32(&in, &word) || word != xid || !rpcmsg_get_u32(&in, &word) ||
		word != REPLY)
		return -EPROTO;
	rpcmsg_in_init(&in, data, *len);
	if (!rpcmsg_get_accepted(&in, &stat) || stat != SUCCESS)
		return -EOPNOTSUPP;
	rpcmsg_get_rest(&in, &list, &list_len);
	memmove(data, list, list_len);
	*len = list_len;
	return 0;
}

static int dump_version(const struct peer *peer, uint32_t vers, struct vsctl_dump *dump)
{
	uint8_t *data = NULL;
	size_t len;
	int rc = send_call(peer, vers);

	if (!rc)
		rc = receive_record(peer, &data, &len);
	if (!rc)
		rc = take_list(vers, data, &len);
	if (rc) {
		free(data);
		return rc;
	}
	*dump = (struct vsctl_dump){vers == 2 ? WARMSTART_PMAP : WARMSTART_RPCB, data, len};
	return 0;
}

int vsctl_dump(const char *path, int timeout_ms, struct vsctl_dump *dump)
{
	struct peer peer = {connect_to(path), now_ms() + timeout_ms};
	int rc;

	if (peer.fd < 0)
		return peer.fd;
	rc = dump_version(&peer, 4, dump);
	if (rc == -EOPNOTSUPP)
		rc = dump_version(&peer, 2, dump);
	close(peer.fd);
	return rc;
}
