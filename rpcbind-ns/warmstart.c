/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "rpcmsg.h"
#include "warmstart.h"

/* RPC_MAXDATASIZE, which no string in stock is longer than. */
#define STRING_MAX 9000

/* False where the text had to be changed. */
static bool take_text(const uint8_t *data, size_t len, char *text, size_t size)
{
	size_t n = len < size ? len : size - 1;
	bool same = n == len;

	for (size_t i = 0; i < n; i++) {
		bool printable = data[i] >= ' ' && data[i] <= '~';

		text[i] = printable ? (char)data[i] : '?';
		same = same && printable;
	}
	text[n] = '\0';
	return same;
}

static bool get_text(struct rpcmsg_in *in, char *text, size_t size, bool *same)
{
	const uint8_t *data;
	size_t len;

	if (!rpcmsg_get_opaque(in, STRING_MAX, &data, &len))
		return false;
	*same = take_text(data, len, text, size);
	return true;
}

static bool get_rpcb(struct rpcmsg_in *in, struct warmstart_entry *e)
{
	bool netid, addr, owner;

	if (!rpcmsg_get_u32(in, &e->prog) || !rpcmsg_get_u32(in, &e->vers) ||
		!get_text(in, e->netid, sizeof(e->netid), &netid) ||
		!get_text(in, e->addr, sizeof(e->addr), &addr) ||
		!get_text(in, e->owner, sizeof(e->owner), &owner))
		return false;
	e->mangled = !netid || !addr;
	if (!owner)
		snprintf(e->owner, sizeof(e->owner), "unknown");
	return true;
}

static bool get_pmap(struct rpcmsg_in *in, struct warmstart_entry *e)
{
	uint32_t prot;

	if (!rpcmsg_get_u32(in, &e->prog) || !rpcmsg_get_u32(in, &e->vers) ||
		!rpcmsg_get_u32(in, &prot) || !rpcmsg_get_u32(in, &e->port))
		return false;
	if (prot == IPPROTO_TCP || prot == IPPROTO_UDP)
		snprintf(e->netid, sizeof(e->netid), prot == IPPROTO_TCP ? "tcp" : "udp");
	else
		snprintf(e->netid, sizeof(e->netid), "%u", prot);
	snprintf(e->owner, sizeof(e->owner), "unknown");
	e->port_only = true;
	return true;
}

static bool at_end(struct rpcmsg_in *in)
{
	const uint8_t *data;
	size_t len;

	rpcmsg_get_rest(in, &data, &len);
	return len == 0;
}

int warmstart_read(enum warmstart_kind kind, const void *data, size_t len, warmstart_fn *fn,
	void *arg, size_t *offset)
{
	struct rpcmsg_in in;
	uint32_t more;
	size_t start = 0;
	int rc = 0;

	rpcmsg_in_init(&in, data, len);
	for (; !rc; start = XDR_GETPOS(&in.xdr)) {
		struct warmstart_entry e = {0};

		if (!rpcmsg_get_u32(&in, &more) || more > 1)
			break;
		if (!more) {
			start += BYTES_PER_XDR_UNIT;
			if (!at_end(&in))
				break;
			return 0;
		}
		if (!(kind == WARMSTART_PMAP ? get_pmap(&in, &e) : get_rpcb(&in, &e)))
			break;
		rc = fn ? fn(&e, arg) : 0;
	}
	if (rc)
		return rc;
	*offset = start;
	return -EBADMSG;
}

enum warmstart_kind warmstart_guess(const void *data, size_t len, const char *name)
{
	size_t offset;

	if (warmstart_read(WARMSTART_RPCB, data, len, NULL, NULL, &offset) == 0)
		return WARMSTART_RPCB;
	if (warmstart_read(WARMSTART_PMAP, data, len, NULL, NULL, &offset) == 0)
		return WARMSTART_PMAP;
	return strstr(name, "portmap") ? WARMSTART_PMAP : WARMSTART_RPCB;
}
