/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "net_change.h"
#include "net_watch.h"

static void make_vss(struct rig *rig, const char *const *vss)
{
	char name[16], text[4096];
	unsigned mark, table;
	int at;

	rig_forget(rig);
	for (size_t i = 0; i < 3 && vss[i]; i++) {
		int n = sscanf(vss[i], "%15s %u%n", name, &mark, &at);

		assert_int_equal(n, 2);
		table = mark * 10;
		if (vss[i][at] == ' ')
			assert_int_equal(sscanf(vss[i] + at, " %u%n", &table, &n), 1);
		snprintf(text, sizeof(text), "Flavour=mark\nMark=%u\nTable=%u\n[Network]\n%s", mark,
			table, strchr(vss[i], '\n') ? strchr(vss[i], '\n') : "");
		rig_vs(rig, name, text);
	}
}

static void change(void **state)
{
	const struct net_change *c = *state;
	static struct watch watch;
	struct rig rig;

	memset(&watch, 0, sizeof(watch));
	rig_init(&rig);
	rig_link(&rig, "d0");
	rig_link(&rig, "d1");
	rig_link(&rig, "d2");
	rig_addr(&rig, "10.0.9.9/24", "d2");
	make_vss(&rig, c->before);
	watch_note(&watch, &rig);
	rig.watch = watch_step;
	rig.watch_arg = &watch;
	rig_apply(&rig);
	watch.before = watch.count;
	make_vss(&rig, c->after);
	watch_note(&watch, &rig);
	rig_apply(&rig);
	rig_expect(&rig, c->steps);
	rig_expect_told(&rig, "");
	rig_free(&rig);
}

int net_changes_run(const struct net_change *changes, size_t count)
{
	struct CMUnitTest tests[NET_CHANGES_MAX];

	if (count > NET_CHANGES_MAX)
		return 1;
	for (size_t i = 0; i < count; i++) {
		void *c = (void *)(uintptr_t)&changes[i];

		tests[i] = (struct CMUnitTest){changes[i].name, change, NULL, NULL, c};
	}
	return _cmocka_run_group_tests("mark VSs", tests, count, NULL, NULL);
}
