/* SPDX-License-Identifier: BSD-3-Clause */
/* vsresolv_ptr(): all the names of an address. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "ptr.h"

struct ptr_list {
	struct ptr ptr;
	vsresolv_ptr_fn *fn; /* NULL: synchronous */
	void *arg;
};

/* ---- the result */

/* In one block: the array of pointers, then the names. */
static int make_names(const struct ptr *ptr, struct vsresolv_names **res)
{
	char text[DNS_TEXT_MAX], *at;
	size_t size = sizeof(**res) + ptr->count * sizeof(char *);
	struct vsresolv_names *names;
	const char **list;

	/* Names of hosts have no escapes: the text is no longer than the name. */
	for (size_t i = 0; i < ptr->count; i++)
		size += ptr->names[i].name.len;
	names = malloc(size);
	if (!names)
		return EAI_MEMORY;
	list = (const char **)(names + 1);
	at = (char *)(list + ptr->count);
	for (size_t i = 0; i < ptr->count; i++) {
		(void)dns_name_text(&ptr->names[i].name, text, sizeof(text));
		list[i] = memcpy(at, text, strlen(text) + 1);
		at += strlen(text) + 1;
	}
	*names = (struct vsresolv_names){.count = ptr->count, .names = list};
	*res = names;
	return 0;
}

/* ---- the request */

static void list_deliver(struct request *r)
{
	struct ptr_list *list = container_of(r, struct ptr_list, ptr.request);
	struct vsresolv_names *names = NULL;
	int status = r->status;

	if (status == 0)
		status = make_names(&list->ptr, &names);
	list->fn(list->arg, status, names, &r->info);
}

static void list_destroy(struct request *r)
{
	struct ptr_list *list = container_of(r, struct ptr_list, ptr.request);

	ptr_clear(&list->ptr);
	free(list);
}

static const struct request_ops list_ops = {
	.begin = ptr_begin,
	.stop = ptr_stop,
	.expire = ptr_expire,
	.deliver = list_deliver,
	.destroy = list_destroy,
};

/* ---- the user's side */

static struct ptr_list *list_new(struct vsresolv *ctx, const struct sockaddr *addr, int flags)
{
	struct ptr_list *list = calloc(1, sizeof(*list));
	socklen_t len = 0;

	if (!list)
		return NULL;
	if (addr)
		len = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	ptr_init(&list->ptr, ctx, &list_ops, addr, len, flags & VSRESOLV_NI_CONFIRM);
	if (flags & ~VSRESOLV_NI_CONFIRM)
		list->ptr.invalid = EAI_BADFLAGS;
	return list;
}

int vsresolv_ptr(struct vsresolv *ctx, const struct sockaddr *addr, int flags, int timeout_ms,
	struct vsresolv_names **res, struct vsresolv_info *info)
{
	struct ptr_list *list = list_new(ctx, addr, flags);
	struct request *r;
	int status;

	if (!list) {
		if (info)
			*info = (struct vsresolv_info){.rcode = -1};
		return EAI_MEMORY;
	}
	r = &list->ptr.request;
	if (!ptr_at_hand(&list->ptr))
		request_run(r, timeout_ms);
	status = r->status;
	if (status == 0)
		status = make_names(&list->ptr, res);
	if (info)
		*info = r->info;
	request_destroy(r);
	return status;
}

int vsresolv_ptr_start(struct vsresolv *ctx, const struct sockaddr *addr, int flags, int timeout_ms,
	vsresolv_ptr_fn *fn, void *arg, uint64_t *id)
{
	struct ptr_list *list;

	if (!fn)
		return -EINVAL;
	list = list_new(ctx, addr, flags);
	if (!list)
		return -ENOMEM;
	list->fn = fn;
	list->arg = arg;
	return request_start(&list->ptr.request, timeout_ms, id);
}
