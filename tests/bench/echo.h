/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NSAUX_BENCH_ECHO_H
#define NSAUX_BENCH_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECHO_MAX 9000
#define ECHO_BATCH_MAX 64

enum echo_kind { ECHO_UDP, ECHO_LISTENER, ECHO_STREAM };

struct echo {
	int epoll;
	size_t reply;   /* bytes, without a record mark */
	unsigned batch; /* datagrams */
};

struct echo_socket {
	enum echo_kind kind;
	int fd;
};

void echo_datagrams(struct echo *echo, struct echo_socket *s);
/* False: the peer has closed the connection. */
bool echo_records(struct echo *echo, struct echo_socket *s);

#endif
