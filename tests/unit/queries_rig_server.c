/* SPDX-License-Identifier: BSD-3-Clause */
/* The servers of the rig, and what scripts do. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "queries_rig.h"

#define PORT 5353

static socklen_t size_of(const union answer_server *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in4);
}

static int bound_socket(const union answer_server *address, int type)
{
	int fd = socket(address->sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &address->sa, size_of(address)), 0);
	return fd;
}

static void set_address(union answer_server *to, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	assert_true(len < sizeof(address));
	memcpy(address, text, len);
	address[len] = '\0';
	if (strchr(text, ':')) {
		to->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
		assert_int_equal(inet_pton(AF_INET6, address, &to->in6.sin6_addr), 1);
		if (text[len])
			to->in6.sin6_scope_id = if_nametoindex(text + len + 1);
	} else {
		to->in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
		assert_int_equal(inet_pton(AF_INET, address, &to->in4.sin_addr), 1);
	}
}

struct rig_server *rig_add_server(struct rig *rig, const char *address)
{
	struct rig_server *s = &rig->servers[rig->server_count];
	struct rconf_server *to = &rig->conf->servers[rig->server_count];

	assert_true(rig->server_count < RIG_SERVERS);
	*s = (struct rig_server){.rig = rig, .listener = -1, .script = rig_answers};
	memset(s->connections, 0xff, sizeof(s->connections));
	set_address(&s->address, address);
	s->udp = bound_socket(&s->address, SOCK_DGRAM);
	memcpy(&to->addr, &s->address, sizeof(to->addr));
	rig->server_count++;
	rig->conf->server_count++;
	return s;
}

void rig_listen(struct rig_server *s)
{
	s->listener = bound_socket(&s->address, SOCK_STREAM);
	assert_int_equal(listen(s->listener, 128), 0);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void rig_deafen(struct rig_server *s)
{
	close_fd(&s->udp);
}

void rig_server_end(struct rig_server *s)
{
	close_fd(&s->udp);
	close_fd(&s->listener);
	for (unsigned i = 0; i < RIG_CONNECTIONS; i++)
		close_fd(&s->connections[i]);
}

/* ---- questions that came to a server */

static void note_question(struct rig_question *q)
{
	struct rig_server *s = q->server;

	if (s->asked < RIG_PORTS) {
		s->ports[s->asked] = ntohs(q->from.in4.sin_port);
		s->ids[s->asked] = q->id;
	}
	s->asked++;
}

/* What the library sends is not in doubt here; that it has the form of a query is seen. */
static void serve(struct rig_question *q)
{
	struct dns_header header;
	struct dns_name name;
	size_t pos = DNS_HEADER;

	assert_int_equal(dns_header_read(q->message, q->len, &header), 0);
	assert_false(header.qr);
	assert_true(header.rd);
	assert_int_equal(header.count[0], 1);
	assert_int_equal(dns_name_read(&name, q->message, q->len, &pos), 0);
	assert_true(pos + 4 <= q->len);
	assert_int_equal(dns_name_text(&name, q->name, sizeof(q->name)), 0);
	q->type = (uint16_t)(q->message[pos] << 8 | q->message[pos + 1]);
	q->question_end = pos + 4;
	q->id = header.id;
	q->ad = header.ad;
	q->has_opt = header.count[DNS_ADDITIONAL] == 1;
	note_question(q);
	q->server->script(q);
}

static void serve_udp(struct rig_server *s)
{
	for (unsigned i = 0; i < 256 && s->udp >= 0; i++) {
		struct rig_question q = {.server = s, .connection = -1};
		socklen_t len = sizeof(q.from);
		ssize_t n = recvfrom(s->udp, q.message, sizeof(q.message), 0, &q.from.sa, &len);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue;
		q.len = (size_t)n;
		serve(&q);
	}
}

static void accept_one(struct rig_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (unsigned i = 0; fd >= 0 && i < RIG_CONNECTIONS; i++) {
		if (s->connections[i] >= 0)
			continue;
		s->connections[i] = fd;
		s->read_len[i] = 0;
		s->accepted++;
		return;
	}
	close_fd(&fd);
}

static void serve_connection(struct rig_server *s, unsigned i)
{
	struct rig_question q = {.server = s, .connection = s->connections[i]};
	uint8_t *in = s->read[i];
	ssize_t n = recv(q.connection, in + s->read_len[i], sizeof(s->read[i]) - s->read_len[i], 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close_fd(&s->connections[i]);
		return;
	}
	s->read_len[i] += (size_t)n;
	if (s->read_len[i] < 2)
		return;
	q.len = (size_t)(in[0] << 8 | in[1]);
	assert_true(q.len <= sizeof(q.message));
	if (s->read_len[i] < 2 + q.len)
		return;
	memcpy(q.message, in + 2, q.len);
	s->read_len[i] = 0;
	serve(&q);
}

void rig_serve(struct rig *rig)
{
	for (unsigned i = 0; i < rig->server_count; i++) {
		struct rig_server *s = &rig->servers[i];

		serve_udp(s);
		if (s->listener >= 0)
			accept_one(s);
		for (unsigned c = 0; c < RIG_CONNECTIONS; c++) {
			if (s->connections[c] >= 0)
				serve_connection(s, c);
		}
	}
}

/* ---- scripts */

size_t rig_reply(const struct rig_question *q, uint8_t *out, size_t size, unsigned rcode,
	const char *address)
{
	static const uint8_t head[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
	size_t len = q->question_end;

	assert_true(len + sizeof(head) + 4 <= size);
	memcpy(out, q->message, len);
	out[2] = 0x81;                    /* QR, RD */
	out[3] = (uint8_t)(0x80 | rcode); /* RA */
	memset(out + 6, 0, 6);
	if (!address)
		return len;
	out[7] = 1;
	memcpy(out + len, head, sizeof(head));
	len += sizeof(head);
	assert_int_equal(inet_pton(AF_INET, address, out + len), 1);
	return len + 4;
}

void rig_send(const struct rig_question *q, const void *message, size_t len)
{
	const uint8_t prefix[] = {(uint8_t)(len >> 8), (uint8_t)len};

	if (q->connection < 0) {
		sendto(q->server->udp, message, len, 0, &q->from.sa, size_of(&q->from));
		return;
	}
	assert_int_equal(send(q->connection, prefix, 2, MSG_NOSIGNAL | MSG_MORE), 2);
	assert_int_equal(send(q->connection, message, len, MSG_NOSIGNAL), len);
}

void rig_answer(const struct rig_question *q, unsigned rcode, const char *address)
{
	uint8_t out[600];

	rig_send(q, out, rig_reply(q, out, sizeof(out), rcode, address));
}

void rig_answers(struct rig_question *q)
{
	char address[] = "192.0.2.1";

	address[8] = (char)('1' + (q->server - q->server->rig->servers));
	rig_answer(q, DNS_NOERROR, address);
}

void rig_is_silent(__attribute__((unused)) struct rig_question *q)
{
}

void rig_truncates(struct rig_question *q)
{
	uint8_t out[600];
	size_t len = rig_reply(q, out, sizeof(out), DNS_NOERROR, NULL);

	if (q->connection >= 0) {
		rig_answers(q);
		return;
	}
	out[2] |= 0x02; /* TC */
	rig_send(q, out, len);
}

void rig_fails(struct rig_question *q)
{
	rig_answer(q, DNS_SERVFAIL, NULL);
}

void rig_refuses(struct rig_question *q)
{
	rig_answer(q, DNS_REFUSED, NULL);
}
