/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl up, down, apply. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "vs_apply.h"
#include "vsctl.h"

struct output {
	const struct vsctl *ctl;
	bool is_dry_run;
	json_t *list;              /* of one object for each namespace that changes */
	const struct vs_group *last;
	long long count;           /* of all changes */
};

static void take_log(void *arg, int priority, const char *text)
{
	(void)arg;
	fprintf(stderr, "vsctl: %s%s\n", priority == LOG_WARNING ? "warning: " : "", text);
}

static json_t *group_names(const struct vs_group *group)
{
	json_t *names = json_array();

	for (size_t i = 0; i < group->count; i++)
		if (group->members[i].wish != NET_LEAVE)
			json_array_append_new(names, json_string(group->members[i].name));
	return names;
}

static void add_json(struct output *o, const struct vs_group *group, const char *text)
{
	json_t *object = NULL, *item;
	size_t i;

	if (o->last != group)
		json_array_append_new(o->list,
			json_pack("{s:o, s:s, s:[]}", "names", group_names(group), "namespace",
				group->path, "steps"));
	json_array_foreach(o->list, i, item)
		object = item;
	json_array_append_new(json_object_get(object, "steps"), json_string(text));
}

static void take_step(void *arg, const struct vs_group *group, const char *text)
{
	struct output *o = arg;

	o->count++;
	if (o->ctl->json)
		add_json(o, group, text);
	else if (o->is_dry_run)
		printf("%s: %s\n", group->name, text);
	o->last = group;
}

static int print_result(const struct output *o, int rc)
{
	json_t *result;

	if (!o->ctl->json) {
		if (!o->is_dry_run && o->count > 0)
			printf("%lld change%s\n", o->count, o->count > 1 ? "s" : "");
		return ferror(stdout) ? -EIO : rc;
	}
	result = json_pack("{s:i, s:b, s:b, s:I, s:O}", "schema", 1, "dry_run", o->is_dry_run,
		"done", rc == 0, "changes", (json_int_t)o->count, "namespaces", o->list);
	if (vsctl_print_json(result) < 0 && rc == 0)
		rc = -EIO;
	json_decref(result);
	return rc;
}

static int run(const struct vsctl *ctl, enum vs_action action, char *const *names)
{
	struct output o = {.ctl = ctl,
		.is_dry_run = vsctl_option(ctl, "dry-run") != NULL,
		.list = json_array()};
	const struct vs_apply_config config = {
		.vs_dir = ctl->vs_dir,
		.runtime_dir = ctl->is_daemon_named ? ctl->runtime_dir : RUNSTATEDIR "/nsaux",
		.selection = {.action = action, .names = names, .netns_dir = ctl->netns_dir},
		.is_dry_run = o.is_dry_run,
		.wants_text = ctl->json,
		.log = take_log,
		.step = take_step,
		.arg = &o,
	};
	int rc = print_result(&o, vs_apply(&config));

	json_decref(o.list);
	return rc;
}

static int run_up(const struct vsctl *ctl, char *const *args)
{
	return run(ctl, VS_ACTION_UP, args);
}

static int run_down(const struct vsctl *ctl, char *const *args)
{
	return run(ctl, VS_ACTION_DOWN, args);
}

static int run_apply(const struct vsctl *ctl, char *const *args)
{
	return run(ctl, VS_ACTION_APPLY, args);
}

static const struct vsctl_option options[] = {
	{"dry-run", NULL, "show the steps, and do nothing"},
	{NULL, NULL, NULL},
};

const struct vsctl_command vsctl_up = {
	.name = "up",
	.usage = "[--dry-run] VS...",
	.min_args = 1,
	.max_args = VSCTL_ARGS_MANY,
	.help = "make virtual servers",
	.options = options,
	.run = run_up,
};

const struct vsctl_command vsctl_down = {
	.name = "down",
	.usage = "[--dry-run] VS...",
	.min_args = 1,
	.max_args = VSCTL_ARGS_MANY,
	.help = "take virtual servers down",
	.options = options,
	.run = run_down,
};

const struct vsctl_command vsctl_apply = {
	.name = "apply",
	.usage = "[--dry-run] [VS...]",
	.min_args = 0,
	.max_args = VSCTL_ARGS_MANY,
	.help = "make them what their files say",
	.options = options,
	.run = run_apply,
};
