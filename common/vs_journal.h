/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What vsctl has made, or was about to make, when a crash came: a file for each VS.
 *
 * A file is written before what it tells of is done, in one write(2) that is all done or not at all
 * whenever the process ends. The kernel's state does not outlive the kernel:
 * a file of another boot says nothing and is removed, and none is ever synced. One that is damaged
 * is told of, and then it is as if we had made nothing: what is left belongs to somebody.
 */
#ifndef NSAUX_VS_JOURNAL_H
#define NSAUX_VS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "buf.h"

#define VS_ENTRY_MAX 4608 /* bytes of a file */
#define VS_ENTRY_NS_MAX 4095

enum vs_entry_state {
	VS_ENTRY_MAKING = 1, /* the VS is being made or changed */
	VS_ENTRY_MADE,
	VS_ENTRY_REMOVING,
};

struct vs_entry {
	UT_hash_handle hh;
	enum vs_entry_state state;
	bool made_namespace; /* by us, with this cookie: ours to delete */
	uint64_t cookie;     /* of its namespace */
	char *ns;            /* path of that; "": the one that vsctl runs in */
	char name[];
};

struct vs_journal;

/* Told of what is damaged or cannot be removed. */
typedef void vs_journal_log_fn(void *arg, const char *file, const char *text);

/*
 * Opens the directory and reads all files. A writer, of which there is one at a time (vs_lock.h),
 * makes it where it is missing, private to its uid, and removes what is of another boot.
 * -ENOENT: there is none; -EPERM: somebody else can write there.
 */
int vs_journal_open(struct vs_journal **journal, const char *dir, bool is_writer,
	vs_journal_log_fn *log, void *arg);
void vs_journal_close(struct vs_journal *journal); /* NULL is allowed */

/* The entries, by name, as an uthash of the journal's; NULL is allowed as journal and has none. */
struct vs_entry *vs_journal_entries(const struct vs_journal *journal);
struct vs_entry *vs_journal_find(const struct vs_journal *journal, const char *name);

/* Writes an entry in the place of what there is under its name; copies it. Pointers to the
 * entry of that name are stale then. 0 or -errno, and then what there was is still in force. */
int vs_journal_put(struct vs_journal *journal, const char *name, const struct vs_entry *values);
int vs_journal_remove(struct vs_journal *journal, const char *name); /* none: 0 */

/* The bytes of a file. decode: a new entry; -ESTALE: of another boot; -EPROTO: damaged. */
void vs_entry_encode(struct buf_writer *w, const uint64_t boot[2], const char *name,
	const struct vs_entry *values);
int vs_entry_decode(
	const void *bytes, size_t len, const uint64_t boot[2], struct vs_entry **entry);
void vs_entry_free(struct vs_entry *entry); /* NULL is allowed */

#endif
