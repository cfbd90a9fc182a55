/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"
#include "peer.h"
#include "resolvpeers.h"

#define CHUNK 10
#define THREADS 8 /* it blocks: what is in flight is threads */

static struct addrinfo hints_of(const struct rl_options *o)
{
	return (struct addrinfo){ .ai_family = rl_family(o), .ai_socktype = SOCK_STREAM };
}

static bool is_right(const struct rl_options *o, const struct addrinfo *res, unsigned number,
	uint64_t hash)
{
	unsigned n = 0;

	for (; res; res = res->ai_next, n++)
		if (!rl_is_right(o, res->ai_addr, number, hash))
			return false;
	return o->is_unchecked ? n > 0 : n == rl_addresses(o);
}

int glibc_hit(const struct rl_options *o)
{
	const struct addrinfo hints = hints_of(o);
	char names[RL_WARM][RL_NAME];
	uint64_t calls = 0, failed = 0, begin, now, until;
	struct addrinfo *res;

	for (unsigned i = 0; i < RL_WARM; i++) {
		rl_warm_name(o, i, names[i]);
		for (unsigned again = 0; again < 3; again++)
			if (getaddrinfo(names[i], NULL, &hints, &res) == 0)
				freeaddrinfo(res);
	}
	begin = now = peer_now();
	until = begin + (uint64_t)o->ms * 1000000;
	for (; now < until; now = peer_now(), calls += CHUNK) {
		for (unsigned i = 0; i < CHUNK; i++) {
			if (getaddrinfo(names[(calls + i) % RL_WARM], NULL, &hints, &res) == 0)
				freeaddrinfo(res);
			else
				failed++;
		}
	}
	printf("each=%.4f failed=%llu\n", (double)(now - begin) / (double)calls / 1e3,
		(unsigned long long)failed);
	return failed != 0;
}

struct misser {
	pthread_t thread;
	const struct rl_options *o;
	unsigned index;
	struct rl_run run;
};

static void *miss(void *arg)
{
	struct misser *m = arg;
	const struct addrinfo hints = hints_of(m->o);
	unsigned each = m->o->count / THREADS;

	for (unsigned i = 0; m->o->count ? i < each : peer_now() < m->run.until; i++) {
		uint64_t begin = peer_now(), hash;
		struct addrinfo *res = NULL;
		char name[RL_NAME];
		int rc;

		hash = rl_new_name(m->o, m->index * 10000000 + i, name);
		rc = getaddrinfo(name, NULL, &hints, &res);
		rl_done(&m->run, begin, rc, rc == 0 && is_right(m->o, res, 0, hash));
		if (rc == 0)
			freeaddrinfo(res);
	}
	return NULL;
}

int glibc_miss(const struct rl_options *o)
{
	static struct misser missers[THREADS];
	static struct rl_run all;

	rl_begin(&all, o, RUSAGE_SELF);
	for (unsigned i = 0; i < THREADS; i++) {
		missers[i].o = o;
		missers[i].index = i;
		missers[i].run.until = all.until;
		if (pthread_create(&missers[i].thread, NULL, miss, &missers[i]))
			bench_die("pthread_create", EAGAIN);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		const struct rl_run *run = &missers[i].run;

		pthread_join(missers[i].thread, NULL);
		all.answers += run->answers;
		all.failed += run->failed;
		all.wrong += run->wrong;
		all.times.count += run->times.count;
		for (size_t k = 0; k < RL_BUCKETS; k++)
			all.times.bucket[k] += run->times.bucket[k];
	}
	return rl_end(&all);
}

int glibc_wrong(const struct rl_options *o)
{
	const struct addrinfo hints = hints_of(o);
	unsigned wrong = 0, count = o->count ? o->count : 1000;
	struct addrinfo *res;
	char name[RL_NAME];

	for (unsigned i = 0; i < count; i++) {
		uint64_t hash = rl_warm_name(o, i, name);

		if (getaddrinfo(name, NULL, &hints, &res))
			continue;
		wrong += !is_right(o, res, o->vss, hash);
		freeaddrinfo(res);
	}
	printf("wrong=%.2f\n", 100.0 * wrong / count);
	return 0;
}
