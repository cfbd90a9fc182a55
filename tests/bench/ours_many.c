/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many VSs whose caches are full: how much memory it is, beside what was configured; and how long a
 * cached hit takes in one thread while another one has new names resolved in all of them.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

#define PATIENCE 10000 /* ms */
#define HOT 100        /* names of each VS that are asked for again and again */
#define LOOK 64        /* one in so many answers is looked at */

struct many;
struct slot {
	struct many *m;
	unsigned vs;
	uint64_t hash;
};

struct many {
	const struct rl_options *o;
	struct vsresolv_loop *loop;
	struct vsresolv **ctx;
	struct slot *slots;
	struct addrinfo hints;
	unsigned next;    /* the name that is asked for next; in all VSs the same */
	unsigned next_vs; /* and of which VS */
	unsigned last;    /* no name from that on */
	unsigned under_way;
	uint64_t answers, failed, wrong;
	atomic_bool is_over;
};

static void start(struct slot *slot);

static void done(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct slot *slot = arg;
	struct many *m = slot->m;

	(void)info;
	m->under_way--;
	m->failed += status != 0;
	m->answers += status == 0;
	m->wrong += status == 0 && !ours_is_right(m->o, res, slot->vs, slot->hash);
	vsresolv_freeaddrinfo(res);
	start(slot);
}

static void start(struct slot *slot)
{
	struct many *m = slot->m;
	char name[RL_NAME];
	int rc;

	if (m->next >= m->last || atomic_load_explicit(&m->is_over, memory_order_relaxed))
		return;
	slot->vs = m->next_vs;
	slot->hash = rl_new_name(m->o, m->next, name);
	if (++m->next_vs == m->o->vss) {
		m->next_vs = 0;
		m->next++;
	}
	rc = vsresolv_getaddrinfo_start(m->ctx[slot->vs], name, NULL, &m->hints, PATIENCE, done,
		slot, NULL);
	if (rc)
		bench_die("vsresolv_getaddrinfo_start", rc);
	m->under_way++;
}

/* All names up to `last` in all VSs. */
static void resolve(struct many *m, unsigned last)
{
	m->last = last;
	for (unsigned i = 0; i < m->o->window; i++)
		start(&m->slots[i]);
	while (m->under_way)
		ours_turn(m->loop, peer_now() + 1000000000);
}

static void *load(void *arg)
{
	struct many *m = arg;
	cpu_set_t set;

	/* Where the server is. */
	CPU_ZERO(&set);
	CPU_SET(m->o->cpu > 0 ? 0 : 1, &set);
	if (m->o->cpu >= 0)
		sched_setaffinity(0, sizeof(set), &set);
	resolve(m, UINT32_MAX);
	return NULL;
}

struct hits {
	struct rl_times times;
	uint64_t gone, wrong;
};

/* first: of the names that are hot. */
static void hit(struct many *m, unsigned first, struct hits *h)
{
	uint64_t now = peer_now(), until = now + (uint64_t)m->o->ms * 1000000, random = 1, hash;
	char name[RL_NAME];

	while (now < until) {
		struct addrinfo *res = NULL;
		unsigned vs;
		int rc;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		vs = (unsigned)(random >> 33) % m->o->vss;
		hash = rl_new_name(m->o, first + (unsigned)(random >> 45) % HOT, name);
		now = peer_now();
		rc = vsresolv_getaddrinfo(m->ctx[vs], name, NULL, &m->hints, 0, &res, NULL);
		if (rc == 0) {
			rl_times_add(&h->times, peer_now() - now);
			if (h->times.count % LOOK == 0)
				h->wrong += !ours_is_right(m->o, res, vs, hash);
		}
		h->gone += rc != 0;
		vsresolv_freeaddrinfo(res);
	}
}

static void cache_counts(struct many *m, uint64_t *entries, uint64_t *bytes)
{
	struct vsresolv_stats stats = { .size = sizeof(stats) };

	*entries = *bytes = 0;
	for (unsigned i = 0; i < m->o->vss; i++) {
		if (vsresolv_stats(m->ctx[i], &stats))
			bench_die("vsresolv_stats", EIO);
		*entries += stats.cache_entries;
		*bytes += stats.cache_bytes;
	}
}

static void open_all(struct many *m, const struct rl_options *o, struct vsresolv_budget *budget)
{
	m->o = o;
	m->loop = ours_loop();
	m->hints = ours_hints(o);
	m->ctx = calloc(o->vss, sizeof(struct vsresolv *));
	m->slots = calloc(o->window, sizeof(*m->slots));
	if (!m->ctx || !m->slots || o->count < HOT)
		bench_die("as many names (-N) as are hot", EINVAL);
	for (unsigned i = 0; i < o->vss; i++)
		m->ctx[i] = ours_open(o, i, m->loop, budget);
	for (unsigned i = 0; i < o->window; i++)
		m->slots[i].m = m;
}

static void close_all(struct many *m)
{
	for (unsigned i = 0; i < m->o->vss; i++)
		vsresolv_close(m->ctx[i]);
	vsresolv_loop_close(m->loop);
	free(m->ctx);
	free(m->slots);
}

static void run(struct many *m, struct hits *h)
{
	pthread_t loader;

	if (pthread_create(&loader, NULL, load, m))
		bench_die("pthread_create", EAGAIN);
	hit(m, m->o->count - HOT, h);
	atomic_store(&m->is_over, true);
	pthread_join(loader, NULL);
}

int ours_many(const struct rl_options *o)
{
	static struct hits hits;
	struct many m = { 0 };
	struct vsresolv_budget *budget = NULL;
	uint64_t limit = (uint64_t)o->vss * VSRESOLV_CACHE_BYTES;
	uint64_t entries, bytes, before, pss, begin, ns;

	if (o->limit && vsresolv_budget_new(&budget, o->limit))
		bench_die("vsresolv_budget_new", EINVAL);
	if (o->limit && o->limit < limit)
		limit = o->limit;
	before = rl_pss();
	open_all(&m, o, budget);
	begin = peer_now();
	resolve(&m, o->count);
	ns = peer_now() - begin;
	run(&m, &hits);
	malloc_trim(0);
	pss = rl_pss() - before;
	cache_counts(&m, &entries, &bytes);
	printf("pss=%.4f taken=%.4f entries=%llu rate=%.0f hits=%llu gone=%.5f p50=%.3f p99=%.3f "
	       "p999=%.3f answers=%llu failed=%llu wrong=%llu\n",
		(double)pss / (double)limit, (double)bytes / (double)limit,
		(unsigned long long)entries, (double)o->vss * o->count / (double)ns * 1e9,
		(unsigned long long)hits.times.count,
		(double)hits.gone / (double)(hits.times.count + hits.gone),
		rl_times_us(&hits.times, 0.5), rl_times_us(&hits.times, 0.99),
		rl_times_us(&hits.times, 0.999),
		(unsigned long long)m.answers, (unsigned long long)m.failed,
		(unsigned long long)(m.wrong + hits.wrong));
	close_all(&m);
	vsresolv_budget_unref(budget);
	return m.wrong || hits.wrong || !hits.times.count;
}
