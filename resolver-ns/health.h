/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of the name servers of a context. Nothing is kept of a server before something is
 * to be remembered of it. Under the engine's lock.
 *
 * A server that does not answer is asked last, and by itself only now and then: a copy of a
 * question that another server is asked, after a second, two, four, up to HEALTH_BACKOFF_MAX. So
 * nobody waits for it but when all are like it; then they are asked in their order.
 */
#ifndef NSAUX_HEALTH_H
#define NSAUX_HEALTH_H

#include <stdbool.h>

#include "answer.h"
#include "place.h"
#include "rconf.h"

#define HEALTH_SERVERS_MAX 16u /* of one and of former configurations */
#define HEALTH_BACKOFF_MIN (1 * LOOP_SEC)
#define HEALTH_BACKOFF_MAX (64 * LOOP_SEC)
#define HEALTH_NO_EDNS (3600 * LOOP_SEC) /* then it is tried again */

struct health;

int health_new(struct health **health);
void health_free(struct health *health);   /* NULL is allowed */
void health_forget(struct health *health); /* all are thought well of again */

struct health_order {
	unsigned count;
	uint8_t servers[RCONF_SERVERS_MAX]; /* numbers in conf->servers */
	bool all_dead;
	int probe; /* the number of one whose time has come for a copy; -1: none */
};

/* For a new question: turns the servers round, if conf->rotate. A probe is given once. */
void health_order(
	struct health *health, const struct rconf *conf, uint64_t now, struct health_order *order);

/* health_answered, health_failed: true when it has come back, or died just now. A failure counts if
 * nothing has come from that server since the attempt began. */
bool health_answered(struct health *health, const struct rconf_server *server, uint64_t now);
bool health_failed(
	struct health *health, const struct rconf_server *server, uint64_t began, uint64_t now);

bool health_takes_edns(
	const struct health *health, const struct rconf_server *server, uint64_t now);
void health_refused_edns(struct health *health, const struct rconf_server *server, uint64_t now);

/* The address with the number of its device in the VS, which is asked at most once a second. */
int health_address(struct health *health, struct place *place, const struct rconf_server *server,
	uint64_t now, union answer_server *address);

#endif
