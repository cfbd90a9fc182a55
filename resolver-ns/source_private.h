/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a source: the snapshot in force, and the files that are watched. */
#ifndef NSAUX_SOURCE_PRIVATE_H
#define NSAUX_SOURCE_PRIVATE_H

#include <sys/types.h>
#include <time.h>

#include "rconf.h"

/*
 * The snapshot in force. A reader takes a reference by one atomic addition: the word has the number
 * of a slot, and below it how many references were taken since that one is in force, for which the
 * snapshot's own counter is high enough meanwhile. What is not in force any more stays in its slot
 * until the last reader has given it back.
 *
 * current_get() and current_is_set() are for all threads, the others are for one at a time.
 */
#define CURRENT_SLOTS 16

struct current {
	_Atomic uint64_t word;
	struct rconf *slots[CURRENT_SLOTS]; /* a reference to each */
};

void current_init(struct current *current);
void current_clear(struct current *current); /* references that readers have stay valid */
bool current_is_set(const struct current *current);
struct rconf *current_get(struct current *current); /* a reference; NULL: there is none in force */
/* The one in force, or NULL, without a reference. */
struct rconf *current_peek(const struct current *current);
/* Takes over the reference. -EBUSY: too many former ones are still in use; nothing has changed. */
int current_set(struct current *current, struct rconf *conf);
/* Lets go those former ones that nobody uses. */
void current_sweep(struct current *current);

/* One file, by its path. */
struct source_file {
	char *path;              /* NULL: there is none */
	size_t max;              /* bytes */
	struct source_identity { /* zero: it is not there */
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec mtime, ctime;
	} identity;
	uint32_t crc; /* of what was read last */
	size_t len;
	bool is_known;   /* it was looked at */
	bool is_read;    /* crc and len are of the text */
	bool is_settled; /* a change would have been seen */
	unsigned waits;  /* how often it was too young to be read */
	int fault;       /* 0, or why what is in it is not in force: -errno */
};

enum source_look {
	SOURCE_SAME,   /* as before */
	SOURCE_LATER,  /* it is being written, so it seems */
	SOURCE_TEXT,   /* it was read */
	SOURCE_ABSENT, /* there is none */
};

#define SOURCE_NOW 0x1u   /* do not wait until it is old enough */
#define SOURCE_FORCE 0x2u /* never SOURCE_SAME */

/*
 * source_file_look: what has become of it. A file that changed a moment ago is not read before it
 * is SOURCE_SETTLE old, lest half of it is taken for the whole, but read after ten looks all the
 * same; one that is gone is believed gone after ten looks. *text is the caller's. What cannot be
 * read is -errno each time, but -EFBIG and -EINVAL (not a regular file) are told once and then
 * SOURCE_SAME.
 */
#define SOURCE_SETTLE UINT64_C(50000000) /* ns */
int source_file_look(struct source_file *file, unsigned flags, char **text, size_t *len);

/* What it was given. */
struct source_parameters {
	char **servers, **search; /* NULL: of the file */
	char *options;            /* NULL: none */
	rconf_log_fn *log;
	void *log_arg;
};

/* 0 or -ENOMEM; clear it in any case. */
int source_parameters_copy(struct source_parameters *p, const struct source_config *config);
/* On top of what a file says. Each fault is told to log (NULL: nobody); -EINVAL, -ENOMEM. */
int source_parameters_apply(
	const struct source_parameters *p, struct rconf *conf, rconf_log_fn *log);
void source_parameters_clear(struct source_parameters *p);

#endif
