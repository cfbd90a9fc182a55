/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mark VSs: from one configuration to another, which steps in which order. The devices d0, d1 and
 * d2 are there, and on d2 an address of somebody else, 10.0.9.9/24. The model does the steps, with
 * net_watch.h looking on.
 */
#ifndef NSAUX_TESTS_NET_CHANGE_H
#define NSAUX_TESTS_NET_CHANGE_H

#include "t.h"

/* A VS: its name, mark and table (without: ten times the mark), and the lines of [Network]. */
struct net_change {
	const char *name;
	const char *before[3], *after[3], *steps;
};

#define NET_CHANGES_MAX 64
/* To be returned by main(). */
int net_changes_run(const struct net_change *changes, size_t count);

#endif
