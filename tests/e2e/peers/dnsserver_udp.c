/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "dnsserver.h"
#include "peer.h"

#define BATCH 64
#define SLOT 1500
#define OLD_LIMIT 512    /* without EDNS, RFC 1035 section 4.2.1 */
#define UDP_LIMIT 1232
#define OVER_LIMIT 9000  /* far more than the client takes */
#define PERCENT(s) (random_next(s) % 100)

struct slot {
	union address from;
	struct iovec iov;
	uint8_t data[SLOT];
};

/* xorshift64 */
uint64_t random_next(struct server *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random >> 16;
}

/* ---- what waits for its time */

void later_add(struct server *s, struct port *port, const union address *to, const uint8_t *data,
	size_t len, unsigned delay_ms)
{
	struct later *l, *before;

	if (s->later_count >= LATER_MAX || !(l = malloc(sizeof(*l) + len)))
		return; /* as if it had been lost */
	*l = (struct later){ .due = peer_now() + delay_ms * UINT64_C(1000000), .port = port,
			     .len = len };
	if (to)
		l->to = *to;
	memcpy(l->data, data, len);
	s->later_count++;
	TAILQ_FOREACH_REVERSE(before, &s->later, later_list, link)
		if (before->due <= l->due)
			break;
	if (before)
		TAILQ_INSERT_AFTER(&s->later, before, l, link);
	else
		TAILQ_INSERT_HEAD(&s->later, l, link);
}

static void later_free(struct server *s, struct later *l)
{
	TAILQ_REMOVE(&s->later, l, link);
	s->later_count--;
	free(l);
}

void later_forget(struct server *s, const struct port *port)
{
	struct later *l, *next;

	for (l = TAILQ_FIRST(&s->later); l; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->port == port)
			later_free(s, l);
	}
}

int later_run(struct server *s)
{
	struct later *l;
	uint64_t now = peer_now();

	while ((l = TAILQ_FIRST(&s->later)) && l->due <= now) {
		if (l->port->kind == KIND_UDP) {
			sendto(l->port->fd, l->data, l->len, MSG_DONTWAIT | MSG_NOSIGNAL, &l->to.sa,
				sizeof(l->to));
			later_free(s, l);
			continue;
		}
		/* What comes of it may close the connection, and forget others of it. */
		TAILQ_REMOVE(&s->later, l, link);
		s->later_count--;
		if (l->len)
			tcp_send(s, (struct conn *)(void *)l->port, l->data, l->len);
		else
			tcp_push(s, (struct conn *)(void *)l->port);
		free(l);
	}
	if (!l)
		return -1;
	return (int)((l->due - now) / 1000000) + 1;
}

/* ---- what is to be done */

void note_question(struct server *s, const struct port *port, const struct zone_question *q,
	const union address *from, bool is_udp)
{
	const uint8_t *p = q->lower;
	/* The port is at the same place for both families. */
	unsigned sport = from ? ntohs(from->in4.sin_port) : 0;

	fprintf(s->log, "%u.%u %s %u %u %u ", port->site->number, port->index,
		is_udp ? "udp" : "tcp", sport, q->id, q->type);
	for (; *p; p += *p + 1)
		for (unsigned i = 1; i <= *p + 1U; i++)
			fputc(i > *p ? '.' : p[i] > ' ' && p[i] < 127 ? p[i] : '?', s->log);
	fputc('\n', s->log);
}

/* How often the question has come before. */
static unsigned count_seen(struct server *s, const struct port *port, const struct zone_question *q)
{
	uint64_t h = q->hash ^ (uint64_t)q->type << 40 ^ (uint64_t)port->site->number << 20 ^
		(uint64_t)port->index << 10;
	uint8_t *seen = &s->seen[(h * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SEEN];

	return *seen < 255 ? (*seen)++ : *seen;
}

enum verdict judge(struct server *s, const struct port *port, const struct zone_question *q,
	struct zone_plan *plan, bool is_udp)
{
	const struct zone_plan defaults = { .ttl = s->ttl, .minimum = s->ttl, .many = 1,
					    .targets = 2 };
	const struct site *site = port->site;
	unsigned seen = 0;

	*plan = defaults;
	if (s->words)
		zone_plan_text(plan, s->words, q->type, port->index);
	if (site->words)
		zone_plan_text(plan, site->words, q->type, port->index);
	zone_plan(plan, q->lower, q->type, port->index);
	if (plan->drop_first || zone_says(plan, ZONE_FIRST))
		seen = count_seen(s, port, q);
	if (zone_says(plan, ZONE_FIRST) && seen)
		*plan = defaults;
	if (zone_says(plan, ZONE_DROP) || (is_udp && seen < plan->drop_first) ||
	    (is_udp && site->drop_percent && PERCENT(s) < site->drop_percent)) {
		s->dropped++;
		return VERDICT_SILENT;
	}
	if (is_udp && site->tc_percent && PERCENT(s) < site->tc_percent)
		plan->words |= UINT64_C(1) << ZONE_TC;
	return plan->words || plan->delay_ms ? VERDICT_SPECIAL : VERDICT_ANSWER;
}

size_t compose(struct server *s, const struct port *port, const struct zone_question *q,
	const struct zone_plan *plan, size_t limit)
{
	return answer_write(s->scratch, limit, q, plan, port->site->as);
}

/* ---- UDP */

static size_t udp_limit(const struct zone_question *q, const struct zone_plan *plan)
{
	if (zone_says(plan, ZONE_OVER))
		return OVER_LIMIT;
	if (!q->has_opt)
		return OLD_LIMIT;
	return q->udp_size < UDP_LIMIT ? q->udp_size : UDP_LIMIT;
}

static bool is_truncated(const struct zone_plan *plan)
{
	return zone_says(plan, ZONE_TC) || zone_says(plan, ZONE_TCPCLOSE) ||
		zone_says(plan, ZONE_TCPDRIP) || zone_says(plan, ZONE_TCPCUT) ||
		zone_says(plan, ZONE_TCPMUTE);
}

static void send_one(struct port *port, const union address *to, const uint8_t *data, size_t len)
{
	/* The kernel takes of the address what its family has. */
	sendto(port->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, sizeof(*to));
}

/* What somebody sends who has seen a part of the query, before the server's own answer. */
static void send_forged(struct server *s, struct port *port, const union address *to,
	const struct zone_question *q)
{
	struct zone_question other = *q;
	size_t len = answer_forged(s->scratch, q);

	/* From elsewhere; with another id; of another question. */
	sendto(port->forge_fd, s->scratch, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, sizeof(*to));
	s->scratch[0] ^= 0x55;
	send_one(port, to, s->scratch, len);
	if (other.name[0])
		other.name[1] = other.name[1] == 'x' ? 'y' : 'x';
	len = answer_forged(s->scratch, &other);
	send_one(port, to, s->scratch, len);
}

/* A server from before EDNS: FORMERR, which may leave out the question (RFC 6891 section 7). */
static size_t formerr(struct server *s, const struct zone_question *q, const struct zone_plan *plan)
{
	struct zone_question plain = *q;
	size_t len;

	plain.has_opt = false;
	len = answer_bare(s->scratch, &plain, 1, false);
	if (!zone_says(plan, ZONE_OLD))
		return len;
	s->scratch[5] = 0;
	return 12;
}

static void answer_special(struct server *s, struct port *port, const union address *to,
	const struct zone_question *q, const struct zone_plan *plan)
{
	size_t len;

	if (zone_says(plan, ZONE_FORGE))
		send_forged(s, port, to, q);
	if (q->has_opt && (zone_says(plan, ZONE_NOEDNS) || zone_says(plan, ZONE_OLD)))
		len = formerr(s, q, plan);
	else if (is_truncated(plan))
		len = answer_bare(s->scratch, q, 0, true);
	else
		len = compose(s, port, q, plan, udp_limit(q, plan));
	s->truncated += (s->scratch[2] & 2) != 0;
	if (answer_spoil(s->scratch, &len, q, plan) && zone_says(plan, ZONE_THEN)) {
		send_one(port, to, s->scratch, len);
		len = compose(s, port, q, plan, udp_limit(q, plan));
	}
	if (plan->delay_ms) {
		later_add(s, port, to, s->scratch, len, plan->delay_ms);
		return;
	}
	send_one(port, to, s->scratch, len);
	if (zone_says(plan, ZONE_TWICE))
		send_one(port, to, s->scratch, len);
}

/* The answer is put in the slot, for all to be sent at once. False: there is none to send so. */
static bool answer_slot(struct server *s, struct port *port, struct slot *slot, size_t len)
{
	struct zone_question q;
	struct zone_plan plan;
	enum verdict verdict;
	size_t n;

	if (!zone_read(&q, slot->data, len)) {
		s->ignored++;
		return false;
	}
	s->udp++;
	if (s->log)
		note_question(s, port, &q, &slot->from, true);
	verdict = judge(s, port, &q, &plan, true);
	if (verdict == VERDICT_SPECIAL)
		answer_special(s, port, &slot->from, &q, &plan);
	if (verdict != VERDICT_ANSWER)
		return false;
	n = compose(s, port, &q, &plan, udp_limit(&q, &plan));
	s->truncated += (s->scratch[2] & 2) != 0;
	memcpy(slot->data, s->scratch, n);
	slot->iov.iov_len = n;
	return true;
}

void udp_input(struct server *s, struct port *port)
{
	static struct slot slots[BATCH];
	static struct mmsghdr in[BATCH], out[BATCH];
	unsigned ready = 0;
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		slots[i].iov = (struct iovec){ slots[i].data, SLOT };
		in[i].msg_hdr = (struct msghdr){ .msg_name = &slots[i].from,
						 .msg_namelen = sizeof(slots[i].from),
						 .msg_iov = &slots[i].iov,
						 .msg_iovlen = 1 };
	}
	n = recvmmsg(port->fd, in, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		if (answer_slot(s, port, &slots[i], in[i].msg_len))
			out[ready++] = in[i];
	for (unsigned done = 0; done < ready;) {
		int sent = sendmmsg(port->fd, out + done, ready - done,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		done += sent > 0 ? (unsigned)sent : 1;
	}
}
