/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions under way, and name servers that do as a test says, in one thread: whoever waits for an
 * answer drives both sides. Sockets are real, in namespaces of the test's own; the clock is the
 * real one plus what the test adds to it.
 */
#ifndef NSAUX_TESTS_QUERIES_RIG_H
#define NSAUX_TESTS_QUERIES_RIG_H

#include <netinet/in.h>

#include "nstest.h"
#include "cache.h"
#include "queries.h"

#define RIG_SERVERS 4
#define RIG_CONNECTIONS 64
#define RIG_PORTS 4096

struct rig;
struct rig_server;

struct rig_question { /* as it came to a server */
	struct rig_server *server;
	union answer_server from;
	int connection; /* TCP; -1: UDP */
	size_t len, question_end;
	uint16_t id, type;
	bool has_opt, ad;
	char name[DNS_TEXT_MAX]; /* as written */
	uint8_t message[512];
};

typedef void rig_script(struct rig_question *question);

struct rig_server {
	struct rig *rig;
	union answer_server address;
	int udp, listener;                /* listener: -1: none */
	int connections[RIG_CONNECTIONS]; /* -1: free */
	uint8_t read[RIG_CONNECTIONS][600];
	size_t read_len[RIG_CONNECTIONS];
	rig_script *script;
	unsigned asked, accepted;                  /* questions; connections */
	unsigned step;                             /* for the script */
	uint16_t ports[RIG_PORTS], ids[RIG_PORTS]; /* of the first questions */
};

struct rig {
	struct loop *loop;
	uint64_t skew; /* is added to the clock */
	struct place *place;
	struct cache *cache;
	struct health *health;
	struct share *share;
	struct counters counters;
	struct queries *queries;
	struct rconf *conf;
	struct queries_config config;
	struct rig_server servers[RIG_SERVERS];
	unsigned server_count;
	char log[4096]; /* "<priority> text\n" */
};

struct rig_ask { /* what a waiter was told */
	struct query_waiter waiter;
	struct rig *rig;
	unsigned told;
	int status;
	struct answer *answer; /* a reference */
	void (*then)(struct rig_ask *ask);
};

/* For cmocka. Two servers, 127.0.0.1 and 127.0.0.2, that answer; 100 ms for an attempt, two of
 * them. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Another one; an address of lo, or "fe80::1%lo". */
struct rig_server *rig_add_server(struct rig *rig, const char *address);
void rig_listen(struct rig_server *s); /* TCP, too */
void rig_deafen(struct rig_server *s); /* closes its UDP port */
void rig_server_end(struct rig_server *s);
void rig_serve(struct rig *rig); /* what has come to all of them; rig_turn() does it */
/* Makes queries anew, with rig->config. */
void rig_restart(struct rig *rig);
/* Another snapshot with the same settings, to be changed. */
struct rconf *rig_conf(struct rig *rig);

void rig_ask(struct rig *rig, struct rig_ask *ask, const char *name, uint16_t type);
int rig_ask_status(struct rig *rig, struct rig_ask *ask, const char *name, uint16_t type);
void rig_forget(struct rig_ask *ask); /* the answer */
struct dns_question rig_question(const char *name, uint16_t type);

/* Drives both sides for one turn, of at most so many milliseconds. */
void rig_turn(struct rig *rig, int ms);
/* Until it was told; fails when that never is. */
void rig_wait(struct rig_ask *ask);
void rig_wait_count(struct rig *rig, const unsigned *counter, unsigned count);
void rig_wait_idle(struct rig *rig);
/* Both sides, until nothing comes for 20 ms. */
void rig_quiet(struct rig *rig);
void rig_skip(struct rig *rig, uint64_t ns); /* time passes at once */
uint64_t rig_now(const struct rig *rig);

/* Asks, and waits: status 0 and that address in its answer. */
void rig_expect_address(struct rig *rig, const char *name, const char *address);
bool rig_has_address(const struct answer *answer, const char *name, const char *address);

/* What scripts do. Addresses: "192.0.2.1"; NULL: no record. */
size_t rig_reply(const struct rig_question *q, uint8_t *out, size_t size, unsigned rcode,
	const char *address);
void rig_send(const struct rig_question *q, const void *message, size_t len);
void rig_answer(const struct rig_question *q, unsigned rcode, const char *address);
void rig_answers(struct rig_question *q); /* 192.0.2.1 of the first server, .2 of the second */
void rig_is_silent(struct rig_question *q);
void rig_truncates(struct rig_question *q);
void rig_fails(struct rig_question *q); /* SERVFAIL */
void rig_refuses(struct rig_question *q);

#endif
