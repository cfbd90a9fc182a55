/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The warm-start files that a stock rpcbind leaves behind: the server, which can open no file, is
 * given them to read, and says when they are to be removed or put aside.
 */
#ifndef NSAUX_OPENER_WARM_H
#define NSAUX_OPENER_WARM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "opener_socket.h"

struct opener_warm_file {
	struct stat seen; /* of the file that the server was given */
	bool given;
	bool done; /* removed or put aside: what comes there later is for the next start */
};

struct opener_warm {
	char *directory; /* NULL: the files are left alone */
	struct opener_warm_file file[2];
};

int opener_warm_init(struct opener_warm *warm, const char *directory);
void opener_warm_clear(struct opener_warm *warm);

/* Of the kinds of mask those of OPENER_WARM_FILES. The descriptors are for opener_warm_close(). */
void opener_warm_open(struct opener_warm *warm, uint32_t mask, struct opener_socket *sockets);
void opener_warm_close(uint32_t mask, const struct opener_socket *sockets);

/* Only the very file that was given, and only while nobody has written to it since. */
void opener_warm_remove(struct opener_warm *warm, uint32_t mask);
void opener_warm_set_aside(struct opener_warm *warm, uint32_t mask); /* NAME.bad */

#endif
