/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon_private.h"

int daemon_detach(bool resumed, int *fd)
{
	int pipe_fds[2];
	char byte;
	pid_t pid;

	if (resumed)
		return chdir("/") < 0 ? -errno : 0;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(pipe_fds[0]);
	*fd = pipe_fds[1];
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
