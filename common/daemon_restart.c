/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A restart in place: the program that now lies where this one lay is executed by this process,
 * with the sockets that the opener keeps as LISTEN_FDS, so that nobody is refused and the process
 * number stays. Before that it must accept the configuration, as a process of its own; until
 * then, and when exec(2) fails, everything goes on as it was.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container.h"
#include "daemon_private.h"
#include "fdstore.h"
#include "inherit.h"
#include "log.h"

#define CHECK_MAX (10 * LOOP_SEC)
#define FIRST 3 /* SD_LISTEN_FDS_START */
/* Of one string in the environment, MAX_ARG_STRLEN in the kernel, less the variable's name. */
#define NAMES_MAX (128 * 1024 - 64)

static void on_late(struct loop_timer *timer)
{
	struct restart *r = container_of(timer, struct restart, timer);

	log_err(NULL, "the new program does not end its check");
	kill(r->pid, SIGKILL);
}

void restart_init(struct restart *r, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", r->exe, sizeof(r->exe) - 1);

	/* Asked now, since it changes when the program is replaced. */
	r->exe[n > 0 ? n : 0] = '\0';
	if (!getcwd(r->cwd, sizeof(r->cwd)))
		r->cwd[0] = '\0';
	r->argv = argv;
	r->timer.fn = on_late;
}

/* argv[0], our own option and then those that we were started with, without ours of last time. */
static char **make_argv(const struct restart *r, char *lock_text, bool check)
{
	static char resume[] = "--resume", check_config[] = "--check-config"; /* exec(2)'s type */
	char **rest = r->argv + (*r->argv ? 1 : 0), **argv;
	size_t count = 0, n = 0;

	if (rest[0] && rest[1] && !strcmp(rest[0], resume))
		rest += 2;
	while (rest[count])
		count++;
	argv = calloc(count + 5, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[n++] = r->argv[0];
	argv[n++] = resume;
	argv[n++] = lock_text;
	if (check)
		argv[n++] = check_config;
	memcpy(argv + n, rest, count * sizeof(*argv));
	return argv;
}

/* Paths in the arguments may be relative to where we were started. */
static int go_back(const struct restart *r)
{
	if (!r->exe[0] || !r->cwd[0])
		return -ENOENT;
	return chdir(r->cwd) < 0 ? -errno : 0;
}

static void __attribute__((noreturn)) run_check(const struct restart *r, char **argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0 && !go_back(r))
		execv(r->exe, argv);
	_exit(127);
}

static int start_check(struct restart *r)
{
	char lock_text[] = "3"; /* looked at by no check */
	char **argv = make_argv(r, lock_text, true);
	pid_t pid = argv ? fork() : -1;
	int rc = pid < 0 ? -errno : 0;

	if (pid == 0)
		run_check(r, argv);
	free(argv);
	if (rc)
		return argv ? rc : -ENOMEM;
	r->pid = pid;
	loop_timer_in(r->loop, &r->timer, CHECK_MAX);
	return 0;
}

static void tell(struct restart *r, int rc, const char *text)
{
	if (rc)
		log_err(NULL, "no restart, all stays as it is: %s", text);
	if (r->asked)
		opener_answer(r->opener, r->call, rc, text);
	r->asked = false;
}

/* What is at the descriptors that LISTEN_FDS counts is put aside, and our sockets there. */
static int arrange(const struct inherited *list, size_t count, int *aside)
{
	int end = FIRST + (int)count;
	size_t i;

	for (i = 0; i < count; i++) {
		aside[i] = fcntl(FIRST + (int)i, F_DUPFD_CLOEXEC, end);
		if (aside[i] < 0 && errno != EBADF)
			break;
	}
	if (i < count) {
		int rc = -errno;
		while (i-- > 0)
			if (aside[i] >= 0)
				close(aside[i]);
		return rc;
	}
	for (i = 0; i < count; i++) {
		int fd = list[i].fd < end ? aside[list[i].fd - FIRST] : list[i].fd;
		dup2(fd, FIRST + (int)i);
	}
	return 0;
}

static void put_back(size_t count, const int *aside)
{
	for (size_t i = 0; i < count; i++) {
		if (aside[i] >= 0) {
			dup3(aside[i], FIRST + (int)i, O_CLOEXEC);
			close(aside[i]);
		} else {
			close(FIRST + (int)i);
		}
	}
}

/* The names tell what the service manager's store has. Without them it is told again. */
static int set_names(const struct inherited *list, size_t count)
{
	char *names = malloc(count * (FDSTORE_NAME_SIZE + 1) + 1), name[FDSTORE_NAME_SIZE];
	size_t len = 0;
	int rc = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		name[0] = '-';
		name[1] = '\0';
		if (list[i].stored)
			fdstore_name(list[i].key, name);
		if (i)
			names[len++] = ':';
		memcpy(names + len, name, strlen(name));
		len += strlen(name);
	}
	names[len] = '\0';
	if (len <= NAMES_MAX && setenv("LISTEN_FDNAMES", names, 1) < 0)
		rc = -errno;
	free(names);
	return rc;
}

static int set_environment(const struct inherited *list, size_t count)
{
	char pid[16], n[24];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(n, sizeof(n), "%zu", count);
	if (setenv("LISTEN_PID", pid, 1) < 0 || setenv("LISTEN_FDS", n, 1) < 0)
		return -errno;
	return set_names(list, count);
}

static void clear_environment(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

static int exec_with_lock(const struct restart *r, int lock)
{
	char lock_text[16], **argv;
	int rc;

	snprintf(lock_text, sizeof(lock_text), "%d", lock);
	argv = make_argv(r, lock_text, false);
	rc = argv ? go_back(r) : -ENOMEM;
	if (!rc) {
		execv(r->exe, argv);
		rc = -errno;
	}
	if (r->background && chdir("/") < 0)
		log_warn(NULL, "/: %s", strerror(errno));
	free(argv);
	return rc;
}

/* The lock stays ours: it belongs to the open file, which the new program gets. */
static int exec_with_sockets(const struct restart *r, const struct inherited *list, size_t count)
{
	int lock = fcntl(r->lock_fd, F_DUPFD, FIRST + (int)count);
	int *aside = calloc(count + 1, sizeof(*aside));
	int rc = lock < 0 ? -errno : aside ? 0 : -ENOMEM;

	if (!rc)
		rc = set_environment(list, count);
	if (!rc)
		rc = arrange(list, count, aside);
	if (!rc) {
		rc = exec_with_lock(r, lock);
		put_back(count, aside);
	}
	clear_environment();
	free(aside);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* The server ends in order; clients wait at the sockets for the next one. */
static void go_over(struct restart *r)
{
	struct inherited *list = NULL;
	size_t count = 0;
	int rc;

	log_notice(NULL, "restarting in place: %s", r->exe);
	tell(r, 0, "");
	r->stopping(r->arg);
	rc = opener_flush_store(r->opener);
	if (!rc)
		rc = opener_kept(r->opener, &list, &count);
	if (!rc)
		rc = exec_with_sockets(r, list, count);
	/* Only a failure comes back, and all descriptors are what they were. */
	free(list);
	log_err(NULL, "no restart (%s: %s), going on as before", r->exe, strerror(-rc));
	r->go_on(r->arg);
}

void restart_request(struct restart *r, bool asked, uint32_t call)
{
	int rc;

	if (r->pid) {
		log_notice(NULL, "a restart is already under way");
		if (asked)
			opener_answer(r->opener, call, -EALREADY, "it is already under way");
		return;
	}
	r->asked = asked;
	r->call = call;
	rc = start_check(r);
	if (rc)
		tell(r, rc, strerror(-rc));
}

void restart_reap(struct restart *r)
{
	char text[128];
	int status;

	if (!r->pid || waitpid(r->pid, &status, WNOHANG) != r->pid)
		return;
	r->pid = 0;
	loop_timer_del(r->loop, &r->timer);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		go_over(r);
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		snprintf(text, sizeof(text), "%.90s cannot be executed", r->exe);
	else
		snprintf(text, sizeof(text), "the new program refuses the configuration: see the log");
	tell(r, -EINVAL, text);
}

void restart_clear(struct restart *r)
{
	if (r->pid) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
		r->pid = 0;
	}
	if (r->loop)
		loop_timer_del(r->loop, &r->timer);
}
