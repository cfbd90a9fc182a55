/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int peer_target_words(const char *const *target)
{
	if (!target[0])
		return 0;
	if (strcmp(target[0], "udp") == 0 || strcmp(target[0], "tcp") == 0)
		return target[1] && target[2] ? 3 : 0;
	if (strcmp(target[0], "unix") == 0 || strcmp(target[0], "abstract") == 0 ||
	    strcmp(target[0], "seqpacket") == 0)
		return target[1] ? 2 : 0;
	return 0;
}

static int open_unix(struct peer *peer, const char *const *target)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	bool abstract = strcmp(target[0], "abstract") == 0;
	size_t len = strlen(target[1]);
	socklen_t salen;

	if (len + abstract >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path + abstract, target[1], len);
	/* An abstract name as the kernel and libtirpc write it: no NUL at its end. */
	salen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + len + !abstract);
	peer->stream = strcmp(target[0], "seqpacket") != 0;
	peer->fd = socket(AF_UNIX, (peer->stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0);
	if (peer->fd < 0)
		return -errno;
	return connect(peer->fd, (struct sockaddr *)&sun, salen) ? -errno : 0;
}

static int bind_source(int fd, int family, const struct peer_source *source)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int one = 1;

	if (!source || (!source->host && !source->port))
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	sin.sin_port = sin6.sin6_port = htons(source->port);
	if (family == AF_INET) {
		if (source->host && inet_pton(AF_INET, source->host, &sin.sin_addr) != 1)
			return -EINVAL;
		return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ? -errno : 0;
	}
	if (source->host && inet_pton(AF_INET6, source->host, &sin6.sin6_addr) != 1)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) ? -errno : 0;
}

static int open_inet(struct peer *peer, const char *const *target, const struct peer_source *source)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai;
	int rc;

	peer->stream = strcmp(target[0], "tcp") == 0;
	hints.ai_socktype = peer->stream ? SOCK_STREAM : SOCK_DGRAM;
	if (getaddrinfo(target[1], target[2], &hints, &ai))
		return -EINVAL;
	peer->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	rc = peer->fd < 0 ? -errno : bind_source(peer->fd, ai->ai_family, source);
	if (source && source->unconnected && !peer->stream) {
		memcpy(&peer->to, ai->ai_addr, ai->ai_addrlen);
		peer->to_len = ai->ai_addrlen;
	} else if (rc == 0 && connect(peer->fd, ai->ai_addr, ai->ai_addrlen)) {
		rc = -errno;
	}
	freeaddrinfo(ai);
	return rc;
}

int peer_open(struct peer *peer, const char *const *target, const struct peer_source *source)
{
	int rc;

	*peer = (struct peer){ .fd = -1 };
	rc = peer_target_words(target) == 3 ? open_inet(peer, target, source) : open_unix(peer, target);
	if (rc)
		peer_close(peer);
	return rc;
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

int peer_write(struct peer *peer, const void *data, size_t len, size_t piece)
{
	const uint8_t *p = data;
	size_t done = 0;

	do {
		size_t n = piece && len - done > piece ? piece : len - done;
		ssize_t sent = sendto(peer->fd, p + done, n, MSG_NOSIGNAL,
				      peer->to_len ? (struct sockaddr *)&peer->to : NULL, peer->to_len);

		if (sent < 0)
			return -errno;
		done += (size_t)sent;
	} while (done < len);
	return 0;
}

void peer_half_close(struct peer *peer)
{
	shutdown(peer->fd, SHUT_WR);
}

uint64_t peer_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int wait_readable(int fd, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now = peer_now();
	int left = now < until ? (int)((until - now) / 1000000) + 1 : 0;

	if (poll(&p, 1, left) < 0)
		return -errno;
	return p.revents ? 0 : -ETIMEDOUT;
}

static int read_exactly(int fd, uint8_t *data, size_t len, uint64_t until)
{
	size_t done = 0;

	while (done < len) {
		int rc = wait_readable(fd, until);
		ssize_t n = rc ? rc : recv(fd, data + done, len - done, 0);

		if (rc)
			return rc;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		done += (size_t)n;
	}
	return 0;
}

static ssize_t read_record(int fd, uint8_t *data, size_t size, uint64_t until)
{
	size_t len = 0;
	uint8_t mark[4];
	uint32_t m;
	int rc;

	do {
		rc = read_exactly(fd, mark, sizeof(mark), until);
		if (rc)
			return rc;
		m = get_u32(mark);
		if ((m & 0x7fffffff) > size - len)
			return -EMSGSIZE;
		rc = read_exactly(fd, data + len, m & 0x7fffffff, until);
		if (rc)
			return rc;
		len += m & 0x7fffffff;
	} while (!(m & 0x80000000U));
	return (ssize_t)len;
}

ssize_t peer_read(struct peer *peer, uint8_t *data, size_t size, int timeout_ms)
{
	uint64_t until = peer_now() + (uint64_t)timeout_ms * 1000000;
	ssize_t n;
	int rc;

	if (peer->stream)
		return read_record(peer->fd, data, size, until);
	rc = wait_readable(peer->fd, until);
	if (rc)
		return rc;
	peer->from_len = sizeof(peer->from);
	n = recvfrom(peer->fd, data, size, 0, (struct sockaddr *)&peer->from, &peer->from_len);
	return n < 0 ? -errno : n;
}

const char *peer_error(int rc)
{
	switch (rc) {
	case -ETIMEDOUT: return "timeout";
	case -EPIPE: return "closed";
	case -ECONNRESET: return "reset";
	case -ECONNREFUSED: return "refused";
	default: return strerror(-rc);
	}
}

void put_u32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}

uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

void peer_call(uint8_t *msg, uint32_t xid, uint32_t prog, uint32_t vers, uint32_t proc)
{
	const uint32_t words[PEER_CALL_SIZE / 4] = { xid, 0, 2, prog, vers, proc };

	for (size_t i = 0; i < PEER_CALL_SIZE / 4; i++)
		put_u32(msg + i * 4, words[i]);
}

/* An accepted reply from its verifier on (RFC 5531 section 9). */
static size_t describe_accepted(const uint8_t *reply, size_t len, char *text, size_t size)
{
	static const char *const names[] = {
		"success", "prog_unavail", "prog_mismatch", "proc_unavail", "garbage_args", "system_err",
	};
	size_t verf = len >= 20 ? get_u32(reply + 16) : 0;
	size_t at = 20 + ((verf + 3) & ~(size_t)3);
	uint32_t stat;

	if (len < 24 || verf > 400 || len < at + 4 || (stat = get_u32(reply + at)) > 5) {
		snprintf(text, size, "odd accepted reply of %zu bytes", len);
		return 0;
	}
	if (stat == 2 && len == at + 12)
		snprintf(text, size, "prog_mismatch %u %u", get_u32(reply + at + 4), get_u32(reply + at + 8));
	else if (stat != 0 && len != at + 4)
		snprintf(text, size, "odd length of %s", names[stat]);
	else
		snprintf(text, size, "%s", names[stat]);
	return stat == 0 ? at + 4 : 0;
}

size_t peer_describe(const uint8_t *reply, size_t len, const uint32_t *xid, char *text, size_t size)
{
	if (len < 20 || get_u32(reply + 4) != 1)
		snprintf(text, size, "odd: no reply, %zu bytes", len);
	else if (xid && get_u32(reply) != *xid)
		snprintf(text, size, "odd xid");
	else if (get_u32(reply + 8) == 0)
		return describe_accepted(reply, len, text, size);
	else if (get_u32(reply + 8) != 1)
		snprintf(text, size, "odd reply_stat");
	else if (get_u32(reply + 12) == 0 && len == 24)
		snprintf(text, size, "rpc_mismatch %u %u", get_u32(reply + 16), get_u32(reply + 20));
	else if (get_u32(reply + 12) == 1 && len == 20)
		snprintf(text, size, "auth_error %u", get_u32(reply + 16));
	else
		snprintf(text, size, "odd rejected reply");
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ssize_t peer_unhex(const char *text, uint8_t *data, size_t size)
{
	size_t len = strlen(text);

	if (len % 2 || len / 2 > size)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		data[i] = (uint8_t)(high << 4 | low);
	}
	return (ssize_t)(len / 2);
}

void peer_all_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

size_t put_string(uint8_t *p, const char *text)
{
	size_t len = strlen(text), padded = (len + 3) & ~(size_t)3;

	put_u32(p, (uint32_t)len);
	memset(p + 4, 0, padded);
	memcpy(p + 4, text, len);
	return 4 + padded;
}
