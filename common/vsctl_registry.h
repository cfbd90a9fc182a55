/* SPDX-License-Identifier: BSD-3-Clause */
/* What vsctl finds out by itself, without a daemon. */
#ifndef NSAUX_VSCTL_REGISTRY_H
#define NSAUX_VSCTL_REGISTRY_H

#include "vsctl.h"
#include "vsreg.h"

/*
 * The virtual servers that are there now. Errors in their files are told (unless is_quiet), and
 * then what can be known without the files is found all the same, and 1 returned. Else 0, or
 * -errno, which was told likewise. vs_reg_close() ends it.
 */
int vsctl_registry(const struct vsctl *ctl, bool is_quiet, struct vs_reg **reg);

/* A VS as the daemon would describe it, but for what only that knows; without "addresses" when
 * those cannot be known. NULL: no memory. */
json_t *vsctl_describe(struct vs *vs);

/* Adds to a list of descriptions the VSs that have a file and are not there: their state is
 * "absent". Does nothing when there is an error in one of the files. */
void vsctl_add_absent(const struct vsctl *ctl, json_t *list);

/* Adds "traffic", and "devices" if is_detailed, to the description of a VS. Does nothing when it
 * cannot be known. */
void vsctl_add_traffic(json_t *description, struct vs *vs, bool is_detailed);

#endif
