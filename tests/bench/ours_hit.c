/* SPDX-License-Identifier: BSD-3-Clause */
/* Names that are in the cache, asked for by one thread or several. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

#define THREADS_MAX 16
#define CHUNK 50       /* calls between two looks at the clock */
#define PATIENCE 3000  /* ms, for what is not cached yet */

struct hitter {
	pthread_t thread;
	const struct rl_options *o;
	struct vsresolv *ctx;
	unsigned number, index;
	pthread_barrier_t *start;
	atomic_bool *is_over;
	uint64_t calls, failed, wrong, ns;
	char names[RL_WARM][RL_NAME];
	uint64_t hashes[RL_WARM];
};

static void warm(struct hitter *h)
{
	const struct addrinfo hints = ours_hints(h->o);
	struct vsresolv_info info;
	struct addrinfo *res;

	for (unsigned i = 0; i < RL_WARM; i++) {
		int rc;

		h->hashes[i] = rl_warm_name(h->o, i, h->names[i]);
		rc = vsresolv_getaddrinfo(h->ctx, h->names[i], NULL, &hints, PATIENCE, &res, &info);
		if (rc) {
			fprintf(stderr, "%s: %s\n", h->names[i], vsresolv_strerror(rc, &info));
			bench_die("a name that is to be cached", EIO);
		}
		vsresolv_freeaddrinfo(res);
	}
}

/* A round of all names in which every answer is looked at; not measured. */
static void look(struct hitter *h)
{
	const struct addrinfo hints = ours_hints(h->o);
	struct vsresolv_info info;
	struct addrinfo *res;

	for (unsigned i = 0; i < RL_WARM; i++) {
		if (vsresolv_getaddrinfo(h->ctx, h->names[i], NULL, &hints, 0, &res, &info)) {
			h->failed++;
			continue;
		}
		h->wrong += info.source != VSRESOLV_CACHE ||
			!ours_is_right(h->o, res, h->number, h->hashes[i]);
		vsresolv_freeaddrinfo(res);
	}
}

static void stay_apart(unsigned index)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(index % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *hit(void *arg)
{
	struct hitter *h = arg;
	const struct addrinfo hints = ours_hints(h->o);
	struct addrinfo *res;
	uint64_t begin;

	if (h->o->threads > 1)
		stay_apart(h->index);
	pthread_barrier_wait(h->start);
	begin = peer_now();
	while (!atomic_load_explicit(h->is_over, memory_order_relaxed)) {
		for (unsigned i = 0; i < CHUNK; i++) {
			const char *name = h->names[(h->calls + i) % RL_WARM];

			if (vsresolv_getaddrinfo(h->ctx, name, NULL, &hints, 0, &res, NULL)) {
				h->failed++;
				continue;
			}
			vsresolv_freeaddrinfo(res);
		}
		h->calls += CHUNK;
	}
	h->ns = peer_now() - begin;
	return NULL;
}

static int report(const struct hitter *hitters, unsigned count)
{
	uint64_t failed = 0, wrong = 0;
	double each = 0, rate = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct hitter *h = &hitters[i];

		failed += h->failed;
		wrong += h->wrong;
		each += (double)h->ns / (double)h->calls / 1e3 / count;
		rate += (double)h->calls / (double)h->ns * 1e9;
	}
	printf("each=%.4f rate=%.0f failed=%llu wrong=%llu\n", each, rate,
		(unsigned long long)failed, (unsigned long long)wrong);
	return wrong || failed;
}

int ours_hit(const struct rl_options *o)
{
	static struct hitter hitters[THREADS_MAX];
	pthread_barrier_t start;
	atomic_bool is_over = false;

	pthread_barrier_init(&start, NULL, o->threads + 1);
	for (unsigned i = 0; i < o->threads; i++) {
		struct hitter *h = &hitters[i];

		h->o = o;
		h->index = i;
		h->number = o->is_apart ? i : 0;
		h->start = &start;
		h->is_over = &is_over;
		h->ctx = i && !o->is_apart ? hitters[0].ctx : ours_open(o, h->number, NULL, NULL);
		warm(h);
		look(h);
		if (pthread_create(&h->thread, NULL, hit, h))
			bench_die("pthread_create", EAGAIN);
	}
	pthread_barrier_wait(&start);
	bench_sleep_until(peer_now() + (uint64_t)o->ms * 1000000);
	atomic_store(&is_over, true);
	for (unsigned i = 0; i < o->threads; i++)
		pthread_join(hitters[i].thread, NULL);
	for (unsigned i = 0; i < o->threads; i++)
		look(&hitters[i]);
	for (unsigned i = 0; i < o->threads; i++)
		if (i == 0 || o->is_apart)
			vsresolv_close(hitters[i].ctx);
	pthread_barrier_destroy(&start);
	return report(hitters, o->threads);
}
