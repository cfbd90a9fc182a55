/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_getaddrinfo(), at once and later. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "gai.h"

/* ---- the request */

static void finish(struct gai *gai, int status)
{
	if (status != GAI_PENDING)
		request_finish(&gai->request, status);
}

static void answered4(struct query_waiter *w, int status, struct answer *answer)
{
	struct gai *gai = container_of(w, struct gai, parts[GAI_V4].waiter);

	finish(gai, gai_search_answered(gai, &gai->parts[GAI_V4], status, answer));
}

static void answered6(struct query_waiter *w, int status, struct answer *answer)
{
	struct gai *gai = container_of(w, struct gai, parts[GAI_V6].waiter);

	finish(gai, gai_search_answered(gai, &gai->parts[GAI_V6], status, answer));
}

/* AI_ADDRCONFIG: one family is enough where the VS has one, and a family that it lacks is of no
 * use. */
static int narrow(struct gai *gai)
{
	struct request *r = &gai->request;
	uint32_t before = netview_generation(r->ctx->view);
	bool has4, has6;
	int rc;

	if (!(gai->hints.flags & AI_ADDRCONFIG))
		return 0;
	rc = netview_families(r->ctx->view, engine_now(), &has4, &has6);
	gai->epoch += netview_generation(r->ctx->view) - before;
	if (rc < 0)
		return request_status(r, rc, NULL);
	if ((gai->family == AF_INET && !has4) || (gai->family == AF_INET6 && !has6))
		return EAI_NONAME;
	if (gai->family == AF_UNSPEC && has4 != has6)
		gai->family = has4 ? AF_INET : AF_INET6;
	return 0;
}

static void gai_begin(struct request *r)
{
	struct gai *gai = container_of(r, struct gai, request);
	int status = gai->early;

	if (status == GAI_PENDING) {
		gai->epoch = atomic_load(&r->ctx->epoch);
		status = narrow(gai);
		if (!status)
			status = gai_result_hosts(gai);
		if (status == GAI_PENDING)
			status = gai_search_begin(gai);
	}
	finish(gai, status);
}

static void gai_stop(struct request *r)
{
	gai_search_stop(container_of(r, struct gai, request));
}

static int gai_expire(struct request *r)
{
	return gai_search_expire(container_of(r, struct gai, request));
}

static void gai_deliver(struct request *r)
{
	struct gai *gai = container_of(r, struct gai, request);
	struct addrinfo *res = gai->res;

	gai->res = NULL;
	gai->fn(gai->arg, r->status, res, &r->info);
}

static void gai_destroy(struct request *r)
{
	struct gai *gai = container_of(r, struct gai, request);

	vsresolv_freeaddrinfo(gai->res);
	free(gai);
}

static const struct request_ops gai_ops = {
	.begin = gai_begin,
	.stop = gai_stop,
	.expire = gai_expire,
	.deliver = gai_deliver,
	.destroy = gai_destroy,
};

/* Takes the snapshot of the wish. */
static struct gai *gai_new(struct vsresolv *ctx, struct gai_wish *wish, int early)
{
	/* Of what is settled the rest of the wish is not needed, and may not even be there. */
	const bool settled = early != GAI_PENDING;
	const char *node = settled ? "" : wish->node, *ascii = settled ? "" : wish->ascii;
	size_t len = strlen(node) + 1, ascii_len = strlen(ascii) + 1;
	struct gai *gai = calloc(1, sizeof(*gai) + len + ascii_len);

	if (!gai) {
		rconf_unref(wish->conf);
		return NULL;
	}
	request_init(&gai->request, ctx, &gai_ops);
	gai->request.conf = wish->conf;
	gai->request.is_settled = settled;
	if (!settled) {
		gai->hints = wish->hints;
		gai->family = wish->hints.family;
	}
	gai->until = UINT64_MAX;
	gai->parts[GAI_V4].waiter.fn = answered4;
	gai->parts[GAI_V6].waiter.fn = answered6;
	gai->early = early;
	gai->node = memcpy(gai->text, node, len);
	gai->ascii = memcpy(gai->text + len, ascii, ascii_len);
	return gai;
}

/* ---- the user's side */

/* The rest of a synchronous call, which takes the engine. */
static int run(struct vsresolv *ctx, struct gai_wish *wish, int timeout_ms, struct addrinfo **res,
	struct vsresolv_info *info)
{
	struct gai *gai = gai_new(ctx, wish, GAI_PENDING);
	int status;

	if (!gai)
		return EAI_MEMORY;
	status = request_run(&gai->request, timeout_ms);
	*info = gai->request.info;
	if (!status) {
		*res = gai->res;
		gai->res = NULL;
	}
	request_destroy(&gai->request);
	return status;
}

int vsresolv_getaddrinfo(struct vsresolv *ctx, const char *node, const char *service,
	const struct addrinfo *hints, int timeout_ms, struct addrinfo **res,
	struct vsresolv_info *info)
{
	struct vsresolv_info unwanted;
	struct gai_wish wish;
	int status;

	if (!info)
		info = &unwanted;
	status = gai_at_hand(ctx, node, service, hints, &wish, res, info);
	if (status == GAI_PENDING)
		return run(ctx, &wish, timeout_ms, res, info);
	rconf_unref(wish.conf);
	request_count(ctx, info);
	return status;
}

int vsresolv_getaddrinfo_start(struct vsresolv *ctx, const char *node, const char *service,
	const struct addrinfo *hints, int timeout_ms, vsresolv_addrinfo_fn *fn, void *arg,
	uint64_t *id)
{
	struct addrinfo *res = NULL;
	struct vsresolv_info info;
	struct gai_wish wish;
	struct gai *gai;
	int early;

	if (!fn)
		return -EINVAL;
	early = gai_at_hand(ctx, node, service, hints, &wish, &res, &info);
	gai = gai_new(ctx, &wish, early);
	if (!gai) {
		vsresolv_freeaddrinfo(res);
		return -ENOMEM;
	}
	gai->request.info = info;
	gai->res = res;
	gai->fn = fn;
	gai->arg = arg;
	return request_start(&gai->request, timeout_ms, id);
}

void vsresolv_freeaddrinfo(struct addrinfo *res)
{
	free(res);
}
