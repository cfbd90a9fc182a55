/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One query over a TCP connection of its own, RFC 1035 section 4.2.2 and RFC 7766. How long it may
 * take is the caller's to say, by tcp_close().
 */
#ifndef NSAUX_TCP_H
#define NSAUX_TCP_H

#include "answer.h"
#include "loop.h"
#include "place.h"

struct tcp;

/* Once: 0 and the message, or what went wrong: -ECONNREFUSED and the like, -ECONNRESET when the
 * server closed early, -EBADMSG for a length that no message has, -ENOMEM. It must call
 * tcp_close(). */
typedef void tcp_fn(void *arg, int status, const uint8_t *message, size_t len);

/* Begins; query (at most 512 bytes) is copied. fn comes later, by the loop. Errors as of
 * place_socket(), connect(2). */
int tcp_open(struct tcp **tcp, struct loop *loop, struct place *place,
	const union answer_server *server, const uint8_t *query, size_t len, tcp_fn *fn, void *arg);
void tcp_close(struct tcp *tcp); /* NULL is allowed */

#endif
