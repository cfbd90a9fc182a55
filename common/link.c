/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel.h"
#include "link.h"

#define ADDRESSES_MAX 1024

struct link {
	struct channel *channel;
	struct link_handler handler;
	/* Claims of which the last have not come. */
	uint64_t carrier;
	struct claim *claims;
	size_t claim_count;
};

/* The longest request is a status line. */
struct request {
	struct buf_writer w;
	uint8_t bytes[OPENER_TEXT_MAX + 64];
};

static void begin(struct request *q, enum opener_request type)
{
	buf_writer_init(&q->w, q->bytes, sizeof(q->bytes));
	buf_put_u8(&q->w, type);
}

int link_ready(struct link *link, const char *status)
{
	struct request q;

	begin(&q, OPENER_READY);
	buf_put_str(&q.w, status);
	return channel_send(link->channel, &q.w, NULL, 0);
}

static int send_mask(struct link *link, enum opener_request type, uint64_t vs, uint32_t mask)
{
	struct request q;

	begin(&q, type);
	buf_put_u64(&q.w, vs);
	buf_put_u32(&q.w, mask);
	return channel_send(link->channel, &q.w, NULL, 0);
}

int link_listen(struct link *link, uint64_t vs, uint32_t mask)
{
	return send_mask(link, OPENER_LISTEN, vs, mask);
}

int link_release(struct link *link, uint64_t vs, uint32_t mask)
{
	return send_mask(link, OPENER_RELEASE, vs, mask);
}

int link_rescan(struct link *link)
{
	struct request q;

	begin(&q, OPENER_RESCAN);
	return channel_send(link->channel, &q.w, NULL, 0);
}

int link_commit(struct link *link, uint64_t vs)
{
	struct request q;

	begin(&q, OPENER_COMMIT);
	buf_put_u64(&q.w, vs);
	return channel_send(link->channel, &q.w, NULL, 0);
}

static int send_u32(struct link *link, enum opener_request type, uint32_t value)
{
	struct request q;

	begin(&q, type);
	buf_put_u32(&q.w, value);
	return channel_send(link->channel, &q.w, NULL, 0);
}

int link_set_aside(struct link *link, uint32_t mask)
{
	return send_u32(link, OPENER_SET_ASIDE, mask);
}

int link_reload(struct link *link, uint32_t call)
{
	return send_u32(link, OPENER_RELOAD, call);
}

int link_restart(struct link *link, uint32_t call)
{
	return send_u32(link, OPENER_RESTART, call);
}

int link_addresses(struct link *link, uint32_t call)
{
	return send_u32(link, OPENER_ADDRESSES, call);
}

static int on_config(struct link *link, struct buf_reader *r)
{
	struct ini_doc *doc = ini_doc_new();
	int rc = doc ? opener_get_settings(r, doc) : -ENOMEM;

	if (!rc && !buf_reader_done(r))
		rc = -EPROTO;
	if (!rc)
		link->handler.config(doc, link->handler.arg);
	ini_doc_free(doc);
	return rc;
}

static int on_vs(struct link *link, struct buf_reader *r)
{
	struct ini_doc *doc = ini_doc_new();
	struct opener_vs vs;
	int rc = doc ? opener_get_vs(r, &vs) : -ENOMEM;

	if (!rc)
		rc = opener_get_settings(r, doc);
	if (!rc && !buf_reader_done(r))
		rc = -EPROTO;
	if (!rc)
		link->handler.vs(&vs, doc, link->handler.arg);
	ini_doc_free(doc);
	return rc;
}

/* One socket's part of OPENER_LISTENING. What the table of descriptors had no room for is an error
 * of that socket alone, which will be asked for again. */
static int read_socket(struct channel_message *m, struct link_socket *s, int **owner, size_t *next)
{
	s->error = (int)buf_get_u32(&m->body);
	s->holder = buf_get_str(&m->body, OPENER_TEXT_MAX);
	if (m->body.failed)
		return -EPROTO;
	if (s->error)
		return 0;
	if (*next == m->fd_count) {
		s->error = EMFILE;
		return m->fds_lost ? 0 : -EPROTO;
	}
	*owner = &m->fds[(*next)++];
	s->fd = **owner;
	return 0;
}

static int on_listening(struct link *link, struct channel_message *m)
{
	struct link_socket sockets[OPENER_KIND_COUNT];
	int *owner[OPENER_KIND_COUNT] = {NULL};
	uint64_t id = buf_get_u64(&m->body);
	uint32_t mask = buf_get_u32(&m->body);
	size_t next = 0;
	int rc = 0;

	for (unsigned k = 0; !rc && k < OPENER_KIND_COUNT; k++) {
		sockets[k] = (struct link_socket){-1, EOPNOTSUPP, ""};
		if (mask & (1u << k))
			rc = read_socket(m, &sockets[k], &owner[k], &next);
	}
	if (rc || !buf_reader_done(&m->body) || next != m->fd_count)
		return -EPROTO;
	link->handler.listening(id, mask, sockets, link->handler.arg);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (owner[k])
			*owner[k] = sockets[k].fd;
	return 0;
}

static int on_reloaded(struct link *link, struct buf_reader *r)
{
	uint32_t call = buf_get_u32(r);
	int error = (int)buf_get_u32(r);
	const char *text = buf_get_str(r, OPENER_TEXT_MAX);

	if (!buf_reader_done(r))
		return -EPROTO;
	link->handler.reloaded(call, error, text, link->handler.arg);
	return 0;
}

static int on_addresses(struct link *link, struct buf_reader *r)
{
	const char *text[ADDRESSES_MAX];
	uint32_t call = buf_get_u32(r);
	uint64_t vs = buf_get_u64(r);
	uint32_t count = buf_get_u32(r);

	if (count > ADDRESSES_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < count; i++)
		text[i] = buf_get_str(r, INET6_ADDRSTRLEN + 8);
	if (!buf_reader_done(r))
		return -EPROTO;
	link->handler.addresses(call, vs, text, count, link->handler.arg);
	return 0;
}

static int on_committed(struct link *link, struct buf_reader *r)
{
	uint64_t vs = buf_get_u64(r);
	int error = (int)buf_get_u32(r);

	if (!buf_reader_done(r))
		return -EPROTO;
	link->handler.committed(vs, error, link->handler.arg);
	return 0;
}

static int on_sources(struct link *link, struct buf_reader *r)
{
	struct link_source sources[OPENER_SOURCES_MAX];
	uint64_t vs = buf_get_u64(r);
	uint32_t count = buf_get_u32(r);

	if (count > OPENER_SOURCES_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < count; i++) {
		sources[i].ifindex = buf_get_u32(r);
		const char *text = buf_get_str(r, INET6_ADDRSTRLEN);
		if (!text || inet_pton(AF_INET6, text, &sources[i].addr) != 1)
			return -EPROTO;
	}
	if (!buf_reader_done(r))
		return -EPROTO;
	link->handler.sources(vs, sources, count, link->handler.arg);
	return 0;
}

/* In several messages, with none of another carrier between them. */
static int gather_claims(struct link *link, uint64_t carrier, const struct opener_claims *head,
	struct buf_reader *r)
{
	uint32_t count = buf_get_u32(r);
	struct claim *bigger;
	int rc = 0;

	if (head->first) {
		link->carrier = carrier;
		link->claim_count = 0;
	}
	if (!carrier || carrier != link->carrier || count > OPENER_CLAIMS_MAX - link->claim_count)
		return -EPROTO;
	bigger = reallocarray(link->claims, link->claim_count + count + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	link->claims = bigger;
	for (uint32_t i = 0; !rc && i < count; i++)
		rc = opener_get_claim(r, &link->claims[link->claim_count++]);
	return !rc && !buf_reader_done(r) ? -EPROTO : rc;
}

static int on_claims(struct link *link, struct buf_reader *r)
{
	uint64_t carrier = buf_get_u64(r);
	struct opener_claims head;
	int rc = opener_get_claims(r, &head);

	if (!rc)
		rc = gather_claims(link, carrier, &head, r);
	if (rc || !head.last)
		return rc;
	const struct link_claims claims = {
		head.default_vs, head.rest_vs, link->claims, link->claim_count};
	link->handler.claims(carrier, &claims, link->handler.arg);
	link->carrier = 0;
	free(link->claims);
	link->claims = NULL;
	return 0;
}

static int on_gone(struct link *link, struct buf_reader *r)
{
	uint64_t vs = buf_get_u64(r);

	if (!buf_reader_done(r))
		return -EPROTO;
	link->handler.gone(vs, link->handler.arg);
	return 0;
}

/* The loop has come round to this message: that is the answer. */
static int on_ping(struct link *link, const struct buf_reader *r)
{
	struct request q;

	if (!buf_reader_done(r))
		return -EPROTO;
	begin(&q, OPENER_PONG);
	return channel_send(link->channel, &q.w, NULL, 0);
}

static int dispatch(struct link *link, struct channel_message *m)
{
	switch (buf_get_u8(&m->body)) {
	case OPENER_CONFIG:
		return on_config(link, &m->body);
	case OPENER_VS:
		return on_vs(link, &m->body);
	case OPENER_GONE:
		return on_gone(link, &m->body);
	case OPENER_SYNCED:
		link->handler.synced(link->handler.arg);
		return 0;
	case OPENER_LISTENING:
		return on_listening(link, m);
	case OPENER_RELOADED:
		return on_reloaded(link, &m->body);
	case OPENER_VS_ADDRESSES:
		return on_addresses(link, &m->body);
	case OPENER_COMMITTED:
		return on_committed(link, &m->body);
	case OPENER_PING:
		return on_ping(link, &m->body);
	case OPENER_SOURCES:
		return on_sources(link, &m->body);
	case OPENER_CLAIMS:
		return on_claims(link, &m->body);
	default:
		return -EPROTO;
	}
}

static void on_message(struct channel_message *m, void *arg)
{
	struct link *link = arg;
	int rc = dispatch(link, m);

	if (rc)
		link->handler.closed(rc, link->handler.arg);
}

static void on_closed(int error, void *arg)
{
	struct link *link = arg;

	link->handler.closed(error, link->handler.arg);
}

int link_new(struct link **link, struct loop *loop, int fd, const struct link_handler *handler)
{
	struct link *l = calloc(1, sizeof(*l));
	const struct channel_handler channel_handler = {on_message, on_closed, l};
	struct request q;
	int rc;

	if (!l)
		return -ENOMEM;
	l->handler = *handler;
	rc = channel_new(&l->channel, loop, fd, false, &channel_handler);
	if (rc) {
		free(l);
		return rc;
	}
	begin(&q, OPENER_HELLO);
	buf_put_u32(&q.w, OPENER_VERSION);
	rc = channel_send(l->channel, &q.w, NULL, 0);
	if (rc) {
		link_free(l);
		return rc;
	}
	*link = l;
	return 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	channel_free(link->channel);
	free(link->claims);
	free(link);
}
