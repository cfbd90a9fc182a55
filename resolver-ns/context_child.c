/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closing in a child of the process that opened. Its descriptors are those of the parent: what the
 * child told the epoll or the timer would be told the parent, and what it sent would be taken for
 * the parent's. So nothing here stops, asks, or sends anything: memory is freed, and descriptors
 * are closed.
 */
#include "config.h"

#include "request.h"

void context_forsake(struct vsresolv *ctx)
{
	struct request *r;

	/* A thread that the child has not was in the midst of it: there is nothing here to rely
	 * on. */
	if (engine_detach(ctx->engine) < 0)
		return;
	queries_forsake(ctx->queries);
	queries_free(ctx->queries);
	netview_free(ctx->view);
	while ((r = LIST_FIRST(&ctx->requests)) != NULL) {
		LIST_REMOVE(r, link);
		/* One that a dead thread waits for is on its stack. */
		if (r->id != 0)
			request_destroy(r);
	}
}
