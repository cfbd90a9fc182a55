/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local socket that a VS has for itself. It is made in the opener's own namespace, so that it
 * keeps no tenant's alive: whoever comes by it is of that VS because of the path, and the server
 * makes sure by the client's cookie that he is of its namespace, too.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdstore.h"
#include "log.h"
#include "opener_private.h"

static bool is_in_place(const struct opener_entry *e)
{
	struct stat st;

	return e->local.path && lstat(e->local.path, &st) == 0 && st.st_dev == e->local.dev &&
	       st.st_ino == e->local.ino;
}

int opener_note_local(struct opener_entry *e)
{
	char *path = e->policy.local ? strdup(e->policy.local) : NULL;
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (lstat(path, &st) < 0) {
		int rc = -errno;
		free(path);
		return rc;
	}
	free(e->local.path);
	e->local.path = path;
	e->local.dev = st.st_dev;
	e->local.ino = st.st_ino;
	return 0;
}

static int make(struct opener *opener, struct opener_entry *e)
{
	/* As with the socket for all, every client may connect. */
	int fd = opener_listen_path(e->policy.local, 0666), rc;

	if (fd < 0)
		return fd;
	rc = opener_note_local(e);
	if (rc) {
		close(fd);
		return rc;
	}
	e->kept[OPENER_LOCAL] = fd;
	fdstore_put(opener->store, e->key, OPENER_LOCAL, fd);
	return 0;
}

struct opener_socket opener_get_local(struct opener *opener, struct opener_entry *e)
{
	int rc = e->policy.local ? 0 : -EOPNOTSUPP;

	if (!rc && e->kept[OPENER_LOCAL] < 0)
		rc = make(opener, e);
	return (struct opener_socket){rc ? -1 : e->kept[OPENER_LOCAL], -rc};
}

static void close_kept(struct opener *opener, struct opener_entry *e)
{
	fdstore_drop(opener->store, e->key, OPENER_LOCAL);
	close(e->kept[OPENER_LOCAL]);
	e->kept[OPENER_LOCAL] = -1;
	free(e->local.path);
	e->local.path = NULL;
}

void opener_drop_local(struct opener *opener, struct opener_entry *e)
{
	if (e->kept[OPENER_LOCAL] < 0)
		return;
	/* What another process put in its place is not ours. */
	if (is_in_place(e))
		unlink(e->local.path);
	close_kept(opener, e);
}

void opener_follow_local(struct opener *opener, struct opener_entry *e)
{
	if (e->kept[OPENER_LOCAL] >= 0 &&
		(!e->policy.local || !e->local.path || strcmp(e->policy.local, e->local.path)))
		opener_drop_local(opener, e);
}

static void make_again(struct opener *opener, struct opener_entry *e)
{
	struct opener_socket sockets[OPENER_KIND_COUNT] = {{0}};
	int rc;

	log_warn(vs_name(e->vs), "%s is not our socket any more, making it again", e->local.path);
	close_kept(opener, e);
	sockets[OPENER_LOCAL] = opener_get_local(opener, e);
	/* The server's is to be closed first: it is of no use any more. */
	rc = opener_answer_listen(opener, e->vs, e->id, OPENER_BIT(OPENER_LOCAL), sockets);
	if (rc)
		log_err(vs_name(e->vs), "the server cannot be given it: %s", strerror(-rc));
}

void opener_check_locals(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (e->kept[OPENER_LOCAL] >= 0 && !is_in_place(e))
			make_again(opener, e);
}

void opener_remove_locals(struct opener *opener)
{
	struct opener_entry *e, *next;

	HASH_ITER(by_id, opener->by_id, e, next)
		if (e->kept[OPENER_LOCAL] >= 0 && is_in_place(e) &&
			!fdstore_has(opener->store, e->key, OPENER_LOCAL))
			unlink(e->local.path);
}
