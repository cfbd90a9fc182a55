/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that resolve by two contexts, whose servers have other addresses for the same names,
 * while memos, caches and files are thrown away. An address of the other context is the worst there
 * is.
 */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_message.h"
#include "gai_rig.h"

#define SIDES 2
#define THREADS 3 /* of each side */
#define NAMES 40
#define CALLS 1500
#define FLUSHES 60

struct side {
	struct gai_rig *rig;
	struct gai_record zone[2 * NAMES + 1];
	char names[NAMES][24], four[NAMES][20], six[NAMES][24];
};

struct player {
	pthread_t thread;
	struct side *side;
	unsigned random;
	unsigned wrong, failed;
};

static void fill_zone(struct side *side, unsigned which)
{
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(side->names[i], sizeof(side->names[i]), "n%u.test", i);
		snprintf(side->four[i], sizeof(side->four[i]), "192.0.%u.%u", 2 + which, i);
		snprintf(side->six[i], sizeof(side->six[i]), "2001:db8:%u::%x", which + 1, i + 1);
		side->zone[2 * i] = (struct gai_record){side->names[i], DNS_A, side->four[i], 0};
		side->zone[2 * i + 1] =
			(struct gai_record){side->names[i], DNS_AAAA, side->six[i], 0};
	}
}

static bool is_right(const struct side *side, unsigned name, const struct addrinfo *res)
{
	char text[INET6_ADDRSTRLEN];
	unsigned n = 0;

	for (; res; res = res->ai_next, n++) {
		const struct sockaddr_in *in4 = (const void *)res->ai_addr;
		const struct sockaddr_in6 *in6 = (const void *)res->ai_addr;

		if (res->ai_family == AF_INET)
			inet_ntop(AF_INET, &in4->sin_addr, text, sizeof(text));
		else
			inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		if (strcmp(text, res->ai_family == AF_INET ? side->four[name] : side->six[name]))
			return false;
	}
	return n > 0;
}

static void *play(void *arg)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct player *p = arg;

	for (unsigned i = 0; i < CALLS; i++) {
		unsigned name = (unsigned)rand_r(&p->random) % NAMES;
		struct addrinfo *res, hints = {.ai_socktype = SOCK_STREAM};

		hints.ai_family = families[(unsigned)rand_r(&p->random) % 3];
		if (vsresolv_getaddrinfo(p->side->rig->ctx, p->side->names[name], "80", &hints,
			    20000, &res, NULL) != 0) {
			p->failed++;
			continue;
		}
		p->wrong += !is_right(p->side, name, res);
		vsresolv_freeaddrinfo(res);
	}
	return NULL;
}

static void disturb(struct side *sides)
{
	for (unsigned i = 0; i < FLUSHES; i++) {
		struct side *side = &sides[i % SIDES];

		vsresolv_flush(side->rig->ctx, i % 3 ? side->names[i % NAMES] : NULL);
		if (i % 5 == 0)
			vsresolv_reload(side->rig->ctx);
		poll(NULL, 0, 5);
	}
}

static void two_contexts(void **state)
{
	static struct player players[SIDES * THREADS];
	static struct side sides[SIDES];
	void *rigs[SIDES] = {*state, NULL};

	gai_setup(&rigs[1]);
	for (unsigned s = 0; s < SIDES; s++) {
		sides[s].rig = rigs[s];
		fill_zone(&sides[s], s);
		sides[s].rig->config.options = "timeout:5 attempts:3";
		gai_open(sides[s].rig, sides[s].zone, false);
	}
	for (unsigned i = 0; i < SIDES * THREADS; i++) {
		players[i] = (struct player){.side = &sides[i % SIDES], .random = i};
		assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
	}
	disturb(sides);
	for (unsigned i = 0; i < SIDES * THREADS; i++) {
		pthread_join(players[i].thread, NULL);
		assert_int_equal(players[i].wrong, 0);
		assert_int_equal(players[i].failed, 0);
	}
	gai_teardown(&rigs[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_contexts, gai_setup, gai_teardown),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
