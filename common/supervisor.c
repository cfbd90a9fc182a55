/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server is this program again, in a fresh process: nothing of the opener's memory, and none
 * of its descriptors but the socketpair, are in reach of what parses the network's bytes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon_private.h"
#include "log.h"

#define BACKOFF_MIN (100 * LOOP_MSEC)
#define BACKOFF_MAX (10 * LOOP_SEC)
/* A server that ran this long did not die of its start. */
#define GOOD_RUN (30 * LOOP_SEC)

/* Where this program lies, unless it was replaced meanwhile. valgrind answers this question with
 * the program, whereas /proc/self/exe is valgrind itself there. */
static bool own_path(char *path, size_t size)
{
	static const char deleted[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t tail = sizeof(deleted) - 1;

	if (n <= 0 || (size_t)n >= size - 1)
		return false;
	path[n] = '\0';
	return (size_t)n < tail || strcmp(path + n - tail, deleted) != 0;
}

static void __attribute__((noreturn)) run_server(int fd)
{
	char fd_text[16];
	char *argv[4] = {program_invocation_name, NULL, fd_text, NULL};
	char serve[] = "--serve", path[PATH_MAX];
	const int first = STDERR_FILENO + 1;
	sigset_t none;

	argv[1] = serve;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(fd_text, sizeof(fd_text), "%d", first);
	/* Nor any descriptor that the opener was started with. */
	if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
		(fd == first ? fcntl(fd, F_SETFD, 0) : dup2(fd, first)) >= 0) {
		if (own_path(path, sizeof(path)))
			execv(path, argv);
		execv("/proc/self/exe", argv);
	}
	_exit(127);
}

int supervisor_start(struct supervisor *s, uint64_t now, int *fd)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	s->pid = fork();
	if (s->pid < 0) {
		rc = -errno;
		s->pid = 0;
		close(pair[0]);
		close(pair[1]);
		return rc;
	}
	if (s->pid == 0)
		run_server(pair[1]);
	close(pair[1]);
	s->started = now;
	*fd = pair[0];
	return 0;
}

bool supervisor_reap(struct supervisor *s, const char *name)
{
	int status;

	if (!s->pid || waitpid(s->pid, &status, WNOHANG) != s->pid)
		return false;
	s->was_killed = WIFSIGNALED(status);
	if (s->was_killed)
		log_err(NULL, "%s server %d was killed by signal %d (%s)", name, (int)s->pid,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_err(NULL, "%s server %d ended with status %d", name, (int)s->pid,
			WEXITSTATUS(status));
	s->pid = 0;
	return true;
}

uint64_t supervisor_backoff(struct supervisor *s, uint64_t now)
{
	uint64_t delay = 0;

	if (now - s->started >= GOOD_RUN) {
		s->delay = 0;
	} else {
		delay = s->delay;
		s->delay = s->delay ? s->delay * 2 : BACKOFF_MIN;
		if (s->delay > BACKOFF_MAX)
			s->delay = BACKOFF_MAX;
	}
	return delay;
}

int supervisor_stop(struct supervisor *s)
{
	const struct timespec step = {.tv_nsec = 5000000};
	pid_t pid = s->pid;
	int status = 0;

	if (!pid)
		return 0;
	kill(pid, SIGTERM);
	for (unsigned i = 0; i < 200 && s->pid; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			s->pid = 0;
		else
			nanosleep(&step, NULL);
	}
	if (s->pid) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		s->pid = 0;
	}
	if (status)
		log_err(NULL, "server %d did not end in order (wait status %#x)", (int)pid,
			(unsigned)status);
	return status ? -EIO : 0;
}
