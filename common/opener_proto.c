/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>

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
	buf_put_u8(w, vs->is_host);
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
	v.is_host = buf_get_u8(r);
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
