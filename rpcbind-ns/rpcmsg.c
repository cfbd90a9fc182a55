/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "rpcmsg.h"

/* Far above any message there is, and what XDR's 32-bit positions can count. */
#define MSG_MAX ((size_t)1 << 30)
/* Nothing shorter is answered, whatever it says; the same as in stock. */
#define MSG_MIN 16

/* RFC 5531 appendix A. */
enum { MACHINE_NAME_MAX = 255, GIDS_MAX = 16 };

void rpcmsg_in_init(struct rpcmsg_in *in, const void *msg, size_t len)
{
	in->msg = msg;
	in->len = len < MSG_MAX ? len : MSG_MAX;
	/* A decoding stream does not write; going through an integer says that we know. */
	xdrmem_create(&in->xdr, (char *)(uintptr_t)msg, (u_int)in->len, XDR_DECODE);
}

/* Of XDR's ways to a word the one with the fewest calls. */
bool rpcmsg_get_u32(struct rpcmsg_in *in, uint32_t *value)
{
	int32_t word;

	if (!XDR_GETINT32(&in->xdr, &word))
		return false;
	*value = (uint32_t)word;
	return true;
}

/* XDR_INLINE is for what is aligned in memory, which messages almost always are. */
bool rpcmsg_get_words(struct rpcmsg_in *in, uint32_t *words, unsigned count)
{
	const int32_t *p = XDR_INLINE(&in->xdr, count * BYTES_PER_XDR_UNIT);
	bool ok = true;

	for (unsigned i = 0; ok && i < count; i++) {
		if (p)
			words[i] = IXDR_GET_U_INT32(p);
		else
			ok = rpcmsg_get_u32(in, &words[i]);
	}
	return ok;
}

/* The next len bytes and their padding. */
static bool get_bytes(struct rpcmsg_in *in, size_t len, const uint8_t **data)
{
	const void *inside;
	u_int at;

	if (len > in->len)
		return false;
	inside = XDR_INLINE(&in->xdr, (u_int)rpcmsg_padded(len));
	if (inside) {
		*data = inside;
		return true;
	}
	at = XDR_GETPOS(&in->xdr);
	if (!XDR_SETPOS(&in->xdr, at + (u_int)rpcmsg_padded(len)))
		return false;
	*data = in->msg + at;
	return true;
}

bool rpcmsg_get_opaque(struct rpcmsg_in *in, size_t max, const uint8_t **data, size_t *len)
{
	uint32_t size;

	if (!rpcmsg_get_u32(in, &size) || size > max || !get_bytes(in, size, data))
		return false;
	*len = size;
	return true;
}

bool rpcmsg_get_string(struct rpcmsg_in *in, char *text, size_t size)
{
	const uint8_t *data;
	size_t len;

	if (!rpcmsg_get_opaque(in, size - 1, &data, &len) || memchr(data, '\0', len))
		return false;
	memcpy(text, data, len);
	text[len] = '\0';
	return true;
}

void rpcmsg_get_rest(struct rpcmsg_in *in, const uint8_t **data, size_t *len)
{
	u_int at = XDR_GETPOS(&in->xdr);

	*data = in->msg + at;
	*len = in->len - at;
}

/* RFC 5531 appendix A: stamp, machine name, uid, gid, gids; what may follow is let be. */
static bool auth_sys_ok(const uint8_t *body, size_t len)
{
	struct rpcmsg_in in;
	uint32_t word, gids;
	const uint8_t *name;
	size_t name_len;

	rpcmsg_in_init(&in, body, len);
	if (!rpcmsg_get_u32(&in, &word) ||
		!rpcmsg_get_opaque(&in, MACHINE_NAME_MAX, &name, &name_len) ||
		!rpcmsg_get_u32(&in, &word) || !rpcmsg_get_u32(&in, &word) ||
		!rpcmsg_get_u32(&in, &gids) || gids > GIDS_MAX)
		return false;
	while (gids-- > 0) {
		if (!rpcmsg_get_u32(&in, &word))
			return false;
	}
	return true;
}

/*
 * Stock's answers: DES and GSS are known but never get as far as a session here; AUTH_SHORT
 * was never given out; RPC-with-TLS (7) is not offered, and the answer to its probe says so.
 */
static enum auth_stat judge(uint32_t flavour, const uint8_t *body, size_t len)
{
	switch (flavour) {
	case AUTH_NONE:
		return AUTH_OK;
	case AUTH_SYS:
		return auth_sys_ok(body, len) ? AUTH_OK : AUTH_BADCRED;
	case AUTH_DES:
	case RPCSEC_GSS:
		return AUTH_FAILED;
	default:
		return AUTH_REJECTEDCRED;
	}
}

/*
 * A credential or verifier. One longer than 400 bytes (RFC 5531 section 8.2) is said to be bad
 * without a look at what follows; stock says nothing then, and its client waits.
 */
static enum rpcmsg_status get_auth(
	struct rpcmsg_in *in, uint32_t *flavour, const uint8_t **body, size_t *len)
{
	uint32_t words[2];

	if (!rpcmsg_get_words(in, words, 2))
		return RPCMSG_DROP;
	if (words[1] > MAX_AUTH_BYTES)
		return RPCMSG_DENIED;
	*flavour = words[0];
	*len = words[1];
	return get_bytes(in, *len, body) ? RPCMSG_OK : RPCMSG_DROP;
}

enum rpcmsg_status rpcmsg_get_call(
	struct rpcmsg_in *in, struct rpcmsg_call *call, enum auth_stat *why)
{
	enum { XID, DIRECTION, RPCVERS, PROG = 0, VERS, PROC };
	uint32_t words[3], flavour, verf_flavour;
	enum rpcmsg_status status;
	const uint8_t *cred, *verf;
	size_t cred_len, verf_len;

	if (in->len < MSG_MIN || !rpcmsg_get_words(in, words, 3) || words[DIRECTION] != CALL)
		return RPCMSG_DROP;
	call->xid = words[XID];
	if (words[RPCVERS] != RPC_MSG_VERSION)
		return RPCMSG_MISMATCH;
	if (!rpcmsg_get_words(in, words, 3))
		return RPCMSG_DROP;
	call->prog = words[PROG];
	call->vers = words[VERS];
	call->proc = words[PROC];
	call->cred = in->msg + XDR_GETPOS(&in->xdr);
	*why = AUTH_BADCRED;
	status = get_auth(in, &flavour, &cred, &cred_len);
	if (status != RPCMSG_OK)
		return status;
	call->cred_len = 2 * BYTES_PER_XDR_UNIT + rpcmsg_padded(cred_len);
	*why = AUTH_BADVERF;
	status = get_auth(in, &verf_flavour, &verf, &verf_len);
	if (status != RPCMSG_OK)
		return status;
	*why = judge(flavour, cred, cred_len);
	return *why == AUTH_OK ? RPCMSG_OK : RPCMSG_DENIED;
}

bool rpcmsg_get_accepted(struct rpcmsg_in *in, uint32_t *stat)
{
	uint32_t xid, direction, reply_stat, flavour;
	const uint8_t *verf;
	size_t verf_len;

	return rpcmsg_get_u32(in, &xid) && rpcmsg_get_u32(in, &direction) && direction == REPLY &&
	       rpcmsg_get_u32(in, &reply_stat) && reply_stat == MSG_ACCEPTED &&
	       get_auth(in, &flavour, &verf, &verf_len) == RPCMSG_OK && rpcmsg_get_u32(in, stat);
}

static void out_create(struct rpcmsg_out *out, u_int at)
{
	size_t size = out->reply->size < MSG_MAX ? out->reply->size : MSG_MAX;

	xdrmem_create(&out->xdr, (char *)out->reply->data, (u_int)size, XDR_ENCODE);
	XDR_SETPOS(&out->xdr, at);
}

void rpcmsg_out_init(struct rpcmsg_out *out, struct proc_reply *reply)
{
	out->reply = reply;
	out->failed = false;
	out_create(out, 0);
}

bool rpcmsg_out_done(struct rpcmsg_out *out)
{
	if (out->failed)
		return false;
	out->reply->len = XDR_GETPOS(&out->xdr);
	return true;
}

/* Sees to it that size more bytes fit. Growing by doubling keeps a long list linear. */
static bool room(struct rpcmsg_out *out, size_t size)
{
	struct proc_reply *reply = out->reply;
	u_int at = XDR_GETPOS(&out->xdr);
	size_t need = at + size, want = reply->size * 2;

	if (out->failed)
		return false;
	if (need <= reply->size)
		return true;
	if (want > reply->limit)
		want = reply->limit;
	if (want < need)
		want = need;
	if (!reply->grow || want > reply->limit || want > MSG_MAX || reply->grow(reply, want) < 0) {
		out->failed = true;
		return false;
	}
	out_create(out, at);
	return true;
}

void rpcmsg_put_u32(struct rpcmsg_out *out, uint32_t value)
{
	int32_t word = (int32_t)value;

	if (room(out, BYTES_PER_XDR_UNIT) && !XDR_PUTINT32(&out->xdr, &word))
		out->failed = true;
}

void rpcmsg_put_bytes(struct rpcmsg_out *out, const void *data, size_t len)
{
	if (len > MSG_MAX) {
		out->failed = true;
		return;
	}
	if (room(out, rpcmsg_padded(len)) && !xdr_opaque(&out->xdr, (char *)(uintptr_t)data, (u_int)len))
		out->failed = true;
}

void rpcmsg_put_opaque(struct rpcmsg_out *out, const void *data, size_t len)
{
	rpcmsg_put_u32(out, (uint32_t)len);
	rpcmsg_put_bytes(out, data, len);
}

void rpcmsg_put_string(struct rpcmsg_out *out, const char *text)
{
	size_t len = strlen(text);
	uint8_t *p = len < MSG_MAX ? rpcmsg_reserve(out, rpcmsg_string_size(len)) : NULL;

	if (p)
		rpcmsg_fill_string(p, text, len);
	else
		out->failed = true;
}

uint8_t *rpcmsg_reserve(struct rpcmsg_out *out, size_t size)
{
	u_int at = XDR_GETPOS(&out->xdr);

	if (size > MSG_MAX || !room(out, size)) {
		out->failed = true;
		return NULL;
	}
	XDR_SETPOS(&out->xdr, at + (u_int)size);
	return out->reply->data + at;
}

void rpcmsg_put_accepted(struct rpcmsg_out *out, uint32_t xid, enum accept_stat stat)
{
	const uint32_t words[] = {xid, REPLY, MSG_ACCEPTED, AUTH_NONE, 0, stat};
	uint8_t *p = rpcmsg_reserve(out, sizeof(words));

	for (size_t i = 0; p && i < sizeof(words) / sizeof(words[0]); i++)
		p = rpcmsg_fill_u32(p, words[i]);
}

static void put_denied(struct rpcmsg_out *out, uint32_t xid, enum reject_stat stat)
{
	rpcmsg_put_u32(out, xid);
	rpcmsg_put_u32(out, REPLY);
	rpcmsg_put_u32(out, MSG_DENIED);
	rpcmsg_put_u32(out, stat);
}

void rpcmsg_put_auth_error(struct rpcmsg_out *out, uint32_t xid, enum auth_stat why)
{
	put_denied(out, xid, AUTH_ERROR);
	rpcmsg_put_u32(out, why);
}

void rpcmsg_put_rpc_mismatch(struct rpcmsg_out *out, uint32_t xid)
{
	put_denied(out, xid, RPC_MISMATCH);
	rpcmsg_put_u32(out, RPC_MSG_VERSION);
	rpcmsg_put_u32(out, RPC_MSG_VERSION);
}
