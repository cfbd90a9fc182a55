/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the state file of a VS starts with. The opener makes and removes the files, the server fills
 * them. A file belongs to one namespace (by its cookie) of one boot, and where VSs share that, to
 * the one of that name.
 */
#ifndef NSAUX_STATE_FILE_H
#define NSAUX_STATE_FILE_H

#include <stdint.h>

#include "buf.h"

#define STATE_FILE_MAX (8u << 20) /* bytes; neither written nor opened when longer */
#define STATE_NAME_MAX 127  /* bytes of a VS's name */
#define STATE_HEADER_SIZE 45 /* without a name */
#define STATE_HEADER_MAX (STATE_HEADER_SIZE + STATE_NAME_MAX)

struct state_id {
	uint64_t boot[2];
	uint64_t cookie;
	const char *name; /* borrowed; NULL or "": of the namespace, whatever its name */
};

/* Of the running kernel. 0 or -errno. */
int state_boot_id(uint64_t boot[2]);

void state_put_header(struct buf_writer *w, const struct state_id *id);
/* 0, or -EPROTO: no header, or one that is damaged or of another version of the format. The name
 * lies in what is read, and is never NULL. */
int state_get_header(struct buf_reader *r, struct state_id *id);

#endif
