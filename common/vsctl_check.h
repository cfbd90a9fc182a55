/* SPDX-License-Identifier: BSD-3-Clause */
/* How vsctl check finds out what there is. What is wrong goes into the report. */
#ifndef NSAUX_VSCTL_CHECK_H
#define NSAUX_VSCTL_CHECK_H

#include "check.h"
#include "vsctl.h"
#include "vsdir.h"

/* A decimal number that a file has, alone on its line; -1: it cannot be had. */
int64_t vsctl_read_number(const char *path);
/* Cuts a line at its blanks: the number of words, at most max. The line is changed. */
size_t vsctl_words(char *line, char **words, size_t max);

/* vsctl_check_host.c: limits, processes of the daemon. */
void vsctl_check_host(const struct vsctl *ctl, struct check_report *report, size_t vs_count,
	size_t ns_count);
/* vsctl_check_names.c: the directory of names, and namespaces without a name. *count: how many
 * namespaces have a name there. */
void vsctl_check_names(const struct vsctl *ctl, struct check_report *report, size_t *count);
/* The mount that has a directory, as a process sees it ("self" or its number): 1 private, 0 not, or
 * -errno. */
int vsctl_is_private(const char *process, const char *dir);
/* vsctl_check_drift.c: what the files say, and the kernel does not have. The files are good. */
void vsctl_check_drift(const struct vsctl *ctl, struct check_report *report);
/* vsctl_check_ns.c: the namespaces that mark VSs share. */
void vsctl_check_shared(
	const struct vsctl *ctl, struct check_report *report, struct vs_conf *confs);

#endif
