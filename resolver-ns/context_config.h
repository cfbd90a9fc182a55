/* SPDX-License-Identifier: BSD-3-Clause */
/* struct vsresolv_config, checked. */
#ifndef NSAUX_CONTEXT_CONFIG_H
#define NSAUX_CONTEXT_CONFIG_H

#include "vsresolv.h"

/* A copy with all fields that this version knows; those beyond given->size are unset. given may
 * be NULL: nothing is set. -EINVAL: the size is wrong, or something is set that is not known
 * here. */
int context_config_read(struct vsresolv_config *config, const struct vsresolv_config *given);
/* What no single field tells, and ranges. of_vs: for vsresolv_open_vs(). -EINVAL, and log() was
 * told. */
int context_config_check(const struct vsresolv_config *config, const char *name, int of_vs);

#endif
