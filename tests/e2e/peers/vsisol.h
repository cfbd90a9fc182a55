/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Are answers ever those of another VS? The same names are asked for in many VSs, whose name
 * servers all have the same address: over one loop and by threads that block, while datagrams are
 * lost, answers are truncated, requests are cancelled, and VSs come and go under the same names.
 * dnszone.h tells from an answer whose it is.
 */
#ifndef NSAUX_TESTS_VSISOL_H
#define NSAUX_TESTS_VSISOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dnszone.h"
#include "vsresolv.h"

#define VSS_MAX 256
#define RING 65536     /* requests that are remembered, so that a callback too many is seen */
#define NAMES 4000
#define THREADS_MAX 8
#define GHOST_ASKS 20  /* of a context whose VS is gone */

struct isol;

struct vs {
	unsigned index;
	unsigned number;        /* whose answers are right; another after each new beginning */
	uint32_t mark;          /* 0: it is a namespace of its own */
	char name[32], path[64];  /* of the namespace in which it is */
	char server_ns[32];       /* in which its name server is */
	struct vsresolv *ctx;
	pthread_mutex_t lock; /* held by threads that block in ctx */
};

enum kind { KIND_A, KIND_AAAA, KIND_BOTH, KIND_TXT, KIND_SRV, KINDS };

struct ask {
	struct isol *t;
	struct vsresolv *ctx;
	unsigned number, many;
	enum kind kind;
	uint64_t hash, id;
	uint8_t wire[ZONE_NAME];
	bool is_over;
	bool is_cancelled; /* or its context is closed: no callback may come */
};

struct isol_options {
	const char *program, *server, *marks_path;
	unsigned vss, marks, window, threads, cancel_percent, tc_percent, drop_percent;
	uint64_t queries, seed, seconds;
	unsigned recreate; /* a VS begins anew after so many answers */
	bool is_crossed;
};

struct isol {
	struct isol_options o;
	struct vsresolv_loop *loop;
	struct vs vss[VSS_MAX];
	unsigned vs_count, next_number;
	struct ask **ring;
	unsigned next_ask, under_way;
	uint64_t random;
	/* What came of it; threads count, too. */
	_Atomic uint64_t answers, network, cached, wrong, late, cancelled, timeouts, gone, failed;
	unsigned recreated;
	atomic_bool is_over;
	pid_t server_pid;
	FILE *to_server, *from_server;
};

uint64_t isol_random(uint64_t *state);
void isol_die(const char *what, int rc) __attribute__((noreturn));

/* vsisol_place.c */
void isol_start_server(struct isol *t);
void isol_stop_server(struct isol *t);
/* One line; its reply has to begin with "done". */
void isol_command(struct isol *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void isol_open_all(struct isol *t);
void isol_close_all(struct isol *t);
/* Some VS begins anew: with another number. False: it is in use just now. */
bool isol_recreate(struct isol *t);

/* vsisol_ask.c */
void isol_ask(struct isol *t, struct vsresolv *ctx, unsigned number, uint64_t *random);
void isol_cancel_some(struct isol *t);
/* What a context has under way will not come any more. */
void isol_forget(struct isol *t, const struct vsresolv *ctx);
void *isol_block(void *arg); /* a thread */

#endif
