/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ONC RPC messages (RFC 5531) and XDR (RFC 4506) over libtirpc's primitives, in two streams that
 * neither allocate nor leave their message: the input ends with the last byte received, the output
 * with the room of the reply, which it has grown where that can be.
 */
#ifndef RPCBIND_RPCMSG_H
#define RPCBIND_RPCMSG_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <rpc/types.h>
#include <rpc/xdr.h>
#include <rpc/auth.h>
#include <rpc/rpc_msg.h>

#include "proc.h"

struct rpcmsg_in {
	XDR xdr;
	const uint8_t *msg;
	size_t len;
};

struct rpcmsg_out {
	XDR xdr;
	struct proc_reply *reply;
	bool failed; /* something did not fit; all that follows fails, too */
};

/* The header of a call. */
struct rpcmsg_call {
	uint32_t xid, prog, vers, proc;
	const uint8_t *cred; /* the credential as encoded, flavour first; into the message */
	size_t cred_len;
};

enum rpcmsg_status {
	RPCMSG_OK,
	RPCMSG_DROP,     /* not a call, or cut before its arguments */
	RPCMSG_MISMATCH, /* not RPC version 2; only the xid is set */
	RPCMSG_DENIED,   /* *why says why; only the xid is set */
};

void rpcmsg_in_init(struct rpcmsg_in *in, const void *msg, size_t len);

/* Reads a call up to its arguments, and judges the credential. */
enum rpcmsg_status rpcmsg_get_call(
	struct rpcmsg_in *in, struct rpcmsg_call *call, enum auth_stat *why);

/* Reads a reply that was accepted up to what follows its status. False: none, or cut. */
bool rpcmsg_get_accepted(struct rpcmsg_in *in, uint32_t *stat);

/* All of these: false when the message ends too early. */
bool rpcmsg_get_u32(struct rpcmsg_in *in, uint32_t *value);
bool rpcmsg_get_words(struct rpcmsg_in *in, uint32_t *words, unsigned count);
/* Variable-length opaque data of at most max bytes; data points into the message. */
bool rpcmsg_get_opaque(struct rpcmsg_in *in, size_t max, const uint8_t **data, size_t *len);
/* A string into text; false also when it does not fit with its NUL or has a NUL inside. */
bool rpcmsg_get_string(struct rpcmsg_in *in, char *text, size_t size);
/* What is left of the message. */
void rpcmsg_get_rest(struct rpcmsg_in *in, const uint8_t **data, size_t *len);

/* Starts, or starts again, at the beginning of the reply's room. */
void rpcmsg_out_init(struct rpcmsg_out *out, struct proc_reply *reply);
/* Sets reply->len. False when something did not fit. */
bool rpcmsg_out_done(struct rpcmsg_out *out);

void rpcmsg_put_u32(struct rpcmsg_out *out, uint32_t value);
void rpcmsg_put_string(struct rpcmsg_out *out, const char *text);
/* Variable-length and fixed-length opaque data. */
void rpcmsg_put_opaque(struct rpcmsg_out *out, const void *data, size_t len);
void rpcmsg_put_bytes(struct rpcmsg_out *out, const void *data, size_t len);

/*
 * Long lists are written entry by entry, without a check for each word: rpcmsg_reserve() makes room
 * for exactly size bytes, a multiple of 4, or returns NULL. What is put there must fill them.
 */
uint8_t *rpcmsg_reserve(struct rpcmsg_out *out, size_t size);

/* Inline: a DUMP of all there may be calls these a hundred thousand times. */
static inline size_t rpcmsg_padded(size_t len)
{
	return (len + BYTES_PER_XDR_UNIT - 1) / BYTES_PER_XDR_UNIT * BYTES_PER_XDR_UNIT;
}

/* The room that a string of len bytes takes. */
static inline size_t rpcmsg_string_size(size_t len)
{
	return BYTES_PER_XDR_UNIT + rpcmsg_padded(len);
}

/* Write to reserved room; they return the place behind what they wrote. */
static inline uint8_t *rpcmsg_fill_u32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline uint8_t *rpcmsg_fill_string(uint8_t *at, const char *text, size_t len)
{
	at = rpcmsg_fill_u32(at, (uint32_t)len);
	memcpy(at, text, len);
	memset(at + len, 0, rpcmsg_padded(len) - len);
	return at + rpcmsg_padded(len);
}

/* The headers of replies. After SUCCESS the results follow, after PROG_MISMATCH low and high. */
void rpcmsg_put_accepted(struct rpcmsg_out *out, uint32_t xid, enum accept_stat stat);
void rpcmsg_put_auth_error(struct rpcmsg_out *out, uint32_t xid, enum auth_stat why);
void rpcmsg_put_rpc_mismatch(struct rpcmsg_out *out, uint32_t xid);

#endif
