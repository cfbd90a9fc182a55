/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Load on one server: sockets, each with a window of calls on their way.
 *
 * Closed loop: an answer makes room for the next call. Paced: calls go out at a rate, answered or
 * not. Every answer is checked; a wrong one ends the program.
 */
#ifndef NSAUX_BENCH_LOAD_H
#define NSAUX_BENCH_LOAD_H

#include "calls.h"
#include "peer.h"

#define LOAD_WINDOW_MAX 64

struct load_conn {
	struct peer peer;
	uint32_t xid[LOAD_WINDOW_MAX], index[LOAD_WINDOW_MAX];
	bool busy[LOAD_WINDOW_MAX];
	uint32_t next; /* index of the next call, where each connection counts for itself */
	uint8_t *in; /* of a stream: what has come of records that are not complete */
	size_t in_len;
};

struct load {
	struct call_plan plan;
	struct load_conn *conns;
	unsigned count, window;
	int epoll;
	uint32_t next;  /* index of the next call... */
	bool apart;     /* ...or each connection makes all calls, in its own order */
	uint32_t xid;
	uint64_t quota; /* calls that may still be sent */
	uint64_t sent, answered, lost;
	size_t reply_len;
};

void load_open(struct load *load, const char *const *target, unsigned count, unsigned window);
/* A socket in each namespace of the directory. */
void load_open_everywhere(struct load *load, const char *dir, uint16_t port, unsigned window);

void load_close(struct load *load);

/* Until so many calls are answered, or until that time; then what is on its way is waited for. */
void load_closed(struct load *load, uint64_t calls, uint64_t until);
/* Datagrams, calls a second. */
void load_paced(struct load *load, uint64_t rate, uint64_t until);

/* load_conn.c: all that there is to be read from one connection, and the next calls. */
void load_conn_turn(struct load *load, struct load_conn *c);
/* As many calls as the window and the quota allow. */
void load_conn_fill(struct load *load, struct load_conn *c);

#endif
