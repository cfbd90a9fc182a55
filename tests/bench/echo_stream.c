/* SPDX-License-Identifier: BSD-3-Clause */
/* One read, and one write with the replies to all records that it brought. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "echo.h"
#include "peer.h"

#define IN_SIZE 65536

static void send_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

	/* A client of the benchmark reads what it has asked for. */
	if (n != (ssize_t)len && errno != EPIPE && errno != ECONNRESET)
		bench_die("a short write", n < 0 ? errno : EMSGSIZE);
}

/* A client of the benchmark writes whole records, and much less than IN_SIZE at a time. */
bool echo_records(struct echo *echo, struct echo_socket *s)
{
	static uint8_t in[IN_SIZE], out[IN_SIZE];
	ssize_t n = recv(s->fd, in, sizeof(in), MSG_DONTWAIT);
	size_t at = 0, len = 0;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	while (at < (size_t)n) {
		size_t left = (size_t)n - at;
		size_t record = left < 4 ? SIZE_MAX : get_u32(in + at) & 0x7fffffff;

		if (record > left - 4 || len + 4 + echo->reply > sizeof(out))
			bench_die("a record that is cut", EMSGSIZE);
		put_u32(out + len, 0x80000000U | (uint32_t)echo->reply);
		memcpy(out + len + 4, in + at + 4, record < echo->reply ? record : echo->reply);
		len += 4 + echo->reply;
		at += 4 + record;
	}
	send_all(s->fd, out, len);
	return true;
}
