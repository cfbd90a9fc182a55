/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t.h"

#include "vs_group.h"

/* Files and a journal in memory alone, but for the directory that a journal is. */
struct rig {
	struct vs_conf *confs;
	struct vs_group *groups;
	struct vs_journal *journal;
	char dir[64];
};

static void no_log(void *arg, const char *file, const char *text)
{
	(void)arg, (void)file, (void)text;
	fail();
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	snprintf(r->dir, sizeof(r->dir), "/tmp/vsgroup.XXXXXX");
	*state = r;
	return mkdtemp(r->dir) ? vs_journal_open(&r->journal, r->dir, true, no_log, NULL) : -1;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	struct vs_conf *conf, *next;
	struct vs_entry *entry, *next_entry;

	vs_groups_free(r->groups);
	HASH_ITER(hh, vs_journal_entries(r->journal), entry, next_entry) {
		char name[128];
		snprintf(name, sizeof(name), "%s", entry->name);
		vs_journal_remove(r->journal, name);
	}
	vs_journal_close(r->journal);
	rmdir(r->dir);
	HASH_ITER(hh, r->confs, conf, next) {
		HASH_DEL(r->confs, conf);
		free(conf->network);
		free(conf);
	}
	free(r);
	return 0;
}

static struct vs_conf *add(struct rig *r, const char *name, const char *ns, bool is_mark)
{
	struct vs_conf *conf = calloc(1, sizeof(*conf) + strlen(name) + 1);

	memcpy(conf->name, name, strlen(name));
	conf->network = calloc(1, sizeof(*conf->network));
	conf->network->is_mark = is_mark;
	conf->network->is_wanted = true;
	conf->values.ns = (char *)(uintptr_t)ns;
	conf->values.enabled = true;
	HASH_ADD_KEYPTR(hh, r->confs, conf->name, strlen(name), conf);
	return conf;
}

static void journal(struct rig *r, const char *name, const char *ns)
{
	const struct vs_entry e = {.state = VS_ENTRY_MADE, .ns = (char *)(uintptr_t)ns};

	assert_int_equal(vs_journal_put(r->journal, name, &e), 0);
}

static void make(struct rig *r, enum vs_action action, char *const *names)
{
	const struct vs_selection s = {action, names, "/run/netns"};

	assert_int_equal(vs_groups_make(&r->groups, &s, r->confs, r->journal), 0);
}

static struct vs_group *group(const struct rig *r, const char *path)
{
	struct vs_group *g;

	HASH_FIND_STR(r->groups, path, g);
	return g;
}

static enum net_member_wish wish(const struct vs_group *g, const char *name)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->members[i].name, name) == 0)
			return g->members[i].wish;
	fail();
	return NET_LEAVE;
}

static char *const all[] = {NULL};

static void test_paths(void **state)
{
	struct rig *r = *state;

	add(r, "blue", "", false);
	add(r, "red", "other", false);
	add(r, "green", "/proc/1/ns/net", false);
	add(r, "host", "", false);
	add(r, "m1", "", true);
	add(r, "m2", "host", true);
	add(r, "m3", "other", true);
	make(r, VS_ACTION_APPLY, all);
	assert_int_equal(HASH_COUNT(r->groups), 4);
	assert_int_equal(group(r, "/run/netns/blue")->count, 1);
	assert_true(group(r, "/run/netns/blue")->can_be_made);
	assert_int_equal(group(r, "/run/netns/other")->count, 2);
	assert_false(group(r, "/proc/1/ns/net")->can_be_made);
	assert_int_equal(group(r, "")->count, 3);
	assert_true(group(r, "")->is_home && group(r, "")->net.is_full);
}

/* A mark VS alone makes no namespace. */
static void test_makable(void **state)
{
	struct rig *r = *state;

	add(r, "m", "blue", true);
	add(r, "deep", "/run/netns/a/b", false);
	make(r, VS_ACTION_APPLY, all);
	assert_false(group(r, "/run/netns/blue")->can_be_made);
	assert_false(group(r, "/run/netns/a/b")->can_be_made);
}

static void test_apply(void **state)
{
	struct rig *r = *state;
	struct vs_conf *off = add(r, "off", "", true);

	add(r, "m1", "", true);
	add(r, "plain", "", false)->network->is_wanted = false;
	off->values.enabled = false;
	journal(r, "off", "");
	journal(r, "gone", "/run/netns/gone");
	make(r, VS_ACTION_APPLY, all);
	assert_int_equal(wish(group(r, ""), "m1"), NET_PRESENT);
	assert_int_equal(wish(group(r, ""), "off"), NET_ABSENT);
	assert_int_equal(wish(group(r, "/run/netns/gone"), "gone"), NET_ABSENT);
	assert_true(group(r, "/run/netns/gone")->is_going);
	assert_false(group(r, "")->is_going);
	assert_null(group(r, "/run/netns/plain"));
}

static void test_some(void **state)
{
	char *const names[] = {(char[]){"m1"}, NULL};
	struct rig *r = *state;

	add(r, "m1", "", true);
	add(r, "m2", "", true);
	add(r, "blue", "", false);
	journal(r, "m2", "");
	journal(r, "blue", "/run/netns/blue");
	make(r, VS_ACTION_DOWN, names);
	assert_int_equal(wish(group(r, ""), "m1"), NET_ABSENT);
	assert_int_equal(wish(group(r, ""), "m2"), NET_LEAVE);
	assert_false(group(r, "")->net.is_full || group(r, "")->is_going);
	assert_true(group(r, "")->is_touched);
	assert_false(group(r, "/run/netns/blue")->is_touched);
}

/* What a VS without a file has is what nobody else wishes. */
static void test_stranger(void **state)
{
	char *const names[] = {(char[]){"gone"}, NULL};
	struct rig *r = *state;

	add(r, "m1", "", true);
	add(r, "m2", "", true);
	journal(r, "gone", "");
	journal(r, "m2", "");
	make(r, VS_ACTION_DOWN, names);
	assert_int_equal(wish(group(r, ""), "gone"), NET_ABSENT);
	assert_int_equal(wish(group(r, ""), "m1"), NET_ABSENT);  /* is not up, and stays so */
	assert_int_equal(wish(group(r, ""), "m2"), NET_PRESENT); /* is up, and stays so */
	assert_true(group(r, "")->net.is_full);
	assert_int_equal(group(r, "")->net.count, 2);
}

/* Its file names another namespace than the one in which it is. */
static void test_moved(void **state)
{
	struct rig *r = *state;

	add(r, "blue", "new", false);
	journal(r, "blue", "/run/netns/old");
	make(r, VS_ACTION_APPLY, all);
	assert_int_equal(wish(group(r, "/run/netns/old"), "blue"), NET_ABSENT);
	assert_true(group(r, "/run/netns/old")->is_going);
	assert_int_equal(wish(group(r, "/run/netns/new"), "blue"), NET_PRESENT);
	assert_false(group(r, "/run/netns/new")->members[0].is_journaled);
}

static void test_merge(void **state)
{
	struct rig *r = *state;
	struct vs_group *a, *b;

	add(r, "blue", "", false);
	add(r, "m1", "/proc/7/ns/net", true);
	make(r, VS_ACTION_APPLY, all);
	a = group(r, "/run/netns/blue");
	b = group(r, "/proc/7/ns/net");
	a->made_path = a->path;
	assert_int_equal(vs_group_merge(a, b), 0);
	assert_ptr_equal(b->same, a);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->net.count, 2);
	assert_string_equal(a->members[1].path, "/proc/7/ns/net");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_makable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_some, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
