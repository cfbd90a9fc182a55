/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registrations of one VS in its state file. Each change is written before it takes effect, so
 * that what a client was told survives us; not to the disk, since the file does not survive a boot.
 *
 * A file that is large for what it says is written anew, in another one: from the moment when that
 * has everything, each change goes to both, until the opener says that it has put the new one in
 * the other's place. Whenever we are killed, one of them is there and complete.
 */
#ifndef RPCBIND_JOURNAL_H
#define RPCBIND_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "journal_record.h"

struct journal_file {
	int fd;        /* -1: none */
	uint64_t size; /* bytes that are good */
	bool torn;     /* there are more, which could not be cut off: nothing can be added */
};

struct journal {
	struct state_id id;
	struct journal_file now, next; /* next: to take the place of now */
};

void journal_init(struct journal *journal, const struct state_id *id);
void journal_close(struct journal *journal);

/*
 * Loads regs, which must be empty, from the file behind fd (for reading and appending), and
 * cuts off what makes no sense: *end says where and why, size what it was. fd is taken over on
 * success. -EFBIG, -ENOMEM or -errno of read(2), and then regs is empty.
 */
int journal_load(struct journal *journal, int fd, struct regs *regs, struct journal_end *end);

/* 0. Or -errno of write(2), -EFBIG, -EIO when the file is torn, and then all is as before. */
int journal_append(struct journal *journal, const struct regs_change *change);

/* Is it time to write the file anew, with as many registrations as there are? */
bool journal_is_large(const struct journal *journal, size_t alive);

/* Writes everything to the empty file behind fd, which is taken over on success. */
int journal_begin_next(struct journal *journal, int fd, const struct regs *regs);
/* The new file is in place; or is not (error), and is closed. */
void journal_end_next(struct journal *journal, int error);
/* The file is not where the next server will look for it: nothing is added until another is. */
void journal_lost(struct journal *journal);

#endif
