/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VS whose server works (number 0), beside one whose server is dead (1) and one whose server is
 * malicious (2), in one loop. The working one is asked at a steady pace, without the others and
 * with them by turns; times count from when a request was due. What the others' servers do is told
 * by the names that they are asked for.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "peer.h"
#include "resolvours.h"

#define PACE_NS UINT64_C(250000)  /* of the VS that works */
#define EVIL_NS UINT64_C(2000000) /* of the malicious one */
#define DEAD 200                  /* requests to the dead one that are always under way */
#define SLICE_NS UINT64_C(500000000)
#define PATIENCE 2000             /* ms */
#define IN_FLIGHT 1024

enum who { GOOD, DEADLY, EVIL, CONTEXTS };

struct beside;
struct slot {
	struct beside *b;
	enum who who;
	bool is_taken, is_noisy;
	uint64_t since, hash;
};

struct beside {
	const struct rl_options *o;
	struct vsresolv_loop *loop;
	struct vsresolv *ctx[CONTEXTS];
	struct addrinfo hints;
	struct slot slots[CONTEXTS][IN_FLIGHT];
	unsigned asked, under_way[CONTEXTS];
	uint64_t skipped, failed, wrong, others;
	bool is_noisy;
	struct rl_times times[2]; /* without, with */
};

static const char *const tricks[] = {
	"forge", "cut.then", "wrongid.then", "wrongq.then", "garbage.then", "looppointer.then",
	"loopcname", "rdlen.then", "chain60", "mixed.poison", "many60", "servfail", "noq.then",
	"empty.then", "tcpclose", "tcpdrip", "count.then", "trail", "nodata", "twice",
};

static void done(void *arg, int status, struct addrinfo *res, const struct vsresolv_info *info)
{
	struct slot *slot = arg;
	struct beside *b = slot->b;

	(void)info;
	slot->is_taken = false;
	b->under_way[slot->who]--;
	if (slot->who != GOOD) {
		b->others++;
	} else if (status) {
		b->failed++;
	} else {
		b->wrong += !ours_is_right(b->o, res, 0, slot->hash);
		rl_times_add(&b->times[slot->is_noisy], peer_now() - slot->since);
	}
	vsresolv_freeaddrinfo(res);
}

static void ask(struct beside *b, enum who who, uint64_t since)
{
	char name[2 * RL_NAME], plain[RL_NAME];
	struct slot *slot = NULL;
	int rc;

	for (unsigned i = 0; i < IN_FLIGHT && !slot; i++)
		if (!b->slots[who][i].is_taken)
			slot = &b->slots[who][i];
	if (!slot) {
		b->skipped++;
		return;
	}
	*slot = (struct slot){ .b = b, .who = who, .is_taken = true, .is_noisy = b->is_noisy,
			       .since = since };
	slot->hash = rl_new_name(b->o, b->asked++, plain);
	if (who == GOOD)
		snprintf(name, sizeof(name), "%s", plain);
	else
		snprintf(name, sizeof(name), "%s.%s", who == DEADLY ? "drop" :
			tricks[b->asked % (sizeof(tricks) / sizeof(tricks[0]))], plain);
	rc = vsresolv_getaddrinfo_start(b->ctx[who], name, NULL, &b->hints, PATIENCE, done, slot,
		NULL);
	if (rc)
		bench_die("vsresolv_getaddrinfo_start", rc);
	b->under_way[who]++;
}

/* Asks what is due. When the next will be. */
static uint64_t ask_due(struct beside *b, uint64_t *good, uint64_t *evil)
{
	uint64_t now = peer_now();

	while (*good <= now) {
		ask(b, GOOD, *good);
		*good += PACE_NS;
	}
	for (unsigned i = 0; b->is_noisy && i < 8 && b->under_way[DEADLY] < DEAD; i++)
		ask(b, DEADLY, now);
	if (b->is_noisy && *evil <= now) {
		ask(b, EVIL, now);
		*evil = now + EVIL_NS;
	}
	return *good;
}

static void slice(struct beside *b, bool is_noisy)
{
	uint64_t now = peer_now(), until = now + SLICE_NS, good = now, evil = now;

	b->is_noisy = is_noisy;
	while (good < until)
		ours_turn(b->loop, ask_due(b, &good, &evil));
	/* All ends before it is the others' turn: a quiet slice is quiet. */
	while (b->under_way[GOOD] || b->under_way[DEADLY] || b->under_way[EVIL])
		ours_turn(b->loop, peer_now() + 100000000);
}

int ours_beside(const struct rl_options *o)
{
	struct beside *b = calloc(1, sizeof(*b));
	uint64_t until;

	if (!b)
		bench_die("memory", ENOMEM);
	b->o = o;
	b->loop = ours_loop();
	b->hints = ours_hints(o);
	for (unsigned i = 0; i < CONTEXTS; i++)
		b->ctx[i] = ours_open(o, i, b->loop, NULL);
	slice(b, false); /* to be warm */
	b->times[0] = (struct rl_times){ 0 };
	until = peer_now() + (uint64_t)o->ms * 1000000;
	for (bool is_noisy = false; peer_now() < until || is_noisy; is_noisy = !is_noisy)
		slice(b, is_noisy);
	printf("quiet_p50=%.2f quiet_p99=%.2f quiet_p999=%.2f noisy_p50=%.2f noisy_p99=%.2f "
	       "noisy_p999=%.2f quiet=%llu noisy=%llu others=%llu skipped=%llu failed=%llu "
	       "wrong=%llu\n",
		rl_times_us(&b->times[0], 0.5), rl_times_us(&b->times[0], 0.99),
		rl_times_us(&b->times[0], 0.999), rl_times_us(&b->times[1], 0.5),
		rl_times_us(&b->times[1], 0.99), rl_times_us(&b->times[1], 0.999),
		(unsigned long long)b->times[0].count, (unsigned long long)b->times[1].count,
		(unsigned long long)b->others, (unsigned long long)b->skipped,
		(unsigned long long)b->failed, (unsigned long long)b->wrong);
	for (unsigned i = 0; i < CONTEXTS; i++)
		vsresolv_close(b->ctx[i]);
	vsresolv_loop_close(b->loop);
	until = b->wrong + b->failed;
	free(b);
	return until != 0;
}
