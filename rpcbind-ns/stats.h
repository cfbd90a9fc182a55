/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The statistics of one virtual server that RPCBPROC_GETSTAT reports (RFC 1833 section 2.2.1,
 * rpcb_stat_byvers), bounded: a peer chooses the programs that are counted, so that beyond
 * STATS_MAX distinct ones only the totals count.
 */
#ifndef RPCBIND_STATS_H
#define RPCBIND_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uaddr.h"

#define STATS_MAX 256   /* distinct (program, version, netid) of one kind and rpcbind version */
#define STATS_PROCS 13  /* RPCBSTAT_HIGHPROC */
#define STATS_VERS 3    /* rpcbind versions 2, 3, 4 */

struct stats;

struct stats_addr { /* of GETPORT and GETADDR */
	uint32_t prog, vers;
	enum netid netid;
	uint32_t success, failure;
};

struct stats_rmt { /* of CALLIT, BCAST and INDIRECT */
	uint32_t prog, vers, proc;
	enum netid netid;
	bool indirect;
	uint32_t success, failure;
};

int stats_new(struct stats **stats);
void stats_free(struct stats *stats);

/* rpcb_vers: 2, 3 or 4. */
void stats_count_proc(struct stats *stats, uint32_t rpcb_vers, uint32_t proc);
void stats_count_set(struct stats *stats, uint32_t rpcb_vers);   /* successful ones */
void stats_count_unset(struct stats *stats, uint32_t rpcb_vers);
void stats_count_addr(struct stats *stats, uint32_t rpcb_vers, uint32_t prog, uint32_t vers,
	enum netid netid, bool success);
void stats_count_rmt(struct stats *stats, uint32_t rpcb_vers, uint32_t prog, uint32_t vers,
	uint32_t proc, enum netid netid, bool indirect, bool success);

uint64_t stats_requests(const struct stats *stats); /* all calls counted */
uint32_t stats_proc(const struct stats *stats, uint32_t rpcb_vers, uint32_t proc);
uint32_t stats_set(const struct stats *stats, uint32_t rpcb_vers);
uint32_t stats_unset(const struct stats *stats, uint32_t rpcb_vers);
/* The i-th counter, NULL past the last. */
const struct stats_addr *stats_addr_get(const struct stats *stats, uint32_t rpcb_vers, size_t i);
const struct stats_rmt *stats_rmt_get(const struct stats *stats, uint32_t rpcb_vers, size_t i);

#endif
