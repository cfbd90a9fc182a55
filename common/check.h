/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsctl check: what bites once there are many virtual servers, or other software beside them.
 *
 * Facts in, findings out: check_scale.c and check_rules.c judge, and do no I/O. What is there is
 * found out by vsctl_check_host.c (the machine) and vsctl_check_ns.c (namespaces that VSs share).
 */
#ifndef NSAUX_CHECK_H
#define NSAUX_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "network.h"

/* Findings of one kind; what is more is only counted. */
#define CHECK_FINDINGS_MAX 20
/* Descriptors that each process of rpcbind-ns needs for a VS, and for itself. */
#define CHECK_RPCBIND_PER_VS 7
#define CHECK_RPCBIND_BASE 64
/* Neighbours of a VS: itself as its gateway sees it, its gateway, and others. */
#define CHECK_NEIGHBOURS_LEAST 2
#define CHECK_NEIGHBOURS_WISE 4
#define CHECK_RULES_MAX 300

enum check_level { CHECK_NOTE, CHECK_WARNING, CHECK_ERROR };

struct check_finding {
	enum check_level level;
	const char *check; /* what was checked, in a word: static */
	char *vs;          /* NULL: no one in particular */
	char *text;
	char *advice;      /* what to do; NULL: that is clear from the text */
};

/* Zeroed it is empty. */
struct check_report {
	struct check_finding *findings;
	size_t count, size;
	size_t more; /* that were one too many of their kind */
	size_t levels[CHECK_ERROR + 1]; /* how many of each, those included */
	bool is_shown; /* the one added last */
	bool failed;   /* out of memory: something is missing */
};

/* vs may be NULL. Both formats as printf(3). */
void check_add(struct check_report *report, enum check_level level, const char *check,
	const char *vs, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What to do about the finding added last. */
void check_advise(struct check_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void check_report_clear(struct check_report *report);
const char *check_level_name(enum check_level level);
/* 0 all is well, 1 warnings, 2 errors. */
int check_status(const struct check_report *report);

/* ---- the machine; -1: not known */

struct check_neighbours {
	int64_t max, entries, overflows;
};

struct check_host {
	size_t vs_count, ns_count;
	struct check_neighbours ipv4, ipv6;
	int64_t max_namespaces, max_watches;
	int inotify_error;    /* what comes of making one more inotify instance: -errno, or 0 */
	int64_t own_nofile;   /* our hard limit of descriptors, which a program started here has */
};

void check_judge_host(struct check_report *report, const struct check_host *host);

/* A process of a daemon that serves all VSs. */
struct check_process {
	const char *name;
	long pid;
	int64_t nofile; /* the limit in force */
	int64_t open;   /* that it has now */
	/* It has a mount namespace of its own, where the directory of names is private. */
	bool is_blind;
};
void check_judge_process(struct check_report *report, const struct check_process *process,
	size_t vs_count);

/* ---- a namespace that mark VSs share */

struct check_rule {
	uint8_t family;
	uint8_t action; /* FR_ACT_* */
	uint32_t priority, table, mark, mask;
	struct ip_prefix from; /* family 0: from all */
	bool is_ours, is_l3mdev, is_inverted;
	bool is_narrow; /* selects by something else, too */
};

/* A mark VS there. */
struct check_member {
	const char *name;
	const struct network *network;
	bool has_from_rule; /* check_judge_rules() finds out */
};

struct check_shared {
	const char *name; /* of the namespace, for people */
	struct check_member *members;
	size_t member_count;
	struct check_rule *rules;
	size_t rule_count, rule_size;
};

/* Rules of others that take what is ours, and the number of all. */
void check_judge_rules(struct check_report *report, struct check_shared *shared);

/* A route in a table of ours, made by `protocol`, who is not us. */
void check_judge_route(struct check_report *report, const struct check_shared *shared,
	uint32_t table, uint8_t protocol, const struct ip_prefix *dst);

/* A socket with a mark, and an address that is configured for another VS. */
void check_judge_socket(struct check_report *report, const struct check_shared *shared,
	const char *protocol, const struct sockaddr *local, uint32_t mark);

/* -1: not known, or the kernel has it not. */
struct check_sysctls {
	int rp_filter_all, src_valid_mark_all;
	int nonlocal_bind_ipv4, nonlocal_bind_ipv6;
	int tcp_l3mdev_accept, udp_l3mdev_accept;
};
void check_judge_sysctls(struct check_report *report, const struct check_shared *shared,
	const struct check_sysctls *sysctls);
/* After check_judge_rules(). rp_filter and src_valid_mark are those of dev alone. */
void check_judge_device(struct check_report *report, const struct check_member *member,
	const char *dev, const struct check_sysctls *sysctls, int rp_filter, int src_valid_mark);

#endif
