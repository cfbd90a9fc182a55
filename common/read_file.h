/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole file in memory, up to a limit. */
#ifndef NSAUX_READ_FILE_H
#define NSAUX_READ_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * From where the descriptor stands to the end. *data is the caller's to free; behind its *len
 * bytes there is a NUL. 0, -EFBIG (it has more than max), -ENOMEM, or what read(2) gives.
 */
int read_file_fd(int fd, size_t max, uint8_t **data, size_t *len);

/* The file at path, without waiting for the writer of a FIFO, nor gaining a terminal. -EINVAL: it
 * is not a regular file; else as above, or what open(2) gives. */
int read_file(const char *path, size_t max, uint8_t **data, size_t *len);

#endif
