/* SPDX-License-Identifier: BSD-3-Clause */
/* libunbound, with a thread of its own: the fastest of its ways. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unbound.h>

#include "bench.h"
#include "peer.h"
#include "resolvpeers.h"

enum { TYPE_A = 1, CLASS_IN = 1 };

struct job;
struct slot {
	struct job *job;
	uint64_t since, hash;
};

struct job {
	const struct rl_options *o;
	struct rl_run run;
	struct ub_ctx *ctx;
	struct slot *slots;
	unsigned started, under_way;
	bool is_warm;
};

static void start(struct slot *slot);

static bool is_right(const struct rl_options *o, const struct ub_result *res, uint64_t hash)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	unsigned n;

	for (n = 0; res->data && res->data[n]; n++) {
		if (res->len[n] != 4)
			return false;
		memcpy(&sin.sin_addr, res->data[n], 4);
		if (!rl_is_right(o, (struct sockaddr *)&sin, 0, hash))
			return false;
	}
	return o->is_unchecked ? n > 0 : n == rl_addresses(o);
}

static void done(void *arg, int error, struct ub_result *res)
{
	struct slot *slot = arg;
	struct job *job = slot->job;
	bool has_data = !error && res->havedata;

	job->under_way--;
	rl_done(&job->run, slot->since, !has_data, has_data && is_right(job->o, res, slot->hash));
	ub_resolve_free(res);
	start(slot);
}

static void start(struct slot *slot)
{
	struct job *job = slot->job;
	const struct rl_options *o = job->o;
	char name[RL_NAME];
	int rc;

	if (o->count ? job->started >= o->count : peer_now() >= job->run.until)
		return;
	slot->hash = job->is_warm ? rl_warm_name(o, job->started++, name) :
		rl_new_name(o, job->started++, name);
	slot->since = peer_now();
	rc = ub_resolve_async(job->ctx, name, TYPE_A, CLASS_IN, slot, done, NULL);
	if (rc) {
		fprintf(stderr, "libunbound: %s\n", ub_strerror(rc));
		exit(1);
	}
	job->under_way++;
}

static struct ub_ctx *open_ctx(const struct rl_options *o)
{
	static const char *const options[][2] = {
		{ "do-not-query-localhost:", "no" }, { "module-config:", "iterator" },
		{ "num-queries-per-thread:", "1024" }, { "outgoing-range:", "2048" },
	};
	struct ub_ctx *ctx = ub_ctx_create();
	int rc = 0;

	if (!ctx)
		bench_die("ub_ctx_create", ENOMEM);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && rc == 0; i++)
		rc = ub_ctx_set_option(ctx, options[i][0], options[i][1]);
	if (rc == 0)
		rc = ub_ctx_set_fwd(ctx, o->server);
	if (rc == 0)
		rc = ub_ctx_async(ctx, 1);
	if (rc == 0) /* which it answers by itself otherwise, RFC 6761 section 6.2 */
		rc = ub_ctx_zone_remove(ctx, "test.");
	if (rc) {
		fprintf(stderr, "libunbound: %s\n", ub_strerror(rc));
		exit(1);
	}
	return ctx;
}

static void run_all(struct job *job)
{
	struct pollfd p = { .fd = ub_fd(job->ctx), .events = POLLIN };

	for (unsigned i = 0; i < job->o->window; i++) {
		job->slots[i].job = job;
		start(&job->slots[i]);
	}
	while (job->under_way)
		if (poll(&p, 1, 1000) > 0)
			ub_process(job->ctx);
}

static int run(const struct rl_options *o, bool is_warm)
{
	struct rl_options first = *o;
	struct job job = { .o = o, .is_warm = is_warm };
	int status;

	job.slots = calloc(o->window, sizeof(*job.slots));
	if (!job.slots)
		bench_die("memory", ENOMEM);
	job.ctx = open_ctx(o);
	if (is_warm) {
		first.count = RL_WARM;
		job.o = &first;
		rl_begin(&job.run, &first, RUSAGE_SELF);
		run_all(&job);
		job.o = o;
		job.started = 0;
	}
	rl_begin(&job.run, o, RUSAGE_SELF); /* the thread works, too */
	run_all(&job);
	status = rl_end(&job.run);
	ub_ctx_delete(job.ctx);
	free(job.slots);
	return status;
}

int unbound_hit(const struct rl_options *o)
{
	return run(o, true);
}

int unbound_miss(const struct rl_options *o)
{
	return run(o, false);
}
