/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdstore.h"
#include "inherit.h"
#include "parse.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */

static int count_fds(const char *pid_text, const char *fds_text, size_t *count)
{
	uint64_t pid, n;

	*count = 0;
	if (!pid_text || !fds_text)
		return 0; /* nobody speaks this protocol to us */
	if (parse_u64(pid_text, 1, INT_MAX, &pid) || parse_u64(fds_text, 0, INT_MAX - FIRST, &n))
		return -EINVAL;
	if (pid != (uint64_t)getpid())
		return 0;
	/* There are no gaps, so that the last one tells whether there are so many. */
	if (n && fcntl(FIRST + (int)n - 1, F_GETFD) < 0)
		return -EINVAL;
	*count = (size_t)n;
	return 0;
}

/* names: one for each descriptor, with colons between; NULL: they have none. Written on. */
static void read_names(struct inherited *list, size_t count, char *names)
{
	for (size_t i = 0; i < count && names; i++) {
		char *name = strsep(&names, ":");
		list[i].stored = fdstore_key(name, &list[i].key) == 0;
	}
}

/* What cannot be made non-blocking is no socket, and will not be used. */
static int set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -EINVAL;
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return 0;
}

static int take(struct inherited **list, size_t *count)
{
	char *names = getenv("LISTEN_FDNAMES");
	struct inherited *l;
	size_t n;
	int rc = count_fds(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), &n);

	if (rc)
		return rc;
	l = n ? calloc(n, sizeof(*l)) : NULL;
	if (n && !l)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < n; i++) {
		l[i].fd = FIRST + (int)i;
		rc = set_flags(l[i].fd);
	}
	if (rc) {
		free(l);
		return rc;
	}
	read_names(l, n, names);
	*list = l;
	*count = n;
	return 0;
}

int inherit_take(struct inherited **list, size_t *count)
{
	int rc = take(list, count);

	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}
