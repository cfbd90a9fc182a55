/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which virtual server is the calling thread in? For modules that other programs load: they have
 * nobody who could hand them a context, and so find it by the thread.
 */
#ifndef NSAUX_THREAD_CONTEXT_H
#define NSAUX_THREAD_CONTEXT_H

#include "vsresolv.h"

struct thread_context {
	struct vsresolv *ctx;
	struct held *held; /* NULL: the thread is bound to it */
};

/*
 * The context that the thread has bound itself to (vsresolv_thread_bind()), else that of the VS
 * whose network namespace it is in. 1: the thread is in no VS. 0: to be given back by
 * thread_context_put(). -errno: it is in one, and there is no context: an error for the caller, and
 * no reason to ask somebody else.
 *
 * In a child process a thread that was bound gets a context of the VS of that name.
 */
int thread_context_get(struct thread_context *found);
void thread_context_put(struct thread_context *found);

#endif
