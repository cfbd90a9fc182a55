/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of the machine, against the number of virtual servers. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "check.h"

#define WATCHES_LEAST 64 /* of a program that follows the registry, and others */

/* The next power of two: limits are set with room to grow. */
static uint64_t rounded(uint64_t n)
{
	uint64_t power = 1024;

	while (power < n)
		power *= 2;
	return power;
}

static void advise_neighbours(struct check_report *report, const char *name, size_t vs_count)
{
	uint64_t wise = rounded((uint64_t)vs_count * CHECK_NEIGHBOURS_WISE);

	check_advise(report,
		"sysctl -w net.%s.neigh.default.gc_thresh3=%" PRIu64
		" net.%s.neigh.default.gc_thresh2=%" PRIu64 ", and in /etc/sysctl.d",
		name, wise, name, wise / 2);
}

/* Its entries are counted over all namespaces. */
static void judge_neighbours(struct check_report *report, const char *name,
	const struct check_neighbours *n, size_t vs_count)
{
	int64_t count = (int64_t)vs_count;

	if (n->max < 0) {
		check_add(report, CHECK_NOTE, "neighbours", NULL,
			"the size of the table of %s neighbours can only be read in the initial "
			"network namespace", name);
		return;
	}
	if (n->max < count * CHECK_NEIGHBOURS_LEAST) {
		check_add(report, CHECK_ERROR, "neighbours", NULL,
			"%" PRId64 " %s neighbours at most, in all namespaces together: too few "
			"for %zu virtual servers", n->max, name, vs_count);
	} else if (n->max < count * CHECK_NEIGHBOURS_WISE) {
		check_add(report, CHECK_WARNING, "neighbours", NULL,
			"%" PRId64 " %s neighbours at most, in all namespaces together: few for "
			"%zu virtual servers", n->max, name, vs_count);
	} else if (n->entries > n->max / 4 * 3) {
		check_add(report, CHECK_WARNING, "neighbours", NULL,
			"%" PRId64 " %s neighbours are known of %" PRId64 " at most, in all "
			"namespaces together", n->entries, name, n->max);
	} else if (n->overflows > 0) {
		check_add(report, CHECK_WARNING, "neighbours", NULL,
			"the table of %s neighbours was full %" PRId64 " times since the start",
			name, n->overflows);
	} else {
		return;
	}
	advise_neighbours(report, name, vs_count);
}

static void judge_namespaces(struct check_report *report, const struct check_host *host)
{
	int64_t count = (int64_t)host->ns_count;

	if (host->max_namespaces < 0 || count < host->max_namespaces / 5 * 4)
		return;
	check_add(report, CHECK_WARNING, "namespaces", NULL,
		"%zu network namespaces of %" PRId64 " that a user may make", host->ns_count,
		host->max_namespaces);
	check_advise(report, "sysctl -w user.max_net_namespaces=%" PRIu64,
		rounded((uint64_t)count * 2));
}

static void judge_inotify(struct check_report *report, const struct check_host *host)
{
	if (host->inotify_error == -EMFILE) {
		check_add(report, CHECK_ERROR, "inotify", NULL,
			"this user has no inotify instance left: daemons cannot start");
		check_advise(report, "raise the sysctl fs.inotify.max_user_instances");
	} else if (host->inotify_error == -ENOSPC ||
		   (host->max_watches >= 0 && host->max_watches < WATCHES_LEAST)) {
		check_add(report, CHECK_ERROR, "inotify", NULL,
			"this user has no inotify watch left: new namespaces will not be seen");
		check_advise(report, "raise the sysctl fs.inotify.max_user_watches");
	} else if (host->inotify_error < 0) {
		check_add(report, CHECK_NOTE, "inotify", NULL, "inotify: %s",
			strerror(-host->inotify_error));
	}
}

static uint64_t descriptors_needed(size_t vs_count)
{
	return (uint64_t)vs_count * CHECK_RPCBIND_PER_VS + CHECK_RPCBIND_BASE;
}

void check_judge_host(struct check_report *report, const struct check_host *host)
{
	uint64_t needed = descriptors_needed(host->vs_count);

	judge_neighbours(report, "ipv4", &host->ipv4, host->vs_count);
	judge_neighbours(report, "ipv6", &host->ipv6, host->vs_count);
	judge_namespaces(report, host);
	judge_inotify(report, host);
	if (host->own_nofile < 0 || (uint64_t)host->own_nofile >= needed)
		return;
	check_add(report, CHECK_WARNING, "descriptors", NULL,
		"%" PRId64 " descriptors for a process that is started from here; rpcbind-ns needs "
		"about %" PRIu64 " for %zu virtual servers",
		host->own_nofile, needed, host->vs_count);
	check_advise(report, "raise the hard limit: ulimit -Hn %" PRIu64 ", LimitNOFILE= of a unit",
		rounded(needed));
}

void check_judge_process(
	struct check_report *report, const struct check_process *p, size_t vs_count)
{
	uint64_t needed = descriptors_needed(vs_count);

	if (p->is_blind) {
		check_add(report, CHECK_ERROR, "propagation", NULL,
			"%s (process %ld) has mounts of its own, where namespaces made from now on "
			"will not appear", p->name, p->pid);
		check_advise(report, "its directory of namespaces must be a shared mount when it "
				     "is started, and its mounts be slaves (PrivateMounts=yes)");
	}
	if (p->nofile < 0)
		return;
	if ((uint64_t)p->nofile < needed)
		check_add(report, CHECK_ERROR, "descriptors", NULL,
			"%s (process %ld) may have %" PRId64 " descriptors, and needs about "
			"%" PRIu64 " for %zu virtual servers",
			p->name, p->pid, p->nofile, needed, vs_count);
	else if (p->open > p->nofile / 5 * 4)
		check_add(report, CHECK_WARNING, "descriptors", NULL,
			"%s (process %ld) has %" PRId64 " descriptors, and may have %" PRId64,
			p->name, p->pid, p->open, p->nofile);
	else
		return;
	check_advise(report, "LimitNOFILE=%" PRIu64 " in its unit, or ulimit -Hn before it is "
			     "started", rounded(needed * 2));
}
