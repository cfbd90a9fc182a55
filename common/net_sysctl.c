/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net_sysctl.h"
#include "netns.h"

#define BLANKS " \t\n"
#define PATH_SIZE 512

static int path_of(char path[PATH_SIZE], const char *key)
{
	int n = snprintf(path, PATH_SIZE, "/proc/sys/%s", key);

	if (strncmp(key, "net/", 4) != 0 || strstr(key, ".."))
		return -EPERM;
	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

/* The kernel shows a thread the files of the namespace that it is in, and writes to that one: so the
 * whole of it is done inside. Signals are blocked there: nothing interrupts. */
static ssize_t inside(int ns_fd, uint64_t cookie, const char *path, char *to, const char *from,
	size_t size)
{
	struct netns_window window;
	ssize_t n = netns_enter(ns_fd, cookie, &window);
	int fd;

	if (n < 0)
		return n;
	fd = open(path, (to ? O_RDONLY : O_WRONLY) | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -1 : to ? read(fd, to, size) : write(fd, from, size);
	if (n < 0)
		n = -errno;
	if (fd >= 0)
		close(fd);
	netns_leave(&window);
	return n;
}

int net_sysctl_read(int ns_fd, uint64_t cookie, const char *key, char *value, size_t size)
{
	char path[PATH_SIZE];
	ssize_t n = path_of(path, key);

	if (n == 0)
		n = inside(ns_fd, cookie, path, value, NULL, size);
	if (n < 0)
		return (int)n;
	if ((size_t)n == size)
		return -EOVERFLOW;
	value[n] = '\0';
	return 0;
}

int net_sysctl_write(int ns_fd, uint64_t cookie, const char *key, const char *value)
{
	size_t len = strlen(value);
	char path[PATH_SIZE];
	ssize_t n = path_of(path, key);

	if (n == 0)
		n = inside(ns_fd, cookie, path, NULL, value, len);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

bool net_sysctl_same(const char *a, const char *b)
{
	for (;;) {
		size_t n, m;

		a += strspn(a, BLANKS);
		b += strspn(b, BLANKS);
		n = strcspn(a, BLANKS);
		m = strcspn(b, BLANKS);
		if (n != m || memcmp(a, b, n) != 0)
			return false;
		if (n == 0)
			return true;
		a += n;
		b += n;
	}
}
