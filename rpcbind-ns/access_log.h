/* SPDX-License-Identifier: BSD-3-Clause */
/* The access rules of one VS as its settings have them, and its log of calls. */
#ifndef RPCBIND_ACCESS_LOG_H
#define RPCBIND_ACCESS_LOG_H

#include "proc.h"
#include "settings.h"

/* Lines a second, for each VS; as many more may come at once. */
#define ACCESS_LOG_RATE 1000u

struct vserver;
struct access_log;

/* *watch is what proc_vs.watch is to be: NULL when the settings ask for neither rules nor log.
 * *log is then NULL, too. conf was checked; vs outlives the log. 0 or -errno. */
int access_log_new(struct access_log **log, const struct proc_watch **watch,
	const struct vserver *vs, const struct rpcbind_vs_conf *conf);
void access_log_free(struct access_log *log); /* NULL is allowed */

#endif
