/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual servers made to be what their files say:
 *
 *   vs_group.c    who is to be in which namespace
 *   vs_compare.c  one namespace compared with its files
 *   vs_check.c    all of them, before anything is done
 *   vs_change.c   one namespace changed, with the journal
 *   vs_apply.c    the flow
 */
#ifndef NSAUX_VS_APPLY_H
#define NSAUX_VS_APPLY_H

#include <stdbool.h>

#include "vs_group.h"

struct vs_apply_config {
	const char *vs_dir, *netns_dir;
	const char *runtime_dir; /* for the lock and the journal */
	struct vs_selection selection;
	bool is_dry_run;
	/* Told of errors and warnings (LOG_ERR, LOG_WARNING), as sentences without an end. */
	void (*log)(void *arg, int priority, const char *text);
	bool wants_text; /* of the steps that were done; otherwise they are "" */
	/* Told of each step that was done or, in a dry run, would be. */
	void (*step)(void *arg, const struct vs_group *group, const char *text);
	void *arg;
};

/*
 * 0; -EAGAIN: all but what waits for something that is not ours to do, which was told as a
 * warning; -EINVAL: the files, or what they want of the kernel, cannot be, and nothing was done;
 * any other error that was told. The namespaces are changed one by one: what can be done in one is done
 * also when another one fails.
 */
int vs_apply(const struct vs_apply_config *config);

#endif
