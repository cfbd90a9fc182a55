/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock file of the host: servers of other makes take its lock when they start (flock(2)),
 * and do not start when they cannot. We take it while we serve the host, so that none of them
 * starts beside us; who has it before us is named.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "log.h"
#include "opener_holder.h"
#include "opener_private.h"
#include "parse.h"

#define LOCKS_MAX 65536 /* lines of /proc/locks that are read */
#define WORDS 6
#define PID_WORD 4
#define FILE_WORD 5

/* "1: FLOCK  ADVISORY  WRITE 714 00:19:1312 0 EOF" */
static bool is_lock_on(char *line, const char *file, uint64_t *pid)
{
	char *word[WORDS], *save = NULL;
	unsigned count = 0;

	for (char *p = strtok_r(line, " \n", &save); p && count < WORDS;
		p = strtok_r(NULL, " \n", &save))
		word[count++] = p;
	return count == WORDS && !strcmp(word[1], "FLOCK") && !strcmp(word[FILE_WORD], file) &&
	       parse_u64(word[PID_WORD], 1, INT32_MAX, pid) == 0;
}

/* A process of another PID namespace is none that could be named. */
static void find_locker(int fd, char *text, size_t size)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256], file[64];
	bool found = false;
	struct stat st;
	uint64_t pid;

	snprintf(text, size, "another process");
	if (locks && fstat(fd, &st) == 0) {
		snprintf(file, sizeof(file), "%02x:%02x:%llu", major(st.st_dev),
			minor(st.st_dev), (unsigned long long)st.st_ino);
		for (unsigned i = 0; i < LOCKS_MAX && !found && fgets(line, sizeof(line), locks);
			i++)
			found = is_lock_on(line, file, &pid);
		if (found)
			opener_describe_process((pid_t)pid, text, size);
	}
	if (locks)
		fclose(locks);
}

static void tell_refused(struct opener *opener, const char *why)
{
	if (!opener->lock_refused)
		log_warn(VS_HOST, "%s cannot be locked: %s; asking again", opener->policy->lock,
			why);
	opener->lock_refused = true;
}

static void take_lock(struct opener *opener)
{
	/* As other rpcbinds open it, who can read it but not write. */
	int fd = open(opener->policy->lock,
		O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0444);
	char holder[96], why[128];

	if (fd < 0) {
		tell_refused(opener, strerror(errno));
		return;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK) {
			find_locker(fd, holder, sizeof(holder));
			snprintf(why, sizeof(why), "%s has done so", holder);
		} else {
			snprintf(why, sizeof(why), "%s", strerror(errno));
		}
		close(fd);
		tell_refused(opener, why);
		return;
	}
	if (opener->lock_refused)
		log_notice(VS_HOST, "%s is locked now", opener->policy->lock);
	opener->lock_refused = false;
	opener->lock = fd;
}

/* A child that is just being started may have the descriptor for a moment. */
static void drop_lock(struct opener *opener)
{
	flock(opener->lock, LOCK_UN);
	close(opener->lock);
	opener->lock = -1;
}

/* Is it our file that others would open? */
static bool is_in_place(const struct opener *opener)
{
	struct stat ours, there;

	return fstat(opener->lock, &ours) == 0 && lstat(opener->policy->lock, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool is_wanted(const struct opener *opener)
{
	struct vs *host = vs_by_name(opener->reg, VS_HOST);
	uint64_t cookie = host ? vs_cookie(host) : 0;
	struct opener_entry *e, *next;

	vs_unref(host);
	if (!opener->policy->lock || !*opener->policy->lock)
		return false;
	/* Or mark VSs are, which have its port. */
	HASH_ITER(by_id, opener->by_id, e, next)
		if (!e->share && e->cookie == cookie && opener_is_announced(opener, e) &&
			!e->policy.idle)
			return true;
	return false;
}

void opener_check_lock(struct opener *opener)
{
	bool wanted = is_wanted(opener);

	if (opener->lock >= 0 && wanted && !is_in_place(opener)) {
		log_warn(VS_HOST, "%s is not the file that we locked, locking it again",
			opener->policy->lock);
		drop_lock(opener);
	}
	if (wanted && opener->lock < 0)
		take_lock(opener);
	else if (!wanted && opener->lock >= 0)
		drop_lock(opener);
	if (!wanted)
		opener->lock_refused = false;
}
