/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context whose name server has a zone of the test's, over the servers of queries_rig.h: whoever
 * waits drives all of it, in one thread. A synchronous call is made by another one.
 */
#ifndef NSAUX_TESTS_NAMES_RIG_H
#define NSAUX_TESTS_NAMES_RIG_H

#include "queries_rig.h"
#include "request.h"

#define NAMES_HOSTS "/run/hosts"
#define NAMES_SERVICES "/run/services"

/* A record as text: an address, a name, "priority weight port target". */
struct names_row {
	const char *owner;
	uint16_t type; /* 0: no question for it is answered */
	const char *data;
	bool is_additional; /* goes with all answers of type SRV, and is nothing else */
};

struct names {
	struct rig *rig;
	struct vsresolv_config config; /* for names_open() */
	struct vsresolv_loop *loop;
	struct vsresolv *ctx;
	const struct names_row *zone; /* ended by one without owner */
	char asked[8192];             /* "SRV _x._tcp.example\n" */
};

/* For cmocka. No context is open. */
int names_setup(void **state);
int names_teardown(void **state);
/* With names->config, in which servers and options are set; hosts: the text of its file, or NULL.
 */
void names_open(struct names *names, const struct names_row *zone, const char *hosts);

/* Drives until *told is not 0; fails when that never is. */
void names_wait(struct names *names, const unsigned *told);
/* Runs fn in a thread of its own until it returns. */
void names_run(struct names *names, void (*fn)(struct names *names, void *arg), void *arg);
/* How often that was asked, "A dc1.example"; all of it with NULL. */
unsigned names_count_asked(const struct names *names, const char *text);
/* The answer of the zone goes to the cache, as if it had come `seconds` ago. */
void names_keep(struct names *names, const char *name, uint16_t type, unsigned seconds);

#endif
