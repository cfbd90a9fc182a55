/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of rconf.h:
 *
 *   rconf.c           snapshots, and the text of a resolv.conf
 *   rconf_options.c   its options
 *   rconf_server.c    one name server
 *
 * and of what makes them, source_private.h:
 *
 *   source.c             files and parameters together, as snapshots
 *   source_parameters.c  the parameters
 *   source_file.c        one file that is watched
 *   source_current.c     the snapshot that is in force
 */
#ifndef NSAUX_RCONF_PRIVATE_H
#define NSAUX_RCONF_PRIVATE_H

#include <syslog.h>

#include "lines.h"
#include "rconf.h"

/* Who is told, and of which line. */
struct rconf_report {
	const char *file; /* NULL: none */
	unsigned line;    /* 0: none */
	rconf_log_fn *log;
	void *arg;
};

void rconf_tell(const struct rconf_report *report, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* All options that are right take effect; -EINVAL if one is not, which was told. */
int rconf_read_options(struct rconf *conf, struct span line, const struct rconf_report *report);

/* Another one with the same in it, or if conf is NULL with the defaults; NULL: no memory. */
struct rconf *rconf_copy(const struct rconf *conf);
/* Appends a name to the search list. -EINVAL: it is none; -ENOSPC; -ENOMEM. */
int rconf_add_search(struct rconf *conf, const char *name);

#endif
