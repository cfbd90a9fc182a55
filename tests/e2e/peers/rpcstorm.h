/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of rpcstorm: rpcstorm.c takes commands, rpcstorm_client.c is the clients with what they
 * know of their keys, rpcstorm_check.c compares that with DUMP. */
#ifndef NSAUX_TESTS_RPCSTORM_H
#define NSAUX_TESTS_RPCSTORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

#define CLIENTS_MAX 32
#define KEYS_MAX 1024 /* of one client */
#define POSSIBLE_MAX 6
#define PROG_FIRST 0x21000000U
#define NETIDS 5

enum storm_proc { SET = 1, UNSET = 2, DUMP = 4 }; /* RPCBPROC_ */

extern const char *const storm_netids[NETIDS];

struct key {
	uint32_t prog;
	unsigned netid; /* of netids */
	unsigned count;
	uint16_t possible[POSSIBLE_MAX]; /* 0: not registered */
};

struct storm;

struct client {
	struct storm *storm;
	pthread_t thread;
	struct peer peer;
	uint64_t random;
	uint32_t xid;
	struct key keys[KEYS_MAX];
	unsigned long acknowledged, refused, unanswered, connections;
	bool parked;
};

struct storm {
	const char *const *target;
	unsigned client_count, key_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool paused, stopped, full; /* under the lock, as parked is */
	unsigned wrong;
	struct client clients[CLIENTS_MAX];
};

/* Something that must not be. */
void storm_wrong(struct storm *storm, const struct key *key, const char *what, unsigned value);

bool key_may_be(const struct key *key, uint16_t value);
void key_only(struct key *key, uint16_t value);

/* Sends a record: 4 bytes at msg for its mark, and len of a call. */
int storm_send(struct peer *peer, uint8_t *msg, size_t len);
/* 1 or 0: TRUE or FALSE was answered. -errno: nothing was. */
int storm_call(struct peer *peer, uint32_t xid, uint32_t proc, const struct key *key,
	uint16_t port);
void storm_nap(void);

bool storm_start(struct storm *storm, uint64_t seed);
/* Paused: no call is on its way when it returns. */
void storm_pause(struct storm *storm, bool paused);
void storm_check(struct storm *storm);

#endif
