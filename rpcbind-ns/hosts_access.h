/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hosts.allow and hosts.deny of tcp_wrappers (hosts_access(5)), as far as they are about rpcbind,
 * turned into access rules (access.h).
 *
 * What cannot be followed to the letter is an error, not a guess: names of hosts and users,
 * wildcards that depend on them, shell commands. Lines for other daemons are passed over.
 */
#ifndef RPCBIND_HOSTS_ACCESS_H
#define RPCBIND_HOSTS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "ini.h"

#define HOSTS_RULES_MAX 256  /* of both files */
#define HOSTS_LINE_MAX 2046  /* bytes of a line that tcp_wrappers reads, continuations joined */
#define HOSTS_FILE_MAX 1048576

struct hosts_file {
	const char *path;
	bool allow; /* hosts.allow: what its lines grant; hosts.deny: what they refuse */
	ini_error_fn *error;
	void *arg;
};

/* Adds the rules as settings Access of [Rpcbind], in order, to doc. Every error is told with its
 * line. 0, -EINVAL or -ENOMEM. */
int hosts_access_parse(
	const struct hosts_file *file, const char *text, size_t len, struct ini_doc *doc);

/* The same from the file itself. Without one there are no rules. Also -errno, told. */
int hosts_access_read(const struct hosts_file *file, struct ini_doc *doc);

#endif
