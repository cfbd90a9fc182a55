/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "log.h"
#include "opener_proto.h"
#include "opener_warm.h"

/* Whoever else may write decides who owns what in the host. */
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

static const struct {
	enum opener_kind kind;
	const char *name, *aside;
} files[] = {
	{OPENER_WARM, "rpcbind.xdr", "rpcbind.xdr.bad"},
	{OPENER_WARM_PMAP, "portmap.xdr", "portmap.xdr.bad"},
};
#define FILES (sizeof(files) / sizeof(files[0]))

int opener_warm_init(struct opener_warm *warm, const char *directory)
{
	*warm = (struct opener_warm){0};
	if (!directory)
		return 0;
	warm->directory = strdup(directory);
	return warm->directory ? 0 : -ENOMEM;
}

void opener_warm_clear(struct opener_warm *warm)
{
	free(warm->directory);
	warm->directory = NULL;
}

/* A descriptor or -errno. */
static int open_directory(const struct opener_warm *warm, struct stat *st)
{
	int fd = open(warm->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0)
		rc = -errno;
	else if (st->st_mode & OTHERS_WRITE)
		rc = -EPERM;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int check_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || (st->st_mode & OTHERS_WRITE))
		return -EPERM;
	return st->st_size > (off_t)OPENER_WARM_MAX ? -EFBIG : 0;
}

static int open_file(const struct opener_warm *warm, const char *name, struct stat *st)
{
	int rc, fd, dir = open_directory(warm, st);

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	rc = fd < 0 || fstat(fd, st) < 0 ? -errno : check_file(st);
	close(dir);
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc;
}

static struct opener_socket give(struct opener_warm *warm, unsigned i)
{
	struct opener_warm_file *file = &warm->file[i];
	int fd;

	if (!warm->directory || file->done)
		return (struct opener_socket){-1, EOPNOTSUPP};
	fd = open_file(warm, files[i].name, &file->seen);
	file->given = fd >= 0;
	if (fd < 0 && fd != -ENOENT)
		log_warn(NULL, "%s/%s is not imported: %s", warm->directory, files[i].name,
			strerror(-fd));
	return fd < 0 ? (struct opener_socket){-1, -fd} : (struct opener_socket){fd, 0};
}

void opener_warm_open(struct opener_warm *warm, uint32_t mask, struct opener_socket *sockets)
{
	for (unsigned i = 0; i < FILES; i++)
		if (mask & OPENER_BIT(files[i].kind))
			sockets[files[i].kind] = give(warm, i);
}

void opener_warm_close(uint32_t mask, const struct opener_socket *sockets)
{
	for (unsigned i = 0; i < FILES; i++)
		if ((mask & OPENER_BIT(files[i].kind)) && sockets[files[i].kind].fd >= 0)
			close(sockets[files[i].kind].fd);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As the directory's owner, stock's account, since the opener has no capability to write in it. */
static int move_as(uid_t uid, int dir, const char *name, const char *to)
{
	int rc;

	setfsuid(uid);
	rc = to ? renameat(dir, name, dir, to) : unlinkat(dir, name, 0);
	rc = rc < 0 ? -errno : 0;
	setfsuid(geteuid());
	return rc;
}

/* to NULL: away. */
static int move(const struct opener_warm *warm, unsigned i, const char *to)
{
	struct stat st, dir_st;
	int rc, dir = open_directory(warm, &dir_st);

	if (dir < 0)
		return dir;
	if (fstatat(dir, files[i].name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = -errno;
	else if (!is_same(&st, &warm->file[i].seen))
		rc = -ESTALE;
	else
		rc = move_as(dir_st.st_uid, dir, files[i].name, to);
	close(dir);
	return rc;
}

static void finish(struct opener_warm *warm, uint32_t mask, bool aside)
{
	for (unsigned i = 0; i < FILES; i++) {
		struct opener_warm_file *file = &warm->file[i];
		int rc;

		if (!(mask & OPENER_BIT(files[i].kind)) || !file->given)
			continue;
		file->given = false;
		file->done = true;
		rc = move(warm, i, aside ? files[i].aside : NULL);
		if (rc && rc != -ENOENT)
			log_warn(NULL, "%s/%s stays there: %s", warm->directory, files[i].name,
				rc == -ESTALE ? "it was written to after it was read"
					      : strerror(-rc));
	}
}

void opener_warm_remove(struct opener_warm *warm, uint32_t mask)
{
	finish(warm, mask, false);
}

void opener_warm_set_aside(struct opener_warm *warm, uint32_t mask)
{
	finish(warm, mask, true);
}
