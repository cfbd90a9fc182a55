/* SPDX-License-Identifier: BSD-3-Clause */
/* The context of a thread, for code that knows of none. The one variable of the library: a thread's
 * own, which nothing else can hold. */
#include "config.h"

#include "vsresolv.h"

static __thread struct vsresolv *bound;

void vsresolv_thread_bind(struct vsresolv *ctx)
{
	bound = ctx;
}

struct vsresolv *vsresolv_thread_bound(void)
{
	return bound;
}
