/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SETs and UNSETs without end, by several clients, against a server that is being killed; and an
 * account of what may be registered now.
 *
 * Each client has keys (program, netid) of its own and one call on its way at a time. Of a key is
 * known which values are possible: none, or a port. An answer leaves those that agree with it; a
 * call without an answer may have been done, or not. What DUMP shows must be among them.
 *
 * Commands come on standard input:
 *
 *	check     the clients pause, DUMP is compared, they go on; prints "ok ..." or "wrong ..."
 *	full      from now on FALSE may be said of any call, which then has changed nothing
 *	room      not any more
 *	end       the same as at its end: a last "check", and then "end wrong=N"
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "rpcstorm.h"

/* How many SETs a second with so many programs registered, by one client, one after the other. */
static int measure(struct storm *storm, unsigned programs)
{
	const unsigned more = 2000;
	struct key key = {.prog = PROG_FIRST};
	struct peer peer;
	uint64_t start = 0;
	int rc = peer_open(&peer, storm->target, NULL);

	for (unsigned i = 0; rc >= 0 && i < programs + more; i++) {
		if (i == programs)
			start = peer_now();
		key.prog = PROG_FIRST + i;
		rc = storm_call(&peer, i, SET, &key, 2049) == 1 ? 0 : -EPERM;
	}
	if (rc >= 0)
		printf("%u programs: %.0f SETs per second\n", programs,
			more / ((double)(peer_now() - start) / 1e9));
	for (unsigned i = 0; rc >= 0 && i < programs + more; i++) {
		key.prog = PROG_FIRST + i;
		rc = storm_call(&peer, i, UNSET, &key, 0);
	}
	peer_close(&peer);
	if (rc < 0)
		fprintf(stderr, "rpcstorm: %s\n", peer_error(rc));
	return rc < 0;
}

static void command(struct storm *storm, const char *line)
{
	if (!strcmp(line, "check\n"))
		storm_check(storm);
	if (!strcmp(line, "full\n") || !strcmp(line, "room\n")) {
		/* No call is on its way, so that each answer is judged by one rule. */
		storm_pause(storm, true);
		storm->full = line[0] == 'f';
		storm_pause(storm, false);
		puts("ok");
		fflush(stdout);
	}
}

static int run(struct storm *storm, uint64_t seed)
{
	char line[32];

	if (!storm_start(storm, seed))
		return 1;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "end\n"))
		command(storm, line);
	storm_check(storm);
	pthread_mutex_lock(&storm->lock);
	storm->stopped = true;
	pthread_cond_broadcast(&storm->changed);
	pthread_mutex_unlock(&storm->lock);
	for (unsigned i = 0; i < storm->client_count; i++)
		pthread_join(storm->clients[i].thread, NULL);
	printf("end wrong=%u\n", storm->wrong);
	return storm->wrong != 0;
}

static int usage(void)
{
	fputs("usage: rpcstorm [-s SEED] [-c CLIENTS] [-k KEYS] TARGET...\n"
	      "       rpcstorm -r PROGRAMS TARGET...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct storm storm = {.client_count = 4, .key_count = 40,
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	uint64_t seed = 1, clients = 4, keys = 40, programs = 0;
	int c, bad = 0;

	while ((c = getopt(argc, argv, "+s:c:k:r:")) != -1) {
		if (c == 's')
			bad |= parse_u64(optarg, 0, UINT32_MAX, &seed);
		else if (c == 'c')
			bad |= parse_u64(optarg, 1, CLIENTS_MAX, &clients);
		else if (c == 'k')
			bad |= parse_u64(optarg, 1, KEYS_MAX, &keys);
		else if (c == 'r')
			bad |= parse_u64(optarg, 1, 14000, &programs);
		else
			bad = 1;
	}
	storm.target = (const char *const *)argv + optind;
	storm.client_count = (unsigned)clients;
	storm.key_count = (unsigned)keys;
	if (bad || !peer_target_words(storm.target))
		return usage();
	return programs ? measure(&storm, (unsigned)programs) : run(&storm, seed);
}
