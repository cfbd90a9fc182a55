/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hearing of changes: inotify for files in the namespace directories, mountinfo for mounts.
 *
 * Only directories are watched. A watch on a namespace's own file would keep the namespace
 * alive after its end, and would tell nothing of it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vsreg_private.h"

/* Of the thread, because that is whose paths are looked at. */
#define MOUNTINFO "/proc/thread-self/mountinfo"
/* The same for all watches: two directories may lead to one inode, which has only one mask. */
#define MASK                                                                                       \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |     \
		IN_ONLYDIR)
/* So that a flood of events does not keep the caller here. */
#define READS_MAX 64

static int add_fd(struct reg_watch *w, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events};

	if (fd < 0)
		return -errno;
	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int watch_add(struct reg_watch *watch, int fd)
{
	return add_fd(watch, fd, EPOLLIN);
}

int watch_open(struct reg_watch *watch)
{
	struct reg_watch w = {.epoll = epoll_create1(EPOLL_CLOEXEC),
		.inotify = -1,
		.mounts = -1,
		.mounts_ask = -1,
		.timer = -1,
		.event = -1,
		.armed = NEVER};
	int rc = w.epoll < 0 ? -errno : 0;

	if (rc == 0) {
		w.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		rc = add_fd(&w, w.inotify, EPOLLIN);
	}
	if (rc == 0) {
		w.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		rc = add_fd(&w, w.timer, EPOLLIN);
	}
	if (rc == 0) {
		w.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		rc = add_fd(&w, w.event, EPOLLIN);
	}
	if (rc == 0) {
		w.mounts = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
		rc = add_fd(&w, w.mounts, EPOLLPRI | EPOLLERR);
	}
	if (rc == 0) {
		w.mounts_ask = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
		rc = w.mounts_ask < 0 ? -errno : 0;
	}
	if (rc < 0)
		watch_close(&w);
	else
		*watch = w;
	return rc;
}

void watch_close(struct reg_watch *watch)
{
	const int fds[] = {watch->inotify, watch->mounts, watch->mounts_ask, watch->timer,
		watch->event, watch->epoll};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static bool uses(const struct reg_setup *setup, int wd)
{
	for (size_t i = 0; i < setup->dir_count; i++) {
		if (setup->dirs[i].wd == wd)
			return true;
	}
	return false;
}

/* Already gone with its directory: no matter. */
static void drop_watch(struct vs_reg *reg, int wd)
{
	if (wd >= 0)
		inotify_rm_watch(reg->watch.inotify, wd);
}

void watch_drop(struct vs_reg *reg, const struct reg_setup *old)
{
	for (size_t i = 0; i < old->dir_count; i++) {
		if (!uses(reg->setup, old->dirs[i].wd))
			drop_watch(reg, old->dirs[i].wd);
	}
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Cuts the last name off; "" is the root. */
static size_t cut(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

/*
 * Watches the directory, or the nearest one above it that exists, for the next name on the
 * way down. *parent_len is then its length, else the whole length.
 */
static int add_watch(int inotify, const char *full, size_t full_len, size_t *parent_len)
{
	char path[PLACE_MAX];
	size_t len = full_len, next = full_len;
	int wd;

	memcpy(path, full, full_len);
	for (;;) {
		path[len] = '\0';
		wd = inotify_add_watch(inotify, len > 0 ? path : "/", MASK);
		if (wd >= 0 || (errno != ENOENT && errno != ENOTDIR) || len == 0)
			break;
		next = len;
		len = cut(full, len);
	}
	if (wd < 0)
		return -errno;
	*parent_len = len;
	/* It may have been made between the two; the watch then stands one too high. */
	memcpy(path, full, full_len);
	path[next] = '\0';
	return len < full_len && is_dir(path) ? -EAGAIN : wd;
}

static int watch_dir(struct vs_reg *reg, struct reg_setup *setup, struct reg_dir *dir)
{
	size_t len = strlen(dir->path), parent_len = 0;
	int old = dir->wd, wd = -EAGAIN;

	while (len > 0 && dir->path[len - 1] == '/')
		len--;
	/* More than a race or two of directories that come and go is not believed. */
	for (int i = 0; i < 100 && wd == -EAGAIN; i++)
		wd = add_watch(reg->watch.inotify, dir->path, len, &parent_len);
	if (wd < 0)
		return wd;
	dir->wd = wd;
	dir->is_awaited = parent_len < len;
	if (dir->is_awaited) {
		dir->awaited = dir->path + parent_len;
		dir->awaited += strspn(dir->awaited, "/");
		dir->awaited_len = strcspn(dir->awaited, "/");
	}
	if (old >= 0 && old != wd && !uses(setup, old) && !uses(reg->setup, old))
		drop_watch(reg, old);
	return 0;
}

int watch_dirs(struct vs_reg *reg, struct reg_setup *setup)
{
	int rc = 0;

	for (size_t i = 0; i < setup->dir_count; i++) {
		struct reg_dir *dir = &setup->dirs[i];
		int error = watch_dir(reg, setup, dir);

		if (error < 0 && !dir->told) {
			reg_log(reg, LOG_WARNING, NULL, "%s cannot be watched: %s", dir->path,
				strerror(-error));
			dir->told = true;
		}
		if (error < 0 && rc == 0)
			rc = error;
	}
	return rc;
}

/* name: NULL when the event is about the directory itself. */
static void hear_one(
	struct vs_reg *reg, struct reg_news *news, const struct inotify_event *e, const char *name)
{
	if (e->mask & IN_Q_OVERFLOW)
		news->all = news->lost = true;
	for (size_t i = 0; i < reg->setup->dir_count; i++) {
		struct reg_dir *dir = &reg->setup->dirs[i];

		if (dir->wd != e->wd)
			continue;
		if (e->mask & IN_IGNORED)
			dir->wd = -1;
		if (!name || (dir->is_awaited && strlen(name) == dir->awaited_len &&
				     memcmp(name, dir->awaited, dir->awaited_len) == 0))
			news->changed = true;
		else if (!dir->is_awaited)
			scan_ask_file(reg, name);
	}
}

/* False: nothing (more) to read. */
static bool hear_inotify(struct vs_reg *reg, struct reg_news *news)
{
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t n = read(reg->watch.inotify, bytes, sizeof(bytes));
	size_t at = 0, len = n > 0 ? (size_t)n : 0;
	struct inotify_event e;

	while (len - at >= sizeof(e)) {
		const char *name = bytes + at + sizeof(e);

		memcpy(&e, bytes + at, sizeof(e));
		at += sizeof(e);
		if (e.len > len - at)
			break;
		at += e.len;
		hear_one(reg, news, &e, e.len > 0 && memchr(name, '\0', e.len) ? name : NULL);
	}
	return len > 0;
}

void watch_hear(struct vs_reg *reg, struct reg_news *news)
{
	struct pollfd mounts = {.fd = reg->watch.mounts_ask, .events = POLLPRI};
	uint64_t count;

	if (read(reg->watch.event, &count, sizeof(count)) == (ssize_t)sizeof(count))
		news->all = true;
	if (read(reg->watch.timer, &count, sizeof(count)) == (ssize_t)sizeof(count))
		reg->watch.armed = NEVER;
	if (poll(&mounts, 1, 0) == 1 && (mounts.revents & (POLLPRI | POLLERR)))
		news->changed = true;
	for (int i = 0; i < READS_MAX && hear_inotify(reg, news); i++)
		continue;
}

int watch_wake_at(struct reg_watch *watch, uint64_t due)
{
	struct itimerspec when = {
		.it_value.tv_sec = due == NEVER ? 0 : (time_t)(due / NSEC_PER_SEC),
		.it_value.tv_nsec = due == NEVER ? 0 : (long)(due % NSEC_PER_SEC),
	};

	if (due == watch->armed)
		return 0;
	if (timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	watch->armed = due;
	return 0;
}

/* One line: "ID parent major:minor root point options [tags...] - type source options". */
static bool is_private_line(char *line)
{
	char *end = strstr(line, " - ");

	if (!end)
		return false;
	*end = '\0';
	return !strstr(line, " shared:") && !strstr(line, " master:");
}

bool watch_is_private(const char *dir)
{
	FILE *file = fopen(MOUNTINFO, "re");
	bool is_private = false;
	char *line = NULL, id[32];
	struct statx st;
	size_t size = 0;

	if (file && statx(AT_FDCWD, dir, 0, STATX_MNT_ID, &st) == 0 &&
		(st.stx_mask & STATX_MNT_ID)) {
		snprintf(id, sizeof(id), "%llu ", (unsigned long long)st.stx_mnt_id);
		while (getline(&line, &size, file) > 0) {
			if (strncmp(line, id, strlen(id)) != 0)
				continue;
			is_private = is_private_line(line);
			break;
		}
	}
	free(line);
	if (file)
		fclose(file);
	return is_private;
}
