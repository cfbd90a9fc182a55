/* SPDX-License-Identifier: BSD-3-Clause */
/* What the keeper puts right, how often, and what it leaves alone. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keeper_rig.h"

static void puts_right_at_once(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	assert_int_equal(count_rules("10.0.7.0/24", 100), 1);
	assert_true(count_routes(100) >= 2); /* the ends */
	assert_false(has_address("10.0.0.5/32"));
	end(keeper);
}

static void comes_to_rest(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	/* What it did itself is heard, and is right. The devices settle for some time. */
	for (int i = 0; i < 20 && run(&keeper, 1, 300) > 0; i++)
		assert_true(i < 19);
	end(keeper);
}

static void puts_back_what_is_deleted(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	for (int i = 0; i < 5; i++) {
		assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0);
		expect_rule(keeper, "10.0.0.5", 100, 1);
	}
	end(keeper);
}

static void two_agree(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keepers[2] = {begin(t), open_keeper(t)};

	for (int i = 0; i < 10; i++) {
		assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0);
		assert_int_equal(do_address(i % 2 ? NET_ADDR_DEL : NET_ADDR_ADD, "10.0.8.1/24"), 0);
		for (int turn = 0; turn < 100 && count_rules("10.0.0.5", 100) == 0; turn++)
			run(keepers, 2, 30);
	}
	run(keepers, 2, 4000); /* until what may wait is done, too */
	for (int i = 0; i < 20 && run(keepers, 2, 300) > 0; i++)
		assert_true(i < 19);
	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	assert_int_equal(strstr(t->log, "cannot") != NULL, 0);
	vs_keeper_close(keepers[1]);
	end(keepers[0]);
}

static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct flood {
	atomic_bool stop;
	unsigned changes;
};

static void *make_flood(void *arg)
{
	struct flood *f = arg;

	while (!atomic_load(&f->stop)) {
		do_address(NET_ADDR_ADD, "10.0.8.1/24");
		do_address(NET_ADDR_DEL, "10.0.8.1/24");
		f->changes += 2;
	}
	return NULL;
}

static void a_flood_takes_little_time(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct flood flood = {.changes = 0};
	uint64_t cpu = cpu_time();
	pthread_t thread;
	unsigned turns;

	assert_int_equal(pthread_create(&thread, NULL, make_flood, &flood), 0);
	turns = run(&keeper, 1, 1000);
	cpu = cpu_time() - cpu;
	atomic_store(&flood.stop, true);
	pthread_join(thread, NULL);
	print_message("# %u changes, %u turns, %u ms\n", flood.changes, turns,
		(unsigned)(cpu / NS_MS));
	assert_true(flood.changes > 200);
	assert_true(turns < 400); /* 100 looks, for which it wakes and hears */
	assert_true(cpu < 400 * NS_MS);
	do_address(NET_ADDR_ADD, "10.0.8.2/24");
	expect_rule(keeper, "10.0.8.2", 100, 1);
	end(keeper);
}

static void what_is_lost_is_looked_for(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct keeper_ns *ns = TAILQ_FIRST(&keeper->namespaces);
	int error = 0;
	socklen_t len = sizeof(error);

	run(&keeper, 1, 200);
	for (int i = 0; i < 2000; i++) {
		do_address(NET_ADDR_ADD, "10.0.8.1/24");
		do_address(NET_ADDR_DEL, "10.0.8.1/24");
	}
	assert_int_equal(do_rule(NET_RULE_DEL, "10.0.0.5", 100), 0); /* unheard */
	assert_int_equal(getsockopt(ns->events, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, ENOBUFS);
	expect_rule(keeper, "10.0.0.5", 100, 1);
	end(keeper);
}

/* Somebody who wants it otherwise, and is as quick as can be. */
static void a_fight_slows_down(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	uint64_t end_at = nst_now() + 2000 * NS_MS;
	unsigned lost = 0;

	while (nst_now() < end_at) {
		if (do_rule(NET_RULE_DEL, "10.0.0.5", 100) == 0)
			lost++;
		run(&keeper, 1, 2);
	}
	print_message("# %u rounds\n", lost);
	assert_in_range(lost, 5, 80);
	expect_rule(keeper, "10.0.0.5", 100, 1);
	end(keeper);
}

static void rules_linger_behind_addresses(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	keeper->linger = 400 * NS_MS;
	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.1/24"), 0);
	expect_rule(keeper, "10.0.8.1", 100, 1);
	assert_int_equal(do_address(NET_ADDR_DEL, "10.0.8.1/24"), 0);
	run(&keeper, 1, 150);
	assert_int_equal(count_rules("10.0.8.1", 100), 1);
	expect_rule(keeper, "10.0.8.1", 100, 0);
	end(keeper);
}

/* As vsctl apply does, for a moment in which it is not to be disturbed. */
static void a_closed_mark_stays_so_for_a_while(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	uint64_t end_at = nst_now() + NST_PATIENCE * NS_MS;

	assert_int_equal(do_mark(NET_RULE_ADD, true), 0);
	assert_int_equal(do_mark(NET_RULE_DEL, false), 0);
	run(&keeper, 1, 500);
	assert_int_equal(count_marks(true), 1);
	assert_int_equal(count_marks(false), 0);
	while (count_marks(true) > 0 && nst_now() < end_at)
		run(&keeper, 1, 50);
	assert_int_equal(count_marks(true), 0);
	assert_int_equal(count_marks(false), 1);
	end(keeper);
}

/* Of what is not ours, or another VS's as far as is known, nothing is touched. */
static void leaves_others_alone(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;

	assert_int_equal(do_rule(NET_RULE_ADD, "10.9.9.9", 999), 0);
	keeper = begin(t);
	keeper->linger = 0;
	run(&keeper, 1, 300);
	assert_int_equal(count_rules("10.9.9.9", 999), 1);
	end(keeper);
}

/* One for an address of a VS that leads elsewhere goes at once. */
static void a_wrong_rule_does_not_linger(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;

	assert_int_equal(do_rule(NET_RULE_ADD, "10.0.0.5", 999), 0);
	keeper = begin(t);
	assert_int_equal(count_rules("10.0.0.5", 999), 0);
	assert_int_equal(count_rules("10.0.0.5", 100), 1);
	end(keeper);
}

static void follows_the_configuration(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);

	nst_write(NST_CONF "/a.conf", FILE_A "Address=10.0.3.5/24\n");
	assert_int_equal(nst_reload(t), 0);
	expect_rule(keeper, "10.0.3.5", 100, 1);
	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nFlavour=mark\nMark=0xb\nTable=110\n"
				      "[Network]\nDevice=lo\nPool=10.0.6.0/24\n");
	assert_int_equal(nst_reload(t), 0);
	expect_rule(keeper, "10.0.6.0/24", 110, 1);
	assert_int_equal(unlink(NST_CONF "/b.conf"), 0);
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	run(&keeper, 1, 200);
	assert_true(TAILQ_EMPTY(&keeper->namespaces));
	assert_int_equal(count_rules("10.0.0.5", 100), 1); /* they stay */
	end(keeper);
}

/* Its sockets keep the namespace, until the registry has seen that the name is gone. */
static void lets_go_of_a_namespace(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper;
	uint64_t end_at;

	t->all_events = true;
	nst_add(NST_NETNS "/x");
	nst_write(NST_CONF "/c.conf", "[VirtualServer]\nFlavour=mark\nMark=0xc\nNamespace=x\n"
				      "[Network]\nDevice=lo\nPool=10.0.5.0/24\n");
	nst_open(t);
	keeper = open_keeper(t);
	assert_false(TAILQ_EMPTY(&keeper->namespaces));
	nst_del(NST_NETNS "/x");
	end_at = nst_now() + NST_PATIENCE * NS_MS;
	while (!strstr(t->events, "!c ") && nst_now() < end_at) {
		nst_turn(t, 20);
		run(&keeper, 1, 10);
	}
	assert_non_null(strstr(t->events, "-c "));
	assert_non_null(strstr(t->events, "!c "));
	assert_true(TAILQ_EMPTY(&keeper->namespaces));
	end(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(puts_right_at_once),
		NST_BOTH(comes_to_rest),
		NST_ONCE(puts_back_what_is_deleted),
		NST_ONCE(two_agree),
		NST_ONCE(a_flood_takes_little_time),
		NST_ONCE(what_is_lost_is_looked_for),
		NST_ONCE(a_fight_slows_down),
		NST_ONCE(rules_linger_behind_addresses),
		NST_ONCE(a_closed_mark_stays_so_for_a_while),
		NST_ONCE(leaves_others_alone),
		NST_ONCE(a_wrong_rule_does_not_linger),
		NST_BOTH(follows_the_configuration),
		NST_ONCE(lets_go_of_a_namespace),
	};
	int status = 0;

	if (!nst_begin(&status))
		return status;
	rig_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
