/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VSs that are gone and whose namespaces are not: any process, descriptor or socket in there keeps
 * one, and its devices, alive. The kernel's RTM_DELNSID is the proof that nobody does any more.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"
#include "vsreg_private.h"

#define PATIENCE (5 * NSEC_PER_SEC)
/* Some kernels end namespaces slowly, one after the other (Linux 6.1 under load: 0.2 s each). While
 * they do, the next ones are given more time, but no more than this. */
#define PATIENCE_MAX (60 * NSEC_PER_SEC)
/* Old ones are forgotten when there are more. */
#define GONE_MAX 4096
/* How much of /proc is looked at, since the caller waits for it. */
#define LOOKS_MAX 20000
#define LOOK_TIME (20 * NSEC_PER_MSEC)

static void unlink_vs(struct reg_nsid *nsid, struct vs *vs)
{
	if (vs->is_held)
		TAILQ_REMOVE(&nsid->held, vs, of_gone);
	else
		TAILQ_REMOVE(&nsid->waiting, vs, of_gone);
	nsid->gone_count--;
}

void held_drop(struct vs_reg *reg, struct vs *vs)
{
	nsid_forget(reg, vs);
	unlink_vs(&reg->nsid, vs);
	vs_unref(vs);
}

void held_wait(struct vs_reg *reg, struct vs *vs)
{
	struct reg_nsid *nsid = &reg->nsid;

	if (vs->nsid_ended && vs->event == VS_REMOVED) {
		vs_ref(vs);
		TAILQ_INSERT_TAIL(&nsid->released, vs, of_gone);
	}
	if (vs->at_home)
		nsid_forget(reg, vs); /* no longer wanted, but we live in it */
	if (!vs->of_nsid)
		return;
	if (nsid->gone_count == GONE_MAX)
		held_drop(reg, TAILQ_EMPTY(&nsid->held) ? TAILQ_FIRST(&nsid->waiting)
							 : TAILQ_FIRST(&nsid->held));
	vs->gone_at = reg_now();
	vs_ref(vs);
	TAILQ_INSERT_TAIL(&nsid->waiting, vs, of_gone);
	nsid->gone_count++;
}

void held_end(struct vs_reg *reg, struct vs *vs)
{
	if (vs->held_told)
		reg_log(reg, LOG_INFO, vs_name(vs), "its namespace was let go");
	unlink_vs(&reg->nsid, vs);
	TAILQ_INSERT_TAIL(&reg->nsid.released, vs, of_gone);
}

static void check_list(struct vs_reg *reg, struct vs_list *list)
{
	struct vs *vs, *next;

	TAILQ_FOREACH_MUT(vs, list, of_gone, next) {
		if (!nsid_is_over(reg, vs))
			continue;
		nsid_forget(reg, vs);
		held_end(reg, vs);
	}
}

void held_check(struct vs_reg *reg)
{
	check_list(reg, &reg->nsid.waiting);
	check_list(reg, &reg->nsid.held);
}

static uint64_t due_of(const struct reg_nsid *nsid, const struct vs *vs)
{
	uint64_t due = nsid->last_end + NSEC_PER_SEC;

	if (due > vs->gone_at + PATIENCE_MAX)
		due = vs->gone_at + PATIENCE_MAX;
	return due > vs->gone_at + PATIENCE ? due : vs->gone_at + PATIENCE;
}

uint64_t held_due(const struct vs_reg *reg)
{
	const struct vs *first = TAILQ_FIRST(&reg->nsid.waiting);

	return first ? due_of(&reg->nsid, first) : NEVER;
}

/* ---- who holds it */

#define FINDINGS_MAX 64

struct finding {
	struct vs *vs;
	char pid[16]; /* of the first process that was found in there */
	unsigned processes;
	bool seen; /* in the process that is being looked at */
};

struct search {
	struct finding findings[FINDINGS_MAX];
	size_t count;
	unsigned looks;
	uint64_t end;
};

static bool is_exhausted(const struct search *s)
{
	return s->looks >= LOOKS_MAX || reg_now() >= s->end;
}

static bool is_number(const char *name)
{
	return name[0] && name[strspn(name, "0123456789")] == '\0';
}

static void note_thread(struct search *s, int task, const char *pid, const char *tid)
{
	char place[sizeof("/ns/net") + 16];
	struct stat st;

	s->looks++;
	if (snprintf(place, sizeof(place), "%s/ns/net", tid) >= (int)sizeof(place) ||
		fstatat(task, place, &st, 0) < 0)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct finding *f = &s->findings[i];

		/* Both numbers are a held namespace's alone. */
		if (f->seen || f->vs->dev != st.st_dev || f->vs->ino != st.st_ino)
			continue;
		f->seen = true;
		if (f->processes++ == 0)
			(void)!copy_str(f->pid, sizeof(f->pid), pid);
	}
}

/* All threads, since each has a namespace of its own. */
static void look_at_process(struct search *s, int proc, const char *pid)
{
	char place[sizeof("/task") + 16];
	struct dirent *e;
	DIR *tasks;
	int fd = -1;

	if (snprintf(place, sizeof(place), "%s/task", pid) < (int)sizeof(place))
		fd = openat(proc, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tasks = fd < 0 ? NULL : fdopendir(fd);
	if (!tasks) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (size_t i = 0; i < s->count; i++)
		s->findings[i].seen = false;
	while (s->looks < LOOKS_MAX && (e = readdir(tasks))) {
		if (is_number(e->d_name))
			note_thread(s, fd, pid, e->d_name);
	}
	closedir(tasks);
}

static void search_processes(struct search *s)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	s->end = reg_now() + LOOK_TIME;
	while (proc && !is_exhausted(s) && (e = readdir(proc))) {
		if (is_number(e->d_name))
			look_at_process(s, dirfd(proc), e->d_name);
	}
	if (proc)
		closedir(proc);
}

static void get_comm(const char *pid, char *comm, size_t size)
{
	char place[sizeof("/proc//comm") + 16];
	ssize_t n = -1;
	int fd;

	snprintf(place, sizeof(place), "/proc/%s/comm", pid);
	fd = open(place, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, size - 1);
		close(fd);
	}
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

static void tell(struct vs_reg *reg, const struct finding *f, bool exhausted)
{
	const char *text = "gone, but its namespace is still held";
	char comm[32];

	if (f->processes == 0) {
		reg_log(reg, LOG_WARNING, vs_name(f->vs),
			"%s by a socket, a mount or an open file%s", text,
			exhausted ? ", or by a process: not all were looked at" : "");
		return;
	}
	get_comm(f->pid, comm, sizeof(comm));
	if (f->processes == 1)
		reg_log(reg, LOG_WARNING, vs_name(f->vs), "%s by process %s (%s)", text, f->pid,
			comm);
	else
		reg_log(reg, LOG_WARNING, vs_name(f->vs), "%s by process %s (%s) and %u more", text,
			f->pid, comm, f->processes - 1);
}

/* Not deleted, only no longer wanted: that is no cause for a word. */
static bool has_name(const struct vs *vs)
{
	struct stat st;

	for (const struct vs_node *n = atomic_load(&vs->nodes); n; n = atomic_load(&n->next)) {
		if (stat(n->place, &st) == 0 && st.st_dev == vs->dev && st.st_ino == vs->ino)
			return true;
	}
	return false;
}

/* The overdue, moved from the list of the waiting to that of the held. */
static void take_overdue(struct vs_reg *reg, struct search *s)
{
	struct reg_nsid *nsid = &reg->nsid;
	uint64_t now = reg_now();
	struct vs *vs;

	while (s->count < FINDINGS_MAX && (vs = TAILQ_FIRST(&nsid->waiting)) &&
		due_of(nsid, vs) <= now) {
		if (nsid_is_over(reg, vs)) {
			nsid_forget(reg, vs);
			held_end(reg, vs);
			continue;
		}
		TAILQ_REMOVE(&nsid->waiting, vs, of_gone);
		TAILQ_INSERT_TAIL(&nsid->held, vs, of_gone);
		vs->is_held = true;
		/* Of several VSs in a namespace one is told of. */
		vs->held_told = !has_name(vs) &&
				TAILQ_FIRST(&vs->of_nsid->members) == vs;
		if (vs->held_told)
			s->findings[s->count++] = (struct finding){.vs = vs};
	}
}

void held_tell(struct vs_reg *reg)
{
	struct search s = {.count = 0};

	if (held_due(reg) > reg_now())
		return;
	take_overdue(reg, &s);
	if (s.count == 0)
		return;
	search_processes(&s);
	for (size_t i = 0; i < s.count; i++)
		tell(reg, &s.findings[i], is_exhausted(&s));
}
