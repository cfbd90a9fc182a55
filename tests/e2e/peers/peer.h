/* SPDX-License-Identifier: BSD-3-Clause */
/* What the test peers share: blocking connections to a portmapper, and bare RPC messages. */
#ifndef NSAUX_TESTS_PEER_H
#define NSAUX_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PEER_MAX 70000          /* the longest message sent */
#define PEER_REPLY_MAX 4000000  /* the longest reply taken */
#define PEER_CALL_SIZE 40       /* a call without arguments or credentials */

struct peer {
	int fd;
	bool stream; /* with record marks */
	struct sockaddr_storage to; /* where an unconnected socket sends to */
	socklen_t to_len;           /* 0: it is connected */
	struct sockaddr_storage from; /* who sent the last datagram */
	socklen_t from_len;
};

struct peer_source {
	const char *host; /* numeric address to send from, or NULL */
	uint16_t port;    /* 0: any */
	bool unconnected; /* UDP: never connect() */
};

/* The number of words that name a target ("udp HOST PORT", "unix PATH", ...); 0: none does. */
int peer_target_words(const char *const *target);
int peer_open(struct peer *peer, const char *const *target, const struct peer_source *source);
void peer_close(struct peer *peer);
/* Writes all, in pieces of at most piece bytes (0: at once). 0 or -errno. */
int peer_write(struct peer *peer, const void *data, size_t len, size_t piece);
void peer_half_close(struct peer *peer);
/* One datagram or record. Its length, or -ETIMEDOUT, -ECONNRESET, -EPIPE (closed), ... */
ssize_t peer_read(struct peer *peer, uint8_t *data, size_t size, int timeout_ms);
/* "timeout", "closed", "reset", "refused" or strerror(3)'s text. */
const char *peer_error(int rc);

void put_u32(uint8_t *p, uint32_t v);
uint32_t get_u32(const uint8_t *p);
/* An XDR string; returns the bytes that it took. */
size_t put_string(uint8_t *p, const char *text);
/* A call with AUTH_NONE and no arguments: PEER_CALL_SIZE bytes. */
void peer_call(uint8_t *msg, uint32_t xid, uint32_t prog, uint32_t vers, uint32_t proc);
/* What kind of reply it is, in words. Where the results of a success start, else 0. xid NULL: any. */
size_t peer_describe(const uint8_t *reply, size_t len, const uint32_t *xid, char *text, size_t size);
/* Bytes, or -1 for what is not hexadecimal or too long. */
ssize_t peer_unhex(const char *text, uint8_t *data, size_t size);
uint64_t peer_now(void); /* nanoseconds */
/* As many descriptors as may be had: a service starts with a soft limit of 1,024. */
void peer_all_files(void);

#endif
