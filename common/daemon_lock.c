/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon_private.h"
#include "log.h"

static void tell_holder(int fd, const char *path, const char *name)
{
	char pid[16];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	log_err(NULL, "%s: another %s is running, process %s", path, name, *pid ? pid : "unknown");
}

/* The file that is now at path, which an exec in place has passed on with its lock? */
static bool is_lock(int fd, const char *path)
{
	struct stat own, at;

	return fstat(fd, &own) == 0 && stat(path, &at) == 0 && own.st_dev == at.st_dev &&
	       own.st_ino == at.st_ino && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

int daemon_lock(const char *dir, const char *name, int held, int *fd)
{
	char path[4200];
	int f, rc;

	snprintf(path, sizeof(path), "%s/lock", dir);
	if (held >= 0 && is_lock(held, path)) {
		*fd = held;
		return 0;
	}
	if (held >= 0)
		close(held);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		rc = -errno;
		log_err(NULL, "%s: %s", dir, strerror(-rc));
		return rc;
	}
	/* Who can open it can lock it, and wait for the moment between two starts to do so. */
	f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f < 0 || fchmod(f, 0600) < 0) {
		rc = -errno;
		if (f >= 0)
			close(f);
		log_err(NULL, "%s: %s", path, strerror(-rc));
		return rc;
	}
	if (flock(f, LOCK_EX | LOCK_NB) < 0) {
		tell_holder(f, path, name);
		close(f);
		return -EBUSY;
	}
	if (ftruncate(f, 0) < 0 || dprintf(f, "%d\n", (int)getpid()) < 0)
		log_warn(NULL, "%s: %s", path, strerror(errno));
	*fd = f;
	return 0;
}
