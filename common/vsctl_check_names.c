/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: names of namespaces that name none, and namespaces that none names. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"
#include "parse.h"
#include "vsctl_check.h"

#define LOOKS_MAX 200000 /* at links in /proc */
#define LOOK_SECONDS 2
#define MOUNT_WORDS 16
/* ip-netns(8) makes a file first and mounts the namespace on it a few milliseconds later. */
#define PATIENCE_NSEC (50 * 1000 * 1000)

/* ---- names */

static bool is_plain(const struct vsctl *ctl, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", ctl->netns_dir, name);
	int fd = n < 0 || n >= (int)sizeof(path) ? -ENAMETOOLONG : netns_open(path);

	if (fd >= 0)
		close(fd);
	return fd == -EINVAL;
}

static void check_name(const struct vsctl *ctl, struct check_report *report, const char *name,
	bool *has_waited)
{
	const struct timespec patience = {.tv_nsec = PATIENCE_NSEC};

	if (!*has_waited)
		nanosleep(&patience, NULL);
	*has_waited = true;
	if (!is_plain(ctl, name))
		return;
	check_add(report, CHECK_WARNING, "names", NULL,
		"%s/%s is a plain file: left behind, or its namespace was mounted where it is not "
		"seen from here", ctl->netns_dir, name);
	check_advise(report, "ip netns del %s, or rm, if no other mount namespace has it", name);
}

static void check_directory(const struct vsctl *ctl, struct check_report *report, size_t *count)
{
	DIR *dir = opendir(ctl->netns_dir);
	bool has_waited = false;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		if (is_plain(ctl, e->d_name))
			check_name(ctl, report, e->d_name, &has_waited);
		else
			++*count;
	}
	if (dir)
		closedir(dir);
}

/* How much of dir's path is that of a mount point; 0: it is elsewhere. */
static size_t covers(const char *dir, const char *point)
{
	size_t len = strlen(point);

	if (strcmp(point, "/") == 0)
		return 1;
	return strncmp(dir, point, len) == 0 && (dir[len] == '/' || dir[len] == '\0') ? len : 0;
}

/* The words of "ID PARENT DEV ROOT POINT OPTIONS [TAG...] - TYPE ...". Tags tell who else sees
 * it. */
static bool is_private_mount(char *const *words, size_t count)
{
	for (size_t i = 6; i < count && strcmp(words[i], "-") != 0; i++)
		if (!strncmp(words[i], "shared:", 7) || !strncmp(words[i], "master:", 7))
			return false;
	return true;
}

int vsctl_is_private(const char *process, const char *dir)
{
	char path[64], *line = NULL, *words[MOUNT_WORDS];
	size_t size = 0, best = 0;
	bool is_private = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		size_t count = vsctl_words(line, words, MOUNT_WORDS);
		size_t part = count > 6 ? covers(dir, words[4]) : 0;

		/* The last of equals is on top. */
		if (part > 0 && part >= best) {
			best = part;
			is_private = is_private_mount(words, count);
		}
	}
	free(line);
	fclose(file);
	return is_private;
}

/* ---- namespaces */

struct holder {
	uint64_t inode;
	long pid;
	int descriptor;
};

struct inodes {
	uint64_t *numbers;
	size_t count, size;
};

struct search {
	struct inodes named;  /* mounted somewhere, or our own */
	struct inodes lived;  /* of a process */
	struct holder *holders;
	size_t holder_count, holder_size;
	dev_t nsfs;
	unsigned looks;
	time_t end;
	bool failed;
};

static void *make_room(void *items, size_t count, size_t *size, size_t item)
{
	size_t more = *size ? *size * 2 : 64;
	void *bigger = count < *size ? items : reallocarray(items, more, item);

	if (bigger && count >= *size)
		*size = more;
	return bigger;
}

static void add_inode(struct search *s, struct inodes *list, uint64_t inode)
{
	uint64_t *numbers = make_room(list->numbers, list->count, &list->size, sizeof(*numbers));

	if (!numbers) {
		s->failed = true;
		return;
	}
	list->numbers = numbers;
	list->numbers[list->count++] = inode;
}

static bool has_inode(const struct inodes *list, uint64_t inode)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->numbers[i] == inode)
			return true;
	return false;
}

/* "net:[4026531840]" */
static bool read_inode(const char *text, uint64_t *inode)
{
	char digits[24];
	size_t len;

	if (strncmp(text, "net:[", 5) != 0)
		return false;
	len = strcspn(text + 5, "]");
	if (len >= sizeof(digits) || text[5 + len] != ']')
		return false;
	memcpy(digits, text + 5, len);
	digits[len] = '\0';
	return parse_u64(digits, 1, UINT64_MAX, inode) == 0;
}

/* What was opened by a name that is no more is shown as "/". No file system is waited for. */
static bool read_detached(const struct search *s, const char *path, uint64_t *inode)
{
	struct statx st;
	int fd;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) < 0 ||
		makedev(st.stx_dev_major, st.stx_dev_minor) != s->nsfs)
		return false;
	fd = netns_open(path);
	if (fd < 0)
		return false; /* a namespace of another kind */
	close(fd);
	*inode = st.stx_ino;
	return true;
}

static bool read_link(struct search *s, const char *path, uint64_t *inode)
{
	char text[64];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	s->looks++;
	if (n < 0)
		return false;
	text[n] = '\0';
	return strcmp(text, "/") == 0 ? read_detached(s, path, inode) : read_inode(text, inode);
}

/* The fourth word of a line is what the mount shows of its file system. */
static void find_named(struct search *s)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *words[4];
	uint64_t inode;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (vsctl_words(line, words, 4) == 4 && read_inode(words[3], &inode))
			add_inode(s, &s->named, inode);
	}
	free(line);
	if (file)
		fclose(file);
	else
		s->failed = true;
}

static void add_holder(struct search *s, uint64_t inode, long pid, int descriptor)
{
	struct holder *holders =
		make_room(s->holders, s->holder_count, &s->holder_size, sizeof(*holders));

	if (!holders) {
		s->failed = true;
		return;
	}
	s->holders = holders;
	s->holders[s->holder_count++] = (struct holder){inode, pid, descriptor};
}

typedef void entry_fn(struct search *s, const char *path, const char *name, long pid);

/* Calls fn for each number in a directory. */
static void each_number(struct search *s, const char *path, long pid, entry_fn *fn)
{
	DIR *dir = opendir(path);
	char entry[320];
	struct dirent *e;

	while (dir && s->looks < LOOKS_MAX && time(NULL) <= s->end && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(entry, sizeof(entry), "%s/%s", path, e->d_name);
		fn(s, entry, e->d_name, pid);
	}
	if (dir)
		closedir(dir);
}

static void on_thread(struct search *s, const char *path, const char *name, long pid)
{
	char place[352];
	uint64_t inode;

	(void)name;
	(void)pid;
	snprintf(place, sizeof(place), "%s/ns/net", path);
	if (read_link(s, place, &inode) && !has_inode(&s->lived, inode))
		add_inode(s, &s->lived, inode);
}

static void on_descriptor(struct search *s, const char *path, const char *name, long pid)
{
	uint64_t inode, number;

	if (read_link(s, path, &inode) && !has_inode(&s->named, inode) &&
		parse_u64(name, 0, INT32_MAX, &number) == 0)
		add_holder(s, inode, pid, (int)number);
}

static void on_process(struct search *s, const char *path, const char *name, long pid)
{
	char place[352];
	uint64_t number;

	(void)pid;
	if (parse_u64(name, 1, INT32_MAX, &number) < 0)
		return;
	snprintf(place, sizeof(place), "%s/task", path);
	each_number(s, place, (long)number, on_thread);
	snprintf(place, sizeof(place), "%s/fd", path);
	each_number(s, place, (long)number, on_descriptor);
}

static void get_comm(long pid, char *comm, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(comm, (int)size, file))
		snprintf(comm, size, "?");
	comm[strcspn(comm, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* One finding for each namespace, with the first who holds it. */
static void tell_holders(struct check_report *report, struct search *s)
{
	char comm[32];

	for (size_t i = 0; i < s->holder_count; i++) {
		const struct holder *h = &s->holders[i];

		if (has_inode(&s->lived, h->inode))
			continue;
		add_inode(s, &s->lived, h->inode);
		get_comm(h->pid, comm, sizeof(comm));
		check_add(report, CHECK_WARNING, "pinned", NULL,
			"the network namespace %" PRIu64 " has neither a name nor a process, and "
			"is kept alive by descriptor %d of process %ld (%s)",
			h->inode, h->descriptor, h->pid, comm);
		check_advise(report, "restart %s if the VS was removed: its devices and addresses "
				     "stay until then", comm);
	}
}

/* Sockets keep namespaces, too, but do not show which. */
static void check_nameless(struct check_report *report)
{
	struct search s = {.end = time(NULL) + LOOK_SECONDS};
	struct stat st;

	if (stat("/proc/self/ns/net", &st) == 0)
		s.nsfs = st.st_dev;
	find_named(&s);
	each_number(&s, "/proc", 0, on_process);
	if (!s.failed)
		tell_holders(report, &s);
	if (s.failed || s.looks >= LOOKS_MAX || time(NULL) > s.end)
		check_add(report, CHECK_NOTE, "pinned", NULL,
			"not all processes were looked at for namespaces without a name");
	free(s.named.numbers);
	free(s.lived.numbers);
	free(s.holders);
}

void vsctl_check_names(const struct vsctl *ctl, struct check_report *report, size_t *count)
{
	*count = 0;
	check_directory(ctl, report, count);
	if (access(ctl->netns_dir, F_OK) == 0 && vsctl_is_private("self", ctl->netns_dir) > 0) {
		check_add(report, CHECK_WARNING, "propagation", NULL,
			"%s is on a private mount: names made elsewhere are not seen here, nor "
			"these elsewhere", ctl->netns_dir);
		check_advise(report, "mount --bind %s %s && mount --make-shared %s, before daemons "
				     "are started", ctl->netns_dir, ctl->netns_dir, ctl->netns_dir);
	}
	if (geteuid() != 0)
		check_add(report, CHECK_NOTE, "pinned", NULL,
			"not run as root: other users' processes were not looked at");
	check_nameless(report);
}
