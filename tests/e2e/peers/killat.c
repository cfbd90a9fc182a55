/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a program and kills it, and what it has forked, when it is about to make its Nth system call of
 * those that change something outside of it: between any two of them nothing changes. The
 * program is that which the last exec(2) has brought (a script may come before it).
 *
 * usage: killat N PROGRAM [ARG...]
 *
 * Exit status: 137 it was killed, and the system call is told on standard error; else the program's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 137

static const struct {
	uint64_t number;
	const char *name;
} changes[] = {
	{SYS_sendto, "sendto"},
	{SYS_sendmsg, "sendmsg"},
	{SYS_mount, "mount"},
	{SYS_umount2, "umount2"},
	{SYS_unshare, "unshare"},
	{SYS_write, "write"},
	{SYS_pwrite64, "pwrite64"},
	{SYS_ftruncate, "ftruncate"},
	{SYS_unlinkat, "unlinkat"},
	{SYS_mkdirat, "mkdirat"},
	{SYS_renameat2, "renameat2"},
#ifdef SYS_renameat
	{SYS_renameat, "renameat"},
#endif
#ifdef SYS_rename
	{SYS_rename, "rename"},
#endif
#ifdef SYS_unlink
	{SYS_unlink, "unlink"},
#endif
#ifdef SYS_mkdir
	{SYS_mkdir, "mkdir"},
#endif
};

/* Of a process that has stopped: is it at the beginning of such a call? */
static const char *change_of(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	if (info.entry.nr == SYS_openat && (info.entry.args[2] & O_CREAT))
		return "openat";
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (info.entry.nr == changes[i].number)
			return changes[i].name;
	return NULL;
}

struct run {
	pid_t main;
	unsigned long count, limit;
};

/* The signal that the process is to get with the next step, or -1: the limit is reached. */
static int stopped(struct run *r, pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	const char *name;

	if (event == PTRACE_EVENT_EXEC && pid == r->main)
		r->count = 0;
	if (event)
		return 0;
	if (signal != (SIGTRAP | 0x80))
		return signal == SIGSTOP ? 0 : signal;
	name = change_of(pid);
	if (!name || ++r->count < r->limit)
		return 0;
	fprintf(stderr, "killat: %lu: %s\n", r->count, name);
	return -1;
}

static int follow(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid != r->main)
				continue;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		signal = stopped(r, pid, status);
		/* What it has forked ends with the tracer. */
		if (signal < 0) {
			kill(r->main, SIGKILL);
			while (waitpid(r->main, &status, __WALL) == r->main &&
				!WIFEXITED(status) && !WIFSIGNALED(status))
				;
			return KILLED;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)signal);
	}
	return 1;
}

static bool begin(pid_t pid)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) == 0 &&
	       ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0;
}

int main(int argc, char **argv)
{
	struct run r = {0};
	char *end;

	r.limit = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
	if (!r.limit || *end) {
		fputs("usage: killat N PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	r.main = fork();
	if (r.main == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
			raise(SIGSTOP);
			execvp(argv[2], argv + 2);
		}
		perror(argv[2]);
		_exit(99);
	}
	if (r.main < 0 || !begin(r.main)) {
		perror("killat");
		return 99;
	}
	return follow(&r);
}
