/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "opener_proto.h"

/* The longest string of a setting; ini.h refuses longer lines, and paths are shorter. */
#define SETTING_MAX 4096

const char *opener_kind_name(enum opener_kind kind)
{
	static const char *const names[OPENER_KIND_COUNT] = {
		[OPENER_UDP4] = "udp",
		[OPENER_UDP6] = "udp6",
		[OPENER_TCP4] = "tcp",
		[OPENER_TCP6] = "tcp6",
		[OPENER_ABSTRACT] = "abstract socket",
		[OPENER_DIAG] = "sock_diag",
		[OPENER_CALL4] = "udp calls",
		[OPENER_CALL6] = "udp6 calls",
		[OPENER_LOCAL] = "local socket of its own",
		[OPENER_STATE] = "state file",
		[OPENER_STATE_NEW] = "new state file",
		[OPENER_PATH] = "local socket",
		[OPENER_CONTROL] = "control socket",
		[OPENER_WARM] = "rpcbind.xdr",
		[OPENER_WARM_PMAP] = "portmap.xdr",
	};

	return kind < OPENER_KIND_COUNT ? names[kind] : "unknown";
}

void opener_put_vs(struct buf_writer *w, const struct opener_vs *vs)
{
	buf_put_u64(w, vs->id);
	buf_put_u64(w, vs->cookie);
	buf_put_u32(w, vs->flavour);
	buf_put_u32(w, vs->mark);
	buf_put_u8(w, vs->is_host);
	buf_put_u8(w, vs->shares);
	buf_put_u32(w, vs->owner);
	buf_put_u32(w, vs->root);
	buf_put_str(w, vs->name);
	buf_put_u32(w, vs->alias_count);
	for (uint32_t i = 0; i < vs->alias_count; i++)
		buf_put_str(w, vs->alias[i]);
}

int opener_get_vs(struct buf_reader *r, struct opener_vs *vs)
{
	struct opener_vs v = {0};

	v.id = buf_get_u64(r);
	v.cookie = buf_get_u64(r);
	v.flavour = buf_get_u32(r);
	v.mark = buf_get_u32(r);
	v.is_host = buf_get_u8(r);
	v.shares = buf_get_u8(r);
	v.owner = buf_get_u32(r);
	v.root = buf_get_u32(r);
	v.name = buf_get_str(r, VS_NAME_MAX);
	v.alias_count = buf_get_u32(r);
	if (v.alias_count > OPENER_ALIASES_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < v.alias_count; i++)
		v.alias[i] = buf_get_str(r, VS_NAME_MAX);
	if (r->failed || !v.id)
		return -EPROTO;
	*vs = v;
	return 0;
}

void opener_put_claims(struct buf_writer *w, const struct opener_claims *claims)
{
	buf_put_u8(w, claims->first);
	buf_put_u8(w, claims->last);
	buf_put_u64(w, claims->default_vs);
	buf_put_u64(w, claims->rest_vs);
}

int opener_get_claims(struct buf_reader *r, struct opener_claims *claims)
{
	struct opener_claims c = {0};

	c.first = buf_get_u8(r);
	c.last = buf_get_u8(r);
	c.default_vs = buf_get_u64(r);
	c.rest_vs = buf_get_u64(r);
	if (r->failed)
		return -EPROTO;
	*claims = c;
	return 0;
}

void opener_put_claim(struct buf_writer *w, const struct claim *claim)
{
	uint64_t words[2];

	memcpy(words, claim->prefix.bytes, sizeof(words));
	buf_put_u64(w, claim->owner);
	buf_put_u8(w, claim->kind);
	buf_put_u32(w, claim->ifindex);
	buf_put_u8(w, claim->prefix.family);
	buf_put_u8(w, claim->prefix.length);
	buf_put_u64(w, words[0]);
	buf_put_u64(w, words[1]);
}

int opener_get_claim(struct buf_reader *r, struct claim *claim)
{
	struct claim c = {.owner = buf_get_u64(r)};
	uint64_t words[2];

	c.kind = buf_get_u8(r);
	c.ifindex = buf_get_u32(r);
	c.prefix.family = buf_get_u8(r);
	c.prefix.length = buf_get_u8(r);
	words[0] = buf_get_u64(r);
	words[1] = buf_get_u64(r);
	memcpy(c.prefix.bytes, words, sizeof(words));
	if (r->failed)
		return -EPROTO;
	*claim = c;
	return 0;
}

void opener_put_settings(struct buf_writer *w, const struct ini_doc *doc)
{
	size_t count = ini_doc_count(doc);

	buf_put_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		const struct ini_setting *s = ini_doc_get(doc, i);
		buf_put_str(w, s->section);
		buf_put_str(w, s->key);
		buf_put_str(w, s->value);
		buf_put_str(w, s->file);
		buf_put_u32(w, s->line);
	}
}

int opener_get_settings(struct buf_reader *r, struct ini_doc *doc)
{
	uint32_t count = buf_get_u32(r);

	for (uint32_t i = 0; i < count && !r->failed; i++) {
		struct ini_setting s;
		s.section = buf_get_str(r, SETTING_MAX);
		s.key = buf_get_str(r, SETTING_MAX);
		s.value = buf_get_str(r, SETTING_MAX);
		s.file = buf_get_str(r, SETTING_MAX);
		s.line = buf_get_u32(r);
		int rc = r->failed ? -EPROTO : ini_doc_add(doc, &s);
		if (rc)
			return rc;
	}
	return r->failed ? -EPROTO : 0;
}
