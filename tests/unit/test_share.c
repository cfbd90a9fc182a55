/* SPDX-License-Identifier: BSD-3-Clause */
/* Slots dealt out to members that behave at random: never too many, nobody forgotten. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "t.h"
#include "resolver-ns/share.h"

#define MEMBERS 40

struct player {
	struct share_member member;
	struct world *world;
	unsigned wants; /* that are not begun */
	unsigned begun, ended;
};

struct world {
	struct share *share;
	unsigned max, under_way, turns;
	struct player players[MEMBERS];
	uint64_t seed;
};

static uint32_t roll(struct world *w)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->seed >> 33);
}

static void begin(struct player *p)
{
	while (p->wants > 0 && share_take(p->world->share, &p->member)) {
		p->wants--;
		p->begun++;
		p->world->under_way++;
		assert_true(p->world->under_way <= p->world->max);
	}
	if (p->wants == 0)
		share_leave(p->world->share, &p->member);
}

static void turn(struct share_member *member)
{
	struct player *p = (struct player *)member;

	p->world->turns++;
	begin(p);
}

static void end(struct player *p)
{
	p->world->under_way--;
	p->ended++;
	share_give(p->world->share, &p->member);
	begin(p);
}

static void world_new(struct world *w, unsigned max)
{
	memset(w, 0, sizeof(*w));
	w->max = max;
	w->seed = 42;
	assert_int_equal(share_new(&w->share, max), 0);
	for (unsigned i = 0; i < MEMBERS; i++) {
		w->players[i].world = w;
		w->players[i].member.turn = turn;
	}
}

static void ask(struct player *p, unsigned n)
{
	bool in_line = p->wants > 0;

	p->wants += n;
	if (!in_line)
		begin(p);
}

/* One that wants all leaves half, and each that comes then has room at once. */
static void leaves_room(__attribute__((unused)) void **state)
{
	struct world w;

	world_new(&w, 64);
	ask(&w.players[0], 1000);
	assert_int_equal(w.players[0].begun, 32);
	ask(&w.players[1], 1);
	assert_int_equal(w.players[1].begun, 1);
	ask(&w.players[1], 1000);
	assert_int_equal(w.players[1].begun, 16);
	for (unsigned i = 2; i < 8; i++) {
		ask(&w.players[i], 1);
		assert_int_equal(w.players[i].begun, 1);
	}
	share_free(w.share);
}

/* A member that has one, beside others that have hundreds: at most one round. */
static void one_beside_many(__attribute__((unused)) void **state)
{
	static const unsigned limits[] = {1, 2, 8, 39, 40, 200};

	for (unsigned l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		struct player *one;
		unsigned rounds = 0;
		struct world w;

		world_new(&w, limits[l]);
		one = &w.players[MEMBERS - 1];
		for (unsigned i = 0; i < MEMBERS - 1; i++)
			ask(&w.players[i], 500);
		ask(one, 1);
		for (unsigned i = 0; one->begun == 0; i = (i + 1) % (MEMBERS - 1)) {
			if (w.players[i].begun == w.players[i].ended)
				continue;
			end(&w.players[i]);
			if (++rounds > MEMBERS)
				fail_msg("limit %u: not in %u rounds", limits[l], rounds);
		}
		share_free(w.share);
	}
}

/* Nobody who waits is left behind, whatever the others do; all is given back in the end. */
static void at_random(__attribute__((unused)) void **state)
{
	for (unsigned max = 1; max < 130; max += 1 + max / 4) {
		struct world w;
		uint64_t asked = 0, begun = 0;

		world_new(&w, max);
		for (unsigned step = 0; step < 20000; step++) {
			struct player *p = &w.players[roll(&w) % MEMBERS];
			unsigned n = roll(&w) % 10 == 0 ? 50 : 1;

			if (roll(&w) % 64 == 0) {
				asked -= p->wants;
				p->wants = 0;
				share_leave(w.share, &p->member);
			} else if (roll(&w) % 8 == 0) {
				ask(p, n);
				asked += n;
			} else if (p->begun > p->ended) {
				end(p);
			}
		}
		for (unsigned i = 0, idle = 0; idle < MEMBERS; i = (i + 1) % MEMBERS) {
			struct player *p = &w.players[i];

			idle = p->begun == p->ended ? idle + 1 : 0;
			if (p->begun > p->ended)
				end(p);
		}
		for (unsigned i = 0; i < MEMBERS; i++) {
			assert_int_equal(w.players[i].wants, 0);
			assert_int_equal(w.players[i].member.taken, 0);
			begun += w.players[i].begun;
		}
		assert_int_equal(w.under_way, 0);
		assert_int_equal(begun, asked);
		share_free(w.share);
	}
}

/* Equal appetites get equal parts, within what one round is. */
static void equal_parts(__attribute__((unused)) void **state)
{
	struct world w;
	unsigned least = UINT_MAX, most = 0;

	world_new(&w, 100);
	for (unsigned i = 0; i < MEMBERS; i++)
		ask(&w.players[i], i % 2 ? 100000 : 1000);
	for (unsigned step = 0; step < 20000;) {
		struct player *p = &w.players[roll(&w) % MEMBERS];

		if (p->begun == p->ended)
			continue;
		end(p);
		step++;
	}
	for (unsigned i = 0; i < MEMBERS; i++) {
		unsigned begun = w.players[i].begun;

		least = begun < least ? begun : least;
		most = begun > most ? begun : most;
	}
	assert_true(least * 2 > most);
	share_free(w.share);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_room),
		cmocka_unit_test(one_beside_many),
		cmocka_unit_test(at_random),
		cmocka_unit_test(equal_parts),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
