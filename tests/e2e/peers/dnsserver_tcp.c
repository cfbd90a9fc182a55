/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dnsserver.h"

#define DRIP_MS 20
#define OUT_MAX (4U << 20) /* of a client that asks and does not read */

void tcp_close(struct server *s, struct conn *conn)
{
	later_forget(s, &conn->port);
	LIST_REMOVE(conn, link);
	close(conn->port.fd);
	free(conn->out);
	free(conn);
	s->conn_count--;
}

void tcp_accept(struct server *s, struct port *port)
{
	struct conn *conn;
	int fd = accept4(port->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	conn = s->conn_count < CONNS_MAX ? calloc(1, sizeof(*conn)) : NULL;
	if (!conn) {
		close(fd);
		return;
	}
	conn->port = (struct port){ .kind = KIND_CONN, .fd = fd, .forge_fd = -1, .site = port->site,
				    .index = port->index };
	LIST_INSERT_HEAD(&port->site->conns, conn, link);
	s->conn_count++;
	if (port_watch(s, &conn->port))
		tcp_close(s, conn);
}

bool tcp_push(struct server *s, struct conn *conn)
{
	while (conn->out_done < conn->out_len) {
		size_t n = conn->is_drip ? 1 : conn->out_len - conn->out_done;
		ssize_t sent = send(conn->port.fd, conn->out + conn->out_done, n,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN) {
			tcp_close(s, conn);
			return false;
		}
		conn->out_done += sent > 0 ? (size_t)sent : 0;
		if (sent < 0 || conn->is_drip) {
			later_add(s, &conn->port, NULL, NULL, 0, DRIP_MS);
			return true;
		}
	}
	conn->out_done = conn->out_len = 0;
	if (!conn->is_last)
		return true;
	tcp_close(s, conn);
	return false;
}

bool tcp_send(struct server *s, struct conn *conn, const uint8_t *data, size_t len)
{
	bool is_idle = conn->out_done == conn->out_len;
	size_t size = conn->out_len + len;
	uint8_t *out = size <= OUT_MAX ? realloc(conn->out, size) : NULL;

	if (!out) {
		tcp_close(s, conn);
		return false;
	}
	conn->out = out;
	memcpy(out + conn->out_len, data, len);
	conn->out_len += len;
	return !is_idle || tcp_push(s, conn);
}

/* False: the connection is closed. */
static bool answer(struct server *s, struct conn *conn, const struct zone_question *q)
{
	uint8_t message[2 + ANSWER_MAX];
	struct zone_plan plan;
	size_t len;

	if (judge(s, &conn->port, q, &plan, false) == VERDICT_SILENT ||
	    zone_says(&plan, ZONE_TCPMUTE))
		return true;
	if (zone_says(&plan, ZONE_TCPCLOSE)) {
		tcp_close(s, conn);
		return false;
	}
	len = compose(s, &conn->port, q, &plan, ANSWER_MAX);
	answer_spoil(s->scratch, &len, q, &plan);
	message[0] = (uint8_t)(len >> 8);
	message[1] = (uint8_t)len;
	memcpy(message + 2, s->scratch, len);
	len += 2;
	conn->is_drip = conn->is_drip || zone_says(&plan, ZONE_TCPDRIP);
	if (zone_says(&plan, ZONE_TCPCUT)) {
		conn->is_last = true;
		len -= 9;
	}
	if (plan.delay_ms) {
		later_add(s, &conn->port, NULL, message, len, plan.delay_ms);
		return true;
	}
	return tcp_send(s, conn, message, len);
}

/* All that is there whole. */
static void answer_all(struct server *s, struct conn *conn)
{
	struct zone_question q;

	while (conn->have >= 2) {
		size_t len = (size_t)conn->in[0] << 8 | conn->in[1];

		if (len + 2 > sizeof(conn->in)) {
			tcp_close(s, conn);
			return;
		}
		if (conn->have < len + 2)
			return;
		if (!zone_read(&q, conn->in + 2, len)) {
			s->ignored++;
			tcp_close(s, conn);
			return;
		}
		conn->have -= len + 2;
		memmove(conn->in, conn->in + len + 2, conn->have);
		s->tcp++;
		if (s->log)
			note_question(s, &conn->port, &q, NULL, false);
		if (!answer(s, conn, &q))
			return;
	}
}

void tcp_input(struct server *s, struct conn *conn)
{
	ssize_t n = recv(conn->port.fd, conn->in + conn->have, sizeof(conn->in) - conn->have,
		MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		tcp_close(s, conn);
		return;
	}
	conn->have += (size_t)n;
	answer_all(s, conn);
}
