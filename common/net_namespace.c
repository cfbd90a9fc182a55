/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net_namespace.h"
#include "netns.h"

#define FILE_MODE 0400 /* that of ip-netns(8) is 0 */
#define LOCK_STEP_MS 20
#define LOCK_STEPS 250

static int lock_dir(int fd)
{
	for (int i = 0; i < LOCK_STEPS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		poll(NULL, 0, LOCK_STEP_MS);
	}
	return -EBUSY;
}

/* EINVAL: it is no mount yet, and only that can be shared. */
static int share_dir(const char *dir)
{
	if (mount("", dir, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL || mount(dir, dir, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("", dir, "none", MS_SHARED | MS_REC, NULL) < 0)
		return -errno;
	return 0;
}

int net_namespace_prepare(const char *dir)
{
	int fd, rc;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = lock_dir(fd);
	if (rc == 0)
		rc = share_dir(dir);
	close(fd);
	return rc;
}

/* Nobody but us makes an empty file of this mode there. */
static bool is_leftover(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
	       (st.st_mode & 07777) == FILE_MODE && st.st_uid == geteuid() && st.st_nlink == 1;
}

int net_namespace_cookie(int fd, uint64_t *cookie)
{
	int rc = netns_cookie(fd, 0, cookie);

	return rc == -ENOTTY ? netns_cookie(fd, NETNS_NO_GET_ID, cookie) : rc;
}

int net_namespace_look(const char *path, int *fd, uint64_t *cookie)
{
	int rc, f = netns_open(path);

	if (f == -ENOENT)
		return NET_NAMESPACE_NONE;
	if (f == -EINVAL)
		return is_leftover(path) ? NET_NAMESPACE_LEFTOVER : NET_NAMESPACE_OTHER;
	if (f < 0)
		return f == -EACCES && geteuid() != 0 ? NET_NAMESPACE_OTHER : f;
	rc = net_namespace_cookie(f, cookie);
	if (rc < 0) {
		close(f);
		return rc;
	}
	*fd = f;
	return NET_NAMESPACE_THERE;
}

/* The mount that a descriptor was opened by, and no other that may be at its path by now. */
static void fd_path(char text[32], int fd)
{
	snprintf(text, 32, "/proc/self/fd/%d", fd);
}

int net_namespace_bind(const char *path, int fd)
{
	char from[32];
	int rc, file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

	if (file < 0 && (errno != EEXIST || !is_leftover(path)))
		return -errno;
	if (file >= 0)
		close(file);
	fd_path(from, fd);
	if (mount(from, path, "none", MS_BIND, NULL) == 0)
		return 0;
	rc = -errno;
	unlink(path);
	return rc;
}

int net_namespace_unbind(const char *path, uint64_t cookie)
{
	uint64_t found;
	char at[32];
	int fd, rc = net_namespace_look(path, &fd, &found);

	if (rc == NET_NAMESPACE_THERE) {
		fd_path(at, fd);
		rc = found == cookie && umount2(at, MNT_DETACH) < 0 ? -errno : 0;
		close(fd);
		if (rc < 0)
			return rc;
	}
	/* The kernel does not unlink what somebody has mounted something on since. */
	if (is_leftover(path) && unlink(path) < 0 && errno != ENOENT && errno != EBUSY)
		return -errno;
	return rc < 0 ? rc : 0;
}
