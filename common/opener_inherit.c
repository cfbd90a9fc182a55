/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets that outlive the process: those that it was started with become those that the opener
 * keeps, and those that it keeps go to the service manager's store, and to its next self.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdstore.h"
#include "inherit.h"
#include "log.h"
#include "opener_judge.h"
#include "opener_private.h"

#define FLUSH_MS 1000

/* A namespace that is no VS any more: the socket, and the manager's copy, would keep it alive. */
static struct opener_entry *entry_by_cookie(const struct opener *opener, uint64_t cookie)
{
	struct vs *vs = vs_by_cookie(opener->reg, cookie);
	struct opener_entry *e = vs ? opener_entry_of(opener, vs) : NULL;

	if (e && !opener_is_announced(opener, e))
		e = NULL;
	vs_unref(vs);
	/* Where it is shared the carrier has them. */
	return opener_carrier(opener, cookie) ? opener_carrier(opener, cookie) : e;
}

/* Its namespace gives nobody away, but would be kept alive. */
static bool is_of_host(const struct opener *opener, const struct opener_judged *j)
{
	struct vs *host = vs_by_name(opener->reg, VS_HOST);
	bool is = host && vs_cookie(host) == j->cookie;

	vs_unref(host);
	return is;
}

/* Where a socket of this kind is kept; *key is that of the store. NULL: nowhere. */
static int *slot_of(struct opener *opener, const struct opener_judged *j, uint64_t *key)
{
	struct opener_entry *e;

	if (!(OPENER_BIT(j->kind) & OPENER_GLOBAL)) {
		e = entry_by_cookie(opener, j->cookie);
		*key = j->cookie;
		return e ? &e->kept[j->kind] : NULL;
	}
	*key = 0;
	if (!is_of_host(opener, j))
		return NULL;
	return &opener->global[j->kind == OPENER_PATH ? 0 : 1];
}

/* A socket unit's socket that was stored too comes twice. */
static bool is_same_socket(int a, int b)
{
	uint64_t x = 0, y = 0;
	socklen_t len = sizeof(x);

	return getsockopt(a, SOL_SOCKET, SO_COOKIE, &x, &len) == 0 &&
	       getsockopt(b, SOL_SOCKET, SO_COOKIE, &y, &len) == 0 && x == y;
}

static void note_stored(struct opener *opener, const struct inherited *in,
	const struct opener_judged *j, uint64_t key, int fd)
{
	if (in->stored && in->key == key) {
		fdstore_found(opener->store, key, j->kind, fd);
		return;
	}
	fdstore_put(opener->store, key, j->kind, fd);
	if (in->stored)
		fdstore_stale(opener->store, in->key);
}

/* The local socket of which VS is it? NULL: of none. */
static struct opener_entry *find_local(const struct opener *opener, int fd, struct opener_judged *j)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (e->policy.local && opener_is_announced(opener, e) &&
			!opener_judge_local(fd, e->policy.local, j) && is_of_host(opener, j))
			return e;
	return NULL;
}

static const char *keep(struct opener *opener, const struct inherited *in,
	const struct opener_judged *j, uint64_t key, int *slot)
{
	if (*slot >= 0 && !is_same_socket(*slot, in->fd))
		return "a second one of its kind";
	if (*slot < 0 && opener_make_ready(in->fd, j->kind))
		return "it cannot be made ready";
	if (*slot >= 0)
		close(in->fd);
	else
		*slot = in->fd;
	note_stored(opener, in, j, key, *slot);
	return NULL;
}

/* NULL: it is kept, or it is one that is kept already; else why not. */
static const char *adopt(struct opener *opener, const struct inherited *in)
{
	struct opener_judged j;
	const char *why = opener_judge(in->fd, opener->policy, &j);
	uint64_t key = 0;
	struct opener_entry *local = why ? find_local(opener, in->fd, &j) : NULL;
	int *slot = why ? NULL : slot_of(opener, &j, &key);

	if (local)
		return opener_note_local(local) ? "it is not at its path" :
			keep(opener, in, &j, local->key, &local->kept[OPENER_LOCAL]);
	if (why)
		return why;
	if (!slot)
		return "its network namespace is not served";
	why = keep(opener, in, &j, key, slot);
	if (!why && j.kind == OPENER_PATH)
		opener_note_path(opener);
	return why;
}

void opener_inherit(struct opener *opener, struct fdstore *store, const struct inherited *list,
	size_t count)
{
	struct opener_entry *e, *next;
	const char *why;
	char text[160];
	size_t kept = 0;

	opener->store = store;
	for (size_t i = 0; i < count; i++) {
		why = adopt(opener, &list[i]);
		if (!why) {
			kept++;
			continue;
		}
		opener_describe(list[i].fd, text, sizeof(text));
		log_notice(NULL, "inherited descriptor %d (%s) is not used: %s", list[i].fd, text, why);
		close(list[i].fd);
		if (list[i].stored)
			fdstore_stale(store, list[i].key);
	}
	if (count)
		log_info(NULL, "%zu of %zu inherited descriptors are used", kept, count);
	HASH_ITER(by_id, opener->by_id, e, next)
		for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
			e->unclaimed |= e->kept[k] >= 0 ? OPENER_BIT(k) : 0;
}

void opener_settled(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next) {
		for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
			if (!(e->unclaimed & OPENER_BIT(k)) || e->kept[k] < 0)
				continue;
			log_info(vs_name(e->vs), "inherited socket (%s) is not wanted",
				opener_kind_name((enum opener_kind)k));
			if (k == OPENER_LOCAL) {
				opener_drop_local(opener, e);
				continue;
			}
			fdstore_drop(opener->store, e->key, (enum opener_kind)k);
			close(e->kept[k]);
			e->kept[k] = -1;
		}
		e->unclaimed = 0;
	}
	fdstore_start(opener->store);
}

int opener_flush_store(struct opener *opener)
{
	int rc = fdstore_flush(opener->store, FLUSH_MS);

	if (rc)
		log_warn(NULL, "the service manager does not take all sockets: %s", strerror(-rc));
	return rc;
}

/* Ours are bound under another name and renamed to the path (opener_listen_path()), so that one which
 * was bound there is the service manager's. */
static bool is_of_unit(int fd, const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNSPEC};
	socklen_t len = sizeof(name);

	return getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	       len > offsetof(struct sockaddr_un, sun_path) && name.sun_family == AF_UNIX &&
	       !strncmp(name.sun_path, path, sizeof(name.sun_path));
}

bool opener_outlived(const struct opener *opener, enum opener_kind kind)
{
	const char *path = kind == OPENER_PATH ? opener->policy->path : opener->policy->control;
	int fd = opener->global[kind == OPENER_PATH ? 0 : 1];

	return fd >= 0 && (fdstore_has(opener->store, 0, kind) || is_of_unit(fd, path));
}

struct kept_list {
	struct inherited *list;
	size_t count, size;
};

static int add_kept(struct kept_list *kept, const struct opener *opener, uint64_t key, unsigned kind,
	int fd)
{
	struct inherited *bigger;
	size_t size = kept->size ? kept->size * 2 : 64;

	if (fd < 0 || !(FDSTORE_KINDS & OPENER_BIT(kind)))
		return 0;
	if (kept->count == kept->size) {
		bigger = reallocarray(kept->list, size, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		kept->list = bigger;
		kept->size = size;
	}
	kept->list[kept->count++] = (struct inherited){fd,
		fdstore_has(opener->store, key, (enum opener_kind)kind), key};
	return 0;
}

int opener_kept(const struct opener *opener, struct inherited **list, size_t *count)
{
	struct kept_list kept = {NULL, 0, 0};
	struct opener_entry *e, *next;
	int rc = add_kept(&kept, opener, 0, OPENER_PATH, opener->global[0]);

	if (!rc)
		rc = add_kept(&kept, opener, 0, OPENER_CONTROL, opener->global[1]);
	HASH_ITER(by_id, opener->by_id, e, next)
		for (unsigned k = 0; !rc && k < OPENER_KIND_COUNT; k++)
			rc = add_kept(&kept, opener, e->key, k, e->kept[k]);
	if (rc) {
		free(kept.list);
		return rc;
	}
	*list = kept.list;
	*count = kept.count;
	return 0;
}
