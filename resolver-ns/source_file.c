/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32.h"
#include "read_file.h"
#include "source_private.h"

#define WAITS_MAX 10
#define SECOND INT64_C(1000000000)

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct source_identity *a, const struct source_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_same_time(&a->mtime, &b->mtime) && is_same_time(&a->ctime, &b->ctime);
}

static bool is_absent(const struct source_identity *identity)
{
	return identity->ino == 0;
}

/* The kernel's stamps are as coarse as its ticks: a change in the tick in which the file was read
 * could not be told from what was read. A stamp from the future settles nothing. */
static bool is_old(const struct source_identity *identity)
{
	struct timespec now;
	int64_t age;

	if (is_absent(identity) || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return false;
	age = now.tv_sec - identity->ctime.tv_sec;
	if (age > INT32_MAX || age < 0)
		return age > 0;
	return age * SECOND + now.tv_nsec - identity->ctime.tv_nsec >= (int64_t)SOURCE_SETTLE;
}

static void identify(const struct stat *st, struct source_identity *identity)
{
	*identity = (struct source_identity){
		st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

/* Not there: zero. */
static int look(const char *path, struct source_identity *identity)
{
	struct stat st;

	*identity = (struct source_identity){.ino = 0};
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	identify(&st, identity);
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

/* What is in fd; *identity is that of the file which was read, and *is_whole: it stayed so
 * meanwhile. */
static int read_fd(int fd, size_t max, char **text, size_t *len, struct source_identity *identity,
	bool *is_whole)
{
	struct source_identity after;
	uint8_t *data = NULL;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	identify(&st, identity);
	rc = S_ISREG(st.st_mode) ? read_file_fd(fd, max, &data, len) : -EINVAL;
	if (rc < 0)
		return rc;
	*is_whole = false;
	if (fstat(fd, &st) == 0) {
		identify(&st, &after);
		*is_whole = is_same(identity, &after);
	}
	*text = (char *)data;
	return 0;
}

static int read_text(struct source_file *file, char **text, size_t *len,
	struct source_identity *identity, bool *is_whole)
{
	int rc, fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	rc = read_fd(fd, file->max, text, len, identity, is_whole);
	close(fd);
	return rc;
}

static int take_absence(struct source_file *file, unsigned flags)
{
	bool is_news = !file->is_known || !is_absent(&file->identity) || (flags & SOURCE_FORCE);

	file->identity = (struct source_identity){.ino = 0};
	file->is_known = file->is_settled = true;
	file->is_read = false;
	file->waits = 0;
	return is_news ? SOURCE_ABSENT : SOURCE_SAME;
}

/* Errors that stay as long as the file stays. */
static bool is_lasting(int error)
{
	return error == -EFBIG || error == -EINVAL;
}

static int take_error(struct source_file *file, const struct source_identity *identity, int error)
{
	file->identity = *identity;
	file->is_known = true;
	file->is_settled = is_lasting(error);
	file->is_read = false;
	file->waits = 0;
	return error;
}

static int take_text(struct source_file *file, unsigned flags, char **text, size_t *len)
{
	struct source_identity identity = {.ino = 0};
	bool is_whole = false, was_waited_for = file->waits == WAITS_MAX;
	char *read = NULL;
	size_t count = 0;
	uint32_t crc;
	int rc = read_text(file, &read, &count, &identity, &is_whole);

	if (rc == -ENOENT)
		return take_absence(file, flags); /* since the look */
	if (rc < 0)
		return take_error(file, &identity, rc);
	crc = crc32_add(0, read, count);
	file->identity = identity;
	file->is_known = true;
	file->is_settled = is_whole && (is_old(&identity) || was_waited_for);
	file->waits = 0;
	if (file->is_read && crc == file->crc && count == file->len && !(flags & SOURCE_FORCE)) {
		free(read);
		return SOURCE_SAME;
	}
	file->is_read = true;
	file->crc = crc;
	file->len = count;
	*text = read;
	*len = count;
	return SOURCE_TEXT;
}

int source_file_look(struct source_file *file, unsigned flags, char **text, size_t *len)
{
	struct source_identity identity = {.ino = 0};
	int rc = file->path ? look(file->path, &identity) : 0;

	if (!file->path)
		return take_absence(file, flags);
	if (file->is_known && file->is_settled && is_same(&identity, &file->identity) &&
		!(flags & SOURCE_FORCE)) {
		file->waits = 0;
		return SOURCE_SAME;
	}
	if (rc < 0)
		return take_error(file, &identity, rc);
	if (!flags && !is_old(&identity) && file->waits < WAITS_MAX) {
		file->waits++;
		return SOURCE_LATER;
	}
	return is_absent(&identity) ? take_absence(file, flags) : take_text(file, flags, text, len);
}
