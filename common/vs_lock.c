/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"
#include "vs_lock.h"

#define STEP_MS 20

static pid_t holder_of(int fd)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t pid;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return parse_u64(text, 1, INT_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

static int take_lock(int fd, int wait_ms, pid_t *holder)
{
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (wait_ms <= 0)
			break;
		poll(NULL, 0, STEP_MS);
		wait_ms -= STEP_MS;
	}
	*holder = holder_of(fd);
	return -EBUSY;
}

int vs_lock(const char *path, int wait_ms, pid_t *holder)
{
	/* Who can open it can lock it. */
	int rc, fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	rc = fchmod(fd, 0600) < 0 ? -errno : take_lock(fd, wait_ms, holder);
	if (rc == 0)
		rc = ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0 ? -errno : 0;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}
