/* SPDX-License-Identifier: BSD-3-Clause */
/* One registration of another rpcbind becomes one of a VS. */
#ifndef RPCBIND_IMPORT_H
#define RPCBIND_IMPORT_H

#include "regs.h"
#include "warmstart.h"

enum import_result {
	IMPORT_NEW,
	IMPORT_PRESENT, /* registered already, with this address */
	IMPORT_OWN,     /* rpcbind's own, of which each rpcbind has its own */
	IMPORT_REFUSED,
};

/*
 * As its owner's SET. An owner that is neither "superuser" nor a decimal uid is unknown. Where only
 * a port is told, any address of the VS with that port is the same; else it becomes the wildcard.
 * *reason, static, is set when it is refused.
 */
enum import_result import_entry(struct regs *regs, const struct warmstart_entry *entry,
	const char **reason);

#endif
