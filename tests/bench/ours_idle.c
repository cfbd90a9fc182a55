/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts that have nothing to do: fresh ones, and such as have been used. */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

#define PATIENCE_NS UINT64_C(20000000000)
#define TOGETHER 16 /* contexts that ask at once */

static void count_down(void *arg, int status, struct addrinfo *res,
	const struct vsresolv_info *info)
{
	unsigned *left = arg;

	(void)info;
	if (status)
		bench_die("a request of an idle context", EIO);
	vsresolv_freeaddrinfo(res);
	(*left)--;
}

/* Each resolves one name. */
static void use_all(const struct rl_options *o, struct vsresolv_loop *loop, struct vsresolv **ctx)
{
	const struct addrinfo hints = ours_hints(o);
	char name[RL_NAME];
	unsigned left = 0;

	for (unsigned i = 0; i < o->count; i++) {
		rl_new_name(o, i, name);
		if (vsresolv_getaddrinfo_start(ctx[i], name, NULL, &hints, 5000, count_down, &left,
			NULL))
			bench_die("vsresolv_getaddrinfo_start", EIO);
		left++;
		while (left >= (i + 1 < o->count ? TOGETHER : 1))
			ours_turn(loop, peer_now() + 1000000000);
	}
}

/* Until the sockets that were kept for the next query are closed, or for as long as is bearable. */
static void settle(struct vsresolv_loop *loop, unsigned descriptors)
{
	uint64_t until = peer_now() + PATIENCE_NS;

	while (rl_descriptors() > descriptors && peer_now() < until)
		ours_turn(loop, peer_now() + 50000000);
	malloc_trim(0);
}

int ours_idle(const struct rl_options *o)
{
	struct vsresolv_loop *loop = ours_loop();
	struct vsresolv **ctx = calloc(o->count ? o->count : 1, sizeof(struct vsresolv *));
	uint64_t heap, private, begin, ns, n = o->count;
	unsigned descriptors;

	if (!ctx || !n)
		bench_die("how many (-N)?", EINVAL);
	vsresolv_close(ours_open(o, 0, loop, NULL)); /* whatever comes with the first */
	descriptors = rl_descriptors();
	private = rl_private();
	heap = rl_heap();
	begin = peer_now();
	for (unsigned i = 0; i < n; i++)
		ctx[i] = ours_open(o, 0, loop, NULL);
	ns = peer_now() - begin;
	printf("us=%.3f heap=%llu private=%llu fds=%u", (double)ns / (double)n / 1e3,
		(unsigned long long)((rl_heap() - heap) / n),
		(unsigned long long)((rl_private() - private) / n), rl_descriptors() - descriptors);
	use_all(o, loop, ctx);
	settle(loop, descriptors);
	printf(" used_heap=%llu used_private=%llu used_fds=%u\n",
		(unsigned long long)((rl_heap() - heap) / n),
		(unsigned long long)((rl_private() - private) / n), rl_descriptors() - descriptors);
	for (unsigned i = 0; i < n; i++)
		vsresolv_close(ctx[i]);
	vsresolv_loop_close(loop);
	free(ctx);
	return 0;
}
