/* SPDX-License-Identifier: BSD-3-Clause */
/* vsctl check: limits of the machine, and the processes of a daemon that runs. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include "parse.h"
#include "read_file.h"
#include "vsctl_check.h"
#include "vsctl_live.h"

#define SMALL_FILE ((size_t)64 << 10)
#define PROCESSES_MAX 8
#define COLUMNS_MAX 32

/* A file of /proc as text, or NULL. */
static char *read_text(const char *path)
{
	uint8_t *data;
	size_t len;

	return read_file(path, SMALL_FILE, &data, &len) == 0 ? (char *)data : NULL;
}

int64_t vsctl_read_number(const char *path)
{
	char *text = read_text(path);
	uint64_t number;
	int64_t result = -1;

	if (!text)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, 0, INT64_MAX, &number) == 0)
		result = (int64_t)number;
	free(text);
	return result;
}

/* ---- neighbours */

size_t vsctl_words(char *line, char **words, size_t max)
{
	char *rest;
	size_t count = 0;

	for (char *word = strtok_r(line, " \t\n", &rest); word && count < max;
		word = strtok_r(NULL, " \t\n", &rest))
		words[count++] = word;
	return count;
}

static int64_t hex_number(const char *text)
{
	int64_t number = 0;

	for (; *text; text++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, *text);

		if (!digit || number > INT64_MAX / 16 - 16)
			return -1;
		number = number * 16 + (digit - digits);
	}
	return number;
}

/* Headings, and a line for each CPU; each line has the number of entries of all. */
static void read_statistics(char *text, struct check_neighbours *n)
{
	char *headings[COLUMNS_MAX], *words[COLUMNS_MAX], *rest;
	char *line = strtok_r(text, "\n", &rest);
	size_t columns = line ? vsctl_words(line, headings, COLUMNS_MAX) : 0;

	n->entries = n->overflows = 0;
	while ((line = strtok_r(NULL, "\n", &rest))) {
		size_t count = vsctl_words(line, words, COLUMNS_MAX);

		for (size_t i = 0; i < columns && i < count; i++) {
			if (strcmp(headings[i], "entries") == 0)
				n->entries = hex_number(words[i]);
			else if (strcmp(headings[i], "table_fulls") == 0)
				n->overflows += hex_number(words[i]);
		}
	}
}

static struct check_neighbours read_neighbours(const char *limit, const char *statistics)
{
	struct check_neighbours n = {.max = vsctl_read_number(limit), .entries = -1,
		.overflows = -1};
	char *text = n.max < 0 ? NULL : read_text(statistics);

	if (text)
		read_statistics(text, &n);
	free(text);
	return n;
}

/* ---- processes */

/* The soft limit, or -1. The file is changed. */
static int64_t find_limit(char *limits)
{
	static const char name[] = "\nMax open files";
	char *line = strstr(limits, name), *soft;
	uint64_t number;

	if (!line || vsctl_words(line + strlen(name), &soft, 1) != 1 ||
		parse_u64(soft, 0, INT64_MAX, &number) < 0)
		return -1;
	return (int64_t)number;
}

static int64_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int64_t count = 0;
	struct dirent *e;

	if (!dir)
		return -1;
	while ((e = readdir(dir)))
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Sees the process its own mounts only, and no new ones in the directory of names? */
static bool is_blind(const struct vsctl *ctl, const char *pid)
{
	char place[64], own[64] = "", other[64] = "";

	snprintf(place, sizeof(place), "/proc/%s/ns/mnt", pid);
	if (readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) < 0 ||
		readlink(place, other, sizeof(other) - 1) < 0 || strcmp(own, other) == 0)
		return false;
	return vsctl_is_private(pid, ctl->netns_dir) > 0;
}

static void check_process(
	const struct vsctl *ctl, struct check_report *report, const char *pid, size_t vs_count)
{
	struct check_process p = {.nofile = -1, .open = -1};
	char path[64], *comm, *limits;
	uint64_t number = 0;

	if (parse_u64(pid, 1, INT32_MAX, &number) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	comm = read_text(path);
	snprintf(path, sizeof(path), "/proc/%s/limits", pid);
	limits = read_text(path);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	p.open = count_entries(path);
	if (comm && limits) {
		comm[strcspn(comm, "\n")] = '\0';
		p.name = comm;
		p.pid = (long)number;
		p.nofile = find_limit(limits);
		p.is_blind = is_blind(ctl, pid);
		check_judge_process(report, &p, vs_count);
	}
	free(comm);
	free(limits);
}

/* The daemon that listens on the control socket, and its children. */
static bool check_daemon(const struct vsctl *ctl, struct check_report *report, size_t vs_count)
{
	char path[4096], text[24], *children, *words[PROCESSES_MAX];
	size_t count;
	pid_t pid = 0;
	int n = snprintf(path, sizeof(path), "%s/control", ctl->runtime_dir);

	if (n < 0 || n >= (int)sizeof(path) || vsctl_listener(path, &pid) < 0 || pid <= 1)
		return false;
	snprintf(text, sizeof(text), "%ld", (long)pid);
	check_process(ctl, report, text, vs_count);
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	children = read_text(path);
	count = children ? vsctl_words(children, words, PROCESSES_MAX) : 0;
	for (size_t i = 0; i < count; i++)
		check_process(ctl, report, words[i], vs_count);
	free(children);
	return true;
}

/* ---- all of it */

/* What would come of a program that follows the registry? */
static int try_inotify(const char *dir)
{
	int rc = 0, fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, dir, IN_CREATE) < 0 && errno != ENOENT)
		rc = -errno;
	close(fd);
	return rc;
}

void vsctl_check_host(
	const struct vsctl *ctl, struct check_report *report, size_t vs_count, size_t ns_count)
{
	struct check_host host = {
		.vs_count = vs_count,
		.ns_count = ns_count,
		.ipv4 = read_neighbours("/proc/sys/net/ipv4/neigh/default/gc_thresh3",
			"/proc/net/stat/arp_cache"),
		.ipv6 = read_neighbours("/proc/sys/net/ipv6/neigh/default/gc_thresh3",
			"/proc/net/stat/ndisc_cache"),
		.max_namespaces = vsctl_read_number("/proc/sys/user/max_net_namespaces"),
		.max_watches = vsctl_read_number("/proc/sys/fs/inotify/max_user_watches"),
		.inotify_error = try_inotify(ctl->netns_dir),
		.own_nofile = -1,
	};
	struct rlimit rl;

	/* A daemon that runs has limits of its own. */
	if (!check_daemon(ctl, report, vs_count) && getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
		rl.rlim_max < INT64_MAX)
		host.own_nofile = (int64_t)rl.rlim_max;
	check_judge_host(report, &host);
}
