/* SPDX-License-Identifier: BSD-3-Clause */
/* New names, so many in flight, by the loop of an application. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

#define PATIENCE 10000 /* ms */

struct miss;
struct slot {
	struct miss *m;
	uint64_t since, hash;
};

struct miss {
	struct rl_run run;
	struct vsresolv *ctx;
	struct addrinfo hints;
	struct slot *slots;
	unsigned started, under_way;
};

static void start(struct slot *slot);

static void done(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct slot *slot = arg;
	struct miss *m = slot->m;

	m->under_way--;
	rl_done(&m->run, slot->since, status, !status &&
		(info->source == VSRESOLV_NETWORK && ours_is_right(m->run.o, res, 0, slot->hash)));
	vsresolv_freeaddrinfo(res);
	start(slot);
}

static void start(struct slot *slot)
{
	struct miss *m = slot->m;
	const struct rl_options *o = m->run.o;
	char name[RL_NAME];

	if (o->count ? m->started >= o->count : peer_now() >= m->run.until)
		return;
	slot->hash = rl_new_name(o, m->started++, name);
	slot->since = peer_now();
	if (vsresolv_getaddrinfo_start(m->ctx, name, NULL, &m->hints, PATIENCE, done, slot, NULL))
		bench_die("vsresolv_getaddrinfo_start", EIO);
	m->under_way++;
}

int ours_miss(const struct rl_options *o)
{
	struct vsresolv_loop *loop = ours_loop();
	struct miss *m = calloc(1, sizeof(*m));
	int status;

	if (!m || !(m->slots = calloc(o->window, sizeof(*m->slots))))
		bench_die("memory", ENOMEM);
	m->ctx = ours_open(o, 0, loop, NULL);
	m->hints = ours_hints(o);
	rl_begin(&m->run, o, RUSAGE_THREAD);
	for (unsigned i = 0; i < o->window; i++) {
		m->slots[i].m = m;
		start(&m->slots[i]);
	}
	while (m->under_way)
		ours_turn(loop, peer_now() + 1000000000);
	status = rl_end(&m->run);
	vsresolv_close(m->ctx);
	vsresolv_loop_close(loop);
	free(m->slots);
	free(m);
	return status;
}
