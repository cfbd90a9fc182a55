/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logging of the daemons: one line a message on standard error, in one write(2) and of at most
 * 1,024 bytes, with the journal's "<N>" level prefix where standard error is the journal
 * ($JOURNAL_STREAM), with a time and the program's name elsewhere:
 *
 *	<5>VS blue: text
 *	2026-11-22T14:03:07.123Z rpcbind-ns: notice: VS blue: text
 *
 * A message about a VS carries the VS's name. The log sink is the one mutable global of the
 * suite; it is set up before anything else runs.
 */
#ifndef NSAUX_LOG_H
#define NSAUX_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* program: static string. level: LOG_ERR to LOG_DEBUG; messages above it are dropped. */
void log_open(const char *program, int level);
void log_set_level(int level);
bool log_wants(int level);

/* vs: the VS's name, or NULL. All but printable ASCII is replaced by '?': peers choose parts of
 * the text, and an administrator's terminal shows it. "%m" is the caller's errno, which is
 * left as it was. */
void log_msg(int level, const char *vs, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(vs, ...) log_msg(LOG_ERR, vs, __VA_ARGS__)
#define log_warn(vs, ...) log_msg(LOG_WARNING, vs, __VA_ARGS__)
#define log_notice(vs, ...) log_msg(LOG_NOTICE, vs, __VA_ARGS__)
#define log_info(vs, ...) log_msg(LOG_INFO, vs, __VA_ARGS__)
#define log_debug(vs, ...) log_msg(LOG_DEBUG, vs, __VA_ARGS__)

/* For messages that a peer can cause: at most burst at once, refilled at one per interval. Returns
 * whether this one may be logged; if so, *dropped is the number suppressed since the last. */
struct log_limit {
	unsigned burst;
	uint64_t interval; /* nanoseconds per message */
	uint64_t next;     /* kept: when the bucket is full again */
	uint64_t dropped;  /* kept */
};
bool log_limit_ok(struct log_limit *limit, uint64_t now, uint64_t *dropped);

#endif
