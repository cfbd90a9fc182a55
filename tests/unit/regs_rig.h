/* SPDX-License-Identifier: BSD-3-Clause */
/* An empty table of registrations for each test, as its state. */
#ifndef NSAUX_TESTS_REGS_RIG_H
#define NSAUX_TESTS_REGS_RIG_H

#include "t.h"
#include "rpcbind-ns/regs.h"

static inline int regs_rig(void **state, struct regs_limits limits)
{
	struct regs *regs;

	assert_int_equal(regs_new(&regs, &limits, NULL), 0);
	*state = regs;
	return 0;
}

static inline int regs_rig_free(void **state)
{
	regs_free(*state);
	return 0;
}

/* The registration made last; NULL when there is none. */
static inline const struct regs_entry *regs_rig_last(const struct regs *regs)
{
	const struct regs_entry *e = NULL, *next;

	while ((next = regs_next(regs, e)))
		e = next;
	return e;
}

#endif
