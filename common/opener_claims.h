/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which address in a namespace that VSs share: gathered, and told to the server. */
#ifndef NSAUX_OPENER_CLAIMS_H
#define NSAUX_OPENER_CLAIMS_H

#include "opener_private.h"

/*
 * The claims of the files (Address=, Pool=), and the addresses that there are now, of each VS
 * those that the registry says it owns. Whatever differs from what was told last is told, as a
 * whole. 0 or -errno, and then what was told before holds.
 */
int opener_claims_tell(struct opener *opener, struct opener_entry *carrier);

#endif
