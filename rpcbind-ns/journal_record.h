/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a VS's state file: a header (state_file.h), then a record for each change of the
 * registrations, in the order in which they happened. Pure.
 *
 * A record is u32 length of its body, u32 checksum of length and body, and the body:
 *
 *	REGS_SET    u8 kind, u32 program, version, netids, u8 superuser, u32 uid, str address
 *	REGS_UNSET  u8 kind, u32 program, version, netids, u8 family (0: all), u64 address, twice
 *
 * in host order, as buf.h writes them: the file does not outlive the boot.
 */
#ifndef RPCBIND_JOURNAL_RECORD_H
#define RPCBIND_JOURNAL_RECORD_H

#include <stddef.h>

#include "buf.h"
#include "regs.h"
#include "state_file.h"

#define JOURNAL_RECORD_MAX 160 /* the longest record */

/* Writes one record; a change that is not one of regs fails the writer. */
void journal_put(struct buf_writer *w, const struct regs_change *change);
/* All entries of regs but the built-in ones, as the SETs that make them again. */
void journal_put_all(struct buf_writer *w, const struct regs *regs);

/* Where a file stops making sense. */
struct journal_end {
	size_t offset;   /* what comes before is good; 0: not even the header is */
	const char *why; /* what comes there is not; NULL: it is the end */
};

/*
 * Does all changes of a file again, up to where it stops making sense. An empty file is good.
 * 0, or -ENOMEM, and then regs has a part of it.
 */
int journal_replay(const void *data, size_t len, const struct state_id *id, struct regs *regs,
	struct journal_end *end);

#endif
