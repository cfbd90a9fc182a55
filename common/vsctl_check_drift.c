/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: what "vsctl apply" would do now, if it were asked. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "vs_apply.h"
#include "vsctl_check.h"

#define PLACE_MAX 4096

struct drift {
	struct check_report *report;
	const struct vs_group *group; /* only to be compared: it may be gone */
	size_t steps; /* of this group */
	char name[VSDIR_NAME_MAX + 1], path[PLACE_MAX], first[NET_STEP_TEXT];
};

static void tell_group(struct drift *d)
{
	if (d->steps == 0)
		return;
	check_add(d->report, CHECK_WARNING, "drift", d->name,
		"%s is %zu step%s from what its files say; the first: %s",
		*d->path ? d->path : "this namespace", d->steps, d->steps > 1 ? "s" : "", d->first);
	check_advise(d->report, "vsctl apply --dry-run shows all, vsctl apply does them");
	d->steps = 0;
}

static void on_step(void *arg, const struct vs_group *group, const char *text)
{
	struct drift *d = arg;

	if (d->group != group)
		tell_group(d);
	d->group = group;
	if (d->steps++ > 0)
		return;
	snprintf(d->name, sizeof(d->name), "%s", group->name);
	snprintf(d->path, sizeof(d->path), "%s", group->path);
	snprintf(d->first, sizeof(d->first), "%s", text);
}

static void on_log(void *arg, int priority, const char *text)
{
	const struct drift *d = arg;

	check_add(d->report, priority <= LOG_ERR ? CHECK_ERROR : CHECK_WARNING, "drift", NULL, "%s",
		text);
}

void vsctl_check_drift(const struct vsctl *ctl, struct check_report *report)
{
	char *const names[] = {NULL};
	struct drift drift = {.report = report};
	const struct vs_apply_config config = {
		.vs_dir = ctl->vs_dir,
		.netns_dir = ctl->netns_dir,
		.runtime_dir = ctl->is_daemon_named ? ctl->runtime_dir : RUNSTATEDIR "/nsaux",
		.selection = {.action = VS_ACTION_APPLY, .names = names,
			.netns_dir = ctl->netns_dir},
		.is_dry_run = true,
		.log = on_log,
		.step = on_step,
		.arg = &drift,
	};
	int rc;

	if (geteuid() != 0) {
		check_add(report, CHECK_NOTE, "drift", NULL,
			"not run as root: the kernel's state was not compared with the files");
		return;
	}
	/* What went wrong was told. */
	rc = vs_apply(&config);
	if (rc == 0 || rc == -EAGAIN)
		tell_group(&drift);
}
