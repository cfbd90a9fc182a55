/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "opener_state.h"
#include "state_file.h"

#define STATE ".state"
#define NEW ".new"
#define DIGITS 16
#define NAME_SIZE (DIGITS + 1 + STATE_NAME_MAX + sizeof(STATE))

static void name_of(char *file, uint64_t cookie, const char *name, const char *suffix)
{
	snprintf(file, NAME_SIZE, "%0*llx%s%.*s%s", DIGITS, (unsigned long long)cookie,
		*name ? "@" : "", STATE_NAME_MAX, name, suffix);
}

/* Nobody else may have had a hand in what is there. */
static int check_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	return (st.st_mode & 077) && fchmod(fd, 0700) < 0 ? -errno : 0;
}

static int open_dir(const char *dir, bool make)
{
	int fd, rc;

	if (!dir || !*dir)
		return -EOPNOTSUPP;
	if (make && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = check_dir(fd);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* A plain file of ours under one name, which no other server has. */
static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_uid != geteuid() || st.st_nlink != 1)
		return -EPERM;
	if (st.st_size > (off_t)STATE_FILE_MAX)
		return -EFBIG;
	if ((st.st_mode & 077) && fchmod(fd, 0600) < 0)
		return -errno;
	/* Some file systems have no locks, and then nothing can be known. */
	return flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK ? -EBUSY : 0;
}

static int open_file(int dir, uint64_t cookie, const char *name, enum opener_kind kind)
{
	int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	char file[NAME_SIZE];
	int fd, rc;

	name_of(file, cookie, name, kind == OPENER_STATE_NEW ? NEW : STATE);
	if (kind == OPENER_STATE_NEW) {
		if (unlinkat(dir, file, 0) < 0 && errno != ENOENT)
			return -errno;
		flags |= O_EXCL;
	}
	fd = openat(dir, file, flags, 0600);
	if (fd < 0)
		return -errno;
	rc = check_file(fd);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

void opener_state_open(const char *dir, uint64_t cookie, const char *name, uint32_t mask,
	struct opener_socket *result)
{
	static const enum opener_kind kinds[] = {OPENER_STATE, OPENER_STATE_NEW};
	int dir_fd;

	if (!(mask & OPENER_STATES))
		return;
	dir_fd = open_dir(dir, true);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!(mask & OPENER_BIT(kinds[i])))
			continue;
		int fd = dir_fd < 0 ? dir_fd : open_file(dir_fd, cookie, name, kinds[i]);
		result[kinds[i]] = (struct opener_socket){fd < 0 ? -1 : fd, fd < 0 ? -fd : 0};
	}
	if (dir_fd >= 0)
		close(dir_fd);
}

int opener_state_commit(const char *dir, uint64_t cookie, const char *name)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	int fd = open_dir(dir, false);
	int rc = fd < 0 ? fd : 0;

	name_of(from, cookie, name, NEW);
	name_of(to, cookie, name, STATE);
	if (!rc && renameat(fd, from, fd, to) < 0) {
		rc = -errno;
		unlinkat(fd, from, 0);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

uint64_t opener_state_inode(const char *dir, uint64_t cookie, const char *name)
{
	int fd = open_dir(dir, false);
	char file[NAME_SIZE];
	struct stat st;
	bool there;

	name_of(file, cookie, name, STATE);
	there = fd >= 0 && fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (fd >= 0)
		close(fd);
	return there ? st.st_ino : 0;
}

void opener_state_remove(const char *dir, uint64_t cookie, const char *name)
{
	static const char *const suffixes[] = {STATE, NEW};
	int fd = open_dir(dir, false);
	char file[NAME_SIZE];

	for (size_t i = 0; fd >= 0 && i < 2; i++) {
		name_of(file, cookie, name, suffixes[i]);
		if (unlinkat(fd, file, 0) < 0 && errno != ENOENT)
			log_warn(NULL, "%s/%s: %m", dir, file);
	}
	if (fd >= 0)
		close(fd);
}

/* The name of a VS, "" where there is none; it ends where the suffix begins. */
static const char *parse_vs_name(const char *text, char name[STATE_NAME_MAX + 1])
{
	const char *suffix = strrchr(text, '.');
	size_t len = suffix && *text == '@' ? (size_t)(suffix - text - 1) : 0;

	if (!suffix || len > STATE_NAME_MAX || (len ? *text != '@' : suffix != text))
		return NULL;
	memcpy(name, text + (len > 0), len);
	name[len] = '\0';
	return suffix;
}

/* Is it a name that we give? Then its suffix. */
static const char *parse_name(const char *file, uint64_t *cookie, char name[STATE_NAME_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	const char *suffix;
	uint64_t value = 0;

	for (unsigned i = 0; i < DIGITS; i++) {
		const char *digit = file[i] ? strchr(digits, file[i]) : NULL;
		if (!digit)
			return NULL;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*cookie = value;
	suffix = parse_vs_name(file + DIGITS, name);
	return suffix && (!strcmp(suffix, STATE) || !strcmp(suffix, NEW)) ? suffix : NULL;
}

/* What is damaged is for the server to tell of. */
static bool is_of_another_boot(int dir, const char *name, const uint64_t boot[2])
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t bytes[STATE_HEADER_MAX];
	struct buf_reader r;
	struct state_id id;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	buf_reader_init(&r, bytes, n > 0 ? (size_t)n : 0);
	return state_get_header(&r, &id) == 0 &&
	       (id.boot[0] != boot[0] || id.boot[1] != boot[1]);
}

void opener_state_sweep(const char *dir, opener_state_known_fn *is_known, void *arg)
{
	int fd = open_dir(dir, false);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	unsigned removed = 0;
	uint64_t boot[2], cookie;
	bool has_boot = state_boot_id(boot) == 0;
	char name[STATE_NAME_MAX + 1];
	struct dirent *e;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(stream))) {
		const char *suffix = parse_name(e->d_name, &cookie, name);
		if (!suffix || (!strcmp(suffix, STATE) && is_known(cookie, name, arg) &&
				       !(has_boot && is_of_another_boot(fd, e->d_name, boot))))
			continue;
		removed += unlinkat(fd, e->d_name, 0) == 0;
	}
	closedir(stream);
	if (removed)
		log_info(NULL, "%s: removed %u files of virtual servers that are no more", dir,
			removed);
}
