/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "crc32.h"
#include "journal_record.h"

#define HEAD_SIZE (2 * sizeof(uint32_t))
#define BODY_MAX (JOURNAL_RECORD_MAX - HEAD_SIZE)

/* How the family of a host part is written; the numbers of the C library are not ours. */
enum { HOST_ANY = 0, HOST_LOCAL = 1, HOST_IPV4 = 4, HOST_IPV6 = 6 };

static uint32_t checksum(uint32_t len, const void *body)
{
	return crc32_add(crc32_add(0, &len, sizeof(len)), body, len);
}

static void put_host(struct buf_writer *w, const struct uaddr *host)
{
	uint64_t word[2] = {0, 0};
	uint8_t family = HOST_ANY;

	if (host) {
		family = host->family == AF_INET    ? HOST_IPV4
			 : host->family == AF_INET6 ? HOST_IPV6
						    : HOST_LOCAL;
		memcpy(word, host->addr, sizeof(word));
	}
	buf_put_u8(w, family);
	buf_put_u64(w, word[0]);
	buf_put_u64(w, word[1]);
}

static void put_body(struct buf_writer *w, const struct regs_change *change)
{
	buf_put_u8(w, (uint8_t)change->kind);
	buf_put_u32(w, change->prog);
	buf_put_u32(w, change->vers);
	buf_put_u32(w, change->netids);
	if (change->kind == REGS_SET) {
		buf_put_u8(w, change->owner.superuser);
		buf_put_u32(w, change->owner.superuser ? 0 : change->owner.uid);
		buf_put_str(w, change->text);
	} else {
		put_host(w, change->host);
	}
}

void journal_put(struct buf_writer *w, const struct regs_change *change)
{
	size_t start = w->len;
	struct buf_writer head;
	uint32_t len;

	buf_put_u32(w, 0);
	buf_put_u32(w, 0);
	put_body(w, change);
	if (w->failed)
		return;
	len = (uint32_t)(w->len - start - HEAD_SIZE);
	buf_writer_init(&head, w->base + start, HEAD_SIZE);
	buf_put_u32(&head, len);
	buf_put_u32(&head, checksum(len, w->base + start + HEAD_SIZE));
}

void journal_put_all(struct buf_writer *w, const struct regs *regs)
{
	const struct regs_entry *e = NULL;

	while ((e = regs_next(regs, e))) {
		const struct regs_change change = {REGS_SET, e->prog, e->vers, NETID_BIT(e->netid),
			e->text, e->owner, NULL};
		if (!e->builtin)
			journal_put(w, &change);
	}
}

/* False: no such family. *is_any: there is no host part. */
static bool get_host(struct buf_reader *r, struct uaddr *host, bool *is_any)
{
	uint8_t family = buf_get_u8(r);
	uint64_t word[2];

	word[0] = buf_get_u64(r);
	word[1] = buf_get_u64(r);
	*host = (struct uaddr){.family = AF_UNIX};
	memcpy(host->addr, word, sizeof(word));
	*is_any = family == HOST_ANY;
	if (family == HOST_IPV4)
		host->family = AF_INET;
	else if (family == HOST_IPV6)
		host->family = AF_INET6;
	return family == HOST_ANY || family == HOST_LOCAL || family == HOST_IPV4 ||
	       family == HOST_IPV6;
}

static int apply_body(struct buf_reader *r, struct regs *regs)
{
	struct regs_change change = {.kind = (enum regs_change_kind)buf_get_u8(r)};
	struct uaddr host;
	bool good = true, is_any = true;

	change.prog = buf_get_u32(r);
	change.vers = buf_get_u32(r);
	change.netids = buf_get_u32(r);
	if (change.kind == REGS_SET) {
		change.owner.superuser = buf_get_u8(r) != 0;
		change.owner.uid = buf_get_u32(r);
		change.text = buf_get_str(r, UADDR_MAX - 1);
	} else {
		good = get_host(r, &host, &is_any);
		change.host = is_any ? NULL : &host;
	}
	if (!good || !buf_reader_done(r))
		return -EPROTO;
	return regs_apply(regs, &change);
}

/* NULL: *rc is 0 and the record was applied, or *rc is -ENOMEM. Else why it is none. */
static const char *apply_record(struct buf_reader *r, struct regs *regs, int *rc)
{
	uint32_t len = buf_get_u32(r), crc = buf_get_u32(r);
	struct buf_reader body;

	if (r->failed)
		return "half a record";
	if (len > BODY_MAX)
		return "a record too long";
	if (len > r->left)
		return "half a record";
	if (checksum(len, r->p) != crc)
		return "a wrong checksum";
	buf_reader_init(&body, r->p, len);
	r->p += len;
	r->left -= len;
	*rc = apply_body(&body, regs);
	if (!*rc || *rc == -ENOMEM)
		return NULL;
	return *rc == -EPROTO ? "no lawful record" : "a record that cannot have been";
}

static const char *check_header(struct buf_reader *r, const struct state_id *id)
{
	struct state_id got;

	if (state_get_header(r, &got))
		return "a damaged or unknown header";
	if (got.boot[0] != id->boot[0] || got.boot[1] != id->boot[1])
		return "the header of another boot";
	if (got.cookie != id->cookie)
		return "the header of another namespace";
	return strcmp(got.name, id->name ? id->name : "") ? "the header of another virtual server"
							  : NULL;
}

int journal_replay(const void *data, size_t len, const struct state_id *id, struct regs *regs,
	struct journal_end *end)
{
	const char *why = NULL;
	struct buf_reader r;
	size_t good = 0;
	int rc = 0;

	buf_reader_init(&r, data, len);
	if (len)
		why = check_header(&r, id);
	while (!why && (good = len - r.left) < len) {
		why = apply_record(&r, regs, &rc);
		if (rc == -ENOMEM)
			return rc;
	}
	*end = (struct journal_end){good, why};
	return 0;
}
